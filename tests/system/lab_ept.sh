#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab's second machine, Intel with EPT: both kernels boot there, KVM runs a guest, the
# helper module loads, and scripts/lab keeps its word about output, status, results, kernel log and
# time. BPF programs run there in lab_kvm.sh, on 6.1, and the helper modules in lab_vm.sh: so the boot
# of 6.1 is one of LONG=1.
# usage: lab_ept.sh [PART]... (refusals 6.1 6.12 panic ended_early)
# shellcheck disable=SC2317 # parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# lab ARG... - with what goes out and comes back in $work
lab()
{
	"$top/scripts/lab" --machine ept --quiet --timeout 600 "$@" >"$work/out" 2>"$work/err"
}

# check_guest KERNEL DIR - what ept_guest.sh found
check_guest()
{
	equal "$1: kvm_intel's ept" "$(cat "$2/ept")" Y
	equal "$1: a guest's API version, sum and end" "$(paste -sd , "$2/hello")" "api 12,out 42,hlt"
	equal "$1: helper module" "$(cat "$2/helper")" /dev/ptremap
	equal "$1: stdout" "$(cat "$work/out")" words
}

refusals()
{
	local lab=("$top/scripts/lab" --machine ept)

	fails "5 levels" 125 'cpu-levels 5' "${lab[@]}" --cpu-levels 5 true
	fails "a disk" 125 'disk-mb' "${lab[@]}" --disk-mb 1 true
	mkfifo "$work/monitor.in" "$work/monitor.out"
	fails "a monitor" 125 'monitor' "${lab[@]}" --monitor "$work/monitor" true
	fails "a path that is not there" 125 'bring' "${lab[@]}" --bring "$work/none" true
}

# boot KERNEL STATUS WANT TROUBLE [OPTION]...
boot()
{
	local kernel=$1 status=$2 want=$3 trouble=$4 got dir=$work/$1 module

	shift 4
	module=$("$top/scripts/kmod" "$kernel") || not_ok "$kernel: no helper module"
	lab --kernel "$kernel" --results "$dir" "$@" -- "$top/tests/lib/ept_guest.sh" \
		"$bin/tests/kvm_hello" "$module" "$status" "$trouble"
	got=$?
	equal "$kernel: exit status" $got "$want"
	grep '^complaints$' "$work/err" >"$work/complaints"
	equal "$kernel: stderr" "$(cat "$work/complaints")" complaints
	check_guest "$kernel" "$dir"
	((want == status)) || equal "$kernel: trouble found" \
		"$(grep -v -e '^complaints$' -e '^lab: ' "$work/err" | sed 's/^\[[^]]*\] //')" "$trouble"
}

# A panic must end the run, not restart the machine. LONG=1: and two processors, at twice the time.
panic()
{
	local cpus

	cpus=$(long 1 2)
	lab --smp "$cpus" -- bash -c 'nproc; sleep 1; echo c >/proc/sysrq-trigger'
	equal "panic: exit status" $? 125
	equal "panic: is told" "$(grep -c '^lab: .*Kernel panic' "$work/err")" 1
	equal "panic: processors before" "$(cat "$work/out")" "$cpus"
}

# emulators - prints the processes of the Bochs machines that this script started, which know it by
# its folder: other scripts have machines in this tree at the same time
emulators()
{
	local pid

	for pid in $(pgrep -f "^bochs-bin .*$top/build/lab/run"); do
		grep -sqzxF "LAB_EPT_TEST=$work" "/proc/$pid/environ" && echo "$pid"
	done
}

# none_left WHAT - they are ended by the kernel, a moment after their parent
none_left()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[[ $(emulators) ]] || break
		sleep 0.1
	done
	equal "$1: machines left" "$(emulators | wc -l)" 0
}

# Nothing may be left of a run that is ended from outside or by its time limit.
ended_early()
{
	local lab end=$((SECONDS + 120))
	local -x LAB_EPT_TEST=$work

	"$top/scripts/lab" --machine ept -- sleep 1000 >"$work/out" 2>&1 &
	lab=$!
	until [[ $(emulators) ]] || ((SECONDS > end)); do
		sleep 0.2
	done
	at_least "terminated: machines before" "$(emulators | wc -l)" 1
	kill -TERM "$lab"
	wait "$lab"
	equal "terminated: exit status" $? 143
	none_left terminated
	fails "time limit" 125 'timeout after 2 s' "$top/scripts/lab" --machine ept --timeout 2 true
	none_left "time limit"
}

# What hangs in the other machine is in its kernel log.
hang()
{
	"$top/scripts/lab" --timeout 40 --quiet -- sleep 100 >"$work/out" 2>"$work/err"
	equal "hang: exit status" $? 125
	equal "hang: what waits" "$(grep -c ' sleep: syscall 230 .* hrtimer_nanosleep' "$work/err")" 1
}

parts=("$@")
((${#parts[@]})) || read -ra parts <<<"refusals $(long '' 6.1) 6.12 panic ended_early hang"
for part in "${parts[@]}"; do
	case $part in
	6.1) boot 6.1 7 7 '' ;;
	6.12) boot 6.12 0 124 'BUG: planted' ;;
	refusals | panic | ended_early | hang) "$part" ;;
	*) not_ok "no part '$part'" ;;
	esac
done
finish
