"""Debian's cloud kernels for the test guests: fetch once, verify, keep in a cache outside the repository.

Packages come through `apt-get download` with a sources list, a state directory and a package cache of
our own, so that the machine's apt configuration stays as it is; signatures are checked against Debian's
keyring.  A cached kernel needs no network.  How a kernel is booted is in guest.py.
"""

import contextlib
import fcntl
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
META = "linux-image-cloud-amd64"

# name -> (version prefix of the image, or "" for whatever the suite has; sources tried in this order; required?)
KERNELS = {
    "5.10": ("5.10", [(MIRROR, "bullseye"), (SECURITY, "bullseye-security")], False),
    "6.1": ("6.1", [(MIRROR, "bookworm"), (SECURITY, "bookworm-security")], True),
    "6.12": ("6.12", [(MIRROR, "bookworm-backports"), (MIRROR, "trixie")], True),
    "newest": ("", [(MIRROR, "sid")], False),
}

# What the guests may load.  Everything these need comes along.
MODULES = ["loop", "ext4", "xfs", "btrfs"]

# Bump when the layout of a cached kernel changes.
LAYOUT = 2


class Unavailable(Exception):
    """This kernel cannot be had here; the text says why."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = Path(base) / "waketrace"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name):
    """Only one process at a time fills a part of the cache."""
    with open(cache_dir() / f"{name}.lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


class Kernel:
    """A kernel in the cache: `image` to boot, `modules` archive to append to the initramfs."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.info = json.loads((path / "kernel.json").read_text())
        self.release = self.info["release"]
        self.image = path / "vmlinuz"
        self.modules = path / "modules.cpio"


def cached(name):
    path = cache_dir() / "kernels" / name
    try:
        kernel = Kernel(name, path)
    except (OSError, ValueError, KeyError):
        return None
    wanted = {"layout": LAYOUT, "modules": MODULES}
    if any(kernel.info.get(k) != v for k, v in wanted.items()):
        return None
    return kernel if kernel.image.exists() and kernel.modules.exists() else None


def get(name, refresh=False, log=None):
    """The kernel called `name`, fetched if it is not cached.  Raises Unavailable."""
    if name not in KERNELS:
        raise Unavailable(f"there is no kernel '{name}'; known: {', '.join(KERNELS)}")
    with lock(f"kernel-{name}"):
        kernel = None if refresh else cached(name)
        if kernel:
            return kernel
        log = log or (lambda text: print(text, file=sys.stderr, flush=True))
        for tool in ("apt-get", "dpkg-deb"):
            if not shutil.which(tool):
                raise Unavailable(f"{tool} is not installed, and {name} is not in the cache")
        if not os.path.exists(KEYRING):
            raise Unavailable(f"{KEYRING} is missing (package debian-archive-keyring)")
        reasons = []
        for source in KERNELS[name][1]:
            try:
                log(f"{name}: fetching from {source[1]} ...")
                return fetch(name, source, log)
            except Unavailable as e:
                reasons.append(f"{source[1]}: {e}")
        raise Unavailable("; ".join(reasons))


class PrivateApt:
    """apt-get with lists, cache and sources in a directory of our own."""

    def __init__(self, root, source):
        mirror, suite = source
        self.root = root
        for d in ("lists/partial", "archives/partial", "empty"):
            (root / d).mkdir(parents=True)
        (root / "status").write_text("")
        sources = root / "sources.list"
        sources.write_text(f"deb [arch=amd64 signed-by={KEYRING}] {mirror} {suite} main\n")
        self.options = []
        for key, value in {
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": root / "empty",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": root / "empty",
            "Dir::Etc::Trusted": "/dev/null",
            "Dir::Etc::TrustedParts": root / "empty",
            "Dir::State": root,
            "Dir::State::Lists": root / "lists",
            "Dir::State::Status": root / "status",
            "Dir::Cache": root,
            "Dir::Cache::Archives": root / "archives",
            "APT::Architecture": "amd64",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::Check-Valid-Until": "false",  # an archived suite is signed, but no longer renewed
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30",
        }.items():
            self.options += ["-o", f"{key}={value}"]
        if os.geteuid() == 0:
            self.options += ["-o", "APT::Sandbox::User=root"]  # _apt cannot enter root's cache

    def __call__(self, tool, *args, cwd=None):
        r = subprocess.run([tool, *self.options, *args], cwd=cwd, text=True, timeout=900,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode:
            said = (r.stderr.strip() or r.stdout.strip()).splitlines()
            raise Unavailable(f"{tool} {args[0]}: {said[-1] if said else 'failed'}")
        return r.stdout

    def depends(self, package):
        """The Depends of the newest version of `package`, alternatives cut to the first."""
        text = self("apt-cache", "--no-all-versions", "show", package)
        found = re.search(r"^Depends: (.*)$", text, re.M)
        return [d.split("|")[0].split("(")[0].strip() for d in found[1].split(",")] if found else []


def image_package(apt, prefix):
    """The package with the image: what the meta package names, or the newest that has the prefix."""
    pattern = re.compile(r"linux-image-(\d[^ ]*)-cloud-amd64$")
    with contextlib.suppress(Unavailable):
        for name in apt.depends(META):
            found = pattern.match(name)
            if found and found[1].startswith(prefix):
                return name
    names = [n for n in apt("apt-cache", "pkgnames", f"linux-image-{prefix}").split() if pattern.match(n)]
    if not names:
        raise Unavailable(f"no cloud kernel {prefix or 'of any version'}")
    return max(names, key=lambda n: [int(x) for x in re.findall(r"\d+", n)])


def fetch(name, source, log):
    """Download, unpack, keep the image and the modules we want; returns the Kernel."""
    with tempfile.TemporaryDirectory(prefix=f"fetch-{name}-", dir=cache_dir()) as tmp:
        tmp = Path(tmp)
        try:
            apt = PrivateApt(tmp / "apt", source)
            apt("apt-get", "update", "-qq")
            wanted = [image_package(apt, KERNELS[name][0])]
            # Since 7.x the image is split into linux-binary-* and linux-modules-*.
            for package in wanted:
                for d in apt.depends(package):
                    if re.match(r"linux-(binary|modules|image)-\d", d) and d not in wanted:
                        wanted.append(d)
            debs = tmp / "debs"
            debs.mkdir()
            log(f"{name}: downloading {', '.join(wanted)}")
            apt("apt-get", "download", "-qq", *wanted, cwd=debs)
        except subprocess.TimeoutExpired as e:
            raise Unavailable(f"{e.cmd[0]} timed out") from e
        root = tmp / "root"
        for deb in sorted(debs.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
        images = sorted(root.glob("boot/vmlinuz-*")) + sorted(root.glob("usr/lib/modules/*/vmlinuz"))
        if not images:
            raise Unavailable("the packages hold no vmlinuz")
        release = images[0].name[len("vmlinuz-"):] if images[0].name != "vmlinuz" else images[0].parent.name
        new = tmp / "kernel"
        new.mkdir()
        shutil.copyfile(images[0], new / "vmlinuz")
        trees = [t for t in (root / "lib/modules" / release, root / "usr/lib/modules" / release) if t.is_dir()]
        (new / "modules.cpio").write_bytes(modules_archive(trees, release))
        config = root / "boot" / f"config-{release}"
        if config.exists():
            shutil.copyfile(config, new / "config")
        (new / "kernel.json").write_text(json.dumps({
            "layout": LAYOUT, "release": release, "modules": MODULES, "suite": source[1],
            "packages": sorted(d.name for d in debs.glob("*.deb")),
        }, indent=1) + "\n")
        final = cache_dir() / "kernels" / name
        final.parent.mkdir(exist_ok=True)
        shutil.rmtree(final, ignore_errors=True)
        new.rename(final)
    return Kernel(name, final)


def module_name(path):
    return path.name.split(".ko")[0].replace("-", "_")


def read_module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix in (".zst", ".gz"):
        tool = {".zst": "zstd", ".gz": "gzip"}[path.suffix]
        return subprocess.run([tool, "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    return data


def modinfo(data, key):
    """Values of one key of a module's .modinfo section (strings separated by NUL)."""
    return [m.decode() for m in re.findall(rb"(?<=\0)" + key + rb"=([^\0]*)", b"\0" + data)]


def modules_archive(trees, release):
    """MODULES and everything they need as a cpio archive with the lists that busybox' modprobe reads."""
    files = {}
    for tree in trees:
        for path in tree.rglob("*.ko*"):
            files.setdefault(module_name(path), path)
    data, needs = {}, {}
    todo = list(MODULES)
    while todo:
        name = todo.pop()
        if name in data or name not in files:
            continue  # not there: built in, or absent from this kernel (a case that needs it is skipped)
        data[name] = read_module(files[name])
        needs[name] = [d.replace("-", "_") for v in modinfo(data[name], b"depends") for d in v.split(",") if d]
        for soft in modinfo(data[name], b"softdep"):
            if soft.startswith("pre:"):
                needs[name] += [s.replace("-", "_") for s in soft[4:].split() if s.replace("-", "_") in files]
        todo += needs[name]

    def closure(name, seen):
        for d in needs.get(name, []):
            if d not in seen:
                seen.append(d)
                closure(d, seen)
        return seen

    home = f"lib/modules/{release}"
    where = {n: f"kernel/{n}.ko" for n in data}
    dep = "".join(f"{where[n]}: {' '.join(where[d] for d in closure(n, []) if d in where)}\n" for n in sorted(data))
    alias = "".join(f"alias {a} {n}\n" for n in sorted(data) for a in modinfo(data[n], b"alias"))
    builtin = ""
    for tree in trees:
        if (tree / "modules.builtin").exists():
            builtin = (tree / "modules.builtin").read_text()
    archive = Archive()
    for n in sorted(data):
        archive.add(f"{home}/{where[n]}", data[n])
    archive.add(f"{home}/modules.dep", dep.encode())
    archive.add(f"{home}/modules.alias", alias.encode())
    archive.add(f"{home}/modules.builtin", builtin.encode())
    archive.add(f"{home}/modules.symbols", b"")
    return archive.bytes()


class Archive:
    """A cpio archive in the `newc` form that the kernel unpacks; several may follow one another."""

    def __init__(self):
        self.parts = []
        self.inode = 0
        self.dirs = set()

    def entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        raw = name.encode() + b"\0"
        head = "070701" + "".join(f"{v:08X}" for v in (
            self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(raw), 0))
        text = head.encode() + raw
        self.parts.append(text + b"\0" * (-len(text) % 4) + data + b"\0" * (-len(data) % 4))

    def parents(self, name):
        parts = name.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            d = "/".join(parts[:i])
            if d and d not in self.dirs:
                self.dirs.add(d)
                self.entry(d, 0o040755)

    def add(self, name, data, mode=0o644):
        name = name.lstrip("/")
        self.parents(name)
        self.entry(name, 0o100000 | mode, data)

    def add_file(self, path, name, mode=None):
        path = Path(path)
        self.add(name, path.read_bytes(), (path.stat().st_mode & 0o777) if mode is None else mode)

    def link(self, name, target):
        name = name.lstrip("/")
        self.parents(name)
        self.entry(name, 0o120777, target.encode())

    def directory(self, name, mode=0o755):
        name = name.strip("/")
        self.parents(name + "/x")

    def device(self, name, major, minor):
        name = name.lstrip("/")
        self.parents(name)
        self.entry(name, 0o020600, rdev=(major, minor))

    def bytes(self):
        self.entry("TRAILER!!!", 0)
        return b"".join(self.parts)


def main():
    """`kernels.py [--refresh] [NAME...]`: fetch what is missing and show what is there."""
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or list(KERNELS)
    status = 0
    for name in names:
        try:
            kernel = get(name, refresh="--refresh" in sys.argv)
            print(f"{name}: {kernel.release} ({kernel.info['suite']})")
        except Unavailable as e:
            print(f"{name}: NOT AVAILABLE: {e}")
            status |= name in KERNELS and KERNELS[name][2]
    return status


if __name__ == "__main__":
    sys.exit(main())
