#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What QEMU's monitor says about the page tables of a stopped guest, against what ptremap finds in a
# dump of the guest's memory: every mapping with its address and flags, the permissions of all
# levels, translations. Linux, with a process on each CPU that has memory of every kind, and a
# payload without any system in every mode of paging.
# usage: lab_image.sh [GUEST]... (see bits below)
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/monitor.sh
. "$top/tests/lib/monitor.sh"
# shellcheck source=tests/lib/upper_entries.sh
. "$top/tests/lib/upper_entries.sh"

readonly ptremap=$bin/ptremap lib=$top/tests/lib
readonly GUESTS=(linux-4level linux-5level 32bit pse pae 4level 5level)
# Of an address, without its sign.
declare -rA BITS=([linux-4level]=48 [linux-5level]=57 [32bit]=32 [pse]=32 [pae]=32 [4level]=48
	[5level]=57)
# How many there are, at least: of pages and ranges in a guest, of answers to gva2gpa, of kinds of
# pages.
readonly LINUX_PAGES=5000 LINUX_RANGES=150 PAYLOAD_PAGES=1600 PAYLOAD_RANGES=15
readonly TRANSLATIONS=40 HOLES=10 KINDS=8

# start_linux NAME - returns when every CPU is at its process
start_linux()
{
	local kernel=6.1 levels=4

	[[ $1 == *5level ]] && kernel=6.12 levels=5
	cpus=2
	setpriv --pdeathsig TERM "$top/scripts/lab" --kernel "$kernel" --cpu-levels "$levels" \
		--smp "$cpus" --mem 512M --timeout 120 --quiet --monitor "$dir/monitor" \
		--results "$dir/results" -- "$lib/hold.sh" "$bin/tests/kinds" &
	guest=$!
	await test -e "$dir/results/ready"
}

# start_payload MODE
start_payload()
{
	local payload=paging-32.elf

	[[ $1 == ?level ]] && payload=paging-64.elf
	cpus=1
	setpriv --pdeathsig TERM timeout 120 qemu-system-x86_64 -nodefaults -no-user-config \
		-display none -no-reboot -accel tcg -cpu max -m 64M \
		-kernel "$bin/guests/$payload" -append "hold=$1" -debugcon "file:$dir/said" \
		-chardev "pipe,id=monitor,path=$dir/monitor" -mon chardev=monitor,mode=control \
		</dev/null &
	guest=$!
	await grep -sqx held "$dir/said"
}

# start NAME - the guest, up to where it is looked at; sets $guest and $cpus
start()
{
	if [[ $1 == linux-* ]]; then
		start_linux "$1"
	else
		start_payload "$1"
	fi
}

# await COMMAND... - until it succeeds; fails when the guest is gone
await()
{
	until "$@"; do
		kill -0 "$guest" 2>/dev/null || return 1
		sleep 0.1
	done
}

# stop_guest NAME - Linux with all CPUs in user space, where its processes nearly always are
stop_guest()
{
	local rings tries

	qmp qmp_capabilities
	for ((tries = 0; tries < 20; tries++)); do
		qmp stop
		[[ $1 == linux-* ]] || return
		rings=$(hmp 0 "info registers -a" | grep -o 'CPL=.' | paste -sd ' ')
		[[ $rings == "CPL=3 CPL=3" ]] && break
		qmp cont
		sleep 0.1
	done
	equal "$1: where the CPUs were stopped" "$rings" "CPL=3 CPL=3"
}

# end_guest NAME - its own way, so that Linux's log is looked at
end_guest()
{
	if [[ $1 == linux-* ]]; then
		: >"$dir/results/go"
		qmp cont
	else
		qmp quit
	fi
	wait "$guest"
	equal "$1: the guest's end" $? 0
}

# observe NAME CPU DIR - all that the monitor has to say of that CPU's tables
observe()
{
	local to=$3 addresses

	hmp "$2" "info registers" >"$to/registers"
	hmp "$2" "info tlb" >"$to/tlb"
	if [[ $1 == *5level ]]; then
		upper_entries "$(register CR3 "$to")" >"$to/upper"
	else
		hmp "$2" "info mem" >"$to/mem"
	fi
	with_hex -v bits="${BITS[$1]}" -f "$lib/sample.awk" "$to/tlb" | sort -u >"$to/addresses"
	mapfile -t addresses <"$to/addresses"
	hmp "$2" "${addresses[@]/#/gva2gpa }" >"$to/gva2gpa"
}

with_hex()
{
	awk -f "$lib/hex.awk" "$@"
}

# register NAME DIR - its value, as `info registers` has it
register()
{
	sed -n "s/.*\b$1=\([0-9a-f]*\).*/0x\1/p" "$2/registers"
}

# registers_given DIR - options with what `info registers` shows
registers_given()
{
	local name

	for name in cr0 cr3 cr4 efer; do
		printf -- '--%s %s ' $name "$(register ${name^^} "$1")"
	done
}

# wanted_pages NAME DIR - `info tlb` but for one thing: with PAE, QEMU 7.2 takes bits 52 to 63 for
# a part of the address. Of those only NX is not reserved, and it is among the flags.
wanted_pages()
{
	if [[ $1 == pae ]]; then
		sed 's/: [0-9a-f]\{3\}/: 000/' "$2/tlb"
	else
		cat "$2/tlb"
	fi
}

# wanted_ranges NAME DIR - `info mem`, or what it should be
wanted_ranges()
{
	if [[ $1 == *5level ]]; then
		with_hex -f "$lib/effective.awk" "$2/upper" "$2/tlb" | merged "$1"
	else
		awk '{ print $1, $3 }' "$2/mem"
	fi
}

# merged NAME
merged()
{
	with_hex -v bits="${BITS[$1]}" -f "$lib/mem_ranges.awk"
}

# dump OPTION... - what ptremap finds, as JSON
dump()
{
	"$ptremap" dump --image "$dir/memory" --cpu "$cpu" --json "$@"
}

# as_info_tlb - dump --pages as `info tlb` shows it. Nothing is left out: an item that is no page is
# a difference.
as_info_tlb()
{
	jq -r '[.start, .pa, .page_size, .value] | join(" ")' | with_hex -f "$lib/info_tlb.awk"
}

# as_info_mem NAME - dump as `info mem` shows it
as_info_mem()
{
	jq -r '[.start, .last, (if .user then "u" else "-" end) +
		(if .read then "r" else "-" end) + (if .write then "w" else "-" end)] | join(" ")' |
		merged "$1"
}

# check_pages NAME DIR MIN
check_pages()
{
	local options

	wanted_pages "$1" "$2" >"$work/want"
	dump --pages >"$work/pages"
	as_info_tlb <"$work/pages" >"$work/got"
	at_least "$what: pages" "$(wc -l <"$work/want")" "$3" "info tlb"
	at_least "$what: combinations of flags" "$(cut -d " " -f 3 "$work/want" | sort -u | wc -l)" \
		$KINDS "info tlb"
	same_lines "$what: pages, as in info tlb" "$work/want" "$work/got"
	read -ra options <<<"$(registers_given "$2")"
	dump --pages "${options[@]}" >"$work/got"
	same_lines "$what: pages, with ${options[*]}" "$work/pages" "$work/got"
}

# check_ranges NAME DIR MIN
check_ranges()
{
	local oracle="info mem" option

	[[ $1 == *5level ]] && oracle="upper tables and info tlb"
	wanted_ranges "$1" "$2" >"$work/want"
	at_least "$what: ranges" "$(wc -l <"$work/want")" "$3" "$oracle"
	for option in "" --perms; do
		dump ${option:+"$option"} | as_info_mem "$1" >"$work/got"
		same_lines "$what: dump${option:+ $option}, as in $oracle" "$work/want" "$work/got"
	done
}

# check_translations DIR
check_translations()
{
	local place=(--image "$dir/memory" --cpu "$cpu")

	at_least "$what: translations" "$(grep -c '^gpa: 0x' "$1/gva2gpa")" $TRANSLATIONS gva2gpa
	at_least "$what: holes" "$(grep -c '^Unmapped$' "$1/gva2gpa")" $HOLES gva2gpa
	sed 's/^gpa: //; s/^Unmapped$/-/' "$1/gva2gpa" | paste -d ' ' "$1/addresses" - >"$work/want"
	"$ptremap" translate "${place[@]}" - <"$1/addresses" | cut -d ' ' -f 1,2 >"$work/got"
	same_lines "$what: translate, as gva2gpa" "$work/want" "$work/got"
	"$ptremap" walk "${place[@]}" --json - <"$1/addresses" |
		jq -r '.address + " " + (.pa // "-")' >"$work/got"
	same_lines "$what: walk, as gva2gpa" "$work/want" "$work/got"
}

# look NAME - at the guest, from outside, and lets it end
look()
{
	stop_guest "$1"
	for ((cpu = 0; cpu < cpus; cpu++)); do
		mkdir "$dir/$cpu" && observe "$1" "$cpu" "$dir/$cpu"
	done
	qmp dump-guest-memory paging false protocol "$(jq -n --arg file "$dir/memory" '"file:" + $file')"
	end_guest "$1"
}

# compare NAME - what was seen, with ptremap's answers
compare()
{
	local cpu what pages=$PAYLOAD_PAGES ranges=$PAYLOAD_RANGES

	[[ $1 == linux-* ]] && pages=$LINUX_PAGES ranges=$LINUX_RANGES
	for ((cpu = 0; cpu < cpus; cpu++)); do
		what="$1, CPU $cpu"
		check_pages "$1" "$dir/$cpu" "$pages"
		check_ranges "$1" "$dir/$cpu" "$ranges"
		check_translations "$dir/$cpu"
	done
}

# check_guest NAME
check_guest()
{
	local dir guest cpus

	dir=$(mktemp -d "$bin/tmp/image.XXXXXX") || exit
	at_exit rm -rf "$dir"
	monitor_open "$dir/monitor" || exit
	if start "$1"; then
		look "$1"
		compare "$1"
	else
		not_ok "$1: the guest did not get ready"
	fi
	monitor_close
	rm -rf "$dir"
}

(($#)) || set -- "${GUESTS[@]}"
mkdir -p "$bin/tmp" || exit
for name; do
	check_guest "$name"
done
finish
