#!/usr/bin/env python3
"""Golden tests: what a stage prints for tests/golden/KIND/x.wt must be what stands beside it.

  golden.py [--update] [KIND ...]     --update rewrites the expectations; their diff is reviewed as code

Two kinds are different: `wrong` are files of many small scripts with the messages below each (tests/tools/check_tool.c), and
`ids` sees that every diagnostic of lang/support/diag_ids.def is shown by a case.

A kind is a row of KINDS: the words after the tool, the suffix of the expectation, and which stream is compared.  A first
line `// args: ...` in a case is appended to the command.  The last line is 'N passed, N failed'.
"""

import argparse
import difflib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


@dataclass
class Kind:
    tool: str               # below the build folder
    words: list
    suffix: str
    stream: str = "stdout"
    fails: bool = False     # the exit status is 1
    cases: tuple = ()       # other folders whose cases are used too; without a suffix: only the exit status counts


PARSE = "tests/tools/parse_tool"
KINDS = {
    "parse": Kind(PARSE, ["ast"], ".ast"),
    "fmt": Kind(PARSE, ["fmt"], ".fmt"),
    "roundtrip": Kind(PARSE, ["roundtrip"], "", cases=("tests/golden/parse", "tests/golden/fmt", "scripts")),
    "front": Kind(PARSE, ["front"], ".ast"),
    "c": Kind(PARSE, ["c"], ".types"),
    "diag": Kind(PARSE, ["front"], ".err", stream="stderr", fails=True),
}


CHECK = "tests/tools/check_tool"
# Diagnostics that no golden case can have, and why.
ELSEWHERE = {
    "CANNOT_OPEN": "the command line's: tests/runtime/bad_input.test",
    "TOO_LONG": "a script of 4 GiB",
    "CODEGEN": "a fault of LLVM's",
    "DATA_LOC": "tracepoints with texts behind their record: tests/runtime/data.test",
    "VALUE_TOO_LONG": "no value of a language is so long; kept for those to come",
}


def check_wrong(file, build, update):
    """(passed, failed) of one file of cases: the tool writes the file anew."""
    done = subprocess.run([str(build / CHECK), file.name], cwd=file.parent, capture_output=True, timeout=180)
    if done.returncode:
        print(f"FAIL {file.relative_to(ROOT)}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
        return 0, 1
    if update:
        file.write_bytes(done.stdout)
    split = lambda text: text.decode(errors="backslashreplace").split("\n==== ")
    wanted, now = split(file.read_bytes()), split(done.stdout)
    passed = failed = 0
    for old, new in zip(wanted[1:], now[1:]):
        title = old.split("\n", 1)[0]
        accepted = "\n----\n" in new + "\n"
        if old == new and not accepted:
            passed += 1
            continue
        failed += 1
        print(f"FAIL {file.relative_to(ROOT)}: {title}{': nothing was said' if accepted else ''}")
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), file.name, "now"))
    return passed, failed


def check_ids():
    """(passed, failed): is every diagnostic shown by a case?"""
    rows = re.findall(r"^DIAG\((\w+),", (ROOT / "lang/support/diag_ids.def").read_text(), re.M)
    shown = {case.name.split(".")[0] for case in (GOLDEN / "diag").glob("*.wt")}
    for file in (GOLDEN / "wrong").glob("*.cases"):
        for line in re.findall(rb"^----(.*)$", file.read_bytes(), re.M):
            shown |= set(line.decode().split())
    missing = [row for row in rows if row not in shown and row not in ELSEWHERE]
    for row in missing:
        print(f"FAIL {row}: no case of tests/golden/diag or tests/golden/wrong shows this diagnostic: add a title and a script to "
              "tests/golden/wrong/more.cases and run tests/golden.py --update wrong")
    return len(rows) - len(missing), len(missing)


def arguments(case):
    first = case.read_bytes().split(b"\n", 1)[0]
    return first[len(b"// args:"):].decode().split() if first.startswith(b"// args:") else []


def run(kind, case, build):
    command = [str(build / kind.tool), *kind.words, *arguments(case), case.name]
    done = subprocess.run(command, cwd=case.parent, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return getattr(done, kind.stream), done


def complaint(kind, done):
    """What is wrong whatever the output is."""
    if kind.fails and done.returncode == 0:
        return "it was accepted"
    if not kind.fails and done.returncode != 0:
        return done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1):
        return f"exit status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}"
    return None


def check(kind, case, build, update):
    expectation = case.with_suffix(kind.suffix or ".wt")
    output, done = run(kind, case, build)
    wrong = complaint(kind, done)
    if wrong:
        print(f"FAIL {case.relative_to(ROOT)}: {wrong}")
        return False
    if not kind.suffix:
        return True
    if update:
        expectation.write_bytes(output)
        return True
    wanted = expectation.read_bytes() if expectation.exists() else b""
    if output == wanted:
        return True
    print(f"FAIL {case.relative_to(ROOT)}")
    sys.stdout.writelines(difflib.unified_diff(
        wanted.decode(errors="backslashreplace").splitlines(True),
        output.decode(errors="backslashreplace").splitlines(True), expectation.name, "now"))
    return False


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("kind", nargs="*", help="only these kinds")
    p.add_argument("--update", action="store_true", help="rewrite the expectations")
    p.add_argument("--build", type=Path, default=ROOT / "build", help="build folder (default: build)")
    args = p.parse_args()

    passed = failed = 0
    for name in args.kind or [*KINDS, "wrong", "ids"]:
        if name in ("wrong", "ids"):
            files = sorted((GOLDEN / "wrong").glob("*.cases")) if name == "wrong" else [None]
            for file in files:
                counts = check_wrong(file, args.build.resolve(), args.update) if file else check_ids()
                passed, failed = passed + counts[0], failed + counts[1]
            continue
        kind = KINDS[name]
        folders = [GOLDEN / name] + [ROOT / folder for folder in kind.cases]
        cases = [case for folder in folders for case in sorted(folder.glob("*.wt"))]
        stray = set()
        if kind.suffix:
            stray = set((GOLDEN / name).glob("*" + kind.suffix)) - {c.with_suffix(kind.suffix) for c in cases}
        for file in sorted(stray):
            print(f"FAIL {file.relative_to(ROOT)}: there is no script beside it")
            failed += 1
        for case in cases:
            if check(kind, case, args.build.resolve(), args.update):
                passed += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
