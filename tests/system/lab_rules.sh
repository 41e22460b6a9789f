#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap rule: what a guest does changes its pages before it goes on (tests/lib/rules_guest.sh). And
# the examples of README and man pages, where the helper module and a guest are at hand.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# rules KERNEL PART... - the parts, in one boot; OPTIONS are the lab's
rules()
{
	local kernel=$1 module

	shift
	module=$(O=$bin "$top/scripts/kmod" "$kernel") || { not_ok "$kernel: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$kernel" --quiet "${OPTIONS[@]}" -- \
		"$top/tests/lib/rules_guest.sh" "$module" "$@" | tee "$work/said"
	equal "$kernel: the run's status, and nothing in the kernel log" \
		"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
	grep -q '^not ok' "$work/said" && failures=$((failures + 1))
}

OPTIONS=(--timeout 400)
# shellcheck disable=SC2046 # a word or none
rules 6.1 small huge vcpus limits ends $(on_debug || echo examples)
rules 6.12 huge vcpus ends faults violations protect refused sessions
# Intel's EPT, where each instruction counts.
OPTIONS=(--machine ept --timeout 600)
on_debug || ROUNDS=2 rules 6.1 small huge
finish
