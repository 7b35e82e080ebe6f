#!/usr/bin/env python3
"""Run the cases of tests/runtime/ in test kernels and on the running kernel.

  runtime.py                        every case on 5.10, 6.1, 6.12, newest and natively
  runtime.py -k 6.1 hist            cases whose 'file: name' contains 'hist', on 6.1
  runtime.py -k native,6.12 --core  the core set
  runtime.py --list                 what there is

Each kernel ends with a line 'KERNEL: N passed, N failed, N skipped', the whole with one plain such line.
"""

import argparse
import collections
import json
import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "guest")]
import casefile
import guest
import kernels
import programs

NATIVE = "native"
LEAST_CASES = 20    # for which a guest of their own is worth its boot


class Report:
    """Counts and prints; several kernels may talk at once."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.lock = threading.Lock()
        self.counts = {}
        self.reasons = {}
        self.seconds = collections.Counter()
        self.rows = []  # of --results

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def start(self, where):
        self.counts[where] = collections.Counter()
        self.reasons[where] = collections.Counter()

    def add(self, where, case, outcome, emulated):
        skipped = outcome.skipped
        if skipped and "unknown need" in skipped:
            wrong, skipped = [skipped], None
        else:
            wrong = [] if skipped else casefile.judge(case, outcome, emulated)
            # A known gap is counted apart, and the case that fills it must lose its mark.
            if "todo" in case.fields and not skipped:
                skipped = f"TODO: {case.title}: {case.one('todo')}" if wrong else None
                wrong = [] if wrong else [f"this works now: remove its 'todo: {case.one('todo')}'"]
        kind = "skipped" if skipped else "failed" if wrong else "passed"
        self.counts[where][kind] += 1
        self.seconds[where, case.title] = outcome.seconds
        text = "\n".join("\n".join(map(str, case.fields.get(way, []))) for way in ("sh", "argv", "run", "script"))
        self.rows.append({"kernel": where, "case": case.title, "outcome": kind, "text": text})
        if skipped:
            self.reasons[where][skipped] += 1
        if wrong:
            self.say(self.failure(where, case, outcome, wrong))
        elif self.verbose:
            self.say(f"{where}: {kind:7} {outcome.seconds:5.1f} s  {case.title}" + (f" ({skipped})" if skipped else ""))

    def failure(self, where, case, outcome, wrong):
        text = [f"{where}: FAILED {case.title}   ({os.path.relpath(case.path)}:{case.line})"]
        for w in wrong:
            text.append("    " + w.replace("\n", "\n    "))
        limit = 10**6 if self.verbose else 40
        for name, data in (("stdout", outcome.out), ("stderr", outcome.err), ("beside stdout", outcome.beside_out)):
            if data:
                lines = data.decode("utf-8", "backslashreplace").rstrip("\n").split("\n")
                text.append(f"    {name}:")
                text += [f"      | {line if self.verbose else line[:300]}" for line in lines[:limit]]
                if len(lines) > limit:
                    text.append(f"      ... ({len(lines) - limit} more lines; -v shows all)")
        return "\n".join(text)

    def line(self, where):
        c = self.counts[where]
        return f"{c['passed']} passed, {c['failed']} failed, {c['skipped']} skipped"

    def finish(self, where, boots=()):
        with self.lock:
            for reason, n in sorted(self.reasons[where].items(), key=lambda r: -r[1]):
                print(f"{where}:   {n} skipped: {reason}")
            booted = f"   (boot {', '.join(f'{b:.1f}' for b in boots)} s)" if boots else ""
            print(f"{where}: {self.line(where)}{booted}", flush=True)

    def total(self):
        self.counts["all"] = sum(self.counts.values(), collections.Counter())
        return self.line("all")

    def failed(self):
        return any(c["failed"] for c in self.counts.values())


def mount_tracefs():
    """Tracepoints need it, and a fresh machine may not have it."""
    if os.path.exists("/sys/kernel/tracing/events") or os.path.exists("/sys/kernel/debug/tracing/events"):
        return
    if os.geteuid() == 0 and os.path.isdir("/sys/kernel/tracing"):
        r = subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=False)
        print(f"mounting tracefs on /sys/kernel/tracing: {'done' if r.returncode == 0 else 'failed'}", file=sys.stderr)


def merged(runs):
    """The outcomes of several runners, each with its jobs, as they come; the last error when all have ended."""
    outcomes, error = queue.SimpleQueue(), None

    def run(runner, jobs):
        try:
            for outcome in runner.run(jobs):
                outcomes.put(outcome)
            outcomes.put(None)
        except Exception as e:  # for the thread that counts
            outcomes.put(e)

    with ThreadPoolExecutor(len(runs)) as pool:
        for one in runs:
            pool.submit(run, *one)
        busy = len(runs)
        while busy:
            item = outcomes.get()
            if isinstance(item, guest.Outcome):
                yield item
            else:
                busy, error = busy - 1, item or error
    if error:
        raise error


def cost(case):
    """About how much a case costs a guest: to compile or to load a shipped script takes some fifteen times what others do."""
    shipped = any(word in str(text) for way in ("sh", "argv") for text in case.fields.get(way, []) for word in ("$WT_SCRIPTS", "$(built"))
    return 15 if shipped else 1


def shares(by_id, n):
    """The jobs for n guests: the cases of one file stay together, for what the first has compiled (triggers/built.sh) serves the others."""
    files = collections.defaultdict(list)
    for id, case in by_id.items():
        files[case.path].append((cost(case), case.job(id)))
    out, spent = [[] for _ in range(n)], [0] * n
    for jobs in sorted(files.values(), key=lambda jobs: -sum(c for c, _ in jobs)):
        least = spent.index(min(spent))
        out[least] += [job for _, job in jobs]
        spent[least] += sum(c for c, _ in jobs)
    return out


def run_kernel(where, cases, args, report, agent, triggers, payload):
    report.start(where)
    if where in args.core_on:
        cases = [c for c in cases if c.core]
    by_id = {f"c{i}": case for i, case in enumerate(cases)}
    boots = []
    try:
        if where == NATIVE:
            mount_tracefs()
            runs = [(guest.Native(agent, Path(args.binary).resolve(), triggers, {"WT_SCRIPTS": str(programs.SCRIPTS)}),
                     [case.job(id) for id, case in by_id.items()])]
        else:
            kernel = kernels.get(where)
            runs = []
            for i, jobs in enumerate(shares(by_id, max(1, min(args.guests, len(by_id) // LEAST_CASES)))):
                keep = Path(args.console) / f"console.{where}.{i}" if args.console else None
                env = {"WT_SCRIPTS": "/wt/share/waketrace/scripts"}
                runs.append((guest.Guests(kernel, agent, payload, env, keep, boots), jobs))
        left = dict(by_id)
        for outcome in merged(runs):
            case = left.pop(outcome.id, None)
            if case is None:
                raise guest.GuestError(outcome.broken or f"unexpected result '{outcome.id}'")
            report.add(where, case, outcome, where != NATIVE)
        if left:
            raise guest.GuestError(f"{len(left)} cases gave no result")
    except (guest.GuestError, kernels.Unavailable) as e:
        required = where == NATIVE or kernels.KERNELS[where][2]
        missing = len(cases) - sum(report.counts[where].values())
        report.counts[where]["failed" if required else "skipped"] += missing
        report.say(f"{where}: {'FAILED' if required else 'SKIPPED'}: {missing} CASES DID NOT RUN: {e}")
    report.finish(where, boots)


def kernel_list(text):
    names = [n for n in text.split(",") if n]
    for n in names:
        if n not in kernels.KERNELS and n not in (NATIVE, "all"):
            raise argparse.ArgumentTypeError(f"no kernel '{n}'; known: {NATIVE}, all, {', '.join(kernels.KERNELS)}")
    return [m for n in names for m in ([*kernels.KERNELS, NATIVE] if n == "all" else [n])]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patterns", nargs="*", metavar="TEXT", help="only cases whose 'file: name' contains one of these")
    p.add_argument("-k", "--kernel", type=kernel_list, action="extend", metavar="K[,K]",
                   help=f"{NATIVE}, {', '.join(kernels.KERNELS)}, or all (default)")
    p.add_argument("--core", action="store_true", help="only the core set")
    p.add_argument("--core-on", type=kernel_list, action="extend", default=[], metavar="K[,K]", help="only the core set on these kernels")
    p.add_argument("--list", action="store_true", help="show the cases and stop")
    p.add_argument("-v", "--verbose", action="store_true", help="show every case, and failures in full")
    p.add_argument("-j", type=int, default=2, metavar="N", help="kernels at a time (default 2)")
    p.add_argument("--guests", type=int, default=2, metavar="N",
                   help="guests of one kernel that share its cases (default 2: a case waits more than it computes)")
    p.add_argument("--binary", default=str(programs.default_binary()), metavar="PATH", help="binary under test")
    p.add_argument("--console", metavar="DIR", help="keep the guests' consoles here")
    p.add_argument("--slowest", type=int, default=0, metavar="N", help="show the N slowest cases")
    p.add_argument("--cases", default=str(HERE / "runtime"), metavar="DIR", help="folder of the .test files")
    p.add_argument("--results", metavar="FILE", help="write what came of each case, for tests/script_docs.py (JSON)")
    args = p.parse_args()

    cases, broken = [], []
    for path in sorted(Path(args.cases).glob("*.test")):
        try:
            cases += casefile.parse(path)
        except casefile.BadCase as e:
            broken.append(str(e))
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 2
    cases = [c for c in cases if (c.core or not args.core)
             and (not args.patterns or any(t in c.title for t in args.patterns))]
    if args.list:
        for c in cases:
            print(f"{c.title}{'  [core]' if c.core else ''}{'  needs ' + ' '.join(c.needs()) if c.needs() else ''}")
        print(f"{len(cases)} cases")
        return 0
    if not cases:
        print("no such case", file=sys.stderr)
        return 2
    if not os.path.exists(args.binary):
        print(f"{args.binary} does not exist: build first, or give --binary", file=sys.stderr)
        return 2
    if args.console:
        os.makedirs(args.console, exist_ok=True)
    agent, triggers = programs.build()
    payload = guest.Payload(binary=Path(args.binary), triggers=triggers, scripts=programs.SCRIPTS).archive()
    report = Report(args.verbose)
    names = list(dict.fromkeys(args.kernel or kernel_list("all")))
    # The running kernel first and alone: guests next to it would only make it slow.
    if NATIVE in names:
        run_kernel(NATIVE, cases, args, report, agent, triggers, payload)
        names.remove(NATIVE)
    with ThreadPoolExecutor(max(1, args.j)) as pool:
        for f in [pool.submit(run_kernel, n, cases, args, report, agent, triggers, payload) for n in names]:
            f.result()
    if args.slowest:
        for (where, title), s in report.seconds.most_common(args.slowest):
            print(f"{s:6.1f} s  {where}: {title}")
    if args.results:
        Path(args.results).write_text(json.dumps(report.rows))
    print(report.total())
    return 1 if report.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
