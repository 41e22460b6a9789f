#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: walks of guests that the monitor of tests/guests/kvm runs. What must come out is
# what that monitor made of the tables, the slots and pagemap.
# usage: vm_guest.sh MODULE PART...
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"
# shellcheck source=tests/lib/monitored.sh
. "$(dirname "$0")/monitored.sh"

readonly MODULE=$1 QUESTIONS=${VM_QUESTIONS:-1200} CHANGING=${VM_CHANGING:-16}
shift

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
	at_least "$name: of them pages by both ways" "$(awk 'NF == 4' "$work/said" | wc -l)" \
		$((QUESTIONS / 5))
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
		start --mode "$mode" --gvas "$QUESTIONS" --hold "$hold" walks 200
		compare_walks && compare_registers "$state"
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
		start --mode "$mode" --hold spin hypercalls 1
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

# absent_of GPA PAGES - the ranges, "0xA-0xB", of a slot's pages that the monitor does not have, by
# its pagemap
absent_of()
{
	local gpa=$1 pages=$2 hva

	hva=$(hva_of "$gpa")
	dd if="/proc/$vm/pagemap" bs=8 skip=$((hva / 4096)) count="$pages" status=none |
		od -An -v -tx8 -w8 | awk '{ print $1 ~ /^ *[89a-f]/ }' | ranges "$gpa"
}

# ranges GPA - of lines, 1 for each page that is there, those of the pages that are not
ranges()
{
	local at=$1 start='' here

	while read -r here; do
		if ((here)); then
			[[ $start ]] && printf '0x%x-0x%x\n' "$start" $((at - 1))
			start=
		else
			start=${start:-$at}
		fi
		at=$((at + 4096))
	done
	[[ $start ]] && printf '0x%x-0x%x\n' "$start" $((at - 1))
}

# joined - ranges of lines "ptremap: 0xA-0xB: ..." on stdin, neighbours as one
joined()
{
	local start='' last=0 a b

	while IFS=': -' read -r _ a b _; do
		if [[ $start ]] && ((a == last + 1)); then
			last=$((b))
			continue
		fi
		[[ $start ]] && printf '0x%x-0x%x\n' "$start" "$last"
		start=$((a)) last=$((b))
	done
	[[ $start ]] && printf '0x%x-0x%x\n' "$start" "$last"
}

# hva_of GPA - of a slot's first byte
hva_of()
{
	sed -n "s/^slot .*gpa=$1 .*hva=\(0x[0-9a-f]*\).*/\1/p" "$work/guest"
}

# same_ranges WHAT - $work/want and $work/got, which may be empty
same_ranges()
{
	if cmp -s "$work/want" "$work/got"; then
		ok "$1: $(wc -l <"$work/want") as in pagemap"
	else
		not_ok "$1: $(diff "$work/want" "$work/got" | head -n 12)"
	fi
}

# compare_slot GPA BYTES - as the monitor itself has it, and the pages that it has not are named
compare_slot()
{
	local gpa=$1 bytes=$2 status

	absent_of "$gpa" $((bytes / 4096)) >"$work/want"
	"$remap" read --vm "$vm" --gpa "$gpa" --raw "$bytes" >"$work/raw" 2>"$work/stderr"
	status=$?
	equal "slot at $gpa: status" "$status" "$([[ -s $work/want ]] && echo 1 || echo 0)"
	equal "slot at $gpa: lines on stderr of something else" \
		"$(grep -vc "bytes were not read: in the VM's process: " "$work/stderr")" 0
	joined <"$work/stderr" >"$work/got"
	same_ranges "slot at $gpa: ranges without a page"
	absent_of "$gpa" $((bytes / 4096)) >"$work/got"
	same_ranges "slot at $gpa: ranges that still have none"
	"$bin/tests/guest_words" 1 "$gpa" <"$work/raw" >"$work/said"
	equal "slot at $gpa: pages with something else than the pattern" $? 0
	at_least "slot at $gpa: pages with it" "$(sed 's/filled=\([0-9]*\).*/\1/' "$work/said")" 4
	dd if="/proc/$vm/mem" bs=4096 skip=$(($(hva_of "$gpa") / 4096)) count=$((bytes / 4096)) \
		of="$work/mem" status=none
	equal "slot at $gpa: the process' memory" "$(cmp "$work/raw" "$work/mem" && echo same)" same
}

# Of pages all over the tables, whole ones by gva.
compare_pages()
{
	local gva gpa n=0 bad=0

	while read -r gva gpa; do
		printf -v gva '0x%x' $((gva & -4096))
		"$remap" read --raw --vm "$vm" --gva "$gva" 4096 2>"$work/stderr" |
			"$bin/tests/guest_words" 1 $((gpa & -4096)) >"$work/said"
		[[ $(<"$work/said") == 'filled=1 empty=0 wrong=0' && ! -s $work/stderr ]] ||
			bad=$((bad + 1))
		n=$((n + 1))
	done < <(sed -n 's/^walk .* gva=\(0x[0-9a-f]*\) gpa=\(0x[0-9a-f]*\) .* word=.*/\1 \2/p' \
		"$work/guest" | sort -u | head -12)
	equal "$name: pages of $n that have no pattern by gva" "$bad" 0
	at_least "$name: pages" "$n" 10
}

# buffer NAME - its address in the guest
buffer()
{
	sed -n "s/^buffer .*name=$1 .* addr=\(0x[0-9a-f]*\) .*/\1/p" "$work/guest" | head -1
}

# text NAME - what the monitor wrote there
text()
{
	sed -n "s/^buffer .*name=$1 .* text=\([a-z]*\).*/\1/p" "$work/guest" | head -1
}

# Two pages that are neighbours for the guest alone, and one that is followed by none.
compare_buffers()
{
	local gva

	gva=$(buffer scattered)
	"$remap" read --vm "$vm" --gva "$gva" --raw 64 >"$work/raw"
	equal 'two scattered pages: status, bytes' "$? $(stat -c %s "$work/raw")" '0 64'
	equal 'two scattered pages: text' "$(tr -d '\0' <"$work/raw")" "$(text scattered)"
	gva=$(buffer absent)
	"$remap" read --vm "$vm" --vcpu 0 --gva "$gva" --raw 64 >"$work/raw" 2>"$work/stderr"
	equal 'an absent page: status, bytes' "$? $(stat -c %s "$work/raw")" '1 64'
	equal 'an absent page: text' "$(tr -d '\0' <"$work/raw")" "$(text absent)"
	equal 'an absent page: stderr' "$(<"$work/stderr")" "$(printf \
		"ptremap: 0x%x-0x%x: 48 bytes were not read: the guest's tables lead to none: %s" \
		$((gva + 16)) $((gva + 63)) 'not present at PTE')"
	"$remap" read --vm "$vm" --gva "$gva" 64 >"$work/said" 2>/dev/null
	equal 'an absent page: hexdump' "$(wc -l <"$work/said") $(text absent)" \
		"1 $(grep -o '[a-z]\{16\}' "$work/said")"
	"$remap" read --vm "$vm" --gpa 0x30000000 --raw 8192 >"$work/raw" 2>"$work/stderr"
	equal 'no slot: status, bytes' "$? $(stat -c %s "$work/raw")" '1 8192'
	says 'no slot' '^ptremap: 0x30000000-0x30001fff: 8192 .* no memory slot: '
}

# vms_of KIND NAME... - of what ptrace-pf vms has in objects that begin with member KIND, the values
vms_of()
{
	tr '{' '\n' <"$work/json" | sed -n "/^\"$1\":/p" | awk -v names="$*" '
		BEGIN { n = split(names, name, " ") }
		{
			line = ""
			for (i = 1; i <= n; i++) {
				match($0, "\"" name[i] "\":[^,}]*")
				value = substr($0, RSTART + length(name[i]) + 3, RLENGTH - length(name[i]) - 3)
				gsub("\"", "", value)
				line = line (i > 1 ? " " : "") value
			}
			print line
		}'
}

# until_vms STATE - each vCPU is in it
until_vms()
{
	local i

	for ((i = 0; i < 50; i++)); do
		"$pf" vms --json >"$work/json" 2>"$work/stderr"
		[[ $(vms_of index state | sort -u | cut -d' ' -f2 | sort -u) == "$1" ]] && return
	done
}

# What ptrace-pf lists: slots and registers as the monitor gave them, and the tables' kind and root.
part_vms()
{
	local tables=npt

	grep -qw vmx /proc/cpuinfo && tables=ept
	name=vms
	start --vcpus 3 --mode pae --hold halt hypercalls 10
	until_says held
	until_vms halted
	equal "$name: lines on stderr, tables" \
		"$(wc -l <"$work/stderr") $(grep -o '"tables":"[a-z]*"' "$work/json")" \
		"0 \"tables\":\"$tables\""
	sed -n 's/^cpu vcpu=\([0-9]*\) cr0=\(.*\) cr3=\(.*\) cr4=\(.*\) efer=\(.*\)/\1 halted pae \2 \3 \4 \5/p' \
		"$work/guest" >"$work/want"
	vms_of index state mode cr0 cr3 cr4 efer >"$work/got"
	same_lines "$name: vCPUs, their state, mode and registers" "$work/want" "$work/got"
	while read -r id gpa size hva; do
		printf '%d %s 0x%x %s\n' "$id" "$gpa" $((gpa + size - 1)) "$hva"
	done < <(sed -n 's/^slot id=\(.*\) gpa=\(.*\) size=\(.*\) hva=\(.*\) flags=.*/\1 \2 \3 \4/p' \
		"$work/guest") >"$work/want"
	# KVM has slots of its own, from 32764 on (on Intel the APIC's page).
	vms_of id start last hva | grep -v '^3276' >"$work/got"
	same_lines "$name: slots" "$work/want" "$work/got"
	"$remap" walk --vm "$vm" --gpa 0xa000 >"$work/said"
	equal "$name: root of the first vCPU" "$(vms_of index root | sed -n '1s/0 //p')" \
		"$(sed -n "s/^guest-physical 0xa000: $tables.*, root //p" "$work/said")" "ptremap walk"
	"$pf" vms >"$work/said"
	equal "$name: lines of slots, vCPUs, roots" "$(grep -c '^  slot .,' "$work/said") $(grep -c \
		'^  vCPU [012], thread [0-9]*: halted at 0x[0-9a-f]*, pae, ' "$work/said") $(grep -c \
		"^    ${tables^^} root 0x[0-9a-f]*, [45] levels" "$work/said")" '2 3 3'
	stop
}

# Pages that nobody has touched are there when they were asked for, and not before.
compare_fetched()
{
	local what='pages nobody had touched' read=(--vm "$vm" --gpa 0x40000ff8 --raw 8200)

	"$remap" read "${read[@]}" >"$work/raw" 2>"$work/stderr"
	equal "$what: status, bytes, lines" \
		"$? $(stat -c %s "$work/raw") $(wc -l <"$work/stderr")" '1 8200 1'
	equal "$what: absent" "$(absent_of 0x40000000 4)" 0x40000000-0x40003fff
	"$remap" read --fault-in "${read[@]}" >"$work/raw" 2>"$work/stderr"
	equal "$what, with --fault-in: status, bytes, lines" \
		"$? $(stat -c %s "$work/raw") $(wc -l <"$work/stderr")" '0 8200 0'
	equal "$what: absent then" "$(absent_of 0x40000000 4)" 0x40003000-0x40003fff
}

# swap_out HVA [ARG]... - pushes the monitor's page out until a read with the ARGs fails; its words are
# then in $work/stderr
swap_out()
{
	local hva=$1 i

	shift
	for ((i = 0; i < 20; i++)); do
		"$bin/tests/pageout" "$vm" "$hva" || break
		"$remap" read --vm "$vm" "$@" >"$work/said" 2>"$work/stderr" || break
	done
	equal 'swapped out: lines on stdout, on stderr' \
		"$(wc -l <"$work/said") $(wc -l <"$work/stderr")" '0 1'
}

# not_read REASON - the line on stderr says it of a page
not_read()
{
	says 'swapped out' "^ptremap: 0x[0-9a-f]*-0x[0-9a-f]*: 4096 bytes were not read: $1\$"
}

# back GPA ARG... - the page with the ARGs has its pattern, and nothing is missed
back()
{
	local gpa=$1

	shift
	"$remap" read --fault-in --raw --vm "$vm" "$@" 2>"$work/stderr" |
		"$bin/tests/guest_words" 1 "$gpa" >"$work/said"
	equal 'swapped out, with --fault-in: pages' "$(<"$work/said") $(wc -l <"$work/stderr")" \
		'filled=1 empty=0 wrong=0 0'
}

# A page with the pattern, and a table that leads to it, in swap space and back.
compare_swapped()
{
	local swap="in the VM's process: no page: swap type 0 offset 0x.* at PTE" gva gpa hva table

	read -r gva gpa hva < <(sed -n \
		's/^walk .* gva=\(0x[0-9a-f]*\)... gpa=\(0x[4-7]....\)... level=1 .* hva=\(0x[0-9a-f]*\)... .* word=.*/\1000 \2000 \3000/p' \
		"$work/guest")
	swap_out "$hva" --gpa "$gpa" 4096
	not_read "$swap"
	back "$gpa" --gpa "$gpa" 4096
	table=$("$remap" walk --vm "$vm" --gva "$gva" |
		sed -n '1,/^guest-physical/s/^  PTE\[[0-9]*\] *at \(0x[0-9a-f]*\):.*/\1/p')
	hva=$("$remap" translate --vm "$vm" --gpa "$table" | cut -d' ' -f2)
	swap_out $((hva & -4096)) --gva "$gva" 4096
	not_read "the guest's PTE at guest-physical $table is unreadable: $swap"
	back "$gpa" --gva "$gva" 4096
}

part_memory()
{
	mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1
	name=memory
	start --gvas 300 --hold halt walks 200
	until_says held
	compare_pages
	compare_swapped
	compare_slot 0x40000000 4194304
	at_least "$name: ranges without a page" "$(wc -l <"$work/want")" 10
	compare_slot 0x180000000 2097152
	stop
	start --hold halt capsule 8
	until_says held && compare_buffers
	stop
	start --wait --access r touch 4
	until_says ready && compare_fetched
	stop
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
	refused 'reading: no such vCPU' 'no vCPU 7' read --vm "$vm" --vcpu 7 --gpa 0 8
	refused 'reading: no VM there' 'has no VM' read --vm $$ --gpa 0 8
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

# write_at GVA ARG... - bytes of $work/bytes to the guest; words in $work/stderr
write_at()
{
	local gva=$1

	shift
	"$remap" write --vm "$vm" --gva "$gva" --file "$work/bytes" "$@" 2>"$work/stderr"
}

# random_bytes N - into $work/bytes
random_bytes()
{
	head -c "$1" /dev/urandom >"$work/bytes"
}

# reads_back GVA - what is in $work/bytes, by a copy of the process' own memory
reads_back()
{
	"$remap" read --vm "$vm" --gva "$1" --raw "$(stat -c %s "$work/bytes")" 2>/dev/null |
		cmp -s - "$work/bytes" && echo same || echo differs
}

# Whole buffers over scattered pages, while nobody runs; then the guest itself reads them.
write_buffers()
{
	local gva=0x20000000 i

	random_bytes $((3 * 4096 + 17))
	write_at $((gva + 4090))
	equal "$name: 5 scattered pages: status, stderr" "$? $(<"$work/stderr")" '0 '
	equal "$name: 5 scattered pages: bytes" "$(reads_back $((gva + 4090)))" same
	cp "$work/bytes" "$work/scattered"
	random_bytes 8192
	write_at $((gva + 47 * 4096))
	equal "$name: a page of two is absent: status, lines" "$? $(wc -l <"$work/stderr")" '1 2'
	says "$name: a page of two is absent" '^ptremap: 0x20030000-0x20030fff: 4096 bytes cannot .* not present at PTE'
	says "$name: a page of two is absent" 'nothing was written'
	equal "$name: none of it was written" "$(reads_back $((gva + 47 * 4096)))" differs
	for i in 50:read-only 52:'no memory slot' 54:'may write to'; do
		write_at $((gva + (${i%%:*} - 1) * 4096))
		equal "$name: ${i#*:}: status" $? 1
		says "$name: ${i#*:}" "^ptremap: 0x.*: 4096 bytes cannot be written: .*${i#*:}"
	done
	random_bytes $((8 * 4096))
	write_at $((gva + 49 * 4096)) --partial
	equal "$name: --partial: status, lines" "$? $(wc -l <"$work/stderr")" '1 4'
	says "$name: --partial" '20480 of 32768 bytes were written'
	printf 'abcdefgh' >"$work/bytes"
	"$remap" write --vm "$vm" --gpa $((0x40000000 + 10 * 37 % 64 * 4096)) \
		--hex '61 62 63 64 65 66 67 68'
	equal "$name: by guest-physical address: status, bytes" \
		"$? $(reads_back $((gva + 10 * 4096)))" '0 same'
}

# word FILE OFFSET - 8 bytes of it as the guest prints them
word()
{
	od -An -v -tx8 -j "$2" -N 8 "$1" | sed 's/ */0x/'
}

# word_of PAGE - what the guest read there
word_of()
{
	sed -n "s/^word page=$1 value=//p" "$work/guest"
}

part_writes()
{
	local pages i

	name=writes
	start --wait --mode 4level writes
	until_says ready && write_buffers
	stop
	# Pages 0 to 4 and 10, of the partial one 49, 51, 53, 55 and 56; of what was refused none.
	pages=$((0x1f | 1 << 10 | 1 << 49 | 1 << 51 | 1 << 53 | 1 << 55 | 1 << 56))
	equal "$name: in KVM's dirty log" "$(sed -n 's/^log dirty=//p' "$work/guest")" \
		"$(printf '0x%x' "$pages")"
	equal "$name: a child has its memory as it was" "$(grep -c '^child same=1' "$work/guest")" 1
	for i in 1 2 3; do
		equal "$name: page $i as the guest reads it" "$(word_of "$i")" \
			"$(word "$work/scattered" $((i * 4096 - 4090)))"
	done
	equal "$name: page 10 as the guest reads it" "$(word_of 10)" 0x6867666564636261
}

# Registers of a guest that changes CR3 without leaving for KVM.
part_vcpus()
{
	"$bin/tests/vcpus" 100
	equal "vcpus: status" $? 0
}

# now - in microseconds, as the monitor's
now()
{
	now=${EPOCHREALTIME/[.,]/}
}

# ask KIND ARG... - what ptremap says, and when it was said
ask()
{
	local kind=$1 from status

	shift
	now && from=$now
	"$remap" "$@" >"$work/said" 2>"$work/stderr"
	status=$?
	now
	echo "ask $kind $from $now $status $(wc -l <"$work/stderr") $(head -1 "$work/stderr")"
	if [[ $kind == words* ]]; then
		od -An -v -tx8 -w8 "$work/said" | sort | uniq -c | sed 's/^ */said /'
	else
		sed 's/^/said /' "$work/said"
	fi
}

# ask_all TIMES VCPUS - of each place that the slot may have
ask_all()
{
	local i page vcpu gpa

	for ((i = 0; i < $1; i++)); do
		page=$((RANDOM % 8))
		vcpu=$((i / 4 % $2))
		gpa=0x4$((RANDOM % 3))00${page}000
		case $((i % 4)) in
		0) ask gpa translate --vm "$vm" --gpa "0x4"{0,1,2}"00${page}000" ;;
		1) ask "gva:$vcpu" translate --vm "$vm" --vcpu "$vcpu" --gva "0x4"{0,1,2}"00${page}000" ;;
		2) ask gva:0 translate --vm "$vm" --gva "0x4"{0,1,2}"00${page}000" ;;
		3) ask "words:$gpa" read --raw --vm "$vm" --gpa "$gpa" 4096 ;;
		esac
	done
}

# traced FILE - of its first violations those that ended in a page, as ask has answers. They ended
# later than their latency says, by the time that the tracer's own programs took, or lost the CPU;
# before the next one of their thread.
traced()
{
	local ahead

	ahead=$(sed -n 's/^moving .*ahead=//p' "$work/guest")
	"$pf" script --json -i "$1" | head -n 500 | jq -sr --argjson ahead "$ahead" '
		map(select(.type == "violation")) | group_by(.tid)[] | sort_by(.time) |
		[., .[1:]] | transpose[] | select(.[0] and .[1]) |
		.[1].time as $next | .[0] |
		select(.hva and .walk_after.pfn and (.gpa | test("^0x4[012]0"))) |
		([$next, .time + .latency_ns + 1000000000] | min) as $until |
		"ask event \(.time / 1000 + $ahead | floor) \(($until / 1000 + $ahead | floor) + 1) 0 0",
		"said \(.gpa[:-3])000 \(.hva[:-3])000 \(.walk_after.pfn)"'
}

# no_lies WHAT MIN [KILLED] - about the answers in $work/asked, MIN of them with a page
no_lies()
{
	local lies answers pages undecided

	read -r lies answers pages undecided < <(awk -v killed="${3:-0}" -f "$top/tests/lib/true_then.awk" \
		"$work/guest" "$work/asked" 2>"$work/lies")
	equal "$name: $1 that were never true, of $answers" "$lies" 0
	head -n 8 "$work/lies"
	at_least "$name: $1 with a page ($undecided undecided)" "$pages" "$2"
}

# start_moving VCPUS - and the tracer, whose pid is $tracer
start_moving()
{
	start --quiet --wait --vcpus "$1" --seed "$RANDOM" moves 1000000
	until_says ready || return
	rm -f "$work/record"
	"$pf" record -q -e violation --vm "$vm" -o "$work/record" 2>"$work/record.err" &
	tracer=$!
	until [[ -s $work/record ]] || ! kill -0 "$tracer" 2>/dev/null; do
		sleep 0.1
	done
	echo >&7
	until_says moving
}

end_tracer()
{
	wait "$tracer"
	equal "$name: the tracer's status, words" "$? $(cat "$work/record.err")" '0 '
	equal "$name: lost events" "$("$pf" report --json -i "$work/record" |
		sed 's/.*"lost":{"total":\([0-9]*\).*/\1/')" 0
}

# A slot that is moved, deleted, made anew, and vCPUs that come, while it is walked, read and traced:
# each answer was so at some moment of the time that it took.
part_changing()
{
	local tracer

	name=changing
	start_moving 3 || return
	ask_all "$CHANGING" 3 >"$work/asked"
	stop
	end_tracer
	no_lies answers $((CHANGING / 8))
	traced "$work/record" >"$work/asked"
	no_lies violations 1
}

# The monitor dies meanwhile; who asks about it afterwards is told so.
part_dying()
{
	local tracer killed

	name=dying
	start_moving 2 || return
	ask_all 6 2 >"$work/asked" &
	sleep "0.$((RANDOM % 900 + 100))"
	now && killed=$now
	{ kill -9 "$vm" && wait "$vm"; } 2>/dev/null
	exec 7>&-
	wait $!
	ask_all 4 2 >>"$work/asked"
	end_tracer
	no_lies answers 0 "$killed"
	equal "$name: what is said of one that is dead" \
		"$(tail -n 4 "$work/asked" | sed 's/^ask [^ ]* [^ ]* [^ ]* //' | sort -u)" \
		"1 1 ptremap: VM of $vm: no such process"
}

insmod "$MODULE" || exit 1
refused 'no module' 'ptremap_kvm is not loaded' walk --vm $$ --gva 0
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel || exit 1
insmod "${MODULE%/*}/ptremap_kvm.ko" || exit 1
parts "$@"
{ rmmod ptremap_kvm && rmmod ptremap; } || not_ok 'the modules are gone'
finish
