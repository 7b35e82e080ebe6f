#!/usr/bin/env python3
"""The C reader against the C compiler: sizes, offsets, enum values and #defines of the system's uapi headers must agree.

  c_layout.py [--build DIR] [HEADER ...]       without headers: every /usr/include/linux/*.h that compiles alone
"""

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def reader(tool, header):
    """What the reader knows after including `header`: structs with their fields, and constants."""
    script = f"#include <{header}>\nbegin {{ }}\n"
    done = subprocess.run([tool, "defines", "-"], input=script, capture_output=True, text=True, timeout=60)
    structs, constants, defines, current = [], [], {}, None
    for line in done.stdout.splitlines():
        if m := re.match(r"(struct|union) (\w+) size (\d+) align (\d+)", line):
            current = (m[1], m[2], int(m[3]), int(m[4]), [])
            if current[2]:
                structs.append(current)
        elif m := re.match(r"  (\d+) (\w+) : (.*)", line):
            if " bits " not in line:
                current[4].append((m[2], int(m[1])))
        elif m := re.match(r"constant (\w+) = (-?\d+) : ", line):
            constants.append((m[1], int(m[2])))
        elif m := re.match(r"define (\w+) = (-?\d+)$", line):
            defines[m[1]] = int(m[2])
    return done, structs, constants, defines


def compiles(text):
    done = subprocess.run(["cc", "-fsyntax-only", "-w", "-x", "c", "-"], input=text, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def assertions(structs, constants):
    for kind, name, size, align, fields in structs:
        yield f'_Static_assert(sizeof({kind} {name}) == {size}, "size of {kind} {name}: {size}");'
        yield f'_Static_assert(_Alignof({kind} {name}) == {align}, "alignment of {kind} {name}: {align}");'
        for field, offset in fields:
            yield (f'_Static_assert(__builtin_offsetof({kind} {name}, {field}) == {offset}, '
                   f'"place of {field} in {kind} {name}: {offset}");')
    for name, value in constants:
        yield f"#undef {name}"      # some headers also define a macro of that name
        yield f'_Static_assert((long long){name} == {value if value != -2**63 else "(-9223372036854775807ll-1)"}ll, "{name}: {value}");'


def compiler_values(include, names):
    """The numbers that the compiler sees in object-like macros; those that are no constants there are left out."""
    for _ in range(5):  # each round drops what did not compile
        rows = "".join(f'#line {i + 1} "n"\n{{"{n}", (long long)(+({n}))}},\n' for i, n in enumerate(names))
        text = include + "#include <stdio.h>\nstatic const struct { const char *n; long long v; } t[] = {\n" + rows + \
            "};\nint main(void) { for (unsigned long i = 0; i < sizeof(t) / sizeof(*t); i++) printf(\"%s %lld\\n\", t[i].n, t[i].v); }\n"
        with tempfile.TemporaryDirectory() as d:
            done = subprocess.run(["cc", "-O0", "-w", "-fmax-errors=0", "-x", "c", "-", "-o", d + "/a"], input=text, capture_output=True, text=True)
            if not done.returncode:
                out = subprocess.run([d + "/a"], capture_output=True, text=True).stdout
                return {n: int(v) for n, v in (line.split() for line in out.splitlines())}
        bad = {int(m) - 1 for m in re.findall(r"^n:(\d+):\d+: error", done.stderr, re.M)}
        names = [n for i, n in enumerate(names) if i not in bad]
        if not bad:
            break
    return {}


# sizeof(time_t) of the C library, and an offset by way of a null pointer
NEEDS_MORE = re.compile(r"(SO|SCM)_TIMESTAMP(NS|ING)?$|SO_(SND|RCV)TIMEO$|LPSETTIMEOUT$|NILFS_SB_BYTES$")


def wrong_defines(include, defines):
    """(compared, complaints) of the #defines of a header and of those that it includes."""
    done = subprocess.run(["cc", "-dD", "-E", "-x", "c", "-"], input=include, capture_output=True, text=True)
    names, ours = [], False
    for line in done.stdout.splitlines():
        if m := re.match(r'# \d+ "([^"]*)"', line):  # headers of the C library are not ours to know
            ours = re.match(r"/usr/include/(linux|asm-generic|[^/]*/asm)/", m[1])
        elif ours and (m := re.match(r"#define ([A-Za-z]\w*) \S", line)) and not NEEDS_MORE.match(m[1]):
            names.append(m[1])
    values = compiler_values(include, names)
    wrong = []
    for name, value in values.items():
        mine = defines.get(name)
        if mine is None:
            wrong.append(f"{name} is {value} and is not read")
        # a signed number of 32 bits keeps 64 here: 1 << 31 is positive
        elif (mine - value) % 2**64 and (mine - value) % 2**32:
            wrong.append(f"{name} is {value}, not {mine}")
    return len(values), wrong


def check(tool, header):
    """(number of facts, complaint or None); (0, None) for a header that does not compile alone."""
    include = f"#include <{header}>\n"
    if not compiles(include)[0]:
        return 0, None
    done, structs, constants, defines = reader(tool, header)
    if done.returncode:
        return 1, f"{header}: the reader fails ({done.returncode}): {done.stderr[:300]}"
    facts = list(assertions(structs, constants))
    ok, errors = compiles(include + "\n".join(facts) + "\n")
    if not ok:
        return len(facts), f"{header}: " + "\n  ".join(re.findall(r"error: (.*)", errors)[:10])
    compared, wrong = wrong_defines(include, dict(constants) | defines)
    return len(facts) + compared, f"{header}: " + "\n  ".join(wrong[:10]) if wrong else None


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("header", nargs="*")
    p.add_argument("--build", type=Path, default=ROOT / "build")
    args = p.parse_args()
    tool = str(args.build.resolve() / "tests/tools/parse_tool")
    headers = args.header or sorted(f"linux/{f.name}" for f in Path("/usr/include/linux").glob("*.h"))

    facts = passed = failed = 0
    with ThreadPoolExecutor(2) as pool:
        for n, complaint in pool.map(lambda h: check(tool, h), headers):
            facts += n
            if complaint:
                failed += 1
                print("FAIL", complaint)
            elif n:
                passed += 1
    print(f"{facts} facts of {passed + failed} headers")
    if not passed + failed:
        print("no kernel headers here: skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
