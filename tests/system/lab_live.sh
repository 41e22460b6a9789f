#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap on running kernels: walks, tables, physical memory and kinds of addresses are what the
# kernel itself says (tests/lib/live_guest.sh).
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# Mappings, the kernel's half and what changes meanwhile on one kernel each; LONG=1: on both, and 6.12
# also with 4 levels and without page-table isolation.
# live KERNEL[-FLAVOUR] LEVELS 'ARGUMENTS' PART... - the parts, in one boot
live()
{
	local kernel=$1 levels=$2 append=$3 select headers module

	shift 3
	select=(--flavour cloud)
	[[ $kernel == *-* ]] && select=(--flavour "${kernel#*-}")
	headers=$(O=$bin "$top/scripts/lab-kernel" "${select[@]}" --headers "${kernel%%-*}")
	module=$(O=$bin "$top/scripts/kmod" "$headers") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "${kernel%%-*}" "${select[@]}" --cpu-levels "$levels" --append "$append" --mem 2G \
		--disk-mb 64 --disk-mb 64 --quiet --timeout 280 -- \
		"$top/tests/lib/live_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel, $levels levels: the run's status, and nothing in the kernel log" \
		"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

# shellcheck disable=SC2046 # a word or none
live 6.1 4 '' processes speed $(long '' changing) mappings physical $(long '' kernel) errors
# shellcheck disable=SC2046 # a word or none
live 6.12 5 'pti=on' processes changing $(long '' mappings) physical kernel pti errors
[[ $(long '' more) ]] && live 6.12 4 '' processes changing mappings physical kernel errors
live 6.12-amd64 5 '' espfix
finish
