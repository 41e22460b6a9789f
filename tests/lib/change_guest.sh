#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: the changing half of ptremap. Programs (tests/system/pages.c) tell what they see in
# their pages while these are changed, and afterwards.
# usage: change_guest.sh MODULE PART...
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"
# shellcheck source=tests/lib/watch_guest.sh
. "$(dirname "$0")/watch_guest.sh"
# shellcheck source=tests/lib/remaps_guest.sh
. "$(dirname "$0")/remaps_guest.sh"

readonly remap=$bin/ptremap pages=$bin/tests/pages
readonly TRACING=/sys/kernel/tracing
# What CPUs note in an entry: A and D, which later kernels move elsewhere in read-only ones.
readonly NOTED=0x0400000000000060
declare -A pid to from at # of programs, by name; addresses by PROGRAM-PAGE

prepare()
{
	insmod "$1" || exit 1
	echo 4 >/proc/sys/vm/nr_hugepages
	mountpoint -q $TRACING || mount -t tracefs none $TRACING
	what=$(uname -r)
	what=${what%%-*}
}

# ---- programs --------------------------------------------------------------------------------

# hear PROGRAM - the addresses that it tells
hear()
{
	local name address

	while read -r -t 20 name address <&"${from[$1]}" && [[ $name != ready ]]; do
		at[$1-$name]=$address
	done
}

# start PROGRAM
start()
{
	local in out

	rm -f "$work/in" "$work/out.fifo"
	mkfifo "$work/in" "$work/out.fifo"
	"$pages" "$1" <"$work/in" >"$work/out.fifo" &
	pid[$1]=$!
	exec {in}>"$work/in" {out}<"$work/out.fifo"
	to[$1]=$in from[$1]=$out
	hear "$1"
}

# stop PROGRAM...
stop()
{
	local program in out

	for program; do
		in=${to[$program]} out=${from[$program]}
		exec {in}>&- {out}<&-
		kill -KILL "${pid[$program]}" 2>/dev/null # it may have ended: its stdin has
		wait "${pid[$program]}" 2>/dev/null
	done
}

# ask PROGRAM WORD... - sets $answer
ask()
{
	echo "${@:2}" >&"${to[$1]}"
	read -r -t 20 answer <&"${from[$1]}" || answer='no answer'
}

# sees WHAT PROGRAM PAGE TEXT
sees()
{
	ask "$2" read "$3"
	equal "$what: $1: $2 sees in $3" "$answer" "$4"
}

# answers WHAT ANSWER WORD... - t to a request
answers()
{
	ask t "${@:3}"
	equal "$what: $1" "$answer" "$2"
}

# place PROGRAM PAGE - as PID:VA
place()
{
	printf '%s:%s' "${pid[$1]}" "${at[$1-$2]}"
}

# entry PROGRAM PAGE - its value, without what CPUs note in it
entry()
{
	local value

	value=$("$remap" walk --pid "${pid[$1]}" --json "${at[$1-$2]}" | jq -r '.levels[-1].value')
	printf '0x%x' $((value & ~NOTED))
}

# ---- controllers -----------------------------------------------------------------------------

# hold ARG... - ptremap in the background; returns when its change is in force. Sets $holder
hold()
{
	local tries

	: >"$work/held"
	"$remap" "$@" >"$work/held" 2>"$work/held.err" &
	holder=$!
	for ((tries = 0; tries < 200; tries++)); do
		[[ -s $work/held ]] && return
		kill -0 $holder 2>/dev/null || break
		sleep 0.05
	done
	not_ok "$what: $*: not in force"
	cat "$work/held.err"
}

# let_go WHAT SIGNAL STATUS - ends it
let_go()
{
	local status

	kill -"$2" "$holder"
	wait "$holder" 2>/dev/null
	status=$?
	equal "$what: $1: status after SIG$2" $status "$3"
}

# ends_alone WHAT STATUS PATTERN - it ends by itself, and tells why
ends_alone()
{
	local status

	wait "$holder"
	status=$?
	if ((status == $2)) && grep -qE -- "$3" "$work/held.err"; then
		ok "$what: $1: $status, $(tail -n 1 "$work/held.err")"
	else
		not_ok "$what: $1: status $status (not $2), /$3/:"
		cat "$work/held.err"
	fi
}

# nothing_listed WHAT
nothing_listed()
{
	equal "$what: $1: changes listed" "$("$remap" list | wc -l)" 0
}

# ---- each command ----------------------------------------------------------------------------

part_commands()
{
	start t
	start s
	check_map
	check_physical
	check_swap
	check_protect
	check_trap
	check_huge
	nothing_listed "after all"
	stop t s
}

check_map()
{
	local before

	before=$(entry t a)
	hold map --pid "${pid[t]}" "${at[t-a]}" --frame-of "$(place s b)"
	sees "map --frame-of" t a s-b
	ask t write a written
	sees "map --frame-of: after a write" s b written
	equal "$what: map --frame-of: both lead to one frame" \
		"$("$remap" translate --pid "${pid[t]}" "${at[t-a]}" | cut -d ' ' -f 2)" \
		"$("$remap" translate --pid "${pid[s]}" "${at[s-b]}" | cut -d ' ' -f 2)"
	let_go "map --frame-of" TERM 143
	sees "map --frame-of, undone" t a t-a
	sees "map --frame-of, undone" s b written
	equal "$what: map --frame-of, undone: the entry" "$(entry t a)" "$before"
	ask s write b s-b
	hold map --fresh --pid "${pid[t]}" "${at[t-a]}" "${at[t-b]}"
	sees "map --fresh" t a -
	ask t write b new
	sees "map --fresh" t a -
	sees "map --fresh" t b new
	let_go "map --fresh" TERM 143
	sees "map --fresh, undone" t a t-a
	sees "map --fresh, undone" t b t-b
}

# table PROGRAM PAGE - physical address of the table that has its entry
table()
{
	"$remap" walk --pid "${pid[$1]}" --json "${at[$1-$2]}" |
		jq -r '.levels[-1].at | .[:-3] + "000"'
}

check_physical()
{
	local pa timer

	pa=$("$remap" translate --pid "${pid[s]}" "${at[s-b]}" | cut -d ' ' -f 2)
	hold map --phys "$pa" "$(place t a)"
	sees "map --phys" t a s-b
	ask t write a written
	sees "map --phys: after a write" s b written
	let_go "map --phys" TERM 143
	sees "map --phys, undone" t a t-a
	ask s write b s-b
	pa=$(table t a)
	hold map --phys "$pa" --force-frame table "$(place t a)"
	equal "$what: map --force-frame: shown" "$(grep -c "^map .* phys=$pa force-frame=table\$" "$work/held")" 1
	equal "$what: map --force-frame: leads to the table" \
		"$("$remap" translate --pid "${pid[t]}" "${at[t-a]}" | cut -d ' ' -f 2)" "$pa"
	let_go "map --force-frame" TERM 143
	sees "map --force-frame, undone" t a t-a
	timer=0x$(sed -n 's/^ *\([0-9a-f]*\)-.* HPET .*/\1/p' /proc/iomem)
	hold map --mmio "$timer" "$(place t a)"
	equal "$what: map --mmio: leads to the device" \
		"$("$remap" translate --pid "${pid[t]}" "${at[t-a]}" | cut -d ' ' -f 2)" \
		"$(printf 0x%x $((timer)))"
	equal "$what: map --mmio: listed" "$("$remap" list --json | jq -r .what)" mmio
	let_go "map --mmio" TERM 143
	sees "map --mmio, undone" t a t-a
	ends_with "$what: map --phys --dry-run --json" 0 "$remap" map --phys "$pa" \
		--force-frame slab,table "$(place t a)" --dry-run --json
	equal "$what: map --phys --dry-run --json" \
		"$(jq -c '.changes[0] | [.what, .physical, .forced]' "$work/out")" \
		"[\"phys\",\"$pa\",[\"table\",\"slab\"]]"
}

check_swap()
{
	hold swap --pid "${pid[t]}" "${at[t-a]}" --with "${at[t-b]}"
	sees "swap" t a t-b
	sees "swap" t b t-a
	equal "$what: swap: entries shown, before and after" "$(grep -cE '^  (before|after )' "$work/held")" 4
	let_go "swap" TERM 143
	sees "swap, undone" t a t-a
	sees "swap, undone" t b t-b
	hold swap "$(place t c)" --with "$(place s d)"
	sees "swap of two processes" t c s-d
	sees "swap of two processes" s d t-c
	let_go "swap of two processes" TERM 143
	sees "swap of two processes, undone" t c t-c
	sees "swap of two processes, undone" s d s-d
}

# bits WHAT BITS OPTION... - protect changes exactly these bits of the entry
bits()
{
	local before

	before=$(entry t c)
	hold protect --pid "${pid[t]}" "${at[t-c]}" "${@:3}"
	equal "$what: $1: bits that changed" "$(printf '0x%x' $(($(entry t c) ^ before)))" "$2"
	let_go "$1" TERM 143
	equal "$what: $1, undone: the entry" "$(entry t c)" "$before"
}

check_protect()
{
	bits "protect --clear RW" 0x2 --clear RW
	bits "protect --set PCD,PWT --clear rw" 0x1a --set PCD,PWT --clear rw
	bits "protect --clear NX" 0x8000000000000000 --clear NX
	bits "protect --set PAT" 0x80 --set PAT
	bits "protect --set PK=5" 0x2800000000000000 --set PK=5
	hold protect --set RW "$(place t code)"
	answers "protect --set RW: a write to read-only memory" "done" write code changed
	let_go "protect --set RW" TERM 143
	answers "protect --set RW, undone: a write to read-only memory" SIGSEGV write code again
	sees "protect --set RW, undone" t code changed
	hold protect --clear NX "$(place t a)"
	answers "protect --clear NX: a call into data" "done" call a
	let_go "protect --clear NX" TERM 143
	answers "protect --clear NX, undone: a call into data" SIGSEGV call a
	hold protect --set NX "$(place t code)"
	answers "protect --set NX: a call into code" SIGSEGV call code
	let_go "protect --set NX" TERM 143
	answers "protect --set NX, undone: a call into code" "done" call code
	hold protect --clear RW "$(place t b)"
	answers "protect --clear RW: a write, which the kernel lets through" "done" write b t-b
	let_go "protect --clear RW" TERM 143
	if grep -qw ospke /proc/cpuinfo; then
		hold protect --set pkey=1 "$(place t d)"
		sees "protect --set pkey=1" t d SIGSEGV
		let_go "protect --set pkey=1" TERM 143
		sees "protect --set pkey=1, undone" t d t-d
	fi
}

check_trap()
{
	local before

	hold trap --pid "${pid[t]}" "${at[t-a]}"
	equal "$what: trap: the entry" "$("$remap" walk --pid "${pid[t]}" "${at[t-a]}" | grep -c protnone)" 1
	before=$(cut -d ' ' -f 10 "/proc/${pid[t]}/stat")
	sees "trap" t a t-a
	equal "$what: trap: faults" $(($(cut -d ' ' -f 10 "/proc/${pid[t]}/stat") - before)) 1
	sees "trap, again" t a t-a
	equal "$what: trap: faults after the second access" \
		$(($(cut -d ' ' -f 10 "/proc/${pid[t]}/stat") - before)) 1
	let_go "trap" TERM 143
	sees "trap, undone" t a t-a
}

# ---- how long --------------------------------------------------------------------------------

# Entries of 2 MiB pages; those of hugetlb are huge for sure.
check_huge()
{
	local before

	before=$(entry t huge)
	hold map --level 2 "$(place t huge)" --frame-of "$(place s huge)"
	sees "map --level 2" t huge s-huge
	equal "$what: map --level 2: listed with its level" \
		"$("$remap" list --json | jq -c '[.what, .level, .state]')" '["map",2,"active"]'
	let_go "map --level 2" TERM 143
	sees "map --level 2, undone" t huge t-huge
	equal "$what: map --level 2, undone: the entry" "$(entry t huge)" "$before"
	echo "protect $(place t huge) clear=RW set=NX level=2" >"$work/huge"
	hold apply "$work/huge"
	ask t write huge t-huge
	sees "apply, level=2" t huge t-huge
	let_go "apply, level=2" TERM 143
	equal "$what: apply, level=2, undone: the entry" "$(entry t huge)" "$before"
}

part_modes()
{
	start t
	check_dry_run
	check_for
	check_keep
	check_command
	check_signals
	nothing_listed "after all"
	stop t
}

check_dry_run()
{
	local before

	before=$(entry t a)
	ends_with "$what: --dry-run" 0 "$remap" swap "$(place t a)" --with "${at[t-b]}" --dry-run
	equal "$what: --dry-run: entries, before and after" "$(grep -cE '^  (before|after )' "$work/out")" 4
	equal "$what: --dry-run: what would be held" "$(grep -cE '^  holds  frames( 0x[0-9a-f]+){2}$' "$work/out")" 1
	equal "$what: --dry-run: what would be flushed" "$(grep -c '^flushes ' "$work/out")" 1
	ends_with "$what: --dry-run --json" 0 "$remap" map --fresh "$(place t a)" --dry-run --json
	equal "$what: --dry-run --json" "$(jq -c '[.id, .keep, .changes[0].what, (.changes[0].holds | length)]' \
		"$work/out")" '[null,false,"fresh",2]'
	equal "$what: --dry-run: the entry before, as walk has it" \
		"$(printf '0x%x' $(($(jq -r '.changes[0].before.value' "$work/out") & ~NOTED)))" "$before"
	equal "$what: --dry-run: the entry" "$(entry t a)" "$before"
	sees "--dry-run" t a t-a
	nothing_listed "--dry-run"
}

check_for()
{
	local begin=$EPOCHREALTIME

	hold map --fresh "$(place t a)" --for 1.5
	sees "--for" t a -
	ends_alone "--for" 0 "in force for 1.50s"
	at_least "$what: --for 1.5: us" $((${EPOCHREALTIME/./} - ${begin/./})) 1500000
	sees "--for, undone" t a t-a
}

check_keep()
{
	local ids

	ends_with "$what: --keep" 0 "$remap" map --fresh "$(place t a)" --keep
	ids=$(sed -n 's/^transaction //p' "$work/out")
	equal "$what: --keep: words" "$(cat "$work/err")" \
		"ptremap: kept in force: 'ptremap undo $ids' takes it back"
	sees "--keep" t a -
	"$remap" map --fresh "$(place t b)" --keep --json >"$work/out" 2>"$work/err"
	ids+=" $(jq .id "$work/out")"
	"$remap" protect --clear RW "$(place t c)" "$(place t d)" --keep >"$work/out" 2>"$work/err"
	equal "$what: list: lines" "$("$remap" list | tail -n +2 | awk '$2 == "kept" && $3 == "active"' | wc -l)" 4
	equal "$what: list --json" "$("$remap" list --json |
		jq -r '[.id, .what, .state, .cause, .address] | @csv' | head -n 2 | tr -d '"' | tr '\n' ' ')" \
		"${ids% *},fresh,active,,${at[t-a]} ${ids#* },fresh,active,,${at[t-b]} "
	ends_with "$what: undo ID" 0 "$remap" undo "${ids% *}"
	sees "undo ID" t a t-a
	sees "undo ID: another one stays" t b -
	ends_with "$what: undo --all" 0 "$remap" undo --all
	equal "$what: undo --all: words" "$(cat "$work/err")" "ptremap: 3 changes were taken back"
	sees "undo --all" t b t-b
	fails "$what: undo of what is not there" 1 "transaction ${ids% *}: there is no such" "$remap" undo "${ids% *}"
	nothing_listed "undo --all"
}

# shellcheck disable=SC2016 # for the command's own shell
check_command()
{
	"$remap" map --fresh "$(place t a)" -- \
		sh -c '"$0" list; echo said; exit 7' "$remap" >"$work/out" 2>"$work/err"
	equal "$what: -- COMMAND: its status" $? 7
	equal "$what: -- COMMAND: its stdout" "$(tail -n 1 "$work/out")" said
	equal "$what: -- COMMAND: in force while it runs" "$(grep -c ' active ' "$work/out")" 1
	equal "$what: -- COMMAND: what was changed is on stderr" "$(grep -c '^transaction ' "$work/err")" 1
	nothing_listed "-- COMMAND"
	fails "$what: -- a command that is not there" 127 "command not found" \
		"$remap" map --fresh "$(place t a)" -- /nonesuch/x
	ends_with "$what: -- COMMAND is not run after a refusal" 1 \
		"$remap" trap "${pid[t]}:0x1000" -- touch "$work/touched"
	equal "$what: -- COMMAND is not run after a refusal" "$(test -e "$work/touched" && echo run || echo not)" not
	"$remap" map --fresh "$(place t a)" -- sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' \
		>"$work/held" 2>"$work/err" &
	holder=$!
	until grep -q ready "$work/held"; do sleep 0.05; done
	sees "-- COMMAND" t a -
	let_go "-- COMMAND, which gets the signal and decides" TERM 9
	sees "-- COMMAND, undone" t a t-a
	"$remap" map --fresh "$(place t a)" -- sh -c 'kill -TERM $$' >/dev/null 2>&1
	equal "$what: -- COMMAND that is killed" $? 143
}

check_signals()
{
	local signal

	for signal in INT:130 TERM:143 HUP:129 KILL:137; do
		hold map --fresh "$(place t a)"
		sees "before SIG${signal%:*}" t a -
		let_go "until a signal" "${signal%:*}" "${signal#*:}"
		sees "after SIG${signal%:*}" t a t-a
	done
}

# ---- refusals --------------------------------------------------------------------------------

# refused WHAT PATTERN ARG... - ptremap fails, with one line; a change would stay for ever
refused()
{
	fails "$what: $1" 1 "$2" timeout 120 "$remap" "${@:3}"
}

part_refused()
{
	local value thread

	start t
	start s
	hold map --fresh "$(place t a)"
	refused "another controller's page" "trap $(place t a): a change of this page is in force" \
		trap "$(place t a)"
	let_go "the first controller" TERM 143
	refused "a page twice" "twice in this transaction" trap "$(place t a)" "$(place t a)"
	value=$(entry t a)
	refused "--expect, stale" "expect=0x1067: the entry is not the expected one.*; it is 0x" \
		trap "$(place t a)" --expect 0x1067
	ends_with "$what: --expect, as it is" 0 "$remap" trap "$(place t a)" --expect "$value" --dry-run
	refused "not mapped" "nothing is mapped there" trap "$(place t none)"
	refused "not aligned" "whole pages" trap "$(place t a)1"
	refused "the kernel's half" "not in user space" trap "${pid[t]}:0xffff888000000000"
	refused "hugetlb" "hugetlb" map --fresh "$(place t huge)"
	refused "a trap in hugetlb" "hugetlb" trap --level 2 "$(place t huge)"
	refused "a part of a huge page as one" "of 2 MiB" trap --level 2 "$(place t a)"
	refused "a device's memory" "memory of a device" map --fresh "$(place t device)"
	refused "shared memory that is read-only" "shared and read-only" \
		protect --set RW "$(place t read-only)"
	refused "a read-only page where it could be written to" "may only read" \
		map "$(place t a)" --frame-of "$(place s code)"
	check_refused_physical
	refused "no such process" "no such process" trap 4194000:0x1000
	refused "no such process to take a frame from" "no such process" \
		map "$(place t a)" --frame-of 4194000:0x1000
	thread=$(pgrep -x kthreadd)
	refused "a kernel thread" "a process without memory" trap "$thread:0x1000"
	check_kvm
	fails "$what: not root" 1 "run as root" setpriv --reuid 1000 --clear-groups "$remap" trap "$(place t a)"
	fails "$what: one capability missing" 1 "CAP_SYS_RAWIO" \
		setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio "$remap" trap "$(place t a)"
	sees "after all" t a t-a
	nothing_listed "after all"
	rmmod ptremap
	refused "without the module" "not loaded" trap "$(place t a)"
	insmod "$module"
	stop t s
}

check_refused_physical()
{
	local code

	code=0x$(sed -n 's/^ *\([0-9a-f]*\)-.* Kernel code.*/\1/p' /proc/iomem)
	refused "a page table" "a page table; --force-frame table" map --phys "$(table t a)" "$(place t a)"
	refused "a page table, another kind forced" "a page table; --force-frame table" \
		map --phys "$(table t a)" --force-frame free,slab,reserved,kernel "$(place t a)"
	refused "the kernel's code" "reserved.*--force-frame reserved" map --phys "$code" "$(place t a)"
	refused "RAM as device memory" "no device memory at" map --mmio "$code" "$(place t a)"
	refused "a hole" "no RAM at" map --phys 0x4000000000 "$(place t a)"
	refused "beyond the address width" "beyond the address width" \
		map --phys 0x10000000000000 "$(place t a)"
	refused "a physical address that is not aligned" "no multiple of 4096" \
		map --phys 0x1008 "$(place t a)"
}

# A process with a guest: any that has a file of KVM's.
check_kvm()
{
	local vmm

	modprobe kvm_amd || { not_ok "$what: no KVM" && return; }
	python3 -c '
import ctypes, fcntl, os, time
vm = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), 0xae01, 0)
page = ctypes.create_string_buffer(16384)
print((ctypes.addressof(page) + 4095) & ~4095, flush=True)
time.sleep(1000)' >"$work/vmm" &
	vmm=$!
	until [[ -s $work/vmm ]]; do sleep 0.05; done
	refused "a process with a KVM guest" "a KVM guest has frames" \
		map --fresh "$vmm:$(cat "$work/vmm")"
	ends_with "$what: a process with a KVM guest: trap" 0 \
		"$remap" trap "$vmm:$(cat "$work/vmm")" --dry-run
	kill $vmm
}

# ---- mappings at new addresses ---------------------------------------------------------------

readonly LOW=0x10000 # vm.mmap_min_addr, below what programs are linked to

part_graft()
{
	start t
	start s
	check_graft_frames
	check_graft_fresh
	check_graft_physical
	check_graft_device
	check_graft_dry_run
	check_graft_ends
	check_graft_walk
	check_graft_refused
	nothing_listed "graft: after all"
	stop t s
}

# mapped ADDRESS - how many lines the list of t's mappings has that begin there and are ptremap's
mapped()
{
	grep -cE "^0*${1#0x}-[0-9a-f]+ .*\[ptremap\]" "/proc/${pid[t]}/maps"
}

# gone WHAT - nothing is at LOW any more
gone()
{
	sees "$1" t $LOW SIGSEGV
	equal "$what: $1: lines in the list of mappings" "$(mapped $LOW)" 0
}

check_graft_frames()
{
	hold graft --pid "${pid[t]}" $LOW --frames-of "$(place s a)" --len 4K --prot rw
	sees "graft --frames-of" t $LOW s-a
	ask t write $LOW from-t
	sees "graft --frames-of: what the borrower wrote" s a from-t
	ask s write a from-s
	sees "graft --frames-of: what the lender wrote" t $LOW from-s
	equal "$what: graft: what it says" "$(sed 1d "$work/held" | tr -s '\n ' ' ')" \
		"graft ${pid[t]}:$LOW frames-of=$(place s a) len=4K prot=rw cache=wb mapped $LOW-0x10fff, 4.0 KiB of frames of pid ${pid[s]} at ${at[s-a]}-$(printf '0x%x' $((at[s-a] + 0xfff))) "
	equal "$what: graft: lines in the list of mappings" "$(mapped $LOW)" 1
	equal "$what: graft: list" "$("$remap" list | awk 'NR == 2 { print $2, $3, $5, $6, $8, $9, $10 }')" \
		"- active mapped ${pid[t]}:$LOW 4K of ${at[s-a]}"
	let_go "graft --frames-of" INT 130
	gone "graft --frames-of, undone"
	sees "graft --frames-of, undone: the lender" s a from-s
	ask s write a s-a
}

check_graft_fresh()
{
	local address

	"$remap" graft --pid "${pid[t]}" --fresh --low --len 16K --prot rwx --cache wc --keep --json >"$work/out" 2>"$work/err"
	equal "$what: graft --fresh: JSON" "$(jq -c '[.keep, .what, .pid, .length, .source, .other_pid, .other_address,
		.pa, .read, .write, .exec, .cache]' "$work/out")" \
		"[true,\"graft\",${pid[t]},16384,\"fresh\",null,null,null,true,true,true,\"wc\"]"
	address=$(jq -r .address "$work/out")
	equal "$what: graft --low: below 2 GiB, and the last byte" \
		"$((address < 1 << 31 && $(jq -r .last "$work/out") == address + 0x3fff))" 1
	equal "$what: graft --keep: words" "$(cat "$work/err")" \
		"ptremap: kept in force: 'ptremap undo $(jq .id "$work/out")' takes it back"
	sees "graft --fresh" t "$address" -
	equal "$what: graft --fresh: list" "$("$remap" list | awk 'NR == 2 { print $2, $5, $8, $9 }')" \
		"kept mapped 16K fresh"
	ask t write "$address" mine
	sees "graft --fresh: after a write" t "$address" mine
	ends_with "$what: graft --keep: undo" 0 "$remap" undo "$(jq .id "$work/out")"
	sees "graft --keep, undone" t "$address" SIGSEGV
}

check_graft_physical()
{
	local pa

	pa=$("$remap" walk --pid "${pid[s]}" --json "${at[s-b]}" | jq -r .pa)
	hold graft "$(place t none)" --phys "$pa"
	sees "graft --phys" t none s-b
	answers "graft --phys: a write without the right to" SIGSEGV write none x
	let_go "graft --phys" TERM 143
	sees "graft --phys, undone" t none SIGSEGV
}

# number_at PA - 32 bits of a device, as 0x...
number_at()
{
	"$remap" read --pa "$1" --mmio 4 4 | awk '{ print "0x" $5 $4 $3 $2 }' | sed 's/0x0*/0x/'
}

check_graft_device()
{
	local pa

	pa=0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : HPET.*/\1/p' /proc/iomem | head -n 1)
	hold graft --pid "${pid[t]}" $LOW --mmio "$pa"
	ask t number $LOW
	equal "$what: graft --mmio: the HPET's first register" "$answer" "$(number_at "$pa")" "ptremap read"
	"$remap" walk --pid "${pid[t]}" $LOW >"$work/out"
	equal "$what: graft --mmio: walk: uncached, the device's frame, as the VMA calls for" "$(grep -cE \
		"PTE.* PCD .*addr=$pa |page: pfn ${pa%000}, not this kernel's RAM|permissions: as the VMA calls for$" "$work/out")" 3
	equal "$what: graft --mmio: its cache type" "$(grep -c 'prot=r cache=uc$' "$work/held")" 1
	let_go "graft --mmio" TERM 143
	gone "graft --mmio, undone"
}

check_graft_dry_run()
{
	ends_with "$what: graft --dry-run" 0 "$remap" graft "${pid[t]}:$LOW" --fresh --dry-run
	equal "$what: graft --dry-run: what it says" "$(grep -cE "^dry run|^  mapped $LOW-0x10fff, " "$work/out")" 2
	gone "graft --dry-run"
	nothing_listed "graft --dry-run"
	ends_with "$what: graft --dry-run --json" 0 \
		"$remap" graft --pid "${pid[t]}" --frames-of "$(place s a)" --dry-run --json
	equal "$what: graft --dry-run --json" "$(jq -c '[.id, .keep, .other_pid, .other_address]' "$work/out")" \
		"[null,false,${pid[s]},\"${at[s-a]}\"]"
	sees "graft --dry-run: where it would be" t "$(jq -r .address "$work/out")" SIGSEGV
	refused "graft --dry-run: taken" "mapped there already" graft "$(place t a)" --fresh --dry-run
}

# shellcheck disable=SC2016 # for the command's own shell
check_graft_ends()
{
	hold graft "${pid[t]}:$LOW" --fresh --for 3s
	sees "graft --for" t $LOW -
	ends_alone "graft --for" 0 "in force for 3"
	gone "graft --for, undone"
	hold graft "${pid[t]}:$LOW" --fresh
	sees "graft, before SIGKILL" t $LOW -
	let_go "graft" KILL 137
	gone "graft, after SIGKILL"
	"$remap" graft "${pid[t]}:$LOW" --fresh -- sh -c '"$0" list; exit 7' "$remap" >"$work/out" 2>"$work/err"
	equal "$what: graft -- COMMAND: its status" $? 7
	equal "$what: graft -- COMMAND: in force while it runs" "$(grep -c ' active .* mapped ' "$work/out")" 1
	gone "graft -- COMMAND, undone"
	hold graft "${pid[t]}:$LOW" --fresh
	ask t unmap $LOW
	ends_alone "graft, unmapped by the process" 1 "pid ${pid[t]}, $LOW: the mapping is gone: .*munmap"
}

check_graft_walk()
{
	hold graft "${pid[t]}:$LOW" --fresh --prot rw --cache uc
	"$remap" walk --pid "${pid[t]}" $LOW >"$work/out"
	equal "$what: graft: walk before the first access" \
		"$(grep -c 'permissions: as the VMA calls for: no entry until the first access' "$work/out")" 1
	ask t write $LOW x
	"$remap" walk --pid "${pid[t]}" $LOW >"$work/out"
	equal "$what: graft: walk: the mapping and its flags" \
		"$(grep -cE "mapping: $LOW-0x10fff rw-s .*\[ptremap\]|VM_PFNMAP.* VM_IO|permissions: as the VMA calls for$" "$work/out")" 3
	let_go "graft" TERM 143
}

check_graft_refused()
{
	local none=4194000 thread

	thread=$(pgrep -x kthreadd)
	refused "graft: no such process" "no such process" graft --pid $none --fresh
	refused "graft: a kernel thread" "a process without memory" graft --pid "$thread" --fresh
	refused "graft: no such lender" "one of the two processes is not there" \
		graft "${pid[t]}:$LOW" --frames-of $none:0x1000
	refused "graft: a kernel thread as lender" "one of the two is without memory" \
		graft "${pid[t]}:$LOW" --frames-of "$thread:0x1000"
	refused "graft: the kernel's half" "not in user space" graft "${pid[t]}:0xffff888000000000" --fresh
	refused "graft: not aligned" "no multiple of 4096" graft "${pid[t]}:0x10008" --fresh
	refused "graft: too low" "mmap_min_addr" graft "${pid[t]}:0x1000" --fresh
	refused "graft: taken" "mapped there already" graft "$(place t a)" --fresh
	# 1 GiB is the most that can be asked for; the debug kernel has more
	awk '$1 == "MemTotal:" { exit $2 < 1048576 }' /proc/meminfo || refused \
		"graft: more than there is memory" "or no memory" graft --pid "${pid[t]}" --fresh --len 1G
	refused "graft: wb there, not here" "others have mapped is wb" \
		graft "${pid[t]}:$LOW" --frames-of "$(place s a)" --cache uc
	refused "graft: writable, where its owner may only read" "its owner may only read" \
		graft "${pid[t]}:$LOW" --frames-of "$(place s code)" --prot rw
	refused "graft: nothing to lend" "nothing mapped there" graft "${pid[t]}:$LOW" --frames-of "$(place s none)"
	refused "graft: a device's memory" "memory of a device" \
		graft "${pid[t]}:$LOW" --frames-of "$(place s device)"
	refused "graft: beyond the address width" "beyond the physical address width" \
		graft "${pid[t]}:$LOW" --phys 0x10000000000000
	refused "graft: no RAM" "not all of it is RAM" graft "${pid[t]}:$LOW" --phys 0x1000000000
	refused "graft: RAM as a device" "not all of it is device memory" graft "${pid[t]}:$LOW" --mmio 0x100000
	refused "graft: a page table" "page table" graft "${pid[t]}:$LOW" --phys "$(table_of s)"
	refused "graft: the kernel's image" "reserved: the kernel's image" graft "${pid[t]}:$LOW" --phys "$(text_pa)"
	fails "$what: graft: not root" 1 "run as root" \
		setpriv --reuid 1000 --clear-groups "$remap" graft "${pid[t]}:$LOW" --fresh
	gone "graft: after all refusals"
}

# table_of PROGRAM - the physical address of one of its page tables
table_of()
{
	printf '0x%x' $(($("$remap" walk --pid "${pid[$1]}" --json "${at[$1-a]}" | jq -r '.levels[-1].at') & ~0xfff))
}

# text_pa - that of the kernel's first page of code
text_pa()
{
	"$remap" kind --json "0x$(awk '$3 == "_text" { print $1 }' /proc/kallsyms)" | jq -r .pa
}

# ---- files -----------------------------------------------------------------------------------

part_apply()
{
	start t
	start s
	cat >"$work/changes" <<-END
		# what there is to change
		map $(place t a) frame-of=$(place s b)

		map $(place t b) fresh expect=$(entry t b) # as it was
		swap $(place t c) with=${at[t-d]}
		protect $(place s a) clear=RW,NX set=PK=2
	END
	hold apply "$work/changes"
	sees "apply" t a s-b
	sees "apply" t b -
	sees "apply" t c t-d
	sees "apply" t d t-c
	equal "$what: apply: one transaction" "$("$remap" list --json | jq .id | sort -u | wc -l)" 1
	equal "$what: apply: entries that were changed" "$("$remap" list --json | wc -l)" 5
	let_go "apply" INT 130
	sees "apply, undone" t a t-a
	sees "apply, undone" t d t-d
	echo "trap $(place t none)" >>"$work/changes"
	fails "$what: apply: one that is refused" 1 "changes, line 7: trap .*: nothing is mapped" \
		"$remap" apply "$work/changes"
	sees "apply: none was made" t a t-a
	sees "apply: none was made" t c t-c
	echo "trap $(place t a) now" >>"$work/changes"
	fails "$what: apply: one that makes no sense" 1 "changes, line 8: 'now'" "$remap" apply "$work/changes"
	nothing_listed "apply"
	head -n 2 "$work/changes" | "$remap" apply --keep - >"$work/out" 2>"$work/err"
	sees "apply of stdin" t a s-b
	"$remap" undo --all 2>/dev/null
	stop t s
}

# ---- what the kernel takes away --------------------------------------------------------------

# taken CAUSE REQUEST... - the program's own act ends the change
taken()
{
	hold map --fresh "$(place t c)"
	ask t "${@:2}"
	ends_alone "taken by ${*:2}" 1 "pid ${pid[t]}, ${at[t-c]}: the original is back: .*$1"
}

part_guard()
{
	start t
	taken mprotect fork
	sees "taken by fork" t c t-c
	taken mprotect protect c
	sees "taken by protect" t c t-c
	taken madvise discard c
	taken munmap unmap c
	hold map --fresh "$(place t a)" "$(place t b)"
	ask t discard a
	sees "one of two taken" t b -
	sleep 1
	equal "$what: one of two taken: states" "$("$remap" list --json | jq -r .state | tr '\n' ' ')" "taken active "
	let_go "one of two taken" TERM 143
	equal "$what: one of two taken: lines about it" "$(grep -c 'the original is back' "$work/held.err")" 1
	hold trap "$(place t d)"
	echo exec >&"${to[t]}"
	hear t
	ends_alone "taken by exec" 1 "exec"
	sees "after exec" t d t-d
	hold map --fresh "$(place t d)"
	{ kill -KILL "${pid[t]}" && wait "${pid[t]}"; } 2>/dev/null
	ends_alone "taken by SIGKILL" 1 "exited, was killed"
	start t
	hold map --fresh "$(place t a)"
	"$remap" undo "$(sed -n 's/^transaction //p' "$work/held")" 2>/dev/null
	ends_alone "undone by somebody else" 1 "undone by somebody else"
	stop t
	nothing_listed "after all"
}

# ---- what tracers see ------------------------------------------------------------------------

part_traced()
{
	local recorder

	start t
	echo 1 >$TRACING/events/ptremap/enable
	echo >$TRACING/trace
	"$pf" record -q -p "${pid[t]}" -o "$work/faults" 2>"$work/err" &
	recorder=$!
	until [[ -s $work/faults ]] || ! kill -0 $recorder 2>/dev/null; do sleep 0.1; done
	sleep 0.5
	hold trap "$(place t a)"
	ask t read a
	let_go "trap" TERM 143
	kill -INT $recorder
	wait $recorder
	"$pf" script -i "$work/faults" >"$work/script"
	at_least "$what: trap: faults that ptrace-pf has at the page" "$(grep -c "${at[t-a]#0x}" "$work/script")" 1
	grep "${at[t-a]#0x}" "$work/script" | head -n 2
	"$remap" trap "${pid[t]}:0x1000" 2>/dev/null
	grep ptremap_ $TRACING/trace >"$work/events"
	equal "$what: event of the change" \
		"$(grep -c "ptremap_edit: pid=${pid[t]} va=${at[t-a]} what=5 " "$work/events")" 1
	equal "$what: event of the undo" \
		"$(grep -c "ptremap_restore: pid=${pid[t]} va=${at[t-a]} .*cause=1\$" "$work/events")" 1
	equal "$what: event of a refusal" \
		"$(grep -c "ptremap_refuse: pid=${pid[t]} va=0x1000 what=5 error=-2\$" "$work/events")" 1
	echo 0 >$TRACING/events/ptremap/enable
	stop t
}

module=$1
shift
prepare "$module"
parts "$@"
((!failures))
