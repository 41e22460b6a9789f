#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Access that guests are denied to pages of theirs, and watches of what they do: with NPT in both
# kernels, with EPT in one (tests/lib/ept_perm_guest.sh).
# ACCESSES: how many the guests make at once, in the test of many of them.
# usage: lab_ept_perm.sh [RUN]... (npt61 npt612 ept)
# shellcheck disable=SC2317 # runs are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# perm KERNEL ACCESSES PART... - the parts, in one boot; OPTIONS are the lab's
perm()
{
	local kernel=$1 module

	shift
	module=$(O=$bin "$top/scripts/kmod" "$kernel") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$kernel" --quiet "${OPTIONS[@]}" -- \
		"$top/tests/lib/ept_perm_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel: the run's status, and nothing in the kernel log" "${PIPESTATUS[0]}" \
		"$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

npt61()
{
	OPTIONS=(--timeout 280)
	perm 6.1 "${ACCESSES:-100000}" watch perms command
}

npt612()
{
	OPTIONS=(--cpu-levels 5 --timeout 280)
	perm 6.12 "${ACCESSES:-20000}" watch perms violations
}

# Intel's EPT, where each instruction counts.
ept()
{
	OPTIONS=(--machine ept --timeout 900)
	# shellcheck disable=SC2046 # words
	perm 6.1 "${ACCESSES:-500}" watch violations $(long causes perms)
}

runs=("$@")
((${#runs[@]})) || runs=(npt61 npt612)
(($#)) || on_debug || runs+=(ept)
for run in "${runs[@]}"; do
	case $run in
	npt61 | npt612 | ept) "$run" ;;
	*) not_ok "no run '$run'" ;;
	esac
done
finish
