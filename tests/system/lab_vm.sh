#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap --vm: addresses of guests, all the way, against what the guests' monitor knows
# (tests/lib/vm_guest.sh).
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# vm 'KERNEL LEVELS' PART... - the parts, in one boot; OPTIONS are the lab's
vm()
{
	local kernel=${1% *} levels=${1#* } module

	shift
	module=$(O=$bin "$top/scripts/kmod" "$kernel") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$kernel" --quiet "${OPTIONS[@]}" -- \
		"$top/tests/lib/vm_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel, $levels levels: the run's status, and nothing in the kernel log" \
		"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

OPTIONS=(--cpu-levels 4 --disk-mb 16 --timeout 280)
vm '6.1 4' walks none errors vcpus changing dying writes
OPTIONS=(--cpu-levels 5 --disk-mb 16 --timeout 280)
vm '6.12 5' vms la57 ranges changing dying memory writes
# Intel's EPT, where each instruction counts.
OPTIONS=(--machine ept --timeout 600)
# shellcheck disable=SC2046 # perhaps no word
on_debug || VM_QUESTIONS=$(long 100 2500) VM_CHANGING=8 vm '6.1 4' vms walks none $(long '' 'changing dying')
finish
