#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run in the lab's Bochs machine by tests/system/lab_ept.sh, which looks at what this leaves in
# $LAB_RESULTS.
# usage: ept_guest.sh KVM_HELLO PTREMAP_KO DOCTOR STATUS [TROUBLE]
set -u

cd "$LAB_RESULTS" || exit 1
modprobe kvm_intel
cat /sys/module/kvm_intel/parameters/ept >ept
"$1" >hello 2>&1
insmod "$2" && ls /dev/ptremap >helper 2>&1
"$3" doctor --json >hooks 2>hooks.err
uname -r >release
nproc >cpus
echo words
echo complaints >&2
[[ ${5-} ]] && echo "$5" >/dev/kmsg
exit "$4"
