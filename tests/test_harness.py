#!/usr/bin/env python3
"""Tests of the tests: what casefile.py accepts and refuses, that every expectation can fail, the agent's framing."""

import base64
import contextlib
import io
import sys
import tempfile
import types
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "guest")]
import casefile
import generate
import guest
import kernels
import runtime
import stages


def cases(text):
    with tempfile.TemporaryDirectory() as d:
        path = Path(d) / "x.test"
        path.write_text(text)
        return casefile.parse(path)


def wrong(text, **outcome):
    """What judge() says of the one case in `text`."""
    fields = {"status": 0, "out": b"", "err": b"", **outcome}
    return casefile.judge(cases("name: n\nsh: true\n" + text)[0], guest.Outcome("c0", **fields), True)


class Parsing(unittest.TestCase):
    def test_fields_and_blocks(self):
        case = cases("needs: root\n\n# comment\nname: a b\nneeds: x y\nrun: begin {\n| }\nexpect-all:\n|one\n|\n|  two  \n")[0]
        self.assertEqual(case.title, "x: a b")
        self.assertEqual(case.needs(), ["root", "x", "y"])
        self.assertEqual(case.one("run"), "begin { }\n")
        self.assertEqual(case.one("expect-all"), "one\n\n  two  \n")

    def test_defaults_do_not_leak(self):
        a, b = cases("needs: root\nname: a\nneeds: x\nsh: true\nexpect: 1\nname: b\nsh: true\nexpect: 1\n")
        self.assertEqual((a.needs(), b.needs()), (["root", "x"], ["root"]))

    def test_each(self):
        made = cases("name: n {each}\neach: 1 2\nsh: echo {each}\nexpect: {each}\n")
        self.assertEqual([c.one("name") for c in made], ["n 1", "n 2"])
        self.assertEqual([c.one("expect") for c in made], ["1", "2"])

    def test_refused(self):
        for text, words in (
            ("name: a\nsh: true\n", "cannot fail"),
            ("name: a\nexpect: x\n", "one of run"),
            ("name: a\nsh: true\nrun: x\nexpect: 1\n", "one of run"),
            ("name: a\nsh: true\nexpekt: 1\n", "x.test:3: not a field"),
            ("name: a\nsh: true\nsh: false\nexpect: 1\n", "x.test:3: 'sh' is there already"),
            ("name: a\nsh: true\nexpect-re: (\n", "regular expression"),
            ("name: a\nsh: true\npy: 1 +\n", "py"),
            ("name: a\nsh: true\njson: {\n", "json"),
            ("name: a\nsh: true\nexpect: 1\nname: a\nsh: true\nexpect: 1\n", "x.test:4: another case has this name"),
            ("|x\n", "x.test:1"),
        ):
            with self.subTest(text), self.assertRaises(casefile.BadCase) as e:
                cases(text)
            self.assertIn(words, str(e.exception))

    def test_kept_cases_are_well_formed(self):
        for path in sorted((HERE / "runtime").glob("*.test")):
            with self.subTest(path.name):
                self.assertTrue(casefile.parse(path))

    def test_job(self):
        job = cases("name: a\nrun: begin { }\nargs: -q -f json\ntrigger: getppid 3\nparams: 1 'two words'\nexpect: x\n")[0].job("c7")
        self.assertEqual(job.argv[3:], ["sh", "-q", "-f", "json", "-c", "getppid 3", "-e", "begin { }", "1", "two words"])


class Judging(unittest.TestCase):
    def check(self, text, good, bad):
        self.assertEqual(wrong(text, **good), [])
        self.assertNotEqual(wrong(text, **bad), [])

    def test_stdout(self):
        self.check("expect: ab\n", {"out": b"x\nab\n"}, {"out": b"xab\n"})
        self.check("expect-re: ^a+$\n", {"out": b"x\naa\n"}, {"out": b"xaa\n"})
        self.check("expect-not: ab\nexpect-not-re: ^c\n", {"out": b"xc\n"}, {"out": b"xab\n"})
        self.check("expect-not-re: ^c\n", {"out": b"xc\n"}, {"out": b"c\n"})
        self.check("expect-all:\n|a\n|\n", {"out": b"a\n\n"}, {"out": b"a\n"})
        self.check("printed:\n|p\nmaps:\n|@: 1\n", {"out": b"p\n\n\n@: 1\n"}, {"out": b"p\n@: 1\n"})
        self.check("ordered: yes\nexpect: a\nexpect: b\n", {"out": b"a\nb\n"}, {"out": b"b\na\n"})

    def test_status_and_stderr(self):
        self.check("status: 3\n", {"status": 3}, {"status": 0})
        self.check("status: 0|1\nexpect: x\n", {"status": 1, "out": b"x\n"}, {"status": 2, "out": b"x\n"})
        self.check("attached: 2\n", {"err": b"Attached 2 probes\n"}, {"err": b"Attached 1 probe\n"})
        self.check("stderr: abc\n", {"err": b"xabcx"}, {"err": b"xab"})
        self.check("stderr-re: ^b\n", {"err": b"a\nb"}, {"err": b"ab"})
        self.check("stderr-not: abc\nexpect: x\n", {"out": b"x\n"}, {"out": b"x\n", "err": b"abc"})
        self.check("stderr-all:\n|x\n", {"err": b"x\n"}, {"err": b"x\ny\n"})

    def test_a_clean_run_says_nothing_else_on_stderr(self):
        case = cases("name: n\nrun: begin { }\nexpect: x\n")[0]
        for err, expected in ((b"Attached 1 probe\n", 0), (b"Attached 1 probe\nlibbpf: something\n", 1)):
            outcome = guest.Outcome("c0", status=0, out=b"x\n", err=err)
            self.assertEqual(len(casefile.judge(case, outcome, True)), expected)

    def test_json(self):
        self.check("json: yes\n", {"out": b'{"a": 1}\n'}, {"out": b'{"a": 1}\nx\n'})
        self.check("json: yes\n", {"out": b"1\n"}, {"out": b"NaN\n"})
        self.check("json: yes\n", {"out": b'{"a": 1, "b": 1}\n'}, {"out": b'{"a": 1, "a": 1}\n'})
        self.check("json: yes\n", {"out": b'"\xc3\xa9"\n'}, {"out": b'"\xe9"\n'})
        self.check('json: {"a": {"b": [1, "..."]}}\n', {"out": b'{"a": {"b": [1, 7], "c": 1}}\n'}, {"out": b'{"a": {"b": [1]}}\n'})
        self.check('json: {"a": 1}\n', {"out": b'{"a": 1}\n'}, {"out": b'{"a": true}\n'})

    def test_python(self):
        self.check("py: m.int('@x[1]') == 5\n", {"out": b"@x[1]: 5\n"}, {"out": b"@x[1]: 6\n"})
        self.check("py:\n|for l in lines[:2]:\n|    assert l == 'a'\n", {"out": b"a\na\n"}, {"out": b"a\nb\n"})
        self.check("py: m.total('@') == 3\n", {"out": b"@[a]: 1\n@[b]: 2\n"}, {"out": b""})

    def test_unasked(self):
        for bad in ({"leak": "program 5"}, {"left": "sleep"}, {"kernel": ["BUG: x"]}, {"timed_out": True},
                    {"broken": "panic"}, {"err": b"AddressSanitizer: x"}, {"beside_status": 1}):
            with self.subTest(bad):
                self.check("expect: x\n", {"out": b"x\n"}, {"out": b"x\n", **bad})


class Framing(unittest.TestCase):
    def test_bytes_come_back(self):
        data = bytes(range(256))
        text = (b"@ready\n@begin c1\n@length out 300\n@out " + base64.b64encode(data) + b"\n@err \n@end c1 137 1 50\n"
                b"@begin c2\n@reason " + base64.b64encode(b"no luck") + b"\n@skip c2\n@begin c3\n")
        for size in (1, 7, 1000):
            reader = guest.ResultReader()
            got = [o for i in range(0, len(text), size) for o in reader.feed(text[i:i + size])]
            self.assertEqual([o.id for o in got], ["c1", "c2"])
            self.assertEqual((got[0].out, got[0].out_total, got[0].status, got[0].timed_out), (data, 300, 137, True))
            self.assertEqual(got[1].skipped, "no luck")
            self.assertEqual(reader.current.id, "c3")

    def test_archive(self):
        a = kernels.Archive()
        a.add("d/f", b"abc")
        self.assertEqual(len(a.bytes()) % 4, 0)


class LockUps(unittest.TestCase):
    """A guest that locks up costs a new boot the first time, and the case the second time."""

    class Guests(guest.Guests):
        def __init__(self, lock_ups):
            self.kernel, self.extra_slots = types.SimpleNamespace(name="test"), 2
            self.lock_ups, self.boots_seen = lock_ups, []

        def boot(self, tmp, jobs):
            self.boots_seen.append([j.id for j in jobs])
            for job in jobs:
                if job.id == "b" and self.lock_ups:
                    self.lock_ups -= 1
                    yield guest.Outcome("b"), "ended early\nwatchdog: BUG: soft lockup - CPU#0 stuck for 48s!"
                    return
                yield guest.Outcome(job.id, status=0)

    def run_with(self, lock_ups):
        guests = self.Guests(lock_ups)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            outcomes = list(guests.run([guest.Job(id, ["true"]) for id in "abc"]))
        return guests, outcomes, said.getvalue()

    def test_once(self):
        guests, outcomes, said = self.run_with(1)
        self.assertEqual([(o.id, o.broken) for o in outcomes], [("a", None), ("b", None), ("c", None)])
        self.assertEqual(guests.boots_seen, [["a", "b", "c"], ["b", "c"]])
        self.assertIn("locked up in b, which runs again", said)

    def test_twice(self):
        guests, outcomes, _ = self.run_with(2)
        self.assertEqual([o.id for o in outcomes], ["a", "b", "c"])
        self.assertIn("soft lockup", outcomes[1].broken)
        self.assertEqual(guests.boots_seen, [["a", "b", "c"], ["b", "c"], ["c"]])


class Merging(unittest.TestCase):
    class Runner:
        def __init__(self, error=None):
            self.error = error

        def run(self, jobs):
            yield from (guest.Outcome(id) for id in jobs)
            if self.error:
                raise self.error

    def test_all_outcomes(self):
        got = list(runtime.merged([(self.Runner(), ["a", "c"]), (self.Runner(), ["b"])]))
        self.assertEqual(sorted(o.id for o in got), ["a", "b", "c"])

    def test_an_error_comes_after_the_outcomes_of_the_others(self):
        got = []
        with self.assertRaises(guest.GuestError):
            for outcome in runtime.merged([(self.Runner(guest.GuestError("x")), ["a"]), (self.Runner(), ["b"])]):
                got.append(outcome.id)
        self.assertEqual(sorted(got), ["a", "b"])


class Shares(unittest.TestCase):
    def test_files_stay_together_and_scripts_weigh_more(self):
        quick = cases("".join(f"name: q{i}\nrun: begin {{ exit() }}\nexpect: {i}\n\n" for i in range(30)))
        slow = cases("".join(f"name: s{i}\nsh: $WT run $(built tcptop) {i}\nexpect: {i}\n\n" for i in range(2)))
        for i, case in enumerate(quick):
            case.path = f"file{i // 10}"
        for case in slow:
            case.path = "scripts"
        by_id = {f"c{i}": case for i, case in enumerate(quick + slow)}
        one, other = runtime.shares(by_id, 2)
        self.assertEqual(sorted([*(job.id for job in one), *(job.id for job in other)]), sorted(by_id))
        self.assertEqual({by_id[job.id].path for job in one}, {"scripts"})


class Counting(unittest.TestCase):
    def test_stages_beside_each_other(self):
        def row(name, beside, needed=False):
            return stages.Stage(name, ["echo", name], stages.ends_well, beside=beside, needed=needed)
        rows = [row("a", False), row("b", True), row("c", True), row("d", False)]
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            done = [(stage.name, *counts) for stage, *counts, _, _ in stages.run_all(rows)]
        self.assertEqual(done, [(name, 1, 0, 0) for name in "abcd"])
        self.assertEqual(sorted(shown.getvalue().split("\n")), sorted("\n==== a\na\n==== b\nb\n==== c\nc\n==== d\nd".split("\n")))
        rows[0] = stages.Stage("a", ["false"], stages.ends_well, needed=True)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual([stage.name for stage, *_ in stages.run_all(rows)], ["a"])

    def test_stages(self):
        self.assertEqual(stages.plain("x\n3 passed, 1 failed, 2 skipped\n", 1), (3, 1, 2))
        self.assertEqual(stages.plain("3 passed, 0 failed, 2 skipped\n", 2), (3, 1, 2))
        self.assertEqual(stages.plain("crashed\n", 0), (0, 1, 0))
        self.assertEqual(stages.ctest("100% tests passed, 0 tests failed out of 8\n", 0), (8, 0, 0))
        self.assertEqual(stages.ctest("50% tests passed, 4 tests failed out of 8\n", 8), (4, 4, 0))

    def test_generated_programs_are_the_same_again(self):
        self.assertEqual(generate.Program(5).text, generate.Program(5).text)
        self.assertNotEqual(generate.Program(5).text, generate.Program(6).text)

    def test_a_built_program_comes_ahead_of_what_it_prints(self):
        outcome = guest.Outcome("p1", out=b"4\n\x1f\n\0x1\nthe end\n", out_total=18)
        self.assertEqual(generate.take_tool(outcome), b"\x1f\n\0x")
        self.assertEqual((outcome.out, outcome.out_total), (b"1\nthe end\n", 12))
        for other in (b"", b"4\n123", b"the end\n"):
            outcome = guest.Outcome("p1", out=other, out_total=len(other))
            self.assertIsNone(generate.take_tool(outcome))
            self.assertEqual((outcome.out, outcome.out_total), (other, len(other)))

    def test_a_program_is_compiled_where_no_tool_is(self):
        program = generate.Program(1)
        self.assertIn('-e "$1"', generate.job(program, None, False).argv[2])
        self.assertIn("build", generate.job(program, None, True).argv[2])
        built = generate.job(program, b"tool", False)
        self.assertEqual(built.files["tool.gz"], b"tool")
        self.assertNotIn("-e", built.argv[2])


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
