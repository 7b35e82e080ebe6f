# Sourced by ./run without arguments: compile fork5, trace it with wakeuptime here, or in a guest where this kernel
# or user cannot.  The trace goes to stdout, everything else to stderr.

TARGET=$ROOT/build/fork5
[ "$TARGET" -nt "$ROOT/tests/triggers/fork5.c" ] ||
	cc -O1 -static -o "$TARGET" "$ROOT/tests/triggers/fork5.c"

# Why this kernel cannot do it; empty when it can.
why_not_here() {
	[ "$(id -u)" = 0 ] || {
		echo "not root"
		return
	}
	[ -r /sys/kernel/btf/vmlinux ] || {
		echo "this kernel has no BTF"
		return
	}
	if [ ! -e /sys/kernel/tracing/events ] && [ ! -e /sys/kernel/debug/tracing/events ]; then
		if mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; then
			echo "mounted tracefs on /sys/kernel/tracing" >&2
		else
			echo "tracefs cannot be mounted"
			return
		fi
	fi
	for event in sched_waking sched_switch sched_process_exit; do
		[ -e /sys/kernel/tracing/events/sched/$event/id ] || [ -e /sys/kernel/debug/tracing/events/sched/$event/id ] || {
			echo "this kernel has no tracepoint sched:$event"
			return
		}
	done
}

echo "fork5 forks five children that sleep 100, 200, 300, 400 and 500 ms, and waits for them." >&2
reason=$(why_not_here)
if [ -z "$reason" ]; then
	(cd "$ROOT/build" && ./waketrace -q -c ./fork5 wakeuptime)
else
	echo "not on this kernel ($reason): in a test guest with Linux 6.1" >&2
	need_packages $GUEST_PACKAGES
	"$ROOT/tests/guest/run.py" exec 6.1 --put "$TARGET:/root/fork5" -- waketrace -q -c /root/fork5 wakeuptime
fi
cat <<'END'

How to read it: the target was blocked for so many microseconds in all until the waker woke it, and the lines between are
the waker's path through the kernel, from its system call (exit_group, a child ending) down to the waking itself.
END
