#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: rules of VMs and of processes. What they did is what the guest reads behind its
# call, and what its monitor has in its memory; of the calls, what the guest says that it made. And
# the examples of README and man pages, in a boot that there is.
# usage: rules_guest.sh MODULE PART...
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck disable=SC2016 # registers of rules are none of the shell's
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"
# shellcheck source=tests/lib/monitored.sh
. "$(dirname "$0")/monitored.sh"
# shellcheck source=tests/lib/examples_guest.sh
. "$(dirname "$0")/examples_guest.sh"

readonly MODULE=$1 CALL=hypercall:0x4d454d54 SWAP='swap gpa=$rsi gpa=$rdx'
rule=
shift

# add ARG... - rules of the VM in the background, up to where they are in force; what they say is in
# $work/rule, and at their end in $work/rule.err
add()
{
	local i

	"$remap" rule add --vm "$vm" "$@" >"$work/rule" 2>"$work/rule.err" &
	rule=$!
	for ((i = 0; i < 200; i++)); do
		grep -q 'in force' "$work/rule.err" && return
		kill -0 "$rule" 2>/dev/null || break
		sleep 0.1
	done
	not_ok "$name: rules in force: $(<"$work/rule.err")"
}

# drop - takes the rules back, as Ctrl-C does
drop()
{
	kill -INT "$rule"
	wait "$rule"
	equal "$name: the rules' end" $? 130
}

# ready ARG... - a guest that waits
ready()
{
	start --wait "$@"
	until_says ready
}

# go - it runs to its end, or to where it is held
go()
{
	echo >&7
}

# rounds WORD - of the guest's rounds with that, each with what came of the call
rounds()
{
	grep '^memtest' "$work/guest" | grep -c -- "$1"
}

# told COUNTS - what the rule's last line says
told()
{
	equal "$name: the rule's own counts" "$(sed -n '$s/.*: called/called/p' "$work/rule.err")" "$1"
}

# Each call exchanges the pages, the next one takes that back; the guest gets the answer 0.
memtest()
{
	local rounds=$1

	shift
	ready "$@" memtest "$rounds"
	add --on "$CALL" --do "$SWAP return=0 ${LEVEL:-}"
	stop
	equal "$name: rounds that found the pages exchanged, then as they were" \
		"$(rounds 'ret=0x0 after=swapped ret=0x0 then=same')" \
		"$(grep -c '^memtest' "$work/guest")"
	equal "$name: rounds" "$(rounds .)" $((rounds * ${VCPUS:-1}))
	equal "$name: pages as they were, for the monitor" \
		"$(grep -c '^monitor .* now=same' "$work/guest")" \
		"$(grep -c '^monitor' "$work/guest")"
	wait "$rule"
	equal "$name: the rule ends with its VM" "$?" 0
	told "called $((2 * rounds * ${VCPUS:-1})), done $((2 * rounds * ${VCPUS:-1}))"
}

part_small()
{
	name='4 KiB'
	memtest "${ROUNDS:-30}"
}

part_huge()
{
	name='2 MiB'
	echo always >/sys/kernel/mm/transparent_hugepage/enabled
	LEVEL=level=2 memtest "${ROUNDS:-30}" --backing thp
}

part_vcpus()
{
	name='two vCPUs'
	VCPUS=2 memtest "${ROUNDS:-100}" --vcpus 2
}

# Rules that do not always act.
part_limits()
{
	name=once
	ready memtest-half 8
	add --on "$CALL" --do "$SWAP once"
	stop
	equal "$name: rounds with the pages exchanged" "$(rounds after=swapped)" 1
	wait "$rule"
	told 'called 8, done 1, limited 7'

	name='a register'
	ready memtest-half 8
	add --on "$CALL:rbx=5" --do "$SWAP"
	stop
	equal "$name: the round with the pages exchanged" "$(rounds 'i=5 .*after=swapped')" 1
	equal "$name: others" "$(rounds after=same)" 7
	wait "$rule"
	told 'called 1, done 1'

	name=rate
	ready memtest-half 8
	add --on "$CALL" --do "$SWAP rate=3"
	stop
	at_least "$name: rounds with the pages exchanged" "$(rounds after=swapped)" 3
	wait "$rule"
	equal "$name: the rule's own counts" \
		"$(sed -n '$s/.*: called 8, done \([0-9]*\), limited \([0-9]*\)$/\1 \2/p' \
			"$work/rule.err" | awk '{ print $1 + $2, ($2 > 0) }')" '8 1'

	name='trace alone'
	ready memtest-half 8
	add --on "$CALL" --do 'trace return=7'
	stop
	equal "$name: rounds with the pages as they were" "$(rounds 'ret=0x7 after=same')" 8
	wait "$rule"
	told 'called 8, done 8'

	name='calls of user mode'
	ready --cpl 3 memtest-half 4
	add --on "$CALL" --do "$SWAP"
	stop
	equal "$name: rounds with the pages as they were" "$(rounds 'ret=0xffffffffffffffff after=same')" 4
}

# word PAGE - the first word of the guest's page of that number, in its monitor's memory
word()
{
	local hva

	hva=$(sed -n 's/^slot id=2 .*hva=\(0x[0-9a-f]*\).*/\1/p' "$work/guest")
	dd if="/proc/$vm/mem" bs=8 skip=$(((hva + $1 * 4096) / 8)) count=1 status=none |
		od -An -tx8 | tr -d ' '
}

# Whatever ends them: nothing of them is left, while the guest runs on.
part_ends()
{
	local one two

	name='controller killed'
	ready --hold spin memtest-half 2
	add --on "$CALL" --do "$SWAP"
	go
	until_says held
	one=$(word 0) two=$(word 1)
	equal "$name: changes in force" "$("$remap" list --json | wc -l)" 4
	kill -9 "$rule"
	wait "$rule" 2>/dev/null
	equal "$name: the pages for the monitor" "$(word 0) $(word 1)" "$two $one"
	equal "$name: rules, changes" "$("$remap" rule list | wc -l) $("$remap" list --json | wc -l)" '0 0'
	stop

	name='kept'
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	ready --hold spin memtest-half 2
	"$remap" rule add --keep --vm "$vm" --on "$CALL" --do "$SWAP" >"$work/said" 2>"$work/stderr"
	equal "$name: status" $? 0
	go
	until_says held
	equal "$name: rounds with the pages exchanged" "$(rounds after=swapped)" 2
	one=$(word 0) two=$(word 1)
	"$remap" rule list >"$work/said"
	equal "$name: listed" "$(grep -c ", kept: on .*: called 2, done 2$" "$work/said")" 1
	"$remap" rule remove "$(sed 's/rule \([0-9]*\),.*/\1/' "$work/said")" 2>"$work/stderr"
	equal "$name: removed: status" $? 0
	says "$name: removed" '4 changes were taken back'
	equal "$name: the pages for the monitor" "$(word 0) $(word 1)" "$two $one"
	equal "$name: programs left" "$(find /sys/fs/bpf/ptremap -type f 2>/dev/null | wc -l)" 0
	stop

	name='monitor killed'
	ready --hold spin memtest-half 2
	add --on "$CALL" --do "$SWAP"
	go
	until_says held
	kill -9 "$vm"
	exec 7>&-
	wait "$vm" 2>/dev/null
	wait "$rule"
	equal "$name: the rules end" $? 0
	equal "$name: rules, changes" "$("$remap" rule list | wc -l) $("$remap" list --json | wc -l)" '0 0'
}

# ruled - the program of tests/system/ruled.c in the background; sets $pid, $touched and $source
ruled()
{
	mkfifo "$work/line" || exit 1
	"$bin/tests/ruled" <"$work/line" >"$work/guest" &
	vm=$!
	exec 7>"$work/line"
	rm -f "$work/line"
	until_says ready
	read -r _ pid touched source <"$work/guest"
}

# A process' first access to a page finds what the rule put there.
part_faults()
{
	local pid touched source

	name='a fault'
	ruled
	add --pid "$pid" --on "fault:$touched-$(printf '0x%x' $((touched + 0x3fff)))" \
		--do "map va=\$page va=$source"
	go
	until_says end
	equal "$name: what first reads found" "$(grep -c '^page . s' "$work/guest")" 2
	equal "$name: where first writes went" "$(grep -c '^wrote . w' "$work/guest")" 2
	equal "$name: changes in force" "$("$remap" list --json | wc -l)" 4
	drop
	told 'called 4, done 4'
	equal "$name: changes behind it" "$("$remap" list --json | wc -l)" 0
	stop

	name='faults of reads'
	ruled
	add --pid "$pid" --on "fault:$touched-$(printf '0x%x' $((touched + 0x3fff))):r" \
		--do "map va=\$page va=$source once"
	go
	until_says end
	equal "$name: the first page alone" "$(grep -c '^page 0 s' "$work/guest") \
$(grep -c '^page 1 -' "$work/guest") $(grep -c '^wrote . s' "$work/guest")" '1 1 2'
	drop
	told 'called 2, done 1, limited 1'
	stop
}

# frame PAGE - that the monitor found behind the touched page of that number
frame()
{
	sed -n "s/^page .* gpa=0x4000$1... .* pfn=\([^ ]*\).*/\1/p" "$work/guest"
}

# The first access to a page, which NPT or EPT does not have yet, puts another one there. That is a
# violation once more, for which nothing is left to do.
part_violations()
{
	name='a violation'
	ready --access r --in-order touch 4
	add --on "violation:0x40001000:r" --do 'map gpa=$page gpa=0x40003000'
	stop
	equal "$name: the frame of page 1 is that of page 3" "$(frame 1)" "$(frame 3)"
	equal "$name: that of page 0 is another one" $(($(frame 0) == $(frame 1))) 0
	wait "$rule"
	told 'called 2, done 2'

	name='violations of another access'
	ready --access r --in-order touch 4
	add --on 'violation:0x40000000-0x40003fff:wx' --do 'map gpa=$page fresh'
	stop
	wait "$rule"
	told 'called 0'
}

# writable - what NPT's or EPT's entry of the guest's first page says
writable()
{
	"$remap" walk --json --vm "$vm" --gpa 0x40000000 | grep -o '"write":[a-z]*' | tail -1
}

# The guest may not write any more to the page that it called with, until it does.
part_protect()
{
	name='protect, and writes'
	ready memtest-half 10
	add --on "$CALL" --do 'protect gpa=$rsi clear=w'
	stop
	equal "$name: rounds that found what was written" "$(rounds after=same)" 10
	wait "$rule"
	told 'called 10, done 10'

	name=protect
	ready --hold spin memtest-half 1
	add --on "$CALL" --do 'protect gpa=$rsi clear=w'
	go
	until_says held
	equal "$name: the entry" "$(writable)" '"write":false'
	drop
	told 'called 1, done 1'
	equal "$name: changes behind it" "$("$remap" list --json | wc -l)" 0
	stop
}

# Each with one line, and nothing changed.
part_refused()
{
	local call=(--on "$CALL" --do "$SWAP") id

	name=refused
	refused 'nothing' 'add, list or remove' rule
	refused 'no such act' 'is not one of add' rule make
	refused 'no VM meant' '--vm is missing' rule add "${call[@]}"
	refused 'no process meant' '--pid is missing' rule add --vm 1 --on fault:0 --do trace
	refused 'half a rule' 'go together' rule add --vm 1 --on "$CALL"
	refused 'a page that is none' 'not where a page begins' rule add --vm 1 --on "$CALL" \
		--do 'map gpa=0x123 fresh'
	printf '# rules\non hypercall:1 do trace\non hypercall:2 do jump\n' >"$work/rules"
	refused 'a file with nonsense' 'rules, line 3: .jump. is not one of' rule add --vm 1 \
		"$work/rules"
	refused 'a process without a VM' 'no VM' rule add --vm $$ "${call[@]}"
	refused 'no process' 'no such process' rule add --vm 99999 "${call[@]}"
	refused 'no such rule' 'no such rule' rule remove 4711
	ready --hold spin memtest-half 1
	add "${call[@]}"
	id=$(sed 's/rule \([0-9]*\),.*/\1/' "$work/rule")
	refused 'a rule at odds' "rule $id does something with the same page" rule add --vm "$vm" \
		--on "$CALL:rbx=1" --do 'map gpa=$rdx fresh'
	printf '%s\n' 'on hypercall:7 do trace' "on $CALL do protect gpa=\$rsi clear=w" >"$work/rules"
	refused 'one of two at odds' "rule $id does something" rule add --vm "$vm" "$work/rules"
	equal "$name: rules then" "$("$remap" rule list | wc -l)" 1
	go
	until_says held
	drop
	stop

	name='pages that are none'
	ready memtest-half 3
	add --on "$CALL" --do 'swap gpa=$rsi gpa=$rbx+1'
	stop
	equal "$name: rounds with the pages as they were" "$(rounds after=same)" 3
	wait "$rule"
	equal "$name: the rule's own counts" \
		"$(sed -n '$s/.*: \(called.*failed [0-9]*\) (.*/\1/p' "$work/rule.err")" \
		'called 3, failed 3'
}

# Two sessions, each with a program of its own, and a file with several rules.
part_sessions()
{
	local first

	name='two sessions'
	ready memtest-half 8
	printf '%s\n' "on $CALL:rbx=1 do $SWAP # one" '' "on $CALL:rbx=2 do $SWAP" >"$work/rules"
	add "$work/rules"
	first=$rule
	add --on "$CALL:rbx=4" --do "$SWAP"
	stop
	equal "$name: rounds with the pages exchanged" \
		"$(sed -n 's/^memtest .* i=\([0-9]*\) .*after=swapped/\1/p' "$work/guest" | tr '\n' ' ')" \
		'1 2 4 '
	wait "$first" "$rule"
}

part_examples()
{
	run_examples "$MODULE"
}

insmod "$MODULE" || exit 1
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel || exit 1
insmod "${MODULE%/*}/ptremap_kvm.ko" || exit 1
for part; do
	"part_$part"
done
{ rmmod ptremap_kvm && rmmod ptremap; } || not_ok 'the modules are gone'
finish
