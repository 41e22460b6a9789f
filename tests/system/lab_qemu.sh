#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap --vm with a real guest: Linux in QEMU under KVM in the lab, against what the monitor of
# that QEMU says (tests/lib/qemu_guest.sh).
# With one processor: otherwise the guest's processes die now and then (tests/system/first.c).
# The guest's boot is tried again if it hangs: that was seen once, and why is not known.
# usage: lab_qemu.sh [SEED]
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly KERNEL=6.12 SEED=${1:-$RANDOM}

# make_initrd FILE - the guest's only file
make_initrd()
{
	mkdir "$work/tree" && cp "$bin/tests/first" "$work/tree/init" &&
		(cd "$work/tree" && echo init | cpio -o -H newc --quiet) >"$1"
}

mkdir -p "$bin/tmp" && dir=$(mktemp -d "$bin/tmp/qemu.XXXXXX") || exit
at_exit rm -rf "$dir"
module=$(O=$bin "$top/scripts/kmod" "$KERNEL") &&
	kernel=$("$top/scripts/lab-kernel" --vmlinux "$KERNEL") && make_initrd "$dir/initrd" || exit
O=$bin "$top/scripts/lab" --kernel "$KERNEL" --smp 1 --quiet --timeout 400 -- \
	"$top/tests/lib/qemu_guest.sh" "$module" "$kernel" "$dir/initrd" "$SEED" | tee "$work/said"
equal "the run's status, and nothing in the kernel log" \
	"${PIPESTATUS[0]}" "$(grep -q '^not ok' "$work/said" && echo 1 || echo 0)"
grep -q '^not ok' "$work/said" && failures=$((failures + 1))
finish
