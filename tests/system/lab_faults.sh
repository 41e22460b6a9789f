#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each call of the module fails half-way, and must leave all as it was (tests/system/faults.c): its
# answer cannot be written, signals and kills come, CPUs go, allocations fail. The lab looks through
# the log. Signals, which are much the same on each kernel, come on the first one, with LONG=1 on all.
# FAULTS_KERNELS: which; FAULTS_PARTS: answers, signals, cpus, alloc; PTSCOPE_SEED: of the moments of
# signals.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# shellcheck disable=SC2206 # words
KERNELS=(${FAULTS_KERNELS:-6.1 $(on_debug || echo 6.12)})
readonly KERNELS FIRST=${KERNELS[0]}

# parts_of KERNEL - prints them
parts_of()
{
	local all=${FAULTS_PARTS:-answers signals cpus alloc}

	if [[ $1 == "$FIRST" ]]; then
		echo "$all"
	else
		long "${all/signals/}" "$all"
	fi
}

# in_guest MODULES FAILNTH PART... - FAILNTH: the module that makes allocations fail, or nothing
# where the kernel itself can
in_guest()
{
	modprobe kvm_amd || not_ok 'no KVM'
	[[ ! $2 ]] || insmod "$2" || not_ok 'the module failnth'
	insmod "$1/ptremap.ko" && insmod "$1/ptremap_kvm.ko"
	echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
	echo 0 >/proc/sys/kernel/numa_balancing # it takes changes back, too
	echo 0 >/proc/sys/vm/compaction_proactiveness # it moves pages
	"$bin/tests/faults" "${@:3}" || not_ok "faults: exit status $?"
	rmmod ptremap_kvm ptremap || not_ok 'rmmod'
	finish
}

# make_failnth KERNEL - prints the module's path; the debug kernel needs none
make_failnth()
{
	local dir=$bin/tests/failnth-$1 headers

	! on_debug || return 0
	headers=$("$top/scripts/lab-kernel" --headers "$1") && rm -rf "$dir" && mkdir -p "$dir" &&
		cp "$top"/tests/failnth/* "$dir" &&
		MAKEFLAGS='' make -j"$(nproc)" -C "$headers" M="$dir" CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$dir/log" 2>&1 &&
		echo "$dir/failnth.ko"
}

# in_lab KERNEL
in_lab()
{
	local module failnth

	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	failnth=$(make_failnth "$1") || { not_ok "$1: no module failnth"; return; }
	# shellcheck disable=SC2046 # words
	"$top/scripts/lab" --kernel "$1" --numa --mem 768M --quiet --timeout 500 -- \
		"$top/tests/system/lab_faults.sh" --guest "${module%/*}" "$failnth" $(parts_of "$1") \
		>"$work/said" 2>"$work/err"
	machine_said "$1" $?
}

if [[ ${1-} == --guest ]]; then
	shift
	in_guest "$@"
fi
for kernel in "${KERNELS[@]}"; do
	in_lab "$kernel"
done
finish
