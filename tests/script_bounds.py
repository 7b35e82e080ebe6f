#!/usr/bin/env python3
"""Shipped scripts keep bounded memory: what a script stores per thread, socket, file or request it also takes out.

  script_bounds.py [FILE ...]      default: scripts/*.wt

A map with keys that is assigned values (not aggregations, which are meant to be kept) must somewhere be deleted from or cleared, be an
lruhash, or have keys that are few: cpu, devices, constants.  A stamp per thread or process also needs an end that always comes: a probe
on the exit of threads, or a function that returns.  The last line is 'N passed, N failed, N skipped'.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AGGREGATES = r"(?:count|sum|avg|min|max|stats|hist|lhist|tseries)\("
KEYS_OF_FEW = re.compile(r"^(?:cpu|\"[^\"]*\"|\(?(?:u?int\d+\)?)?\d+|func|probe|\$dev|\$name)$")
ENDS = re.compile(r"sched_process_(?:exit|free)|\b(?:fexit|kretprobe|uretprobe|fr|kr|ur):|sys_exit|iter:|lruhash|contention_end")


def complaints(text):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    stored = {}
    for name, key, value in re.findall(r"(@\w+)\[((?:[^\[\]]|\[[^\]]*\])*)\]\s*=(?!=)\s*([^;]*)", text):
        if not re.match(AGGREGATES, value.strip()) and not KEYS_OF_FEW.match(key.strip()):
            stored.setdefault(name, key.strip())
    taken = set(re.findall(r"(?:delete|clear)\(\s*(@\w+)", text)) | set(re.findall(r"let\s+(@\w+)\s*=\s*\w*lru\w*\(", text))
    for name, key in stored.items():
        if name not in taken:
            yield f"{name}[{key}] is stored and never taken out"
        elif re.search(r"\b(?:pid|tid)\b", key) and not ENDS.search(text) and not re.search(rf"let\s+{name}\s*=\s*\w*lru", text) \
                and f"clear({name})" not in text:
            yield f"{name}[{key}] stays when a thread ends in between"


def main():
    files = [Path(f) for f in sys.argv[1:]] or sorted((ROOT / "scripts").glob("*.wt"))
    failed = 0
    for path in files:
        found = list(complaints(path.read_text()))
        for what in found:
            print(f"{path.name}: {what}")
        failed += bool(found)
    print(f"{len(files) - failed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
