#!/usr/bin/env python3
"""Generated programs: random but correct ones, run in every kernel.

  generate.py [--count 100] [--seed 1] [-k native,6.1,...] [--show N]

A program is compiled once and loaded on each kernel: 6.1 builds what the newer kernels run too.  The running kernel and 5.10, which
lacks abilities that programs are compiled for, compile their own.

Each program has a begin probe whose every effect Python knows (genlang.py: expressions written with as few parentheses as the
precedence table allows, variables, tuples, records, texts, maps, aggregations, loops, functions, macros), and fills maps with random
keys and aggregations from random probes.  It must be accepted by the checker and by
the verifier, end with status 0 and print the right values.  The same seed gives the same programs.
"""

import argparse
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "guest")]
import genlang
import guest
import programs
import runtime

# ---- whole programs ----

BUILDER = "6.1"                        # has all abilities that programs are compiled for, and newer kernels have them too
COMPILE = (runtime.NATIVE, "5.10")     # compile each program themselves

# attach point -> expressions that it offers, numbers and texts; the need that it has
PROBES = {
    "tracepoint:syscalls:sys_enter_getppid": (["args.__syscall_nr"], [], "syscall-tracepoints"),
    "tracepoint:syscalls:sys_exit_getppid": (["args.ret"], [], "syscall-tracepoints"),
    "tracepoint:sched:sched_switch": (["args.prev_pid", "args.next_prio"], ["args.next_comm"], "tracepoints"),
    "tracepoint:syscalls:sys_enter_openat": (["args.dfd"], ["str(args.filename)"], "syscall-tracepoints"),
    "rawtracepoint:sched_process_exit": ([], [], "rawtracepoints"),
    "kprobe:vfs_read": (["arg2"], [], "kprobes"),
    "kretprobe:vfs_read": (["retval"], [], "kprobes"),
    "fentry:vfs_read": (["args.count"], [], "fentry"),
    "fexit:vfs_read": (["retval", "args.count"], [], "fentry"),
    "uprobe:utarget:wt_add": (["arg0", "arg1"], [], "uprobes"),
    "uretprobe:utarget:wt_add": (["retval"], [], "uprobes"),
    "profile:hz:99": ([], [], "software-events"),
    "software:page-faults:1": ([], [], "software-events"),
    "interval:ms:10": ([], [], "root"),
}
NUMBERS = ["pid", "tid", "uid", "gid", "cpu", "nsecs", "elapsed", "rand", "curtask.pid", "cgroup"]
TEXTS = ["comm", '"text"', "probe", 'cpu == 0 ? "zero" : "other"', "curtask.comm"]
STACKS = ["kstack", "kstack(3)", "ustack(2)", "kstack(raw, 5)"]


class Program:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.seed = seed
        self.wanted = []         # lines that must be printed
        self.needs = {"root"}
        self.maps = 0
        self.known = genlang.Known(self.rng)
        self.needs |= self.known.needs
        parts = [self.known.text]
        for _ in range(self.rng.randrange(1, 4)):
            parts.append(self.probe())
        if self.rng.random() < 0.5:
            parts.append('end { printf("the end\\n"); }')
            self.wanted.append("the end")
        self.text = "\n".join(parts)

    def probe(self):
        point = self.rng.choice(list(PROBES))
        numbers, texts, need = PROBES[point]
        self.needs.add(need)
        self.numbers, self.texts = NUMBERS + numbers * 3, TEXTS + texts * 3
        predicate = self.rng.choice(["", " /pid == cpid/", ' /comm != "nobody"/', " /cpu < 64 && pid > 0/"])
        body = "\n".join(self.statement(1, 2) for _ in range(self.rng.randrange(1, 5)))
        return f"{point}{predicate} {{\n{body}\n}}"

    def number(self):
        a = self.rng.choice(self.numbers)
        kind = self.rng.randrange(6)
        if kind == 0:
            return f"{a} {self.rng.choice(['+', '-', '*', '&', '|', '^'])} {self.rng.choice(self.numbers)}"
        if kind == 1:
            return f"{a} {self.rng.choice(['/', '%', '>>'])} {self.rng.randrange(1, 60)}"
        if kind == 2:
            return f"({a} > {self.rng.randrange(100)} ? {self.rng.choice(self.numbers)} : {self.rng.randrange(9)})"
        if kind == 3:
            return f"({self.rng.choice(['int32', 'uint16', 'int8', 'uint64'])})({a})"
        return a

    def key(self):
        parts = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])):
            kind = self.rng.randrange(10)
            parts.append(self.rng.choice(self.texts) if kind < 4 else self.rng.choice(STACKS) if kind == 4
                         else f"({self.rng.choice(self.numbers)}, {self.rng.choice(self.texts)})" if kind == 5
                         else self.number())
        return ", ".join(f"({p})" if "?" in p else p for p in parts)

    def statement(self, indent, depth):
        tab, kind = "\t" * indent, self.rng.randrange(12)
        self.maps += 1
        m = f"@m{self.maps}"
        if kind < 5:
            aggregate = self.rng.choice(["count()", "sum({})", "min({})", "max({})", "avg({})", "stats({})", "hist({})",
                                         "hist({}, 2)", "lhist({}, 0, 100, 7)"]).format(f"(int64)({self.number()})")
            key = "" if self.rng.random() < 0.3 else f"[{self.key()}]"
            return f"{tab}{m}{key} = {aggregate};"
        if kind == 5:
            return f"{tab}{m}[{self.key()}] = {self.rng.choice([self.number(), self.rng.choice(TEXTS[:2])])};"
        if kind == 6:
            return f"{tab}{m}{self.rng.choice(['++', '--', ' += 3'])};"
        if kind == 7:
            return (f'{tab}printf("%d %s %lx|%-10s|\\n", {self.number()}, {self.rng.choice(self.texts)}, '
                    f"{self.number()}, {self.rng.choice(self.texts)});")
        if kind == 8:
            k = self.rng.choice(["tid", "comm", "(pid, cpu)"])
            return f"{tab}{m}[{k}] = {self.number()};\n{tab}if (has_key({m}, {k})) {{ $d = delete({m}, {k}); }}"
        if kind == 9:
            v = f"$x{self.maps}"
            return f"{tab}{v} = (uint64)({self.number()});\n{tab}{v} += 5;\n{tab}{m} = max({v});"
        if kind == 10 and depth > 0:
            return (f"{tab}if ({self.rng.choice(self.numbers)} {self.rng.choice(['>', '==', '!='])} "
                    f"{self.rng.randrange(50)}) {{\n{self.statement(indent + 1, depth - 1)}\n{tab}}} else {{\n"
                    f"{self.statement(indent + 1, depth - 1)}\n{tab}}}")
        return f"{tab}print(({self.number()}, {self.rng.choice(self.texts)}));"

    def judge(self, outcome):
        if outcome.broken:
            return outcome.broken
        if outcome.timed_out:
            return "no end"
        err = outcome.err.decode("utf-8", "replace")
        if outcome.status != 0:
            return f"status {outcome.status}"
        lines = outcome.out.decode("utf-8", "replace").split("\n")
        missing = [w for w in self.wanted if w not in lines]
        if outcome.out_total > len(outcome.out):    # a noisy probe: the maps were not kept
            self.known.dumped, missing = [], []
        wrong = self.known.judge(lines)
        if wrong or missing:
            return wrong or "not printed: " + ", ".join(missing)
        if outcome.left:
            return f"left running: {outcome.left}"
        if "Sanitizer" in err or "libbpf:" in err:
            return "odd words on stderr"
        return None


def job(program, tool, wanted):
    """Runs a program: the tool that another kernel has built where there is one.  Where it is `wanted`, the tool that is built comes
    out ahead of what the program prints (compressed, for the port is slow; its size stands in the first line)."""
    files = {"all.sh": b"getppid 3; utarget 3; openat 2 /nosuchfile; faults 10\n"}
    if tool:
        shell = 'gunzip tool.gz && exec "$WT" -q -c "sh ./all.sh" run tool'
        files["tool.gz"] = tool
    elif wanted:
        shell = ('"$WT" build -o tool -e "$1" || exit; gzip -k tool; wc -c <tool.gz; cat tool.gz; '
                 'exec "$WT" -q -c "sh ./all.sh" run tool')
    else:
        shell = 'exec "$WT" -q -c "sh ./all.sh" -e "$1"'
    return guest.Job(f"p{program.seed}", ["sh", "-c", shell, "sh", program.text], timeout=30, needs=sorted(program.needs), files=files)


def take_tool(outcome):
    """The tool that comes before the output of a job that builds one; None when it was not built."""
    size, newline, rest = outcome.out.partition(b"\n")
    if not newline or not size.isdigit() or len(rest) < int(size):
        return None
    tool, outcome.out = rest[:int(size)], rest[int(size):]
    outcome.out_total -= len(size) + 1 + len(tool)
    return tool


def run_kernel(where, made, args, agent, triggers, payload, tools):
    """Tools are taken from `tools`, by seed; BUILDER adds them there."""
    builds = where == BUILDER
    taken = {} if builds or where in COMPILE else {seed: tool for seed, tool in tools.items() if tool}
    jobs = [job(p, taken.get(p.seed), builds) for p in made]
    by_id = {f"p{p.seed}": p for p in made}
    if where == runtime.NATIVE:
        runtime.mount_tracefs()
        runner = guest.Native(agent, Path(args.binary).resolve(), triggers)
    else:
        runner = guest.Guests(guest.kernels.get(where), agent, payload)
    passed = failed = skipped = 0
    for outcome in runner.run(jobs):
        program = by_id[outcome.id]
        if outcome.skipped:
            skipped += 1
            continue
        if builds:
            tools[program.seed] = take_tool(outcome)
        wrong = program.judge(outcome)
        passed, failed = passed + (wrong is None), failed + (wrong is not None)
        if wrong:
            said = [f"{where}: FAILED program {program.seed}: {wrong}"]
            for title, text in (("program", program.text), ("stdout", outcome.out.decode("utf-8", "replace")),
                                ("stderr", outcome.err.decode("utf-8", "replace"))):
                said += [f"    {title}:", *(f"      | {line}" for line in text.split("\n")[:60])]
            print("\n".join(said), flush=True)
    note = f"   ({len(taken)} of them as built on {BUILDER})" if taken else ""
    print(f"{where}: {passed} passed, {failed} failed, {skipped} skipped{note}", flush=True)
    return passed, failed, skipped


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=100, metavar="N", help="programs (default 100)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="number of the first program (default 1)")
    p.add_argument("--show", action="store_true", help="print the programs instead of running them")
    p.add_argument("-k", "--kernel", type=runtime.kernel_list, action="extend", metavar="K[,K]")
    p.add_argument("--binary", default=str(programs.default_binary()), metavar="PATH")
    args = p.parse_args()
    made = [Program(seed) for seed in range(args.seed, args.seed + args.count)]
    if args.show:
        for program in made:
            print(f"// program {program.seed}; prints {program.wanted}\n{program.text}\n")
        return 0
    if not os.path.exists(args.binary):
        print(f"{args.binary} does not exist: build first, or give --binary", file=sys.stderr)
        return 2
    agent, triggers = programs.build()
    payload = guest.Payload(binary=Path(args.binary), triggers=triggers, scripts=programs.SCRIPTS).archive()
    names = list(dict.fromkeys(args.kernel or runtime.kernel_list("all")))

    tools = {}

    def counts(where):
        try:
            return run_kernel(where, made, args, agent, triggers, payload, tools)
        except (guest.GuestError, guest.kernels.Unavailable) as e:
            required = where == runtime.NATIVE or guest.kernels.KERNELS[where][2]
            print(f"{where}: {'FAILED' if required else 'SKIPPED'}: {e}", flush=True)
            return (0, len(made), 0) if required else (0, 0, len(made))

    # The running kernel first and alone, as in runtime.py; then those that compile, then those that take what was built.
    done = [counts(runtime.NATIVE)] if runtime.NATIVE in names else []
    guests = [n for n in names if n != runtime.NATIVE]
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        done += pool.map(counts, [n for n in guests if n == BUILDER or n in COMPILE])
        done += pool.map(counts, [n for n in guests if n != BUILDER and n not in COMPILE])
    total = [sum(column) for column in zip(*done)]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
