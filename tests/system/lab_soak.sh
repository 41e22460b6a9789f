#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Processes and VMs that do all that takes changes back, under controllers that change, walk, read,
# trace and mirror them and make rules for them at random, and are killed at random, with the module
# loaded again and again (tests/system/soak.c). The lab looks through the log.
# SOAK_SECONDS: how long on each kernel; LONG=1: 10 minutes. SOAK_REST_US: how long each rests after
# each thing that it does: the machine has the less to do, the longer that is. SOAK_KERNELS: which.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# shellcheck disable=SC2206 # words
KERNELS=(${SOAK_KERNELS:-6.1 $(on_debug || echo 6.12)})
LENGTH=${SOAK_SECONDS:-$(long 20 600)}
readonly KERNELS LENGTH MEMORY=768M

# reported DISK - what was recorded until the recorder was killed can be read
reported()
{
	local recording events

	for recording in "$1"/file.*.data; do
		events=$("$pf" report --json -i "$recording" 2>"$work/report.err" | jq .events) ||
			not_ok "report of ${recording##*/}: $(<"$work/report.err")"
		at_least "${recording##*/}: events until the recorder was killed" "${events:-0}" 1
	done
}

# in_guest MODULES - a disk for files, one for swap; and what the tracers counted and recorded
in_guest()
{
	local traced

	modprobe kvm_amd || not_ok 'no KVM'
	{ mkfs.ext4 -q /dev/vda && mkdir "$work/disk" && mount /dev/vda "$work/disk" &&
		at_exit umount "$work/disk" && mkswap -q /dev/vdb && swapon /dev/vdb; } ||
		{ not_ok 'no disk to work with'; finish; }
	"$bin/tests/soak" "$LENGTH" "$work/disk/file" "$1" "$pf" || not_ok "soak: exit status $?"
	traced=$(jq -s 'map(.events) | add // 0' "$work"/disk/file.*.json)
	at_least 'events that tracers counted' "$traced" 1000
	reported "$work/disk"
	finish
}

# in_lab KERNEL
in_lab()
{
	local module

	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	"$top/scripts/lab" --kernel "$1" --numa --mem "$MEMORY" --disk-mb 64 --disk-mb 256 \
		--quiet --timeout $((600 + 3 * LENGTH)) -- \
		"$top/tests/system/lab_soak.sh" --guest "${module%/*}" \
		>"$work/said" 2>"$work/err"
	machine_said "$1" $?
}

if [[ ${1-} == --guest ]]; then
	shift
	in_guest "$@"
fi
for kernel in "${KERNELS[@]}"; do
	in_lab "$kernel"
done
finish
