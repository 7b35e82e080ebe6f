#!/usr/bin/env python3
"""What the fuzzers start from, made of files that are there for other reasons.

  seeds.py NAME DIR [--waketrace PATH]       fill DIR with the inputs of fuzz_NAME

parse and front: the scripts of the golden tests, the shipped scripts, each wrong script by itself, as far as they are short.  artefact and manifest: what the
shipped scripts compile to on this kernel, and the sections of it.  event: records of every kind.  The others have a kept corpus only.
"""

import argparse
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
SHIPPED = TESTS.parent / "scripts"
# Bytes: a fuzzer that starts from larger ones is slow.
LARGEST = 32768  # of an artefact
LONGEST = 1024   # of a script


def wrong_scripts():
    """The scripts of tests/golden/wrong/*.cases: between the title (and lines that begin with ::) and the first diagnostic."""
    for path in sorted((TESTS / "golden" / "wrong").glob("*.cases")):
        for case in re.split(r"^==== .*\n", path.read_bytes().decode(errors="surrogateescape"), flags=re.M)[1:]:
            script = re.split(r"^---- ", case, maxsplit=1, flags=re.M)[0]
            yield re.sub(r"^:: .*\n", "", script, flags=re.M).encode(errors="surrogateescape")


def all_scripts():
    for kind in ("parse", "fmt", "front", "diag", "c"):
        for path in sorted((TESTS / "golden" / kind).rglob("*.wt")):
            if ".doubling" not in path.name:  # at a limit of size: seconds under the sanitizers
                yield path.read_bytes()
    for path in sorted(SHIPPED.rglob("*.wt")):
        yield path.read_bytes()
    yield from wrong_scripts()


def scripts(_):
    return (s for s in all_scripts() if len(s) <= LONGEST)


def artefacts(waketrace):
    with tempfile.TemporaryDirectory() as directory:
        for path in sorted(SHIPPED.glob("*.wt")):
            out = Path(directory, path.stem)
            done = subprocess.run([waketrace, "build", path, "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode == 0 and out.stat().st_size <= LARGEST:
                yield out.read_bytes()


def section(elf, wanted):
    """The bytes of one section of a 64-bit little-endian ELF file."""
    table, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + i * size) for i in range(count)]
    for name, _, _, _, offset, length in headers:
        at = headers[names][4] + name
        if elf[at:elf.index(b"\0", at)] == wanted:
            return elf[offset:offset + length]
    return b""


def manifests(waketrace):
    for elf in artefacts(waketrace):
        yield section(elf, b".waketrace")[32:]  # the fuzzer writes the header itself


def events(_):
    """The first byte chooses the event, the second the form; see fuzz_event.c."""
    body = bytes(range(256)) + "text \u00e9 \x1b[0m".encode() + bytes(64)
    for kind in range(25):
        for form in (0, 1):
            for content in (bytes(400), body, struct.pack("<QQ", 8, 16) + body):
                yield bytes((kind, form)) + content


KINDS = {"parse": scripts, "front": scripts, "artefact": artefacts, "manifest": manifests, "event": events}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("name")
    p.add_argument("directory", type=Path)
    p.add_argument("--waketrace", default=str(TESTS.parent / "build" / "waketrace"))
    args = p.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    for old in args.directory.iterdir():
        old.unlink()
    n = 0
    for seed in KINDS.get(args.name, lambda _: ())(args.waketrace):
        (args.directory / f"{n:04}").write_bytes(seed)
        n += 1
    if args.name in KINDS and not n:
        sys.exit(f"no seeds for fuzz_{args.name}")


if __name__ == "__main__":
    main()
