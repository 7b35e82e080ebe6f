#!/bin/sh
# built NAME [WORD...]: prints the path of an artefact of the shipped script NAME with the positional parameters WORD, for
# `waketrace run`.  In a guest, where compiling takes seconds, the first case that asks makes it for all; elsewhere each makes its own.
set -eu
[ -d /wt/triggers ] && at=/wt/built || at=./built
name=$at/$(echo "$*" | tr " " ,)
if [ ! -e "$name" ]; then
	mkdir -p "$at"
	"$WT" build -o "$name.new" "$@"
	mv "$name.new" "$name"
fi
echo "$name"
