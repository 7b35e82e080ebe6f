#!/usr/bin/env python3
"""The documentation is tested too: README.md and docs/*.md, docs/waketrace.8.

  docs.py --build DIR [--update] [--fill] [FILE ...]

What is looked at:
  ```wt            a whole script: `waketrace check` accepts it
  ```wt error      a script that must be refused
  ```wt missing    a script that will be accepted one day: a note, no failure, when it is
  ```console       every line `$ [sudo] waketrace ...`: its program is accepted (`-d types`), its options exist
  ```console same  run as well (as root, else skipped): what it prints must be what stands below it;
                   messages on stderr must be as many, in whatever words
  [text](path)     the file exists
  scripts          --help lists all of scripts/, and those that README.md names exist
  options          every option of --help stands in docs/waketrace.8 with its argument, and no other
  builtins         docs/builtins.md is what is made of --help-builtins (--update writes it)

A probe that the machine lacks (no kprobes, tracefs not readable) leaves the parser as judge.  --update rewrites the outputs of
`same` blocks, --fill those of `console` blocks that have none yet.  The last line is 'N passed, N failed, N skipped'.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\S*)[ ]*(.*)$")
COMMAND = re.compile(r"^\$ (?:sudo )?(?:[A-Z_]+=\S+ )*waketrace\b")
# What the machine lacks is no mistake of the example.
ABSENT = re.compile(r"cannot be attached: |there is no (tracepoint|kernel function|function|static probe)\b.* fits"
                    r"|types of the kernel|BTF|is not in the list of|ambiguous")


class Tests:
    def __init__(self, args):
        self.binary = args.build / "waketrace"
        self.parser = args.build / "tests" / "tools" / "parse_tool"
        self.update, self.fill = args.update, args.fill
        self.passed = self.failed = self.skipped = 0

    def judge(self, place, complaint):
        if complaint:
            self.failed += 1
            print(f"{place}: {complaint}")
        else:
            self.passed += 1

    def run(self, words, shell=False):
        environment = {"PATH": f"{self.binary.parent}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LC_ALL": "C", "TZ": "UTC"}
        try:
            return subprocess.run(words, shell=shell, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  env=environment, cwd=ROOT, errors="replace")
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 124, "", "it took longer than a minute")

    # Why a script is not accepted; None when it is.
    def check(self, text, words, must_fail=False):
        with tempfile.TemporaryDirectory() as directory:
            script = Path(directory) / "example.wt"
            script.write_text(text)
            done = self.run([self.binary, *words, "-d", "types", str(script)])
            if must_fail:
                return None if done.returncode == 1 else f"status {done.returncode} where an error was promised"
            if done.returncode == 0:
                return None
            errors = [line for line in done.stderr.splitlines() if "ERROR:" in line]
            if errors and all(ABSENT.search(line) for line in errors):
                done = self.run([self.parser, "ast", str(script)])
                if done.returncode == 0:
                    return None
            return f"refused:\n{text}\n{done.stderr}"


def blocks(lines):
    """(info, rest of info, first line of the text, line of the closing fence) of each fenced block, counted from 0."""
    start = None
    for n, line in enumerate(lines):
        found = FENCE.match(line)
        if start is None and found:
            start, kind, rest = n, found[1], found[2]
        elif start is not None and line.rstrip() == "```":
            yield kind, rest, start + 1, n
            start = None


def commands(lines, first, end):
    """(command, line behind it, line behind its output) of each `$` line; a command goes on until its quotes are closed."""
    n = first
    while n < end:
        if not COMMAND.match(lines[n]):
            n += 1
            continue
        text, n = lines[n][2:], n + 1
        while n < end and not closed(text):
            text, n = text + "\n" + lines[n], n + 1
        behind = n
        while behind < end and not COMMAND.match(lines[behind]):
            behind += 1
        yield text, n, behind
        n = behind


def closed(text):
    try:
        shlex.split(text)
        return not text.endswith("\\")
    except ValueError:
        return False


def options_of(binary):
    """--help's rows: {'-o': 'FILE', '--output': 'FILE', ...}"""
    text = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
    found = {}
    for row in re.findall(r"^  (?:(-\w)(?:, )?|    )(--[\w-]+)?(?: (\S+))?(?:\s|$)", text.split("Options")[1].split("Scripts:")[0], re.M):
        for name in row[:2]:
            if name:
                found[name] = row[2] if not row[2] or row[2][0].isupper() or row[2][0] in "[" or "|" in row[2] or row[2] == "bash" else ""
    return found


def check_command(tests, text, options):
    words = shlex.split(text, comments=True)
    while words and (words[0] == "sudo" or re.match(r"[A-Z_]+=", words[0])):
        words.pop(0)
    words = words[1:]
    program, kept = None, []
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if word in ("--", "|", ">", "2>", "&", "&&", ";"):
            break
        if not word.startswith("-") or word == "-":
            if program is None and word not in ("check", "build", "run"):
                program = program or ""
                break
            continue
        if name == "-lv":
            name = "-l"
        if name not in options:
            return f"no option {name} in --help: {text}"
        if word == "-e":
            program = words.pop(0)
        elif options[name] and not value and not options[name].startswith("["):
            argument = words.pop(0)
            if name in ("-c", "--cmd"):
                kept += ["-c", argument]
        elif name in ("--unsafe",):
            kept.append(name)
    return tests.check(program, kept) if program else None


def real(tests, text, streams="2>&1"):
    done = tests.run(f"exec {streams}; " + re.sub(r"\bsudo ", "", text, count=1), shell=True)
    return done.stdout.rstrip().splitlines()


def alike(tests, text, shown):
    """The results are the same, and there are as many messages: their words may be improved without a change here."""
    results = real(tests, text, "2>/dev/null")
    rest = iter(shown)
    messages = [sum(bool(re.search(r"\b(ERROR|WARNING):", line)) for line in lines) for lines in (shown, real(tests, text))]
    return all(line in rest for line in results) and messages[0] == messages[1] and (results or messages[0])


def check_file(tests, path, options):
    lines = path.read_text().split("\n")
    changes = []
    for kind, rest, first, end in blocks(lines):
        place = f"{path.relative_to(ROOT)}:{first + 1}"
        if kind == "wt" and rest == "missing":
            tests.passed += 1
            if not tests.check("\n".join(lines[first:end]) + "\n", ["--unsafe"]):
                print(f"{place}: note: this is accepted now and can be taken out: {lines[first]}")
        elif kind == "wt":
            tests.judge(place, tests.check("\n".join(lines[first:end]) + "\n", ["--unsafe"], rest == "error"))
        if kind != "console":
            continue
        for text, behind, output_end in commands(lines, first, end):
            if rest != "same":
                tests.judge(place, check_command(tests, text, options))
                if tests.fill and behind == output_end:
                    changes.append((behind, output_end, real(tests, text)))
                continue
            if os.geteuid() != 0:
                tests.skipped += 1
                continue
            shown, got = "\n".join(lines[behind:output_end]).rstrip().split("\n"), real(tests, text)
            if tests.update:
                changes.append((behind, output_end, got + [""] * (output_end < end)))
            else:
                tests.judge(place, None if shown == (got or [""]) or alike(tests, text, shown) else
                            f"{text}\n  does not print\n" + "\n".join(shown) + "\n  but\n" + "\n".join(got))
    for name in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", "\n".join(lines)):
        if "://" not in name:
            tests.judge(f"{path.relative_to(ROOT)}", None if (path.parent / name).exists() else f"there is no {name}")
    for start, end, new in reversed(changes):
        lines[start:end] = new
    if changes:
        path.write_text("\n".join(lines))


def check_names(tests, options):
    readme = (ROOT / "README.md").read_text()
    listed = tests.run([tests.binary, "--help"]).stdout
    for script in sorted((ROOT / "scripts").glob("*.wt")):
        tests.judge("README.md", None if re.search(rf"^  {script.stem} ", listed, re.M) else f"{script.name} is not in --help")
    for name in re.findall(r"\]\(scripts/([\w-]+)\.wt\)", readme):
        tests.judge("README.md", None if re.search(rf"^  {name} ", listed, re.M) else f"there is no script {name}")
    manual = (ROOT / "docs/waketrace.8").read_text()
    manual = re.sub(r"\\f[BIR]", "", manual).replace("\\-", "-")
    for name in sorted(options):
        tests.judge("docs/waketrace.8", None if re.search(rf"(?<![\w-]){name}(?![\w-])", manual) else f"{name} of --help is missing")
    for name in sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]+", manual.split(".SH OPTIONS")[1].split(".SH ")[0]))):
        tests.judge("docs/waketrace.8", None if name in options else f"{name} is not in --help")


BUILTINS_HEAD = """# Builtin functions and variables

`waketrace --help-builtins NAME` tells the same; this page is made of it (`tests/docs.py --update`). What they mean in detail:
[language.md](language.md).
"""
PLACES = {
    "in the kernel": "While the probe runs",
    "in user space": "Done by waketrace when it takes the event",
    "aggregation": "Aggregations: the right side of an assignment to a map",
    "while compiling": "Known while compiling",
    "standard library": "Macros of the standard library",
}


def builtins_page(tests):
    rows = re.findall(r"^(\S+(?:\(.*\))?)  \(([a-z ]+)\)\n    (.*)$", tests.run([tests.binary, "--help-builtins"]).stdout, re.M)
    page = [BUILTINS_HEAD]
    for place, title in PLACES.items():
        page.append(f"## {title}\n\n| name | what it does |\n|---|---|")
        page += [f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, where, text in rows if where == place]
        page.append("")
    return "\n".join(page)


def check_builtins(tests):
    path, page = ROOT / "docs/builtins.md", builtins_page(tests)
    if tests.update:
        path.write_text(page)
    tests.judge("docs/builtins.md", None if path.exists() and path.read_text() == page else
                "it is not what --help-builtins says: tests/docs.py --update")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    args.build = args.build.resolve()
    tests = Tests(args)
    options = options_of(tests.binary)
    for path in args.files or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        check_file(tests, path.resolve(), options)
    if not args.files:
        check_names(tests, options)
        check_builtins(tests)
    print(f"{tests.passed} passed, {tests.failed} failed, {tests.skipped} skipped")
    return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
