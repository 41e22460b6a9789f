#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: the module is called with anything, and can be unloaded afterwards.
# usage: fuzz_guest.sh MODULE SECONDS
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

insmod "$1" || not_ok insmod
{ modprobe kvm_amd && insmod "$(dirname "$1")/ptremap_kvm.ko"; } || not_ok 'with KVM'
"$bin/tests/ioctl_fuzz" "$2" || not_ok "ioctl_fuzz: exit status $?"
for module in ptremap_kvm ptremap; do
	equal "$module: users" "$(<"/sys/module/$module/refcnt")" 0
	rmmod $module || not_ok "rmmod $module"
done
finish
