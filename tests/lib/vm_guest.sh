#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: walks of guests that the monitor of tests/guests/kvm runs. What must come out is
# what that monitor made of the tables, the slots and pagemap.
# usage: vm_guest.sh MODULE PART...
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

readonly MODULE=$1 QUESTIONS=${VM_QUESTIONS:-1200}
remap=$bin/ptremap
kvm_guest=$bin/tests/kvm_guest
name=
shift

# start WHAT [ARG]... - a guest in the background, up to where it waits; sets $vm, the monitor's pid.
# $work/guest has what it says.
start()
{
	mkfifo "$work/line" || exit 1
	"$kvm_guest" "$@" <"$work/line" >"$work/guest" 2>&1 &
	vm=$!
	exec 7>"$work/line"
	rm -f "$work/line"
}

# until WORD - waits for a line of the guest's that begins with it
until_says()
{
	local i

	for ((i = 0; i < 600; i++)); do
		grep -q "^$1" "$work/guest" && return
		kill -0 "$vm" 2>/dev/null || break
		sleep 0.1
	done
	not_ok "$name: the guest says '$1'"
	return 1
}

# stop - the guest goes on to its end
stop()
{
	echo >&7
	exec 7>&-
	wait "$vm"
	equal "$name: the guest's own checks" $? 0
}

# The lines that translate has to print, but for what NPT has by now: "gva gpa hva pa".
want_lines()
{
	awk '
		{ delete f; for (i = 2; i <= NF; i++) { split($i, p, "="); f[p[1]] = p[2] } }
		$1 != "walk" { next }
		"hole" in f { print f["gva"], "- - -"; next }
		f["slot"] == "none" { print f["gva"], f["gpa"], "- -"; next }
		{ print f["gva"], f["gpa"], f["hva"], f["pfn"] }' "$work/guest"
}

# Page frame numbers as above, and no offsets within a page behind them.
got_lines()
{
	awk '
		function page(x) { return length(x) > 5 ? substr(x, 1, length(x) - 3) : "0x0" }
		{ print $1, $2, $3, $4 == "-" ? ($3 == "-" ? "-" : "0x0") : page($4) }' "$work/said"
}

# The reasons that come behind addresses, and how often.
reasons()
{
	cut -d' ' -f5- "$work/said" | sed 's/ at .*//; s/leads to.*/leads to/' | sort | uniq -c |
		awk '{ n = $1; $1 = ""; printf "%s%s:%d", (NR > 1 ? "," : ""), ($0 == "" ? "page" : $0), n }'
}

# compare_walks - each gva that the monitor asked itself about
compare_walks()
{
	until_says held || return
	sed -n 's/^walk .* gva=\(0x[0-9a-f]*\) .*/\1/p; s/^walk .* gva=\(0x[0-9a-f]*\)$/\1/p' \
		"$work/guest" >"$work/gvas"
	"$remap" translate --vm "$vm" --gva - <"$work/gvas" >"$work/said" 2>"$work/stderr"
	want_lines >"$work/want"
	got_lines >"$work/got"
	equal "$name: addresses asked for" "$(wc -l <"$work/gvas")" "$QUESTIONS"
	same_lines "$name: guest-physical, host-virtual, frame ($(reasons))" "$work/got" "$work/want"
	equal "$name: lines on stderr" "$(wc -l <"$work/stderr")" 0
	at_least "$name: of them pages by both ways" "$(awk 'NF == 4' "$work/said" | wc -l)" 50
	equal "$name: frames that NPT has otherwise" "$(grep -c 'leads to' "$work/said")" 0
}

# The registers that JSON has are those that the monitor gave the vCPU.
compare_registers()
{
	local gva key want got

	gva=$(head -1 "$work/gvas")
	"$remap" walk --json --vm "$vm" --gva "$gva" >"$work/json"
	got=$(grep -o '"state":"[a-z]*"' "$work/json" | cut -d'"' -f4)
	equal "$name: state" "$got" "$1"
	for key in cr0 cr3 cr4 efer; do
		want=$(grep -o " $key=0x[0-9a-f]*" "$work/guest" | head -1 | cut -d= -f2)
		got=$(grep -o "\"$key\":\"0x[0-9a-f]*\"" "$work/json" | cut -d'"' -f4)
		equal "$name: $key" "$got" "$want"
	done
}

part_walks()
{
	local mode hold state

	for mode in 32bit pse pae 4level "$@"; do
		hold=spin state=running
		[[ $mode == p* ]] && hold=halt state=halted
		name="$mode, $state"
		start --mode "$mode" --gvas "$QUESTIONS" --hold $hold walks 200
		compare_walks && compare_registers $state
		stop
	done
}

part_la57()
{
	part_walks 5level
}

# A guest without paging: guest-virtual is guest-physical.
part_none()
{
	local mode gpa

	for mode in real none; do
		name=$mode
		start --mode $mode --hold spin hypercalls 1
		until_says held
		gpa=$(sed -n 's/.*gpa=\(0x[0-9a-f]*\).*/\1/p' "$work/guest" | head -1)
		"$remap" translate --vm "$vm" --gva 0x1000 >"$work/said"
		equal "$name: guest-virtual is guest-physical" "$(cut -d' ' -f1,2 "$work/said")" \
			'0x1000 0x1000'
		stop
	done
}

# The tables as ranges: as many pages as the leaves that the monitor made.
part_ranges()
{
	name=ranges
	start --gvas 10 --hold spin walks 200
	until_says held
	"$remap" dump --pages --vm "$vm" --gva >"$work/said"
	equal "$name: leaves" "$(grep -c ' pa 0x' "$work/said")" \
		"$(sed -n 's/^tables .*leaves=\([0-9]*\).*/\1/p' "$work/guest")"
	"$remap" dump --pages --vm "$vm" --gpa >"$work/said"
	at_least "$name: pages that NPT has" "$(grep -c ' pa 0x' "$work/said")" 50
	stop
}

# refused WHAT WORDS COMMAND... - exit status 1 or 2, one line with the words
refused()
{
	local what=$1 words=$2 status

	shift 2
	"$remap" "$@" >"$work/out" 2>"$work/stderr"
	status=$?
	equal "refused: $what: lines on stderr, on stdout" \
		"$(wc -l <"$work/stderr") $(wc -l <"$work/out")" '1 0'
	equal "refused: $what: status" $((status == 1 || status == 2)) 1
	grep -q -- "$words" "$work/stderr" && ok "refused: $what: $(<"$work/stderr")" ||
		not_ok "refused: $what: '$words' in: $(<"$work/stderr")"
}

part_errors()
{
	refused 'no VM' 'has no VM' walk --vm $$ --gva 0
	refused 'no process' 'no such process' walk --vm 99999 --gva 0
	refused 'neither address' '--gva or --gpa' walk --vm 1 0
	refused 'no VM meant' 'are for --vm' walk --pid 1 --gva 0
	refused 'two sources' 'stands alone' walk --vm 1 --pid 1 --gva 0
	start --hold spin hypercalls 1
	until_says held
	refused 'no such vCPU' 'no vCPU 7' walk --vm "$vm" --vcpu 7 --gva 0
	refused 'no VM there' 'is no VM' walk --vm "$vm" --vm-fd 0 --gva 0
	refused 'an access' 'not a VM' walk --vm "$vm" --gva --access w 0
	kill -STOP "$vm"
	"$remap" walk --json --vm "$vm" --gva 0x1000 >"$work/json" 2>&1
	equal 'a stopped monitor: state' \
		"$(grep -o '"state":"[a-z]*"' "$work/json" | cut -d'"' -f4)" outside
	kill -CONT "$vm"
	kill -9 "$vm"
	exec 7>&-
	wait "$vm" 2>/dev/null
	refused 'a dead monitor' 'no such process' walk --vm "$vm" --gva 0
}

# Registers of a guest that changes CR3 without leaving for KVM.
part_vcpus()
{
	"$bin/tests/vcpus" 100
	equal "vcpus: status" $? 0
}

# Walks of guests that come, go and change their slots.
part_changing()
{
	local end=$((SECONDS + 3)) n=0 status bad=0

	name=changing
	while ((SECONDS < end)); do
		"$kvm_guest" --quiet --vcpus 2 slots 400 >/dev/null 2>&1 &
		vm=$!
		while kill -0 $vm 2>/dev/null; do
			"$remap" translate --vm $vm --gva 0x1000 0x200000 >"$work/said" 2>&1
			status=$?
			((status > 1)) && bad=$((bad + 1))
			n=$((n + 1))
		done
		wait $vm || bad=$((bad + 1))
	done
	equal "$name: walks that ended badly, of $n" $bad 0
	at_least "$name: walks" $n 3
}

insmod "$MODULE" || exit 1
refused 'no module' 'ptremap_kvm is not loaded' walk --vm $$ --gva 0
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel || exit 1
insmod "${MODULE%/*}/ptremap_kvm.ko" || exit 1
for part; do
	"part_$part"
done
rmmod ptremap_kvm && rmmod ptremap || not_ok 'the modules are gone'
finish
