#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes, inside the lab, the runs that tests/system/lab_kvm.sh looks at: a folder of $LAB_RESULTS
# each. The guest is slow, so nothing is compared here.
# usage: [HELPER=FOLDER] kvm_runs.sh intel|amd SEED PART[:N]...  (the folder has ptremap_kvm.ko)
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

readonly RESULTS=$LAB_RESULTS VENDOR=kvm_$1 SEED=$2
readonly GUEST=$bin/tests/kvm_guest EVENTS=/sys/kernel/tracing/events

# hist on|off - KVM's tracepoints counted by the kernel itself: exits by reason, the others
hist()
{
	local sign='' event

	[[ $1 == off ]] && sign='!'
	for event in kvm_exit:exit_reason kvm_hypercall:common_type kvm_page_fault:common_type; do
		echo "${sign}hist:keys=${event#*:}" >"$EVENTS/kvm/${event%:*}/trigger"
	done
}

# hits EVENT - of a histogram with one key. "Dropped" are those that came while another CPU was about
# to enter the same new key, for too long (__tracing_map_insert() of kernel/trace/tracing_map.c):
# in a machine whose CPUs are threads that happens.
hits()
{
	awk '/^{/ || $1 == "Dropped:" { n += $NF } END { print n + 0 }' "$EVENTS/kvm/$1/hist"
}

# counted COMMAND [ARG]... - into $dir: exits (reason count; and "dropped", for any reason), hypercalls
# and page_faults
counted()
{
	hist on
	"$@"
	awk '/^{/ { gsub(/[{}:]/, ""); print $2, $4 } $1 == "Dropped:" { print "dropped", $2 }' \
		"$EVENTS/kvm/kvm_exit/hist" >"$dir/exits"
	hits kvm_hypercall >"$dir/hypercalls"
	hits kvm_page_fault >"$dir/page_faults"
	hist off
}

# run NAME 'RECORD OPTIONS' GUEST_ARG... - a recording of one guest
run()
{
	local options

	dir=$RESULTS/$1
	read -ra options <<<"$2"
	shift 2
	mkdir -p "$dir"
	counted "$pf" record -o "$dir/events.ptd" "${options[@]}" -- "$GUEST" --seed "$SEED" "$@" \
		>"$dir/guest" 2>"$dir/stderr"
	echo $? >"$dir/status"
}

# First of all: what there is without KVM, a refusal, or a wait for it.
part_absent()
{
	dir=$RESULTS/absent
	mkdir -p "$dir"
	"$pf" stat -e exit -- true 2>"$dir/refused"
	echo $? >"$dir/refused_status"
	"$pf" doctor >"$dir/doctor" 2>&1
	"$pf" stat -e hypercall --wait --json -o "$dir/json" -- "$GUEST" --quiet hypercalls 100 \
		>/dev/null 2>"$dir/stderr" &
	while ! grep -q waiting "$dir/stderr" && kill -0 $! 2>/dev/null; do
		sleep 0.1
	done
	modprobe "$VENDOR"
	wait $!
	echo $? >"$dir/status"
}

# A VM that runs before the tracer does, and that is chosen by --vm.
part_attach()
{
	local tracer

	dir=$RESULTS/attach
	mkdir -p "$dir"
	coproc VM { exec "$GUEST" --seed "$SEED" --wait hypercalls 300; }
	# shellcheck disable=SC2154 # set by coproc
	while read -r line <&"${VM[0]}" && [[ $line != ready* ]]; do
		:
	done
	"$pf" record -e hypercall --vm "$VM_PID" -o "$dir/events.ptd" 2>"$dir/stderr" &
	tracer=$!
	while ! [[ -s $dir/events.ptd ]] && kill -0 $tracer 2>/dev/null; do
		sleep 0.1
	done
	sleep 0.3
	echo go >&"${VM[1]}"
	cat <&"${VM[0]}" >"$dir/guest"
	wait $tracer
	echo $? >"$dir/status"
	"$pf" record -e hypercall --vm $$ -o /dev/null 2>"$dir/no_vm"
	echo $? >"$dir/no_vm_status"
}

# Counted by three at once: the programs, perf, and the kernel's own histograms. What perf's file
# says is asked outside.
part_stat()
{
	dir=$RESULTS/stat
	mkdir -p "$dir"
	counted perf kvm stat record -o "$dir/perf.data" -- "$pf" stat -e exit --json -o "$dir/json" -- \
		"$GUEST" --vcpus 2 --quiet hypercalls "$1" >"$dir/guest" 2>"$dir/stderr"
	echo $? >"$dir/status"
	chmod a+r "$dir/perf.data"
}

# The same live, as metrics and as a trace; and what a live view has of faults' latencies, where
# their ends are seen.
part_live()
{
	dir=$RESULTS/live
	mkdir -p "$dir"
	counted "$pf" top --batch --view vm -e hypercall,violation,exit -- \
		"$GUEST" --vcpus 2 --quiet hypercalls 500 >"$dir/vm" 2>"$dir/stderr"
	"$pf" top --batch --view latency --comm touch -a -- "$bin/tests/touch" 500 >"$dir/latency"
	"$pf" stat --openmetrics --per-vcpu -e exit -o "$dir/page" -- \
		"$GUEST" --vcpus 2 --quiet hypercalls 500 >"$dir/guest"
}

# KVM's modules as they are, but without their BTF.
strip_btf()
{
	local module file

	modprobe -r "$VENDOR" kvm
	for module in kvm "$VENDOR"; do
		file=$(modinfo -n "$module")
		case $file in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"/run/$module.full"
		objcopy -R .BTF "/run/$module.full" "/run/$module.ko"
	done
	modprobe -qa irqbypass ccp # what they need; not every kernel has it as a module
	insmod /run/kvm.ko && insmod "/run/$VENDOR.ko"
}

part_calls()
{
	run calls '-e hypercall,violation,exit' hypercalls 10000
}

part_touch()
{
	run touch '-e violation' touch "$1"
}

# With little memory the kernel makes no huge pages unless it is told to.
part_thp()
{
	echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
	run thp '-e violation' --backing thp touch 2048
}

part_hooks()
{
	local hook

	for hook in kprobe rawtp; do
		run touch-$hook "-e violation --hook $hook" touch 300
	done
}

part_mmio()
{
	run mmio '-e violation,exit' mmio 100
	run readonly '-e violation' readonly 50
}

# One recording of all: what costs time is the tracer's start.
part_modes()
{
	local name names=(mode-real mode-32bit mode-pae cpl3)

	mkdir -p "${names[@]/#/$RESULTS/}"
	# shellcheck disable=SC2016 # expanded by the shell that is recorded
	"$pf" record -e hypercall -o "$RESULTS/modes.ptd" -- bash -c '
		for mode in real 32bit pae; do
			"$0" --seed "$1" --mode "$mode" hypercalls 100 >"$2/mode-$mode/guest" || exit 1
		done
		"$0" --seed "$1" --cpl 3 hypercalls 100 >"$2/cpl3/guest"' \
		"$GUEST" "$SEED" "$RESULTS" 2>"$RESULTS/modes.stderr"
	for name in "${names[@]}"; do
		cp "$RESULTS/modes.ptd" "$RESULTS/$name/events.ptd"
	done
}

# calls_in_memory NAME EVENTS MODES - one recording of all guests whose calls have buffers, and of
# one whose pages are at other virtual addresses
calls_in_memory()
{
	dir=$RESULTS/$1
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # expanded by the shell that is recorded
	"$pf" record -e "$2" --abi "$top/tests/replay/calls.abi" -o "$dir/events.ptd" -- bash -c '
		for mode in $3; do
			for scenario in bitvisor capsule; do
				"$0" --seed "$1" --mode "$mode" "$scenario" >"$2/$scenario-$mode" || exit 1
			done
		done
		"$0" --seed "$1" --apart touch 40 >"$2/touch"' \
		"$GUEST" "$SEED" "$dir" "${3//,/ }" 2>"$dir/stderr"
	echo $? >"$dir/status"
}

part_buffers()
{
	calls_in_memory buffers hypercall,violation "$1"
}

# The same with the module that tells what Intel keeps in the VMCS.
part_helper()
{
	insmod "$HELPER/ptremap.ko" && insmod "$HELPER/ptremap_kvm.ko" || exit 1
	calls_in_memory helper hypercall,violation "$1"
	rmmod ptremap_kvm ptremap
	echo $? >"$dir/rmmod"
}

part_filters()
{
	run nr '-e hypercall --nr 1' hypercalls 500
	run addr '-e violation --addr 40010000-4001ffff' --in-order touch 64
	run mixed '-e fault,hypercall' hypercalls 100
}

part_loss()
{
	run small '-e hypercall,exit -m 4096' hypercalls 5000
	run die '-e hypercall,violation,exit' --vcpus 2 die 500
}

# recorded NAME OPTION... -- COMMAND... - a recording that perf is to open
recorded()
{
	"$pf" record -q -o "$dir/$1.ptd" "${@:2}" >/dev/null 2>>"$dir/stderr" || echo "$1" >>"$dir/failed"
}

# Options of record that need hooks, a guest, or a module; call chains through BPF programs; and a
# recording of perf's own. After attach.
part_options()
{
	dir=$RESULTS/options
	mkdir -p "$dir"
	for hook in fentry kprobe rawtp; do
		recorded hook-$hook --hook $hook -- "$bin/tests/touch" 300
	done
	recorded outcome --outcome anon,zero -- "$bin/tests/touch" 300
	recorded min-latency --min-latency 1us -- "$bin/tests/touch" 300
	recorded gup -g -e gup --hook fentry -- "$bin/tests/touch" -k populate 300
	recorded nr -e hypercall,violation --nr 1 --wait -- "$GUEST" --seed "$SEED" --quiet hypercalls 200
	recorded abi -e hypercall --abi "$top/tests/replay/calls.abi" -- \
		"$GUEST" --seed "$SEED" --quiet capsule 8
	cp "$RESULTS/attach/events.ptd" "$dir/vm.ptd"
	recorded_remaps
	perf record -q -m 16M -e 'kvm:*' -o "$dir/perf.data" -- \
		"$GUEST" --seed "$SEED" --quiet hypercalls 300 >/dev/null 2>>"$dir/stderr"
	chmod a+r "$dir/perf.data"
}

# A page of a program's stack is changed by ptremap, which is not followed.
recorded_remaps()
{
	local tracer pid page

	insmod "$HELPER/ptremap.ko" || { echo remap >>"$dir/failed" && return; }
	tail -f /dev/null &
	pid=$!
	until_runs $pid tail
	page=$pid:0x$(sed -n 's/^\([^-]*\)-.*\[stack\]$/\1/p' "/proc/$pid/maps")
	"$pf" record -q -e fault,remap -p $pid -o "$dir/remap.ptd" 2>>"$dir/stderr" &
	tracer=$!
	while ! [[ -s $dir/remap.ptd ]] && kill -0 $tracer 2>/dev/null; do
		sleep 0.1
	done
	sleep 0.3
	"$bin/ptremap" map --fresh "$page" --for 0.1 >/dev/null 2>>"$dir/stderr"
	kill $pid
	wait $tracer
	rmmod ptremap
}

# Last of all: the modules are others afterwards.
part_nobtf()
{
	strip_btf || exit 1
	run nobtf '-e hypercall,violation' hypercalls 300
}

part_doctor()
{
	mkdir -p "$RESULTS/doctor"
	"$pf" doctor >"$RESULTS/doctor/text" 2>&1
}

[[ " ${*:3} " == *' absent '* ]] || modprobe "$VENDOR" || exit 1
for part in "${@:3}"; do
	"part_${part%:*}" "${part#*:}"
done
