"""Runs jobs (see agent.c) in a booted test kernel, or natively, and yields what each one did.

A guest is QEMU in pure emulation with an initramfs and no disk: the base (busybox, the agent as /init),
the kernel's modules, and the files of this run are separate archives that the kernel unpacks one after
another.  A guest that panics or hangs costs the case in progress; the rest goes on in a new one.
"""

import base64
import contextlib
import ctypes
import fcntl
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import kernels

BOOT_SECONDS = 120
# Emulation is about ten times slower than the machine itself, and two guests may share it.
SLOWER = 8

# One thread for both CPUs: with a thread for each this QEMU now and then runs an int3 that the kernel has patched away, and the
# guest dies in a function that was just traced, or both its CPUs wait for ever.
QEMU = [
    "qemu-system-x86_64", "-accel", "tcg,thread=single",
    # la57: 6.12 panics with it.  cx16: this QEMU mis-emulates the 16-byte compare-and-exchange of SLUB.  erms, fsrm, avx: it
    # copies byte by byte where they are there.
    "-cpu", "max,la57=off,cx16=off,erms=off,fsrm=off,avx=off,avx2=off",
    "-smp", "2", "-m", "2048", "-nographic", "-no-reboot", "-nic", "none",
]
# oops=panic: an oops ends the guest, so that it is seen.  softlockup: two CPUs that wait for each other end it too, with
# their stacks on the console (loglevel=5 shows them).  norandmaps: QEMU translates code per virtual address; with
# programs at the same addresses every time it translates them once, and each run of the tracer takes a tenth of the time.
APPEND = ("console=ttyS0 quiet loglevel=5 panic=-1 oops=panic softlockup_panic=1 softlockup_all_cpu_backtrace=1 watchdog_thresh=20 "
          "norandmaps rdinit=/init")


class GuestError(Exception):
    """The guest cannot be had or does not come up; the text says why."""


@dataclass
class Job:
    """One case as the agent sees it."""
    id: str
    argv: list
    timeout: float = 20            # seconds on this machine; longer in a guest
    needs: list = field(default_factory=list)
    files: dict = field(default_factory=dict)
    stdin: bytes = None
    open_stdin: bool = False
    beside: str = None
    ready: str = "Attached "
    signal: int = signal.SIGINT

    def records(self, slower):
        yield "case", self.id.encode()
        yield "timeout", str(int(self.timeout * slower * 1000)).encode()
        for need in self.needs:
            yield "need", need.encode()
        for arg in self.argv:
            yield "arg", os.fsencode(arg)
        for name, data in self.files.items():
            yield "name", name.encode()
            yield "file", data
        if self.stdin is not None:
            yield "stdin", self.stdin
        if self.open_stdin:
            yield "open-stdin", b""
        if self.beside:
            yield "beside", self.beside.encode()
            yield "ready", self.ready.encode()
            yield "signal", str(int(self.signal)).encode()
        yield "run", b""


def job_file(jobs, env, slower):
    parts = []
    for key, value in env.items():
        parts.append((f"env:{key}", value.encode()))
    for job in jobs:
        parts += job.records(slower)
    return b"".join(f"{k} {len(v)}\n".encode() + v for k, v in parts)


@dataclass
class Outcome:
    """What a job did.  `broken` says why there is no result at all, `skipped` which need was missing."""
    id: str
    status: int = None
    timed_out: bool = False
    seconds: float = 0
    out: bytes = b""
    err: bytes = b""
    out_total: int = 0
    beside_out: bytes = b""
    beside_err: bytes = b""
    beside_status: int = None
    skipped: str = None
    broken: str = None
    leak: str = None
    left: str = None
    kernel: list = field(default_factory=list)
    hang: list = field(default_factory=list)


class ResultReader:
    """Turns the agent's lines into outcomes."""

    def __init__(self):
        self.rest = b""
        self.ready = self.done = False
        self.current = None

    def feed(self, data):
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            outcome = self.line(line.decode("ascii", "replace").strip("\r"))
            if outcome:
                yield outcome

    def line(self, line):
        key, _, value = line.partition(" ")
        now = self.current
        if key == "@ready":
            self.ready = True
        elif key == "@done":
            self.done = True
        elif key == "@begin":
            self.current = Outcome(value)
        elif now is None:
            return None
        elif key == "@skip":
            self.current = None
            return now
        elif key == "@reason":
            now.skipped = base64.b64decode(value).decode("utf-8", "replace")
        elif key == "@length":
            name, n = value.split()
            if name == "out":
                now.out_total = int(n)
        elif key in ("@out", "@err", "@beside-out", "@beside-err"):
            setattr(now, key[1:].replace("-", "_"), base64.b64decode(value))
        elif key == "@beside-status":
            now.beside_status = int(value)
        elif key in ("@leak", "@left"):
            setattr(now, key[1:], base64.b64decode(value).decode("utf-8", "replace"))
        elif key in ("@kernel", "@hang"):
            getattr(now, key[1:]).append(base64.b64decode(value).decode("utf-8", "replace"))
        elif key == "@end":
            _, status, timed_out, ms = value.split()
            now.status, now.timed_out, now.seconds = int(status), timed_out == "1", int(ms) / 1000
            self.current = None
            return now
        return None


# ---- what goes into a guest ----

def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise GuestError("busybox is missing (package busybox-static)")


@functools.lru_cache
def base_archive(agent):
    a = kernels.Archive()
    bb = busybox()
    a.add_file(bb, "bin/busybox", 0o755)
    for applet in subprocess.run([bb, "--list"], text=True, stdout=subprocess.PIPE, check=True).stdout.split():
        if applet not in ("busybox", "init"):
            a.link(f"bin/{applet}", "busybox")
    a.link("sbin/modprobe", "../bin/busybox")
    a.link("usr/bin/env", "../../bin/busybox")
    for d in ("proc", "sys", "dev", "tmp", "run", "root", "wt/bin", "wt/triggers", "usr/bin", "usr/sbin",
              "var/tmp", "mnt", "etc"):
        a.directory(d)
    a.device("dev/console", 5, 1)
    a.add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    a.add("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    a.add("etc/hosts", b"127.0.0.1 localhost\n::1 localhost\n")
    if os.path.exists("/etc/ld.so.cache"):
        a.add_file("/etc/ld.so.cache", "etc/ld.so.cache", 0o644)
    a.add_file(agent, "init", 0o755)
    return a.bytes()


def library_closure(path):
    """Files that a dynamic program needs, its loader included."""
    r = subprocess.run(["ldd", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = set()
    for line in r.stdout.splitlines():
        if "not found" in line:
            raise GuestError(f"{path}: {line.strip()}")
        m = re.search(r"(/\S+) \(0x", line)
        if m:
            found.add(m[1])
    return found


@dataclass
class Payload:
    """The files of a run: the binary under test, the triggers, shipped scripts, and what --put adds."""
    binary: Path = None
    triggers: Path = None
    scripts: Path = None
    put: list = field(default_factory=list)    # (file here, path there)

    def archive(self):
        a = kernels.Archive()
        needed = set()
        if self.binary:
            a.add_file(self.binary, f"wt/bin/{self.binary.name}", 0o755)
            if self.binary.name != "waketrace":
                a.link("wt/bin/waketrace", self.binary.name)
            needed |= library_closure(self.binary)
        for trigger in sorted(self.triggers.iterdir()) if self.triggers else []:
            if trigger.is_file() and os.access(trigger, os.X_OK):
                a.add_file(trigger, f"wt/triggers/{trigger.name}", 0o755)
                needed |= library_closure(trigger)
        for script in sorted(self.scripts.rglob("*")) if self.scripts and self.scripts.is_dir() else []:
            if script.is_file():
                a.add_file(script, f"wt/share/waketrace/scripts/{script.relative_to(self.scripts)}")
        if self.scripts:
            a.link("usr/share/waketrace", "/wt/share/waketrace")
        for here, there in self.put:
            for path in sorted(Path(here).rglob("*")) if os.path.isdir(here) else [Path(here)]:
                if path.is_file():
                    name = there if not os.path.isdir(here) else os.path.join(there, path.relative_to(here))
                    a.add_file(path, name)
                    if os.access(path, os.X_OK) and path.read_bytes()[:4] == b"\x7fELF":
                        needed |= library_closure(path)
        for path in sorted(needed):
            a.add_file(path, path, 0o755)
        return a.bytes()


def initramfs(path, kernel, agent, payload, extra=b""):
    with open(path, "wb") as f:
        for part in (base_archive(str(agent)), kernel.modules.read_bytes(), payload, extra):
            f.write(part)
            f.write(b"\0" * (-f.tell() % 512))


def qemu_command(kernel, initrd, serials, append=""):
    command = [*QEMU, "-monitor", "none", "-kernel", str(kernel.image), "-initrd", str(initrd),
               "-append", f"{APPEND} {append}".strip()]
    for serial in serials:
        command += ["-serial", serial]
    return command


def die_with_parent():
    """In the child before exec: a killed test run leaves no guest behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def need_qemu():
    if not shutil.which(QEMU[0]):
        raise GuestError(f"{QEMU[0]} is missing (package qemu-system-x86)")


@contextlib.contextmanager
def slot(extra=0):
    """Wait for one of the places for guests: two for a CPU of the machine, whoever on it runs tests."""
    said = False
    while True:
        for i in range(2 * (os.cpu_count() or 1) + extra):
            with open(kernels.cache_dir() / f"guest-{i}.lock", "w") as f:
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue
                yield
                return
        if not said:
            print("waiting for other guests on this machine to end", file=sys.stderr, flush=True)
            said = True
        time.sleep(0.5)


def locked_up(trouble):
    """The kernel's watchdog ended the guest."""
    return "soft lockup" in trouble


class Guests:
    """Jobs in guests with one kernel."""

    slower = SLOWER

    def __init__(self, kernel, agent, payload, env=None, keep=None, boots=None, extra_slots=0):
        need_qemu()
        self.extra_slots = extra_slots
        self.kernel, self.agent, self.payload, self.keep = kernel, agent, payload, keep
        self.env = {"WT": "/wt/bin/waketrace", "WT_EMULATED": "1", **(env or {})}
        self.boots = [] if boots is None else boots       # seconds from starting QEMU to the agent's first word

    def run(self, jobs):
        """Yield an Outcome for each job, whatever happens to the guest.

        The case in progress when the CPUs of a guest locked up is run once more, in a new guest, and that is said: a host that
        is busy elsewhere looks the same.  A second lock-up is the case's own.
        """
        rest, failed_boots, again = list(jobs), 0, set()
        while rest:
            finished, in_progress, trouble = set(), None, None
            with slot(self.extra_slots), tempfile.TemporaryDirectory(prefix="waketrace-guest-") as tmp:
                for item in self.boot(Path(tmp), rest):
                    if isinstance(item, Outcome):
                        finished.add(item.id)
                        yield item
                    else:
                        in_progress, trouble = item
            if trouble is None:
                return
            if in_progress is None and not finished:
                failed_boots += 1
                if failed_boots == 3:
                    raise GuestError(trouble)
                print(f"{self.kernel.name}: {trouble}; trying again", file=sys.stderr, flush=True)
            if in_progress is not None and locked_up(trouble) and in_progress.id not in again:
                again.add(in_progress.id)
                print(f"{self.kernel.name}: the guest locked up in {in_progress.id}, which runs again: {trouble}",
                      file=sys.stderr, flush=True)
            elif in_progress is not None:
                in_progress.broken = trouble
                finished.add(in_progress.id)
                yield in_progress
            rest = [j for j in rest if j.id not in finished]

    def boot(self, tmp, jobs):
        """One guest: yields outcomes, and (outcome in progress or None, trouble) when it ends early."""
        archive = kernels.Archive()
        archive.add("wt/jobs", job_file(jobs, self.env, self.slower))
        initramfs(tmp / "initrd", self.kernel, self.agent, self.payload, archive.bytes())
        results, console = tmp / "results", tmp / "console"
        results.touch()
        reader = ResultReader()
        limits = {j.id: j.timeout * self.slower + 60 for j in jobs}
        start = last = time.monotonic()
        process = subprocess.Popen(
            qemu_command(self.kernel, tmp / "initrd", [f"file:{console}", f"file:{results}"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        trouble = None
        try:
            with open(results, "rb") as f:
                while True:
                    ended = process.poll() is not None
                    data = f.read()
                    if data:
                        last = time.monotonic()
                        was_ready = reader.ready
                        for outcome in reader.feed(data):
                            yield outcome
                        if reader.ready and not was_ready:
                            self.boots.append(last - start)
                    if ended and not data:
                        break
                    if data:
                        continue
                    limit = limits.get(reader.current.id, 60) if reader.current else 60 if reader.ready else BOOT_SECONDS
                    if time.monotonic() - last > limit:
                        trouble = f"the guest said nothing for {limit:.0f} s and was stopped"
                        break
                    time.sleep(0.02)
            if not reader.done and not trouble:
                why = process.stderr.read().decode("utf-8", "replace").strip()
                trouble = "the guest ended early" + (f": {why}" if why else "")
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            if self.keep:
                shutil.copyfile(console, self.keep)
        if not reader.done:
            said = console.read_text("utf-8", "replace").strip().splitlines()
            if said:
                first = [line for line in said[:-40] if re.search("BUG:|Oops|panic", line)][:1]
                trouble += "\n" + "\n".join(first + said[-40:])
            yield reader.current, trouble


class Native:
    """Jobs on the running kernel."""

    slower = 1

    def __init__(self, agent, binary, triggers, env=None):
        self.agent = agent
        self.env = {
            "WT": str(binary), "WT_EMULATED": "0",
            "PATH": f"{triggers}:{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin", **(env or {}),
        }

    def run(self, jobs):
        with tempfile.TemporaryDirectory(prefix="waketrace-native-") as tmp:
            tmp = Path(tmp)
            (tmp / "jobs").write_bytes(job_file(jobs, self.env, self.slower))
            (tmp / "results").touch()
            reader = ResultReader()
            process = subprocess.Popen([str(self.agent), str(tmp / "jobs"), str(tmp / "results")],
                                       stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
            try:
                with open(tmp / "results", "rb") as f:
                    while True:
                        ended = process.poll() is not None
                        data = f.read()
                        yield from reader.feed(data)
                        if ended and not data:
                            break
                        if not data:
                            time.sleep(0.02)
            finally:
                if process.poll() is None:
                    process.terminate()
                process.wait()
            if not reader.done:
                now = reader.current or Outcome("?")
                now.broken = f"the agent ended early (status {process.returncode})"
                yield now


def shell(kernel, agent, payload):
    """An interactive shell on the guest's first serial port."""
    need_qemu()
    with tempfile.TemporaryDirectory(prefix="waketrace-guest-") as tmp:
        initramfs(Path(tmp) / "initrd", kernel, agent, payload)
        # signal=off: Ctrl-C belongs to the shell in the guest.
        command = [*qemu_command(kernel, Path(tmp) / "initrd", ["chardev:terminal"]),
                   "-chardev", "stdio,id=terminal,signal=off"]
        print(f"booting {kernel.release}; 'exit' ends it", file=sys.stderr)
        return subprocess.run(command).returncode
