#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: walks of a Linux that QEMU runs under KVM. What must come out is what QEMU's
# monitor says: gva2gpa walks the guest's tables, gpa2hva asks QEMU's own memory map, gpa2hpa reads
# pagemap.
# usage: qemu_guest.sh MODULE KERNEL INITRD SEED
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"
# shellcheck source=tests/lib/monitor.sh
. "$top/tests/lib/monitor.sh"

readonly MODULE=$1 KERNEL=$2 INITRD=$3 SEED=$4
readonly ptremap=$bin/ptremap NAME=linux,,guest
# Without KASLR these are the regions of the guest's addresses (Documentation/arch/x86/x86_64/mm.rst).
readonly REGIONS=(user direct vmalloc vmemmap cpu_entry text upper)
declare -rA FIRST_DIGITS=([user]=0x[0-7] [direct]=0xffff88 [vmalloc]=0xffffc9 [vmemmap]=0xffffea
	[cpu_entry]=0xfffffe [text]=0xffffffff[89ab] [upper]=0xffffffff[c-f])
# Addresses for each region, and of NPT for each size of pages.
readonly ASKED=45 LEAVES=100
# Pages that are exchanged: a quarter of its memory.
readonly EXCHANGED=10000
# What the guest's kernel wants under an emulated KVM: high resolution timers hang it now and then,
# and what it prints is most of the time that it takes.
readonly APPEND='console=ttyS0 quiet panic=-1 nokaslr mitigations=off highres=off acpi=off
	no_timer_check cryptomgr.notests'

# ---- the guest --------------------------------------------------------------------------------

# start - sets $vm, QEMU's pid; fd 7 is what the guest's console reads, $work/console what it says
start()
{
	mkfifo "$work/serial.in" "$work/serial.out" && monitor_open "$work/monitor" || exit 1
	exec 7<>"$work/serial.in"
	: >"$work/console"
	setpriv --pdeathsig TERM cat <>"$work/serial.out" >"$work/console" &
	reader=$!
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -name "$NAME" \
		-machine pc -accel kvm -cpu qemu64 -m 160M \
		-kernel "$KERNEL" -initrd "$INITRD" -append "$APPEND" \
		-chardev "pipe,id=serial,path=$work/serial" -serial chardev:serial \
		-chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor,mode=control \
		>"$work/qemu" 2>&1 &
	vm=$!
}

# said WORD SECONDS - waits for it
said()
{
	local end=$((SECONDS + $2))

	until grep -q "^$1" "$work/console"; do
		{ kill -0 "$vm" 2>/dev/null && ((SECONDS < end)); } || return 1
		sleep 0.1
	done
}

# until_says WORD
until_says()
{
	said "$1" 60 && return
	not_ok "the guest says '$1'; QEMU: $(<"$work/qemu"); its console:"
	tail -n 40 "$work/console" | tr -d '\r'
	finish
}

# forget - what start made
forget()
{
	wait "$vm"
	status=$?
	kill "$reader"
	wait "$reader" 2>/dev/null
	monitor_close
	rm -f "$work"/serial.{in,out}
}

end_guest()
{
	local status

	qmp quit
	forget
	equal "QEMU's exit status" "$status" 0
}

# boot - one that was not ready in time is ended, and there is another one
boot()
{
	local try status

	for try in 1 2 3; do
		start
		qmp qmp_capabilities
		said ready 60 && return
		echo "boot $try: not ready after 60 s: $(tail -n 1 "$work/console")"
		kill -9 "$vm"
		forget
	done
	not_ok "the guest gets ready"
	finish
}

# Pages of 2 MiB for what it has touched up to "ready", of 4 KiB for what it touches afterwards.
bring_up()
{
	echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
	boot
	echo never >/sys/kernel/mm/transparent_hugepage/enabled
	echo >&7
	until_says touched
}

# ---- addresses --------------------------------------------------------------------------------

# random - sets $number, of 60 bits
random()
{
	number=$((RANDOM << 45 | RANDOM << 30 | RANDOM << 15 | RANDOM))
}

# pick_gvas REGION - two thirds in its ranges, one third behind them, from near to far. What is
# printed are addresses that the CPU takes: bit 47 is the sign.
pick_gvas()
{
	local starts lasts i k at

	mapfile -t starts < <(awk -v d="^${FIRST_DIGITS[$1]}" '$1 ~ d { print $1 }' "$work/ranges")
	mapfile -t lasts < <(awk -v d="^${FIRST_DIGITS[$1]}" '$1 ~ d { print $2 }' "$work/ranges")
	for ((i = 0; ${#starts[@]} && i < ASKED; i++)); do
		k=$((RANDOM % ${#starts[@]}))
		random
		if ((i % 3)); then
			at=$((starts[k] + number % (lasts[k] - starts[k] + 1)))
		else
			at=$((lasts[k] + 1 + (number & ((4096 << RANDOM % 28) - 1))))
		fi
		printf '0x%x\n' $((at << 16 >> 16))
	done
}

pick_all()
{
	local region

	"$ptremap" dump --json --vm "$vm" --gva | jq -r '.start + " " + .last' >"$work/ranges"
	for region in "${REGIONS[@]}"; do
		pick_gvas "$region" >"$work/gvas.$region"
		equal "$region: addresses" "$(wc -l <"$work/gvas.$region")" $ASKED
	done
	cat "${REGIONS[@]/#/$work/gvas.}" >"$work/gvas"
}

# ---- the monitor's answers --------------------------------------------------------------------

# ask COMMAND - for each address on stdin; "-" for none, and any other words as they are
ask()
{
	local addresses

	mapfile -t addresses
	hmp 0 "${addresses[@]/#/$1 }" | sed -E 's/^gpa: //; s/^Unmapped$/-/
		s/^Host (virtual|physical) address for 0x[0-9a-f]+ \(.*\) is (0x[0-9a-f]+)$/\2/
		s/^(Error: )?(No memory is mapped at address|Memory at address) .*/-/
		s/^(Error: )?Page not present$/-/'
}

# asked_gpas - "GPA HVA HPA" for each gpa on stdin
asked_gpas()
{
	cat >"$work/gpas"
	ask gpa2hva <"$work/gpas" >"$work/hvas"
	ask gpa2hpa <"$work/gpas" >"$work/hpas"
	paste -d ' ' "$work/gpas" "$work/hvas" "$work/hpas"
}

# ---- what is compared -------------------------------------------------------------------------

check_vms()
{
	local threads

	threads=$(qmp query-cpus-fast | jq '.[]["thread-id"]')
	"$pf" vms --json | jq -r '.vms[] | [.pid, .vmm, .name, .vcpus[].tid] | join(" ")' >"$work/got"
	echo "$vm qemu-system-x86 ${NAME//,,/,} $threads" >"$work/want"
	same_lines "ptrace-pf vms: pid, VMM, name, threads" "$work/want" "$work/got"
}

# state - of the vCPU, as walk has it
state()
{
	"$ptremap" walk --json --vm "$vm" --gva 0xffffffff81000000 | jq -r .vcpu.state
}

# until_state STATE - the guest takes its time: after "cont" it has ticks to catch up with
until_state()
{
	local now end=$((SECONDS + 60))

	until now=$(state) && [[ $now == "$1" ]] || ((SECONDS >= end)); do sleep 0.1; done
	equal "$1: state" "$now" "$1"
}

# The reasons behind addresses, and how often.
reasons()
{
	cut -d ' ' -f 5- "$1" | sed 's/ at .*//; s/leads to.*/leads to/; s/^$/page/' | sort | uniq -c |
		awk '{ n = $1; $1 = ""; printf "%s%s: %d", (NR > 1 ? "," : ""), $0, n }'
}

# translate_gvas FILE - to $work/said
translate_gvas()
{
	"$ptremap" translate --vm "$vm" --gva - <"$1" >"$work/said"
}

# Of each host-virtual address on stdin, whether pagemap has a page there: bit 63.
in_pagemap()
{
	local hva

	while read -r hva; do
		dd if="/proc/$vm/pagemap" bs=8 skip=$((hva >> 12)) count=1 status=none | od -An -t x8
	done | grep -c '^ [89a-f]'
}

# find_absent - to $work/absent, of $work/said; in the direct map are always some
find_absent()
{
	local i

	for ((i = 0; i < 20; i++)); do
		awk '/no page in the VM/ { print $3 }' "$work/said" >"$work/absent"
		[[ -s $work/absent ]] && break
		pick_gvas direct >"$work/gvas.more"
		translate_gvas "$work/gvas.more"
	done
}

# To be done before the monitor is asked: gpa2hpa writes to the page, so that there is one.
check_absent()
{
	find_absent
	at_least "gvas of memory that QEMU has no page for" "$(wc -l <"$work/absent")" 1
	equal "of them pages in pagemap" "$(in_pagemap <"$work/absent")" 0
}

check_gvas()
{
	translate_gvas "$work/gvas"
	ask gva2gpa <"$work/gvas" >"$work/gpas"
	paste -d ' ' "$work/gvas" "$work/gpas" >"$work/want"
	cut -d ' ' -f 1,2 "$work/said" >"$work/got"
	same_lines "translate --gva, as gva2gpa ($(reasons "$work/said") )" "$work/want" "$work/got"
	at_least "gvas with a page" "$(grep -cv -- '-$' "$work/want")" 150 gva2gpa
	at_least "gvas without" "$(grep -c -- '-$' "$work/want")" 40 gva2gpa
	check_absent
	awk '$2 != "-" { print $2 }' "$work/want" | asked_gpas >"$work/want.gpas"
	translate_gvas "$work/gvas"
	awk '$2 != "-" { print $2, $3, $4 }' "$work/said" >"$work/got"
	same_lines "where they lead, as gpa2hva and gpa2hpa" "$work/want.gpas" "$work/got"
	at_least "of them in memory" "$(grep -cv -- '-$' "$work/want.gpas")" 120 gpa2hpa
}

# walk takes the same way; what it says as JSON
check_walks()
{
	"$ptremap" walk --json --vm "$vm" --gva - <"$work/gvas" |
		jq -r 'select(.guest.pa) | [.gpa, .hva // "-", .host.pa // "-"] | join(" ")' >"$work/got"
	same_lines "walk --gva, as gva2gpa, gpa2hva and gpa2hpa" "$work/want.gpas" "$work/got"
}

# pick_leaves SIZE - addresses within pages of NPT, and where they lead by it: "GPA HPA". Not of those
# that are shared: being asked for they would become others.
pick_leaves()
{
	local start pa

	jq -r "select(.page_size == $1 and .write) | .start + \" \" + .pa" "$work/npt" |
		while read -r start pa; do
			echo "$RANDOM $start $pa"
		done | sort -n | head -n $LEAVES |
		while read -r _ start pa; do
			random
			printf '0x%x 0x%x\n' $((start + number % $1)) $((pa + number % $1))
		done
}

# check_leaves SIZE NAME MIN
check_leaves()
{
	pick_leaves "$1" >"$work/leaves"
	at_least "NPT: $2: pages" "$(wc -l <"$work/leaves")" "$3"
	cut -d ' ' -f 1 "$work/leaves" | asked_gpas >"$work/want"
	cut -d ' ' -f 1,3 "$work/want" >"$work/want.hpas"
	same_lines "NPT: $2: dump --gpa, as gpa2hpa" "$work/want.hpas" "$work/leaves"
	cut -d ' ' -f 1 "$work/leaves" | "$ptremap" translate --vm "$vm" --gpa - >"$work/got"
	same_lines "NPT: $2: translate --gpa, as gpa2hva and gpa2hpa" "$work/want" "$work/got"
}

check_npt()
{
	"$ptremap" dump --pages --json --vm "$vm" --gpa >"$work/npt"
	check_leaves 4096 "4 KiB" $LEAVES
	check_leaves 2097152 "2 MiB" 10
}

# check_moving STATE - the guest goes on meanwhile, and its kernel stays where it was
check_moving()
{
	until_state "$1"
	"$ptremap" translate --vm "$vm" --gva - <"$work/gvas.text" | cut -d ' ' -f 1-4 >"$work/got"
	same_lines "$1: the kernel's text, as when it was stopped" "$work/text" "$work/got"
	cut -d ' ' -f 1,2 "$work/text" >"$work/want"
	ask gva2gpa <"$work/gvas.text" >"$work/gpas"
	paste -d ' ' "$work/gvas.text" "$work/gpas" >"$work/got"
	same_lines "$1: the kernel's text, as gva2gpa" "$work/want" "$work/got"
}

check_stopped()
{
	qmp stop
	pick_all
	check_gvas
	check_walks
	check_npt
	equal "stopped: state" "$(state)" outside
	"$ptremap" translate --vm "$vm" --gva - <"$work/gvas.text" | cut -d ' ' -f 1-4 >"$work/text"
	qmp cont
}

# exchange HOW - the pages of $EXCHANGED
exchange()
{
	"$bin/tests/ept_exchange" "$1" "$vm" $EXCHANGED "$SEED"
	equal "exchange $1: status" $? 0
}

# check_exchanged - while it is stopped: a guest's kernel does not stand it that pages of its own
# change places. Afterwards it goes on as if nothing had been.
check_exchanged()
{
	qmp stop
	exchange stopped
	qmp cont
}

# summed - how many turns the guest's processes say they have had
summed()
{
	tr -d '\r' <"$work/console" | sed -nE 's/^summed ([0-9]+) wrong [0-9]+$/\1/p' | tail -n 1
}

# sums_on WHEN TURNS - it does so many more
sums_on()
{
	local from now i

	from=$(summed)
	for ((i = 0; i < 300; i++)); do
		now=$(summed)
		((now >= from + $2)) && break
		sleep 0.2
	done
	at_least "$1: turns of sums" $((now - from)) "$2" 'those waited for'
}

# accesses - how many the watch has seen
accesses()
{
	grep -cE ' (read|write|exec) gpa=' "$work/watched"
}

# check_running - it sums what it knows while pages of its memory are exchanged in pairs and back,
# and while all that it does in them is watched.
check_running()
{
	local pages watcher i

	echo >&7
	until_says summed
	sums_on 'before' 8
	exchange running
	sums_on 'exchanged' 8
	mapfile -t pages < <("$bin/tests/ept_exchange" list "$vm" $EXCHANGED "$SEED")
	: >"$work/err"
	"$ptremap" watch --vm "$vm" "${pages[@]/#/--gpa=}" >"$work/watched" 2>"$work/err" &
	watcher=$!
	until grep -q watching "$work/err"; do sleep 0.1; done
	exchange running
	for ((i = 0; i < 300 && $(accesses) < 500; i++)); do
		sleep 0.2
	done
	kill -INT $watcher
	wait $watcher
	equal 'watched: exit status' $? 130
	at_least "watched: accesses to $EXCHANGED pages" "$(accesses)" 500 'those waited for'
	sums_on 'watched' 8
	equal 'words that were wrong, processes that ended, trouble of the kernel' \
		"$(grep -cE 'wrong [1-9]|^ended|BUG|Oops|panic|Call Trace' "$work/console")" 0
}

RANDOM=$SEED
echo "seed $SEED"
modprobe kvm_amd && insmod "$MODULE" && insmod "${MODULE%/*}/ptremap_kvm.ko" || exit 1
bring_up
check_vms
check_stopped
check_moving halted
echo >&7
until_says works
check_moving running
check_exchanged
check_moving running
check_running
end_guest
{ rmmod ptremap_kvm && rmmod ptremap; } || not_ok 'the modules are gone'
finish
