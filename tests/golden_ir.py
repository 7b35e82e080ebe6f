#!/usr/bin/env python3
"""The optimised IR of tests/golden/ir/*.wt by few telling lines.

  golden_ir.py [--build DIR]

`// ir: TEXT` must be found, in this order; `// !ir: TEXT` nowhere.  The manifest, which holds the script, does not count.
The last line is 'N passed, N failed, N skipped'.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def wrong(case, binary):
    done = subprocess.run([binary, "--no-warnings", "-d", "ir-opt", case], capture_output=True, text=True, timeout=20,
                          errors="replace")
    if done.returncode:
        return done.stderr
    ir = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("@wt_manifest"))
    at = 0
    for line in case.read_text().splitlines():
        if line.startswith("// !ir: ") and line[8:] in ir:
            return f"found, but should not be: {line[8:]}"
        if line.startswith("// ir: "):
            at = ir.find(line[7:], at)
            if at < 0:
                return f"not found (in this order): {line[7:]}\n{ir}"
            at += 1
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", type=Path, default=ROOT / "build")
    binary = p.parse_args().build.resolve() / "waketrace"
    cases = sorted((ROOT / "tests/golden/ir").glob("*.wt"))
    btf = Path("/sys/kernel/btf/vmlinux").exists()
    passed = failed = skipped = 0
    for case in cases:
        if not btf and "curtask" in case.read_text():
            print(f"skipped {case.name}: this kernel has no BTF")
            skipped += 1
            continue
        why = wrong(case, binary)
        if why:
            print(f"FAIL {case.relative_to(ROOT)}: {why}")
        failed += bool(why)
        passed += not why
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
