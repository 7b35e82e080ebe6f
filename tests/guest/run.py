#!/usr/bin/env python3
"""Boot a test kernel by hand.

  run.py shell 6.1                         an interactive shell in a guest
  run.py exec 6.1 -- waketrace -e '...'    one command in a guest: its output, its status
  run.py exec -k 5.10 -k 6.12 --put FILE[:DEST] -- sh -c '...'
  run.py fetch [KERNEL...]                 fill the cache (--refresh: again)
  run.py abilities [KERNEL...]             what each kernel can do

In a guest PATH has the binary under test (as `waketrace` and under its own name) and the triggers.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import guest
import kernels
import programs


def put_option(text):
    here, _, there = text.partition(":")
    if not os.path.exists(here):
        raise argparse.ArgumentTypeError(f"{here}: no such file")
    return here, there or f"/root/{os.path.basename(os.path.abspath(here))}"


def payload_of(args, triggers):
    binary = Path(args.binary) if args.binary else programs.default_binary()
    if not binary.exists():
        if args.binary:
            sys.exit(f"{binary}: no such file")
        print(f"note: {binary} does not exist; the guest has no waketrace", file=sys.stderr)
        binary = None
    return guest.Payload(binary=binary, triggers=triggers, scripts=programs.SCRIPTS, put=args.put)


def kernels_of(args):
    names = list(args.k or [])
    if args.operands and args.operands[0] in kernels.KERNELS:
        names.append(args.operands.pop(0))
    return names or ["6.1"]


def do_exec(args):
    names = kernels_of(args)
    command = args.command or args.operands
    if not command:
        sys.exit("no command; example: run.py exec 6.1 -- uname -a")
    agent, triggers = programs.build()
    payload = payload_of(args, triggers).archive()
    stdin = None if not args.stdin else sys.stdin.buffer.read() if args.stdin == "-" else Path(args.stdin).read_bytes()
    status = 0
    for name in names:
        guests = guest.Guests(kernels.get(name), agent, payload, keep=args.console, extra_slots=1)
        job = guest.Job("command", command, timeout=args.timeout / guest.SLOWER, stdin=stdin)
        if len(names) > 1:
            print(f"---- {name}", flush=True)
        for outcome in guests.run([job]):
            sys.stdout.flush()
            sys.stdout.buffer.write(outcome.out)
            sys.stdout.buffer.flush()
            sys.stderr.buffer.write(outcome.err)
            sys.stderr.buffer.flush()
            for text in (outcome.broken, outcome.leak and f"left in the kernel: {outcome.leak}",
                         outcome.left and f"left running: {outcome.left}", "\n".join(outcome.kernel),
                         outcome.timed_out and "timed out; it was in:\n" + "\n".join(outcome.hang)):
                if text:
                    print(f"{name}: {text}", file=sys.stderr)
            status = status or (125 if outcome.broken else 124 if outcome.timed_out else outcome.status)
        if args.verbose:
            print(f"{name}: booted in {guests.boots[-1]:.1f} s, ran {outcome.seconds:.1f} s", file=sys.stderr)
    return status


def do_shell(args):
    agent, triggers = programs.build()
    return guest.shell(kernels.get(kernels_of(args)[0]), agent, payload_of(args, triggers).archive())


def do_fetch(args):
    status = 0
    for name in args.operands or kernels.KERNELS:
        try:
            print(f"{name}: {kernels.get(name, refresh=args.refresh).release}")
        except kernels.Unavailable as e:
            print(f"{name}: NOT AVAILABLE: {e}")
            status = 1
    return status


def do_abilities(args):
    agent, _ = programs.build()
    for name in args.operands or kernels.KERNELS:
        guests = guest.Guests(kernels.get(name), agent, b"")
        for outcome in guests.run([guest.Job("abilities", ["/init", "abilities"])]):
            print(f"---- {name}\n{outcome.out.decode()}", end="", flush=True)
    return 0


def main():
    words = sys.argv[1:]
    command = []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1:]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("action", choices=["shell", "exec", "fetch", "abilities"])
    p.add_argument("operands", nargs="*", metavar="KERNEL", help=", ".join(kernels.KERNELS))
    p.add_argument("-k", action="append", metavar="KERNEL", help="a kernel (repeatable)")
    p.add_argument("--put", action="append", default=[], type=put_option, metavar="FILE[:DEST]",
                   help="a file or folder for the guest (default: /root/NAME)")
    p.add_argument("--binary", metavar="PATH", help="binary under test (default: build/waketrace)")
    p.add_argument("--timeout", type=float, default=300, metavar="S", help="seconds for the command (default 300)")
    p.add_argument("--stdin", metavar="FILE", help="standard input of the command ('-': ours)")
    p.add_argument("--console", metavar="FILE", help="keep the guest's console here")
    p.add_argument("--refresh", action="store_true", help="fetch: look for newer packages")
    p.add_argument("-v", "--verbose", action="store_true", help="say how long it took")
    args = p.parse_args(words)
    args.command = command
    try:
        return {"exec": do_exec, "shell": do_shell, "fetch": do_fetch, "abilities": do_abilities}[args.action](args)
    except (guest.GuestError, kernels.Unavailable) as e:
        print(f"run.py: {e}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
