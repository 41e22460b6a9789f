#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the library predicts of accesses is what a CPU does: a guest without any system (see
# tests/guests/paging/matrix.c) makes accesses of every kind through entries of every kind, on
# QEMU's model of a CPU, and reports success or the error code.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# The mode and the CPU's physical address width, which says where reserved bits begin.
readonly RUNS=("none 40" "32bit 40" "pse 40" "pae 40" "4level 40" "5level 40"
	"pae 52" "4level 36" "4level 52")
readonly GUEST_SECONDS=60

# run_guest MODE WIDTH - its report goes to $work/report. It ends itself, by a value that makes
# QEMU's exit status 1.
run_guest()
{
	local payload=paging-32.elf

	[[ $1 == ?level ]] && payload=paging-64.elf
	rm -f "$work/report"
	timeout $GUEST_SECONDS qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-no-reboot -accel tcg -cpu "max,phys-bits=$2" -m 64M -kernel "$bin/guests/$payload" \
		-append "test=$1" -debugcon "file:$work/report" \
		-device isa-debug-exit,iobase=0xf4 </dev/null >"$work/words" 2>&1
	(($? == 1)) && return
	not_ok "access, $1: the guest did not come to its end: $(tail -n 1 "$work/words")"
	return 1
}

for run in "${RUNS[@]}"; do
	read -r mode width <<<"$run"
	run_guest "$mode" "$width" || continue
	"$bin/tests/access_check" "$work/report" || failures=$((failures + 1))
done
finish
