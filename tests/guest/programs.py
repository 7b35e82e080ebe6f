"""Where the programs that the tests use come from: the agent and the triggers, built when needed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"


def build(directory=None):
    """Bring the agent and the triggers up to date; returns (agent, directory of the triggers)."""
    where = Path(directory) if directory else ROOT / "build-tests"
    commands = [["cmake", "--build", where]]
    if not (where / "CMakeCache.txt").exists():
        generator = ["-G", "Ninja"] if any(os.access(os.path.join(d, "ninja"), os.X_OK)
                                           for d in os.environ.get("PATH", "").split(":")) else []
        commands.insert(0, ["cmake", "-S", ROOT / "tests" / "guest", "-B", where, *generator])
    for command in commands:
        r = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            sys.exit(f"the test programs do not build:\n{r.stdout}")
    return where / "agent", where / "triggers"


def default_binary():
    return ROOT / "build" / "waketrace"
