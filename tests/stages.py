#!/usr/bin/env python3
"""The stages of ./test, one row each; a new kind of test is a new row.

A stage is a command line and the way to count its result.  Stages whose `when` is false do not exist (yet).
"""

import argparse
import itertools
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


@dataclass
class Stage:
    name: str
    command: list
    count: object
    when: bool = True
    needed: bool = False      # nothing else makes sense when this fails
    beside: bool = False      # runs beside its neighbours that say so too, three at a time
    quiet: bool = False       # its output is shown when it has ended


def plain(output, status):
    """The last line 'N passed, N failed, N skipped'."""
    found = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", output, re.M)
    if not found:
        return 0, 1, 0
    passed, failed, skipped = (int(n or 0) for n in found[-1])
    return passed, failed or (1 if status else 0), skipped


def ctest(output, status):
    found = re.search(r"(\d+) tests failed out of (\d+)", output)
    if not found:
        return 0, 1, 0
    failed, total = int(found[1]), int(found[2])
    skipped = len(re.findall(r"\(Skipped\)$|\*\*\*Skipped", output, re.M))
    return total - failed - skipped, failed or (1 if status else 0), skipped


def ends_well(output, status):
    """One test, which passes when the command does."""
    return (0, 1, 0) if status else (1, 0, 0)


def not_a_test(output, status):
    return (0, 1, 0) if status else (0, 0, 0)


def build(preset):
    directory = ROOT / ("build" if preset == "release" else f"build-{preset}")
    configure = f"[ -f {directory}/build.ninja ] || cmake --preset {preset} >/dev/null; "
    return ["sh", "-c", f"cd {ROOT} && {configure} cmake --build {directory} -- --quiet"]


def fuzzers():
    return sorted(p.stem for p in (TESTS / "fuzz").glob("fuzz_*.c"))


# Executions in ./test --full: 2,000,000 of the front end in sum, 1,000,000 of each reader of hostile bytes.
FULL_RUNS = {"fuzz_front": 1_000_000, "fuzz_parse": 1_000_000}
HOSTILE_RUNS = 1_000_000
# Longest input where 4,096 bytes are too few to begin with (artefacts, whose tables stand at their end), or more than is quick.
LONGEST = {"fuzz_artefact": 32768, "fuzz_manifest": 32768, "fuzz_front": 1024, "fuzz_parse": 1024}


def fuzz(name, full):
    """One fuzzer from its kept corpus and from what seeds.py makes; what it finds beyond that stays in the build folder."""
    # A minute goes the same way each time: what it finds is of the change, not of the day.
    limit = f"-runs={FULL_RUNS.get(name, HOSTILE_RUNS)}" if full else "-max_total_time=60 -seed=1"
    limit += f" -max_len={LONGEST.get(name, 4096)}"
    directory = ROOT / "build-fuzz"
    short = name[len("fuzz_"):]
    new, kept, seeds = directory / "corpus" / short, TESTS / "fuzz" / "corpus" / short, directory / "seeds" / short
    corpora = f"{new} {kept} {seeds}" if kept.is_dir() else f"{new} {seeds}"
    return ["sh", "-c", f"""
        mkdir -p {new}
        {sys.executable} {TESTS}/fuzz/seeds.py {short} {seeds} || exit 1
        program=$(find {directory} -name {name} -type f -perm -u+x | head -n 1)
        [ -n "$program" ] || {{ echo "{name} was not built"; exit 1; }}
        if chrt -i 0 "$program" {limit} -timeout=60 -rss_limit_mb=2048 \\
            -artifact_prefix={directory}/{name}- {corpora} >{directory}/{name}.log 2>&1; then
            tail -n 1 {directory}/{name}.log
        else
            tail -n 60 {directory}/{name}.log
            exit 1
        fi"""]


def runtime(*words):
    return [sys.executable, str(TESTS / "runtime.py"), *words]


def stages(full):
    have_fuzz, have_programs = bool(fuzzers()), (TESTS / "generate.py").exists()
    rows = [
        Stage("build", build("release"), not_a_test, needed=True),
        Stage("build-dev", build("dev"), not_a_test),
        Stage("ctest", ["ctest", "--test-dir", str(ROOT / "build-dev"), "--output-on-failure", "-j2"], ctest),
        Stage("harness", [sys.executable, str(TESTS / "test_harness.py")], plain),
        Stage("build-fuzz", build("fuzz"), not_a_test, when=have_fuzz),
        # The cases wait more than they compute: the fuzzers take what is left of the CPUs (SCHED_IDLE).
        Stage("native", runtime("-k", "native"), plain, beside=True),
        *(Stage(name, fuzz(name, full), ends_well, beside=True, quiet=True) for name in fuzzers()),
        Stage("guests", runtime("-k", "6.1,6.12,5.10,newest", "--core-on", "5.10,newest", "--slowest", "20"), plain, when=not full),
        Stage("guests", runtime("-k", "5.10,6.1,6.12,newest"), plain, when=full),
        *(Stage(f"kills-{kernel}", [sys.executable, str(TESTS / "guest" / "run.py"), "exec", kernel, "--timeout", "3000", "--",
                                    "kills", "100", "1", "waketrace"], ends_well, when=full, beside=True, quiet=True)
          for kernel in ("5.10", "6.1", "6.12", "newest")),
        Stage("programs", [sys.executable, str(TESTS / "generate.py"), "--count", "500" if full else "100",
                                "-k", "native,5.10,6.1,6.12,newest"], plain, when=have_programs),
    ]
    return [r for r in rows if r.when]


def run(stage):
    """Run a stage, showing its output as it comes; returns (passed, failed, skipped), the seconds it took and what it called failed."""
    begin = time.monotonic()
    if not stage.quiet:
        print(f"==== {stage.name}", flush=True)
    with subprocess.Popen([str(w) for w in stage.command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", cwd=ROOT) as process:
        output = []
        for line in process.stdout:
            output.append(line)
            if not stage.quiet:
                print(line, end="", flush=True)
    if stage.quiet:
        print(f"==== {stage.name}\n{''.join(output)}", end="", flush=True)
    failures = [line.rstrip() for line in output if "FAILED" in line or "***Failed" in line]
    return *stage.count("".join(output), process.returncode), time.monotonic() - begin, failures


def run_all(rows):
    """Yield (stage, passed, failed, skipped, seconds, failures) in order, until a needed stage fails."""
    with ThreadPoolExecutor(3) as pool:
        while rows:
            together = list(itertools.takewhile(lambda stage: stage.beside, rows)) or rows[:1]
            rows = rows[len(together):]
            for stage, result in zip(together, pool.map(run, together)):
                yield stage, *result
                if stage.needed and result[1]:
                    return


def main():
    p = argparse.ArgumentParser(prog="./test", description=__doc__)
    p.add_argument("stage", nargs="*", help="only these stages")
    p.add_argument("--full", action="store_true", help="every case on every kernel, long fuzzing")
    p.add_argument("--list", action="store_true", help="show the stages and stop")
    args = p.parse_args()
    rows = stages(args.full)
    if args.list:
        print("\n".join(r.name for r in rows))
        return 0
    unknown = set(args.stage) - {r.name for r in rows}
    if unknown:
        print(f"no stage {', '.join(sorted(unknown))}; there are: {', '.join(r.name for r in rows)}", file=sys.stderr)
        return 2
    total, summary = [0, 0, 0], []
    for stage, *counts, seconds, failures in run_all([r for r in rows if not args.stage or r.name in args.stage]):
        total = [a + b for a, b in zip(total, counts)]
        summary += failures
        summary.append(f"{stage.name}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped ({seconds:.0f} s)")
    print("====\n" + "\n".join(summary))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
