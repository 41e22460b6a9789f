#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap changes page-table entries on running kernels: what is changed is seen, what is undone is
# as it was, what cannot be is refused (tests/lib/change_guest.sh).
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# LONG=1: 6.12 also with 4 levels and one table for both of user and kernel mode.
# change KERNEL LEVELS 'ARGUMENTS' PART... - the parts, in one boot
change()
{
	local kernel=$1 levels=$2 append=$3 module

	shift 3
	module=$(O=$bin "$top/scripts/kmod" "$kernel") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --machine npt --kernel "$kernel" --cpu-levels "$levels" \
		--append "$append" --quiet --timeout 500 -- \
		"$top/tests/lib/change_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel, $levels levels: the run's status, and nothing in the kernel log" \
		"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

change 6.1 4 '' commands modes refused apply guard traced remaps remaps_lost watch memory
change 6.12 5 'pti=on' commands modes refused graft apply guard traced remaps remaps_lost watch memory
[[ $(long '' more) ]] && change 6.12 4 '' commands modes refused graft apply guard traced remaps remaps_lost watch memory
finish
