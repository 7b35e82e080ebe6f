#!/usr/bin/env python3
"""How long attaching to and detaching from 1, 100 and 3,000 kernel functions takes, in the test kernels.

What the program itself takes (reading, compiling, asking) is told apart from what the kernel does for it.  The figures are those of
emulated machines, some ten times slower than the machine itself; they are printed, never judged.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TICKS = 100  # of /proc/PID/stat in a second
KERNELS = ["5.10", "6.1", "6.12", "newest"]

# Functions that an idle machine does not run: what is measured is the attaching, not the probes.
SCRIPT = r"""
cd /tmp
names=$(awk '{ print $1 }' /sys/kernel/tracing/available_filter_functions |
    grep -E '^(acpi|ip6?|ipv6|nf|nft|crypto|xfrm|pci|pcie|intel|amd|usb|scsi|ata|drm|netlink|genl|bpf|kvm|inet6?|udpv?6?|tcp)_[a-z0-9_]*$' | sort -u)
now() { cut -d' ' -f1 /proc/uptime; }
for n in 1 100 3000; do
    list=$(echo $names | tr ' ' '\n' | head -n $n | sed 's/^/kprobe:/' | paste -sd, -)
    count=$(echo $list | tr ',' '\n' | wc -l)
    echo "config = { max_probes = 10000; missing_probes = \"ignore\" } $list { @ = count(); }" >script.wt
    waketrace --dry-run -e 'begin { }' >/dev/null 2>&1
    begin=$(now)
    waketrace script.wt >out 2>err &
    until grep -q '^Attached' err || ! kill -0 $! 2>/dev/null; do usleep 10000; done
    attached=$(now)
    ticks=$(cut -d' ' -f14,15 /proc/$!/stat)
    kill -INT $!
    wait $!
    end=$(now)
    echo "FIGURE $count $(sed -n 's/^Attached \([0-9]*\).*/\1/p' err) $begin $attached $end $ticks"
    grep -v '^Attached' err | head -n 3
done
"""


def figures(kernel):
    run = subprocess.run([sys.executable, ROOT / "tests/guest/run.py", "exec", kernel, "--timeout", "3000", "--", "sh", "-c", SCRIPT],
                         stdout=subprocess.PIPE, text=True, check=False)
    found = re.findall(r"^FIGURE (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+) (\d+)$", run.stdout, re.M)
    if len(found) < 3:
        print(run.stdout, file=sys.stderr)
    for wanted, got, begin, attached, end, user, system in found:
        yield (int(wanted), int(got), float(attached) - float(begin), int(user) / TICKS, int(system) / TICKS,
               float(end) - float(attached))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kernel", nargs="*", metavar="KERNEL", choices=[[], *KERNELS], help="of " + ", ".join(KERNELS) + " (default: all)")
    args = p.parse_args()
    print(f"{'kernel':8} {'functions':>9} {'attached':>9} {'start to attached':>18} {'of it our own':>14} {'the kernel':>11} "
          f"{'detach and end':>15}")
    for kernel in args.kernel or KERNELS:
        for wanted, got, attach, user, system, detach in figures(kernel):
            print(f"{kernel:8} {wanted:9} {got:9} {attach:16.2f} s {user:12.2f} s {system:9.2f} s {detach:13.2f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
