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
in_lab gup-stacks.ptd --kernel 6.12 --cpu-levels 4 -- --hook fentry -g -e gup -- ./touch -k populate 20
in_lab zoo.ptd --kernel 6.1 --cpu-levels 5 -- -z 0 --hook fentry -- ./zoo oracle 20
head -c 12000 "$out/zoo.ptd" >"$out/cut.ptd"

# Hypercalls, one recording for each ABI that the guest speaks, with what they point to; and one with
# texts that are to lead outputs astray.
# shellcheck disable=SC2016 # expanded in the guest
scripts/lab --quiet --results "$out" --kernel 6.12 --mem 1G -- sh -c '
	modprobe kvm_amd && cp build/ptrace-pf build/tests/kvm_guest /tmp &&
		cp user/abi/*.abi tests/replay/calls.abi /tmp && cd /tmp || exit 1
	for run in "kvm hypercalls 12" "bitvisor bitvisor 28" "capsule capsule 8" "calls capsule 10" \
		"bitvisor-nasty bitvisor 28 --nasty"; do
		set -- $run
		./ptrace-pf record -q -e hypercall --abi ./${1%-*}.abi -o abi-$1.ptd -- \
			./kvm_guest --seed 1 --quiet $4 $2 $3 >/dev/null && cp abi-$1.ptd "$LAB_RESULTS" || exit 1
	done'

# Remaps of a page of a program's stack, the last of which ends with the program.
# shellcheck disable=SC2016 # expanded in the guest
scripts/lab --quiet --results "$out" --kernel 6.12 -- bash -c '
	insmod "$0" && cp build/ptrace-pf build/ptremap /tmp && cd /tmp || exit 1
	tail -f /dev/null &
	pid=$! && sleep 0.5
	page=$pid:0x$(sed -n "s/^[^-]*-\([0-9a-f]*\)000 .*\[stack\]\$/\1/p" /proc/$pid/maps)000
	page=$pid:$(printf 0x%x $((${page#*:} - 4096)))
	./ptrace-pf record -q -e fault,remap -o remaps.ptd -p $pid & recorder=$!
	sleep 2
	./ptremap protect "$page" --clear RW --for 0.2 >/dev/null
	./ptremap map --fresh "$page" --for 0.2 >/dev/null
	./ptremap trap --keep "$page" >/dev/null
	kill $pid
	wait $recorder
	cp remaps.ptd "$LAB_RESULTS"' "$(scripts/kmod 6.12)"

install -m 644 "$out"/{fentry-4level,kprobe-5level,rawtp-stacks,gup-stacks,cut,remaps}.ptd "$out"/abi-*.ptd tests/replay/
