#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Calls of the helper module with arguments of all kinds (tests/system/ioctl_fuzz.c): no warning, no
# leak, no call that hangs, and nothing is left. The lab looks through the kernel log.
# LONG=1: on both kernels. FUZZ_SECONDS: for how long, and up to 5 times that until each form of each
# call was good once. PTSCOPE_SEED: the choices of a run.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

KERNELS=(6.12)
[[ $(long '' more) ]] && KERNELS+=(6.1)
readonly KERNELS SECONDS_EACH=${FUZZ_SECONDS:-120}

# in_lab KERNEL
in_lab()
{
	local module

	module=$(O=$bin "$top/scripts/kmod" "$1") || { not_ok "$1: no module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$1" --mem 1G --quiet --timeout $((120 + 5 * SECONDS_EACH)) -- \
		"$top/tests/lib/fuzz_guest.sh" "$module" "$SECONDS_EACH" >"$work/said" 2>"$work/err"
	machine_said "$1" $?
}

for kernel in "${KERNELS[@]}"; do
	in_lab "$kernel"
done
finish
