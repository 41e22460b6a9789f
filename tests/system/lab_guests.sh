#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptrace-pf lists KVM's guests; and what kvm_guest says that its guests did is what the kernel's own tracepoints and counters of KVM
# say, in each mode of the CPU: it is the measure for what traces guests.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly guest=$bin/tests/kvm_guest
readonly tracing=/sys/kernel/tracing
readonly CALLS=500 PAGES=600 ACCESSES=100 GVAS=600

# traced EVENT ARG... - runs the guest; its lines go to $work/said, those of the event, from its
# name on, to $work/events
traced()
{
	local event=$tracing/events/kvm/$1/enable

	echo >"$tracing/trace"
	echo 1 >"$event"
	"$guest" "${@:2}" >"$work/said" 2>"$work/err" || not_ok "kvm_guest ${*:2}: $(cat "$work/err")"
	echo 0 >"$event"
	sed -n "s/.*: \($1: .*\)/\1/p" "$tracing/trace" >"$work/events"
}

# stat_of NAME - one of KVM's counters, of all vCPUs or the VM; 0 if it is not named
stat_of()
{
	grep '^stats' "$work/said" | tr ' ' '\n' | awk -F= -v name="$1" '
		$1 == name { sum += $2 }
		END { print sum + 0 }'
}

# fields KEY... - of the lines "KEY=VALUE ..." on stdin, the values
fields()
{
	awk -v keys="$*" '
		BEGIN { nr = split(keys, key, " ") }
		{
			line = ""
			for (i = 1; i <= nr; i++)
				for (j = 1; j <= NF; j++)
					if (index($j, key[i] "=") == 1)
						line = line " " substr($j, length(key[i]) + 2)
			print line
		}'
}

# said WORD KEY... - the lines that begin with the word
said()
{
	grep "^$1 " "$work/said" | fields "${@:2}"
}

check_calls()
{
	local what="hypercalls: $*"

	traced kvm_hypercall "$@" hypercalls $CALLS
	said call rax rbx rcx rdx rsi >"$work/want"
	awk '{ print " " $3 " " $5 " " $7 " " $9 " " $11 }' "$work/events" >"$work/got"
	same_lines "$what: registers, kvm:kvm_hypercall" "$work/want" "$work/got"
	equal "$what: calls" "$(stat_of hypercalls)" $CALLS "KVM's statistics"
}

# The instruction of each call, and no other exit by a call.
check_rips()
{
	traced kvm_exit hypercalls $CALLS
	said call rip >"$work/want"
	sed -nE 's/.* reason (hypercall|VMCALL) rip 0x([0-9a-f]*) .*/ 0x\2/p' "$work/events" \
		>"$work/got"
	same_lines "hypercalls: instructions, kvm:kvm_exit" "$work/want" "$work/got"
}

# events_below - addresses of faults in the touched slot
events_below()
{
	sed -nE 's/.* address 0x0*(4[0-9a-f]{7}) .*/\1/p' "$work/events"
}

check_touch()
{
	local what="touch: $*"

	traced kvm_page_fault "$@" touch $PAGES
	said page gpa | sed -E 's/.*0x//; s/...$//' >"$work/want"
	events_below | sed 's/...$//' >"$work/got"
	same_lines "$what: each page faults once, in this order, kvm:kvm_page_fault" "$work/want" \
		"$work/got"
	equal "$what: pages without a frame afterwards" "$(said page pfn | grep -cx ' 0x0')" 0
}

check_large()
{
	local huge=$(((PAGES + 511) / 512)) in_place=0 gpa pfn

	traced kvm_page_fault --access w --backing "$1" touch $PAGES
	at_least "touch: $1: pages of 2 MiB" "$(stat_of pages_2m)" $huge "KVM's statistics"
	equal "touch: $1: faults" "$(events_below | wc -l)" $huge
	while read -r gpa pfn; do
		((pfn && pfn % 512 == gpa / 4096 % 512)) && in_place=$((in_place + 1))
	done < <(said page gpa pfn)
	equal "touch: $1: frames at their place in 2 MiB" "$in_place" $PAGES
}

check_mmio()
{
	traced kvm_mmio --mode "$1" mmio $ACCESSES
	said mmio access size gpa value >"$work/want"
	grep -v unsatisfied "$work/events" | awk '{ print " " $3 " " $5 " " $7 " " $9 }' >"$work/got"
	same_lines "mmio: $1: accesses, kvm:kvm_mmio" "$work/want" "$work/got"
}

check_pio()
{
	traced kvm_pio --mode "$1" pio $ACCESSES
	said pio access size port value >"$work/want"
	sed -nE '/ at 0x510 /d; s/.*pio_(read|write) at (0x\w+) size (.) count 1 val (0x\w+).*/ \1 \3 \2 \4/p' \
		"$work/events" >"$work/got"
	same_lines "pio: $1: accesses, kvm:kvm_pio" "$work/want" "$work/got"
}

check_readonly()
{
	traced kvm_mmio --mode "$1" readonly $ACCESSES
	said readonly size gpa value >"$work/want"
	awk '$3 == "write" { print " " $5 " " $7 " " $9 }' "$work/events" >"$work/got"
	same_lines "readonly: $1: writes that came out, kvm:kvm_mmio" "$work/want" "$work/got"
}

# The monitor compares by itself: with KVM_TRANSLATE, with what the CPU reads, with KVM's log.
check_quietly()
{
	"$guest" "$@" >"$work/said" 2>"$work/err"
	equal "$*: status" $? 0
	equal "$*: what was not as it had to be" "$(sed -n 's/^end wrong=//p' "$work/said")" 0
	cat "$work/err"
}

check_walks()
{
	check_quietly --mode "$1" --seed $RANDOM --gvas $GVAS walks
	equal "walks: $1: addresses" "$(grep -c '^walk ' "$work/said")" $GVAS
	at_least "walks: $1: in pages" "$(said walk level | grep -c .)" $((GVAS / 3))
	at_least "walks: $1: in holes" "$(grep -c ' hole=' "$work/said")" $((GVAS / 8))
	grep '^guest ' "$work/said"
}

check_buffers()
{
	traced kvm_hypercall --mode "$1" "$2" 12
	said call rax rbx rcx rdx rsi >"$work/want"
	awk '{ print " " $3 " " $5 " " $7 " " $9 " " $11 }' "$work/events" >"$work/got"
	same_lines "$2: $1: registers, kvm:kvm_hypercall" "$work/want" "$work/got"
	at_least "$2: $1: buffers that end in an absent page" \
		"$(grep -c '^buffer .* absent$' "$work/said")" 1
}

# vm_folders - how many VMs KVM's debugfs has
vm_folders()
{
	find /sys/kernel/debug/kvm -mindepth 1 -maxdepth 1 -type d | wc -l
}

# threads_of PID - its threads that run vCPUs, by the vCPU
threads_of()
{
	grep -H '^CPU ' "/proc/$1"/task/*/comm | sed -E 's|.*/task/([0-9]+)/comm:CPU ([0-9]+)/KVM|\2 \1|' |
		sort -n | awk '{ printf "%s%s", sep, $2; sep = "," }'
}

# check_vms - the guest that is held, as ptrace-pf lists it
check_vms()
{
	local pid bytes

	pid=$(said guest pid)
	bytes=$(($(stat_of pages_4k) * 4096 + ($(stat_of pages_2m) << 21)))
	"$pf" vms >"$work/vms" 2>"$work/err"
	equal "vms: exit status" $? 0
	equal "vms: lines" "$(wc -l <"$work/vms")" 2
	equal "vms: what is missing and why" \
		"$(grep -c ' are not shown: the module ptremap_kvm is not loaded' "$work/err")" 1
	echo $((pid)) $(($(said guest vm_fd))) kvm_guest tiny,1 3 >"$work/want"
	awk 'NR == 2 { print $1, $2, $3, $4, $5 }' "$work/vms" >"$work/got"
	same_lines "vms: pid, fd, VMM, name, vCPUs" "$work/want" "$work/got"
	equal "vms: threads" "$(awk 'NR == 2 { print $NF }' "$work/vms")" "$(threads_of $((pid)))" \
		"names of the threads"
	equal "vms: bytes mapped" "$("$pf" vms --json | sed -nE 's/.*"mapped": ?([0-9]+).*/\1/p')" \
		$bytes "KVM's statistics"
}

check_no_vms()
{
	"$pf" vms >"$work/vms" 2>"$work/err"
	equal "vms, $1: lines" "$(wc -l <"$work/vms")" 0
	equal "vms, $1: says so" "$(grep -c 'no process has' "$work/err")" 1
}

check_hold()
{
	mkfifo "$work/go"
	"$guest" --hold "$1" --vcpus 3 -name guest=tiny,,1,process=no hypercalls 10 <"$work/go" \
		>"$work/said" &
	exec 9>"$work/go"
	until grep -q '^held' "$work/said"; do sleep 0.1; done
	equal "held, $1: VMs" "$(vm_folders)" 1 "KVM's debugfs"
	check_vms
	exec 9>&-
	wait $!
	equal "held, $1: status after a word" $? 0
	equal "held, $1: VMs afterwards" "$(vm_folders)" 0 "KVM's debugfs"
	rm "$work/go"
}

check_die()
{
	local i

	{ "$guest" --vcpus 2 die 300 >"$work/said"; } 2>/dev/null
	equal "die: status" $? 137
	for ((i = 0; i < 100 && $(vm_folders); i++)); do sleep 0.1; done
	equal "die: VMs afterwards" "$(vm_folders)" 0 "KVM's debugfs"
	check_no_vms "after death"
}

check_mode()
{
	local mode=$1

	check_calls --mode "$mode"
	check_mmio "$mode"
	check_pio "$mode"
	check_readonly "$mode"
	check_quietly --mode "$mode" selfmod
	[[ $mode == real ]] || check_calls --mode "$mode" --cpl 3
	check_touch --mode "$mode" --access rw
	[[ $mode == real || $mode == none ]] && return
	check_walks "$mode"
	check_buffers "$mode" bitvisor
	check_buffers "$mode" capsule
}

# in_guest MODE...
in_guest()
{
	local mode module=kvm_amd

	grep -qw vmx /proc/cpuinfo && module=kvm_intel
	if ! modprobe "$module"; then
		not_ok "no KVM"
		finish
	fi
	echo 16384 >"$tracing/buffer_size_kb"
	for mode; do
		check_mode "$mode"
	done
	check_rips
	check_calls --vcpus 1 --leaf-level 1
	check_touch --leaf-level 1 --access rwx
	check_touch --in-order --access x
	check_large thp
	echo 8 >/proc/sys/vm/nr_hugepages
	check_large hugetlb
	check_quietly --vcpus 2 slots
	check_quietly dirty
	check_hold spin
	check_hold halt
	check_die
	finish
}

# in_lab KERNEL LEVELS MODE...
in_lab()
{
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --quiet --timeout 300 -- \
		"$top/tests/system/lab_guests.sh" --guest "${@:3}" >"$work/said" 2>"$work/err"
	machine_said "$1" $?
}

if [[ ${1-} == --guest ]]; then
	shift
	in_guest "$@"
fi
in_lab 6.1 4 real 32bit pae 4level
in_lab 6.12 5 none pse 4level 5level
finish
