"""Reads tests/runtime/*.test and judges what a case did.  The format is described in docs/testing.md."""

import difflib
import json
import re
import shlex
import signal
from dataclasses import dataclass, field
from pathlib import Path

import guest

# key -> may it be given more than once?
KEYS = {
    "name": False, "needs": True, "core": False, "timeout": False, "each": False,
    "run": False, "script": False, "sh": False, "argv": False,
    "args": True, "params": False, "trigger": False, "file": True, "stdin": False, "stdin-open": False,
    "beside": False, "ready": False, "signal": False,
    "status": False, "attached": False,
    "expect": True, "expect-re": True, "expect-not": True, "expect-not-re": True, "ordered": False,
    "expect-all": False, "printed": False, "maps": False,
    "stderr": True, "stderr-re": True, "stderr-not": True, "stderr-all": False,
    "json": True, "py": True, "leaves": False, "todo": False,
}
WAYS = ("run", "script", "sh", "argv")
CAN_FAIL = ("expect", "expect-re", "expect-not", "expect-not-re", "expect-all", "printed", "maps", "stderr",
            "stderr-re", "stderr-not", "stderr-all", "json", "py", "attached")
DEFAULTS = ("needs", "core", "timeout", "args", "file")


class BadCase(Exception):
    """The file is wrong; the text begins with FILE:LINE."""


@dataclass
class Case:
    path: Path
    line: int
    fields: dict = field(default_factory=dict)    # key -> list of values

    @property
    def title(self):
        return f"{self.path.stem}: {self.one('name')}"

    @property
    def core(self):
        return self.flag("core")

    def bad(self, text):
        return BadCase(f"{self.path}:{self.line}: {text}")

    def all(self, key):
        return self.fields.get(key, [])

    def one(self, key, default=None):
        values = self.all(key)
        return values[0] if values else default

    def flag(self, key):
        value = self.one(key, "no").strip()
        if value not in ("yes", "no"):
            raise self.bad(f"{key}: is 'yes' or 'no'")
        return value == "yes"

    def needs(self):
        return [n for text in self.all("needs") for n in text.split()]

    def check(self):
        if "name" not in self.fields:
            raise self.bad("a case begins with 'name:'")
        ways = [w for w in WAYS if w in self.fields]
        if len(ways) != 1:
            raise self.bad(f"a case has one of {', '.join(WAYS)}; this one has {len(ways)}")
        if not any(self.all(k) for k in CAN_FAIL) and self.one("status", "0") == "0":
            raise self.bad("this case cannot fail: it expects nothing")
        if "maps" in self.fields and "expect-all" in self.fields:
            raise self.bad("maps: and expect-all: both describe the whole of stdout")
        if self.one("signal", "INT") != "none" and not hasattr(signal, "SIG" + self.one("signal", "INT")):
            raise self.bad(f"no signal {self.one('signal')}")
        for text in self.all("expect-re") + self.all("expect-not-re") + self.all("stderr-re"):
            try:
                re.compile(text)
            except re.error as e:
                raise self.bad(f"regular expression {text!r}: {e}") from e
        for text in self.all("py"):
            try:
                compile(text, "py", "exec")
            except SyntaxError as e:
                raise self.bad(f"py: {e}") from e
        for text in self.all("json"):
            if text.strip() != "yes":
                try:
                    json.loads(text)
                except ValueError as e:
                    raise self.bad(f"json: {e}") from e
        return self

    def job(self, id):
        """The job that the agent is given.  The shell passes every word on, with $WT for the binary."""
        files = {}
        for text in self.all("file"):
            name, _, data = text.partition("\n")
            files[name.strip()] = os_bytes(data)
        if "sh" in self.fields:
            argv = ["sh", "-c", self.one("sh")]
        else:
            words = [w for text in self.all("args") for w in shlex.split(text)]
            if "trigger" in self.fields:
                words += ["-c", self.one("trigger")]
            if "run" in self.fields:
                words += ["-e", self.one("run")]
            elif "script" in self.fields:
                files["script.wt"] = os_bytes(self.one("script"))
                words += ["script.wt"]
            else:
                words += shlex.split(self.one("argv"))
            words += shlex.split(self.one("params", ""))
            argv = ["sh", "-c", 'exec "$WT" "$@"', "sh", *words]
        end = self.one("signal", "INT")
        return guest.Job(
            id, argv, timeout=float(self.one("timeout", "20")), needs=self.needs(), files=files,
            stdin=None if "stdin" not in self.fields else os_bytes(self.one("stdin")),
            open_stdin=self.flag("stdin-open"), beside=self.one("beside"), ready=self.one("ready", "Attached "),
            signal=0 if end == "none" else getattr(signal, "SIG" + end))


def os_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def parse(path):
    """The cases of a file; fields before the first `name:` are defaults of all of them."""
    defaults, cases, block = {}, [], None
    fields, current = defaults, Case(path, 1, defaults)
    for number, line in enumerate(path.read_text("utf-8", "surrogateescape").split("\n"), 1):
        where = Case(path, number)
        if line.startswith("|"):
            if block is None:
                raise where.bad("a line with '|' continues a field, and there is none above it")
            block.append(line[1:] + "\n")
            continue
        block = None
        if not line.strip() or line.startswith("#"):
            continue
        found = re.match(r"([a-z][a-z-]*):(?: (.*))?$", line)
        if not found or found[1] not in KEYS:
            raise where.bad(f"not a field of a case: {line!r}")
        key, value = found[1], found[2]
        if key == "name":
            fields = {k: list(v) for k, v in defaults.items()}
            current = Case(path, number, fields)
            cases.append(current)
        elif not cases and key not in DEFAULTS:
            raise where.bad(f"'{key}' before the first 'name:'")
        if key in fields and not KEYS[key] and key not in defaults:
            raise where.bad(f"'{key}' is there already")
        # A value in one line ends without a newline; lines with '|' are taken as they are.
        block = [value + "\n" if value and key == "file" else value or ""]
        holder = Block(block)
        if KEYS[key] or key not in fields:
            fields.setdefault(key, []).append(holder)
        else:
            fields[key] = [holder]
    done = []
    for case in cases:
        case.fields = {k: [str(v) for v in vs] for k, vs in case.fields.items()}
        for one in expand(case):
            done.append(one.check())
    titles = {}
    for case in done:
        if case.title in titles:
            raise case.bad(f"another case has this name (line {titles[case.title]})")
        titles[case.title] = case.line
    return done


class Block:
    """The text of a field that may still grow."""

    def __init__(self, parts):
        self.parts = parts

    def __str__(self):
        return "".join(self.parts)


def expand(case):
    """`each: a b` makes two cases, with {each} standing for the word."""
    words = case.one("each")
    if words is None:
        return [case]
    made = []
    for word in shlex.split(words):
        fields = {k: [v.replace("{each}", word) for v in vs] for k, vs in case.fields.items() if k != "each"}
        if fields["name"] == case.fields["name"]:
            fields["name"] = [f"{fields['name'][0]} ({word})"]
        made.append(Case(case.path, case.line, fields))
    return made


# ---- judging ----

class Maps(dict):
    """Lines `@name[key]: value` of a text; m['@x[1]'] is the text of the value, m.int(...) the number."""

    def __init__(self, text):
        super().__init__()
        for line in text.split("\n"):
            found = re.match(r"(@\w*(?:\[.*\])?): (.*)$", line)
            if found:
                self[found[1]] = found[2]

    def int(self, key):
        return int(self[key])

    def keys_of(self, name):
        """Keys of the keyed map `name`, as text."""
        return [k[len(name) + 1:-1] for k in self if k.startswith(name + "[")]

    def total(self, name):
        """Sum over the values of the keyed map `name`."""
        return sum(int(v) for k, v in self.items() if k.startswith(name + "["))


def contains(actual, wanted):
    """Is `wanted` part of `actual`?  Objects may have more keys; "..." stands for anything."""
    if wanted == "...":
        return True
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(k in actual and contains(actual[k], v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (isinstance(actual, list) and len(actual) == len(wanted)
                and all(contains(a, w) for a, w in zip(actual, wanted)))
    return type(actual) is type(wanted) and actual == wanted


def strict_json(line):
    def refuse(text):
        raise ValueError(f"{text} is not JSON")

    def no_twins(pairs):
        d = dict(pairs)
        if len(d) != len(pairs):
            raise ValueError("a key appears twice")
        return d
    return json.loads(line, parse_constant=refuse, object_pairs_hook=no_twins)


def difference(wanted, actual):
    lines = [f"      {line.rstrip(chr(10))}" for line in difflib.unified_diff(
        wanted.splitlines(True), actual.splitlines(True), "expected", "stdout", n=2)]
    return "\n".join(lines[:60] + (["      ..."] if len(lines) > 60 else []))


def judge(case, outcome, emulated):
    """What is wrong with an outcome: a list of texts, empty when the case passed."""
    wrong = []
    if outcome.broken:
        return [outcome.broken]
    out = outcome.out.decode("utf-8", "surrogateescape")
    err = outcome.err.decode("utf-8", "surrogateescape")
    lines, err_lines = out.split("\n"), err.split("\n")
    if outcome.timed_out:
        wrong.append(f"no end after {outcome.seconds:.0f} s" + "".join(f"\n  {t}" for t in outcome.hang))
    wanted = [int(s) for s in case.one("status", "0").split("|")]
    if outcome.status not in wanted and not outcome.timed_out:
        wrong.append(f"status {outcome.status}, expected {case.one('status', '0')}")
    at = 0
    for text in case.all("expect"):
        begin = at if case.flag("ordered") else 0
        if text not in lines[begin:]:
            wrong.append(f"expected line:   {text}")
        else:
            at = lines.index(text, begin) + 1
    at = 0
    for text in case.all("expect-re"):
        found = re.compile(text, re.M).search(out, at if case.flag("ordered") else 0)
        if not found:
            wrong.append(f"expected match:  {text}")
        else:
            at = found.end()
    for text in case.all("expect-not"):
        if text in out:
            wrong.append(f"not expected:    {text}")
    for text in case.all("expect-not-re"):
        if re.search(text, out, re.M):
            wrong.append(f"not expected:    {text}")
    whole = None
    if "expect-all" in case.fields:
        whole = case.one("expect-all")
    elif "maps" in case.fields or "printed" in case.fields:
        whole = case.one("printed", "") + "\n\n" + case.one("maps", "")
    if whole is not None and out != whole:
        wrong.append("stdout differs:\n" + difference(whole, out))
    for text in case.all("stderr"):
        if text not in err and text not in ("any",):
            wrong.append(f"expected on stderr: {text}")
    for text in case.all("stderr-re"):
        if not re.search(text, err, re.M):
            wrong.append(f"expected match on stderr: {text}")
    for text in case.all("stderr-not"):
        if text in err:
            wrong.append(f"not expected on stderr: {text}")
    if "stderr-all" in case.fields and err != case.one("stderr-all"):
        wrong.append("stderr differs:\n" + difference(case.one("stderr-all"), err))
    if "attached" in case.fields:
        n = int(case.one("attached"))
        text = f"Attached {n} probe" + ("" if n == 1 else "s")
        if text not in err_lines:
            wrong.append(f"expected on stderr: {text}")
    if wanted == [0] and "sh" not in case.fields and not any(k.startswith("stderr") for k in case.fields):
        odd = [e for e in err_lines if e and not re.fullmatch(r"Attached \d+ probes?", e)]
        if odd:
            wrong.append(f"unexpected on stderr: {odd[0]}")
    objects = []
    if "json" in case.fields:
        for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
            try:
                outcome.out.decode("utf-8")
                objects.append(strict_json(line))
            except ValueError as e:
                wrong.append(f"line {number} is not JSON ({e}): {line}")
                break
        for text in case.all("json"):
            if text.strip() == "yes":
                continue
            part = json.loads(text)
            if not any(contains(o, part) for o in objects):
                wrong.append(f"no JSON line contains: {text.strip()}")
    for text in case.all("py"):
        names = {
            "out": out, "err": err, "lines": lines, "err_lines": err_lines, "outb": outcome.out,
            "out_total": outcome.out_total, "status": outcome.status, "objects": objects, "m": Maps(out),
            "beside_out": outcome.beside_out.decode("utf-8", "replace"), "beside_status": outcome.beside_status,
            "left": outcome.left, "emulated": emulated, "re": re, "json": json,
        }
        try:
            try:
                ok = eval(compile(text.strip(), "py", "eval"), names)
            except SyntaxError:
                exec(compile(text, "py", "exec"), names)
                ok = True
            if not ok:
                wrong.append(f"not true: {text.strip()}")
        except Exception as e:  # noqa: BLE001 - whatever the expression does wrong is the finding
            wrong.append(f"{type(e).__name__}: {e}\n    in: {text.strip()}")
    if outcome.beside_status not in (None, 0):
        wrong.append(f"beside: {'was never started' if outcome.beside_status == -1 else f'status {outcome.beside_status}'}"
                     f" {outcome.beside_err.decode('utf-8', 'replace').strip()}")
    if outcome.leak and emulated:
        wrong.append(f"left in the kernel: {outcome.leak}")
    if outcome.left and not case.flag("leaves"):
        wrong.append(f"left running: {outcome.left}")
    if outcome.kernel and emulated:
        wrong.append("the kernel complained:\n" + "\n".join(f"      {t}" for t in outcome.kernel))
    for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "UndefinedBehaviorSanitizer"):
        if sign in err:
            wrong.append(f"{sign} on stderr")
    return wrong
