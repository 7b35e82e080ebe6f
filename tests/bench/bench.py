#!/usr/bin/env python3
"""Figures of speed, beside the bpftrace that is installed: start-up (CPU time, peak memory) and cost per event.

Cost per event is what the kernel measures of the programs themselves: run_time_ns / run_cnt with kernel.bpf_stats_enabled=1.
Figures are printed, never judged.  Needs root; nothing is changed for good.

    tests/bench/bench.py [--binary build/waketrace] [--runs 9] [--events 1000000]
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATS = Path("/proc/sys/kernel/bpf_stats_enabled")

# name, waketrace's text, bpftrace's text where it differs
FORMS = [
    ("{ }", "tracepoint:syscalls:sys_enter_getppid { }", None),
    ("@ = count()", "tracepoint:syscalls:sys_enter_getppid { @ = count(); }", None),
    ("@[comm] = count()", "tracepoint:syscalls:sys_enter_getppid { @[comm] = count(); }", None),
    ("@[pid] = hist(nsecs)", "tracepoint:syscalls:sys_enter_getppid { @[pid] = hist(nsecs); }", None),
    ("@[kstack] = count()", "tracepoint:syscalls:sys_enter_getppid { @[kstack] = count(); }", None),
    ("start/stop, delete", "tracepoint:syscalls:sys_enter_getppid { @s[tid] = nsecs; } "
     "tracepoint:syscalls:sys_exit_getppid /@s[tid]/ { @t = sum(nsecs - @s[tid]); delete(@s, tid); }",
     "tracepoint:syscalls:sys_enter_getppid { @s[tid] = nsecs; } "
     "tracepoint:syscalls:sys_exit_getppid /@s[tid]/ { @t = sum(nsecs - @s[tid]); delete(@s[tid]); }"),
]

# What wakeuptime does at its heart, without its options: the same text for both but for the ways they read fields.
WAKER = ("{begin} {{ exit() }} tracepoint:sched:sched_switch /args{of}prev_state & 3/ {{ @asleep[args{of}prev_pid] = nsecs; }} "
         "tracepoint:sched:sched_waking /@asleep[args{of}pid]/ {{ @us[kstack, comm, args{of}comm] = "
         "sum((nsecs - @asleep[args{of}pid]) / 1000); {delete}; }}")
WAKER_OURS = WAKER.format(begin="begin", of=".", delete="_ = delete(@asleep, args.pid)")
WAKER_THEIRS = WAKER.format(begin="BEGIN", of="->", delete="delete(@asleep[args->pid])")

TRIGGER = r"""
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) { for (long n = argc > 1 ? atol(argv[1]) : 1; n-- > 0;) syscall(SYS_getppid); return 0; }
"""


# The memory of whoever starts a program counts as the program's peak until its exec: so it is started by something small.
MEASURE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct rusage u;
	int status, null;
	pid_t pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	wait4(pid, &status, 0, &u);
	printf("%d %.3f %.3f\n", status, (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3, u.ru_maxrss / 1024.0);
	return argc < 2;
}
"""


def compile_c(text, path):
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-x", "c", "-", "-o", path], input=text.encode(), check=True)


def run_measured(measure, argv):
    """(CPU milliseconds, peak MiB) of one run; None when it failed."""
    status, cpu, memory = subprocess.run([measure, *argv], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return None if int(status) else (float(cpu), float(memory))


def startup(measure, argv, runs):
    results = [r for r in (run_measured(measure, argv) for _ in range(runs + 1)) if r][1:]
    if not results:
        return "failed"
    results.sort()
    cpu, memory = results[len(results) // 2]
    return f"{cpu:7.1f} ms {max(m for _, m in results):6.1f} MiB"


def program_counters(pid):
    """Sum of run_time_ns and run_cnt over the BPF programs that a process holds."""
    total_ns = runs = 0
    seen = set()
    try:
        fds = os.listdir(f"/proc/{pid}/fdinfo")
    except OSError:
        return 0, 0
    for fd in fds:
        try:
            text = Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
        except OSError:
            continue
        ident = re.search(r"^prog_id:\s*(\d+)", text, re.M)
        ns = re.search(r"^run_time_ns:\s*(\d+)", text, re.M)
        count = re.search(r"^run_cnt:\s*(\d+)", text, re.M)
        if ns and count and ident and ident.group(1) not in seen:
            seen.add(ident.group(1))
            total_ns += int(ns.group(1))
            runs += int(count.group(1))
    return total_ns, runs


def wait_until_attached(process, trigger):
    """Tools say when they are attached in different words: run the trigger until a program has run."""
    for _ in range(100):
        subprocess.run([trigger, "10"], check=False)
        if program_counters(process.pid)[1]:
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.1)
    return False


def event_cost(argv, trigger, events):
    with open(os.devnull, "w") as null:
        process = subprocess.Popen(argv, stdout=null, stderr=null)
        try:
            if not wait_until_attached(process, trigger):
                return "failed"
            before_ns, before = program_counters(process.pid)
            subprocess.run([trigger, str(events)], check=True)
            ns, count = program_counters(process.pid)
            # a pair of programs counts as one event
            return f"{(ns - before_ns) / events:7.1f} ns" if count > before else "no events"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build" / "waketrace"))
    parser.add_argument("--runs", type=int, default=9, help="runs per start-up figure (the median is shown)")
    parser.add_argument("--events", type=int, default=1000000, help="events per cost figure")
    args = parser.parse_args()
    bpftrace = shutil.which("bpftrace")
    if os.geteuid():
        sys.exit("bench.py needs root")
    if not os.path.ismount("/sys/kernel/tracing") and not os.path.isdir("/sys/kernel/tracing/events"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=False)

    print(f"{'start-up (CPU, peak memory)':30}{'waketrace':>24}{'bpftrace' if bpftrace else '(no bpftrace)':>24}")
    wakeuptime = ROOT / "scripts" / "wakeuptime.wt"
    rows = [("begin { exit() }", [args.binary, "-q", "-e", "begin { exit() }"],
             [bpftrace, "-q", "-e", "BEGIN { exit() }"]),
            ("wakeuptime, its heart", [args.binary, "-q", "-e", WAKER_OURS], [bpftrace, "-q", "-e", WAKER_THEIRS])]
    if wakeuptime.exists():
        rows.append(("wakeuptime --dry-run", [args.binary, "--dry-run", str(wakeuptime)], None))
    before = STATS.read_text()
    with tempfile.TemporaryDirectory() as folder:
        trigger, measure = os.path.join(folder, "getppid"), os.path.join(folder, "measure")
        compile_c(TRIGGER, trigger)
        compile_c(MEASURE, measure)
        for name, ours, theirs in rows:
            print(f"{name:30}{startup(measure, ours, args.runs):>24}"
                  f"{startup(measure, theirs, args.runs) if bpftrace and theirs else '-':>24}", flush=True)
        print(f"\n{'cost per event':30}{'waketrace':>24}{'bpftrace' if bpftrace else '(no bpftrace)':>24}")
        STATS.write_text("1")
        try:
            for name, ours, theirs in FORMS:
                print(f"{name:30}{event_cost([args.binary, '-q', '-e', ours], trigger, args.events):>24}"
                      f"{event_cost([bpftrace, '-q', '-e', theirs or ours], trigger, args.events) if bpftrace else '-':>24}",
                      flush=True)
        finally:
            STATS.write_text(before)


if __name__ == "__main__":
    main()
