#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run in the lab's Bochs machine by tests/system/lab_ept.sh, which looks at what this leaves in
# $LAB_RESULTS.
# usage: ept_guest.sh KVM_HELLO PTREMAP_KO STATUS [TROUBLE]
set -u

cd "$LAB_RESULTS" || exit 1
modprobe kvm_intel
cat /sys/module/kvm_intel/parameters/ept >ept
"$1" >hello 2>&1
insmod "$2" && ls /dev/ptremap >helper 2>&1
# Idle time costs the emulator nothing, but its screen's cursor blinks: the terminal would be full.
sleep 200
uname -r >release
nproc >cpus
echo words
echo complaints >&2
[[ ${4-} ]] && echo "$4" >/dev/kmsg
exit "$3"
