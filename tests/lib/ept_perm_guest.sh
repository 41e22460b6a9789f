#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: access that guests are denied, and watches of what they do.
# usage: ept_perm_guest.sh MODULE ACCESSES PART...
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

readonly MODULES=${1%/*} ACCESSES=$2
remap=$bin/ptremap
shift 2

# program PROGRAM [ARG]... - one that says "ok" and "not ok" itself
program()
{
	local name=$1

	shift
	"$bin/tests/$name" "$@" || not_ok "$name: exit status $?"
}

part_watch()
{
	program ept_watch "$ACCESSES"
}

part_perms()
{
	program ept_perms
}

part_causes()
{
	program ept_perms causes
}

# Each access that is denied is a violation with the bits that it has to have, for the tracer, whose
# programs are at the same functions of KVM's. "gpa access bits"
part_violations()
{
	"$bin/ptrace-pf" record -e violation -o "$work/events" -- "$bin/tests/ept_perms" violations \
		>"$work/said" 2>"$work/stderr"
	equal "violations: exit status of ptrace-pf" $? 0
	grep '^not ok' "$work/said" && not_ok "violations: see above"
	awk '$1 == "violation" { sub("execute", "exec"); print $2, $3, $4 }' "$work/said" >"$work/want"
	"$bin/ptrace-pf" script --json -i "$work/events" 2>"$work/stderr" |
		jq -r 'select(.type == "violation" and .outcome != "mapped")
			| "\(.gpa) \(.access) \(.info1)"' | grep -E '^0x40(001|200)0[04]0 ' >"$work/got"
	at_least "violations: how many" "$(wc -l <"$work/want")" 10
	same_lines "violations: gpa, access and bits, as ptrace-pf has them" "$work/want" "$work/got"
}

# The command, and a guest of another kind: each access of its, as the guest's monitor lists them.
part_command()
{
	local vm

	mkfifo "$work/line" || return
	"$bin/tests/kvm_guest" --wait touch 200 <"$work/line" >"$work/guest" &
	vm=$!
	exec 7>"$work/line"
	wait_for "$work/guest" '^ready'
	"$remap" watch --vm "$vm" --gpa 0x40000000-0x400c7fff --json >"$work/seen" 2>"$work/stderr" &
	wait_for "$work/stderr" watching
	echo >&7
	exec 7>&-
	wait "$vm"
	equal "command: the guest's own checks" $? 0
	wait $!
	equal "command: exit status when the VM has ended" $? 0
	tr ' ' '\n' <"$work/guest" | awk -F= '$1 == "gpa" { gpa = $2 }
		$1 == "access" { print gpa, $2 }' | sort >"$work/want"
	jq -r 'select(.event == "access") | "\(.gpa) \(.access)"' "$work/seen" |
		sed 's/ r$/ read/; s/ w$/ write/; s/ x$/ exec/' | sort >"$work/got"
	equal "command: accesses" "$(wc -l <"$work/want")" 200
	same_lines "command: each access is printed once" "$work/want" "$work/got"
}

# wait_for FILE WORD - until a line of it begins so, or has it
wait_for()
{
	local i

	for ((i = 0; i < 600; i++)); do
		grep -q -- "$2" "$1" 2>/dev/null && return
		sleep 0.1
	done
	not_ok "$1: no '$2'"
}

# Bochs logs dirty pages (PML) with the offset in the page, of which KVM warns.
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel pml=0 || not_ok "no KVM"
insmod "$MODULES/ptremap.ko" || not_ok insmod
insmod "$MODULES/ptremap_kvm.ko" || not_ok "insmod ptremap_kvm"
for part; do
	"part_$part"
done
rmmod ptremap_kvm || not_ok "rmmod ptremap_kvm"
rmmod ptremap || not_ok "rmmod ptremap"
finish
