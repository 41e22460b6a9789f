#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap --vm: addresses of guests, all the way, against what the guests' monitor knows
# (tests/lib/vm_guest.sh).
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# vm KERNEL LEVELS PART... - the parts, in one boot
vm()
{
	local kernel=$1 levels=$2 module

	shift 2
	module=$(O=$bin "$top/scripts/kmod" "$kernel") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$kernel" --cpu-levels "$levels" --quiet --timeout 280 -- \
		"$top/tests/lib/vm_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel, $levels levels: the run's status, and nothing in the kernel log" \
		"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

vm 6.1 4 walks none errors vcpus
vm 6.12 5 la57 ranges changing vcpus
finish
