#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap ept: what a VM's guest-physical pages lead to is changed under its vCPUs, whatever the
# kernel, KVM and the VMM do meanwhile (tests/lib/ept_edits_guest.sh). By NPT in QEMU, by EPT in
# Bochs. The lab looks through the kernel log.
# EPT_SECONDS: how long the vCPUs' race with the edits goes on.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# in_lab WHAT KERNEL PART... - OPTIONS are the lab's
in_lab()
{
	local what=$1 module

	module=$(O=$bin "$top/scripts/kmod" "$2") || { not_ok "$2: module" && return; }
	O=$bin "$top/scripts/lab" --kernel "$2" --quiet "${OPTIONS[@]}" -- \
		"$top/tests/lib/ept_edits_guest.sh" "$module" "${@:3}" >"$work/said" 2>"$work/err"
	machine_said "$what" $?
}

export EPT_SECONDS=${EPT_SECONDS:-10}
OPTIONS=(--smp 4 --mem 640M --timeout $((240 + EPT_SECONDS)))
in_lab 'NPT, 6.12' 6.12 command edits refused race shadow
# Less memory than the events' test allocates.
EPT_SECONDS=$((EPT_SECONDS / 5))
OPTIONS=(--smp 2 --mem 640M --disk-mb 64 --disk-mb 256 --timeout $((300 + EPT_SECONDS)))
in_lab 'NPT, 6.1' 6.1 edits race events
OPTIONS=(--machine ept --timeout 600)
EPT_SECONDS=2
# shellcheck disable=SC2046 # words
on_debug || in_lab 'EPT, 6.1' 6.1 edits $(long '' race)
finish
