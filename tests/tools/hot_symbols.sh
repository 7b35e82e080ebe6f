#!/bin/sh
# Write tests/tools/hot_symbols.txt: the functions that run when scripts are compiled and started, one per line.  The linker puts them
# next to each other (runtime/CMakeLists.txt), so that a start touches a third of the pages.  Needs valgrind, root and a release
# build; run it again when LLVM changes.  Names that do not exist (another LLVM) do no harm.
set -eu
ROOT=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
WT=$ROOT/build/waketrace.symbols
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT

profile() {
	name=$1
	shift
	valgrind --tool=callgrind --demangle=no --callgrind-out-file="$OUT/$name.out" "$WT" "$@" >"$OUT/$name.log" 2>&1 ||
		{ cat "$OUT/$name.log" >&2; exit 1; }
}

cat >"$OUT/typical.wt" <<'SCRIPT'
tracepoint:sched:sched_switch { @start[tid] = nsecs; @[kstack, comm, args.prev_pid] = hist(nsecs); printf("%s %d\n", comm, pid); }
tracepoint:sched:sched_waking /@start[args.pid]/ { @t[args.comm] = sum(nsecs - @start[args.pid]); delete(@start, args.pid); }
tracepoint:syscalls:sys_enter_openat { @name[str(args.filename)] = count(); }
interval:s:1 { print(@t); clear(@t); }
SCRIPT
profile begin -q -e 'begin { exit() }'
profile typical build "$OUT/typical.wt" -o "$OUT/typical.o"
cat "$OUT"/*.out | grep -hE '^c?fn=' | sed -E "s/^c?fn=\([0-9]*\) *//; s/'[0-9]+\$//" | grep -E '^[A-Za-z_]' | LC_ALL=C sort -u >"$OUT/ran"
nm "$WT" | awk '$2 ~ /[tTwWvV]/ { print $3 }' | LC_ALL=C sort -u >"$OUT/there"
LC_ALL=C comm -12 "$OUT/ran" "$OUT/there" >"$ROOT/tests/tools/hot_symbols.txt"
wc -l "$ROOT/tests/tools/hot_symbols.txt"
