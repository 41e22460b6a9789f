#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the recordings of this folder anew, in the lab; run.sh --update then makes their golden
# files. Needed only when the file format changes.
set -euo pipefail

cd "$(dirname "$0")/../.."
out=$PWD/build/replay
mkdir -p "$out"

# Programs and outputs lie in the guest's /tmp, so that no path of this machine is recorded.
in_lab() { # NAME LAB-OPTIONS... -- RECORD-ARGUMENTS...
	local name=$1 lab=()
	shift
	while [ "$1" != -- ]; do lab+=("$1") && shift; done
	shift
	# shellcheck disable=SC2016 # expanded in the guest
	scripts/lab --quiet --results "$out" "${lab[@]}" -- sh -c '
		cp build/ptrace-pf build/tests/zoo build/tests/touch /tmp && cd /tmp && name=$0 &&
		./ptrace-pf record -q -o $name "$@" >/dev/null && cp $name "$LAB_RESULTS"' "$name" "$@"
}

in_lab fentry-4level.ptd --kernel 6.1 --cpu-levels 4 -- --hook fentry -- ls /
in_lab kprobe-5level.ptd --kernel 6.12 --cpu-levels 5 -- --hook kprobe -- sh -c 'id; true'
in_lab rawtp-stacks.ptd --kernel 6.1 --cpu-levels 4 -- --hook rawtp -g -- ./touch -t 2 20
in_lab zoo.ptd --kernel 6.1 --cpu-levels 5 -- --hook fentry -- ./zoo oracle 20
head -c 12000 "$out/zoo.ptd" >"$out/cut.ptd"

install -m 644 "$out"/{fentry-4level,kprobe-5level,rawtp-stacks,cut}.ptd tests/replay/
