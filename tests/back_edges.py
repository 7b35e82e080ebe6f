#!/usr/bin/env python3
"""Loops are closed by jumps: kernels before 6.8 refuse a program that falls into the head of a loop (docs/verifier.md).

  back_edges.py [--build DIR] [SCRIPT ...]      default: shipped scripts with lists of options and comparisons of texts

The kernel's check of the control flow, over the objects that scripts become: depth first, what follows before what is jumped to.  It is
an error to come by falling to an instruction from which the way here began.  The last line is 'N passed, N failed, N skipped'.
"""

import argparse
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("cpudist", "klockstat", "runqlat", "runqslower")
JMP, JMP32, LD_IMM64 = 5, 6, 0x18
JA, CALL, EXIT = 0x00, 0x80, 0x90


def programs(elf):
    """Name and code of each section with instructions."""
    at, (count, names) = struct.unpack_from("<Q", elf, 0x28)[0], struct.unpack_from("<HH", elf, 0x3c)
    headers = [struct.unpack_from("<IIQQQQ", elf, at + 64 * i) for i in range(count)]
    for name, kind, flags, _, offset, size in headers:
        if kind == 1 and flags & 4:
            begin = headers[names][4] + name
            yield elf[begin:elf.index(b"\0", begin)].decode(), elf[offset:offset + size]


def ways_on(code, i):
    """(next instruction, whether by a jump); a conditional jump may fall wherever it may jump."""
    op, _, offset, constant = struct.unpack_from("<BBhi", code, 8 * i)
    if op == LD_IMM64:
        return [(i + 2, False)]
    if op & 7 not in (JMP, JMP32) or op & 0xf0 == CALL:
        return [(i + 1, False)]
    if op & 0xf0 == EXIT:
        return []
    if op & 0xf0 == JA:
        return [(i + 1 + (offset if op & 7 == JMP else constant), True)]
    return [(i + 1, True), (i + 1 + offset, True)]


def falls(code):
    """The instructions that fall into the head of a loop around them."""
    begun, done, found = set(), set(), []
    for start in range(len(code) // 8):
        if start in begun:
            continue
        begun.add(start)
        way = [(start, iter(ways_on(code, start)))]
        while way:
            here, rest = way[-1]
            there, jump = next(rest, (None, False))
            if there is None:
                done.add(here)
                way.pop()
            elif there not in begun:
                begun.add(there)
                way.append((there, iter(ways_on(code, there))))
            elif there not in done and not jump:
                found.append(here)
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", type=Path, default=ROOT / "build")
    p.add_argument("scripts", nargs="*", type=Path, default=[ROOT / "scripts" / f"{name}.wt" for name in SCRIPTS])
    args = p.parse_args()
    passed = failed = skipped = 0
    for script in args.scripts:
        with tempfile.NamedTemporaryFile() as f:
            r = subprocess.run([args.build.resolve() / "waketrace", "--emit-elf", f.name, script], capture_output=True, text=True)
            if r.returncode:
                print(f"skipped {script.name}: {r.stderr.strip().splitlines()[0]}")
                skipped += 1
                continue
            wrong = [(name, at) for name, code in programs(Path(f.name).read_bytes()) for at in falls(code)]
        for name, at in wrong:
            print(f"FAIL {script.name}: section {name}: instruction {at} falls into the head of a loop")
        failed, passed = failed + bool(wrong), passed + (not wrong)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
