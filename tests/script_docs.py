#!/usr/bin/env python3
"""Pages about the shipped scripts, docs/scripts/: made from the comments that open them and from what the tests found.

  script_docs.py --build DIR            are the pages in step?  The last line is 'N passed, N failed, N skipped'
  script_docs.py --build DIR --update   write them
  script_docs.py --build DIR --results FILE [--update]   also take the table script by kernel from a run of
                                        tests/runtime.py --results FILE

docs/scripts/NAME.md is what `waketrace NAME --help` prints.  docs/scripts/README.md lists the scripts by group, as `waketrace --scripts`
does, with a column for each kernel; its cells change with --results only.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs/scripts"
KERNELS = ["5.10", "6.1", "6.12", "newest", "native"]
MARKS = {"passed": "yes", "failed": "**fails**", "skipped": "-"}


def ask(build, *words):
    return subprocess.run([build / "waketrace", *words], capture_output=True, text=True, check=True, cwd="/").stdout


def scripts(build):
    """[(group, [(name, purpose), ...]), ...] of --scripts."""
    found = []
    for line in ask(build, "--scripts").splitlines():
        row = re.match(r"  (\S+) +(.*)", line)
        if row:
            found[-1][1].append(row.groups())
        elif line:
            found.append((line, []))
    return found


def page(text, name):
    """What --help says, as Markdown: indented lines are blocks of code, what looks like markup is not."""
    lines, out, block = text.rstrip().splitlines(), [], False
    out.append(f"# {name}\n")
    for line in lines:
        indented = line.startswith("  ")
        if line and indented != block:
            while out and not out[-1]:
                out.pop()
            out += ["", "```"] if indented else ["```", ""]
            block = indented
        out.append(line if block or not line else re.sub(r"([*_<>\[\]\\])", r"\\\1", line))
    if block:
        out.append("```")
    return f"<!-- made by tests/script_docs.py from the comment that opens scripts/{name}.wt -->\n" + "\n".join(out).replace("\n\n\n", "\n\n") + "\n"


def cases_of(results, name):
    """{kernel: outcome} of the cases that run the script: failed before passed before skipped."""
    cells = {}
    word = re.compile(rf"(?:\$WT_SCRIPTS/{name}\.wt|(?:\$WT|waketrace)\b[^\n]* {name}\b)")
    for row in results:
        if not word.search(row["text"]):
            continue
        old = cells.get(row["kernel"])
        for outcome in ("failed", "passed", "skipped"):
            if outcome in (old, row["outcome"]):
                cells[row["kernel"]] = outcome
                break
    return cells


def old_cells(path):
    if not path.exists():
        return {}
    rows = re.findall(r"^\| \[(\w+)\]\(\w+\.md\) \|.*?\|((?:[^|\n]*\|){%d})$" % len(KERNELS), path.read_text(), re.M)
    return {name: [cell.strip() for cell in cells.split("|")[:-1]] for name, cells in rows}


def index(groups, results, old):
    out = ["<!-- made by tests/script_docs.py -->", "# The shipped scripts", "",
           "Run by name: `waketrace NAME`. A kernel's column says whether the script's tests pass there: *yes*; *-* when the kernel lacks what the",
           "script needs (natively often functions that can be traced, or a machine of one's own), which it then says; empty: not run yet.", ""]
    for group, rows in groups:
        out += [f"## {group}", "", "| script | shows | " + " | ".join(KERNELS) + " |", "|---" * (2 + len(KERNELS)) + "|"]
        for name, purpose in rows:
            new = cases_of(results, name)
            before = old.get(name, [""] * len(KERNELS))
            cells = [MARKS[new[k]] if k in new else before[i] for i, k in enumerate(KERNELS)]
            out.append(f"| [{name}]({name}.md) | {purpose} | " + " | ".join(cells) + " |")
        out.append("")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--results", type=Path, action="append", default=[])
    args = parser.parse_args()
    args.build = args.build.resolve()
    results = [row for path in args.results for row in json.loads(path.read_text())]
    groups = scripts(args.build)
    wanted = {PAGES / f"{name}.md": page(ask(args.build, name, "--help"), name) for _, rows in groups for name, _ in rows}
    wanted[PAGES / "README.md"] = index(groups, results, old_cells(PAGES / "README.md"))
    passed = failed = 0
    for path in sorted(set(wanted) | set(PAGES.glob("*.md"))):
        text = wanted.get(path)
        if (path.read_text() if path.exists() else None) == text:
            passed += 1
        elif not args.update:
            print(f"{path.relative_to(ROOT)}: not in step with the script: tests/script_docs.py --update")
            failed += 1
        elif text is None:
            path.unlink()
            passed += 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            passed += 1
    if any(group == "Others" for group, _ in groups):
        print("a script has no group: its opening comment wants a line `Group: ...`")
        failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
