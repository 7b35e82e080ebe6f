#!/bin/sh
# installed.sh BUILD: what cmake --install puts in place is complete and works from there, in a directory with files of the same names.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$1" --prefix "$dir/usr" >/dev/null
cd "$dir"
for file in bin/waketrace share/man/man8/waketrace.8 share/bash-completion/completions/waketrace \
	share/waketrace/scripts/tcptop.wt share/waketrace/scripts/lib/sockets.wt share/doc/waketrace/docs/scripts/tcptop.md; do
	[ -s "usr/$file" ] || { echo "not installed: $file"; exit 1; }
done
mkdir planted && cd planted
for name in tcptop lib; do echo 'begin { print("planted") }' >$name; done
../usr/bin/waketrace tcptop --help | grep -q '^tcptop - bytes over TCP'
../usr/bin/waketrace --scripts | grep -q '^  tcptop  *bytes over TCP'
bash -c '. ../usr/share/bash-completion/completions/waketrace; COMP_WORDS=(waketrace tcpto); COMP_CWORD=1; _waketrace; echo "${COMPREPLY[@]}"' |
	grep -q tcptop
for script in ../usr/share/waketrace/scripts/*.wt; do # a copy imports the parts beside it
	../usr/bin/waketrace "$script" --help >/dev/null 2>help.err || { cat help.err; exit 1; }
done
echo "1 passed, 0 failed, 0 skipped"
