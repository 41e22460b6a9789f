#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: the reading half of ptremap on the running kernel, compared with what the kernel
# says of itself.
# usage: live_guest.sh MODULE PART...
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

readonly remap=$bin/ptremap mappings=$bin/tests/mappings pagemap_check=$bin/tests/pagemap_check
readonly DISK=/run/disk

prepare()
{
	insmod "$1" || exit 1
	echo 1 >/proc/sys/kernel/kptr_restrict # root sees addresses as they are
	modprobe ext4 && mkfs.ext4 -q /dev/vda && mkdir -p $DISK && mount /dev/vda $DISK || exit 1
	mkswap /dev/vdb >/dev/null && swapon /dev/vdb || exit 1
	echo 8 >/proc/sys/vm/nr_hugepages
	release=$(uname -r)
	levels=4
	grep -qw la57 /proc/cpuinfo && levels=5
	what="${release%%-*}, $levels levels"
	$remap kind --json 0 >"$work/layout"
}

# start_mappings - sets $pid; $work/mapped has its lines
start_mappings()
{
	local tries

	"$mappings" "$DISK/mapped" >"$work/mapped" &
	pid=$!
	for ((tries = 0; tries < 200; tries++)); do
		grep -q '^ready' "$work/mapped" && break
		sleep 0.05
	done
	sed -i '/^ready/d' "$work/mapped"
}

# at NAME - its address
at()
{
	awk -v name="$1" '$2 == name { print $1 }' "$work/mapped"
}

# walked NAME [ARG]... - the walk to it, into $work/walk
walked()
{
	"$remap" walk --pid "$pid" "${@:2}" "$(at "$1")" >"$work/walk"
}

# says WHAT PATTERN - in $work/walk
says()
{
	if grep -qE -- "$2" "$work/walk"; then
		ok "$what: $1: $(grep -m 1 -E -- "$2" "$work/walk" | sed 's/^ *//')"
	else
		not_ok "$what: $1: nothing like /$2/:"
		cat "$work/walk"
	fi
}

# ---- processes -------------------------------------------------------------------------------

# Real programs, each of which waits for its input.
start_programs()
{
	local i now before=''

	mkfifo "$work/wait"
	exec 8<>"$work/wait"
	for ((i = 0; i < 10; i++)); do
		bash -c 'read -r line' <&8 &
		perl -e '$x = "x" x 1000000; <STDIN>' <&8 &
		sleep 1000 &
		awk '{ print }' <&8 >/dev/null &
		python3 -c 'import json, sys; x = list(range(100000)); sys.stdin.read()' <&8 &
	done
	mapfile -t programs < <(jobs -p)
	# Until all of them wait: nobody runs or reads, and nobody has had the CPU for a second.
	for ((i = 0; i < 60; i++)); do
		# shellcheck disable=SC2046 # words
		now=$(cut -d ' ' -f 1,3,14,15 $(printf '/proc/%s/stat ' "${programs[@]}"))
		[[ $now == "$before" && $now != *" "[RD]" "* ]] && break
		before=$now
		sleep 1
	done
}

part_processes()
{
	local -A sum

	start_programs
	# shellcheck disable=SC2046 # words
	eval $("$pagemap_check" walk "${programs[@]}" |
		sed -E 's/([a-z]+) ([0-9]+)/sum[\1]=\2;/g')
	equal "$what: processes walked" "${sum[processes]-}" 50
	equal "$what: calls for them" "${sum[calls]-}" 50
	at_least "$what: pages" "${sum[pages]-}" 50000
	at_least "$what: pages that are present" "${sum[present]-}" 10000
	close_to "$what: pages that changed meanwhile" "${sum[changed]-}" 0 100
	at_least "$what: pages of devices and the like, which pagemap does not tell" "${sum[special]-}" 1
	equal "$what: pages of which pagemap says otherwise" "${sum[different]-}" 0
	check_dump
	{ kill -KILL "${programs[@]}" && wait; } 2>/dev/null
}

# The pages that dump lists are those of walks, one by one.
check_dump()
{
	local pid=${programs[0]}

	kill -STOP "$pid"
	"$remap" dump --pid "$pid" --pages |
		sed -E 's/^0x0*([0-9a-f]+)-.* pa (0x[0-9a-f]+).*/0x\1 \2/' >"$work/want"
	cut -d ' ' -f 1 "$work/want" | "$remap" translate --pid "$pid" - >"$work/got"
	same_lines "$what: dump --pages and translate" "$work/want" "$work/got"
	"$remap" diff --ad --pid "$pid" --pid "$pid" >"$work/out"
	equal "$what: diff of a process and itself: status" $? 0
	equal "$what: diff of a process and itself: lines" "$(wc -l <"$work/out")" 0
	check_snapshot "$pid"
	kill -CONT "$pid"
}

# An image of the tables says the same as the tables.
check_snapshot()
{
	"$remap" snapshot --pid "$1" -o "$work/image"
	equal "$what: snapshot: status" $? 0
	"$remap" dump --pages --ad --pid "$1" >"$work/want"
	"$remap" dump --pages --ad --image "$work/image" >"$work/got"
	same_lines "$what: dump of a snapshot" "$work/want" "$work/got"
	"$remap" diff --ad --image "$work/image" --pid "$1" >"$work/out"
	equal "$what: diff of a snapshot and the process: status" $? 0
	equal "$what: diff of a snapshot and the process: lines" "$(wc -l <"$work/out")" 0
	"$remap" snapshot --kernel -o "$work/image" "$(symbol _text)-$(symbol _end)"
	"$remap" dump --kernel --perms "$(symbol _text)-$(symbol _end)" >"$work/want"
	"$remap" dump --image "$work/image" --perms "$(symbol _text)-$(symbol _end)" >"$work/got"
	same_lines "$what: dump of a snapshot of the kernel's image" "$work/want" "$work/got"
}

part_speed()
{
	local tables pagemap

	read -r _ tables _ pagemap < <("$pagemap_check" speed 1024)
	at_least "$what: 1 GiB in 4 KiB pages: tables copied in $((tables / 1000)) us, pagemap read in" \
		"$((pagemap / 1000))" 1
	printf '%s: tables are %s times as fast as pagemap\n' "$what" \
		"$(awk -v t="$tables" -v p="$pagemap" 'BEGIN { printf "%.1f", p / t }')"
}

# A process whose tables come and go, and processes that are gone before anybody looks.
part_changing()
{
	local i whole=0 odd=0

	perl -e 'use constant S => 16 << 20; for (;;) { my $x = "a" x S; undef $x; }' &
	pid=$!
	sleep 0.5
	for ((i = 0; i < 30; i++)); do
		"$remap" dump --pid "$pid" >"$work/dump" 2>"$work/err" && whole=$((whole + 1))
		grep -E 'bad:|unreadable' "$work/dump" && odd=$((odd + 1))
	done
	equal "$what: dumps of a process that maps and unmaps" $whole 30
	equal "$what: of these with entries that make no sense" $odd 0
	{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
	for ((i = 0, odd = 0; i < 60; i++)); do
		sleep 0.0$((i % 7)) &
		"$remap" dump --pid $! >/dev/null 2>"$work/err"
		(($? < 2 && $(wc -l <"$work/err") < 2)) || odd=$((odd + 1))
	done
	equal "$what: dumps of processes that end: neither done nor one line why" $odd 0
	wait
}

# ---- mappings --------------------------------------------------------------------------------

part_mappings()
{
	local address name

	start_mappings
	cut -d ' ' -f 1 "$work/mapped" | "$remap" walk --pid "$pid" --json - >"$work/walks"
	jq -r 'select(.as_vma_calls_for != true) | [.address, .vma_note] | @tsv' "$work/walks" >"$work/odd"
	at_least "$what: mappings of every protection" "$(grep -cE '^0x[0-9a-f]+ (anon|file)-' "$work/mapped")" 80
	equal "$what: mappings whose pages are as the VMA calls for" \
		"$(jq -r 'select(.as_vma_calls_for) | .address' "$work/walks" | wc -l)" \
		"$(wc -l <"$work/mapped")"
	while read -r address name; do
		printf '%s: ' "$(awk -v at="$address" '$1 == at { print $2 }' "$work/mapped")"
		echo "$name"
	done <"$work/odd"
	check_flags
	check_notes
	check_special
	check_memory
	kill "$pid"
}

# The flags of each mapping are those that its protection and kind give it.
check_flags()
{
	jq -r '[.address, (.vma | (if .shared then "shared" else "private" end) + "-" +
		(if .read then "r" else "_" end) + (if .write then "w" else "_" end) +
		(if .exec then "x" else "_" end))] | join(" ")' "$work/walks" |
		paste -d ' ' - "$work/mapped" |
		sed -nE 's/^(0x[0-9a-f]+) (\S+) 0x[0-9a-f]+ (anon|file)-(\w+-...)-.*/\1 \4 \2/p' \
			>"$work/flags"
	equal "$what: mappings whose flags are others" "$(awk '$2 != $3' "$work/flags" | wc -l)" 0
}

check_notes()
{
	walked anon-private-rw_-read
	says "zero page" 'as the VMA calls for: .*the zero page'
	walked file-private-rw_-read
	says "private file page, read" 'as the VMA calls for: .*copy on write'
	walked file-private-rw_-written
	says "private file page, written" 'as the VMA calls for$'
	says "private file page, written" '^  page: .* anon '
	walked file-shared-rw_-read
	says "shared file page, read" 'as the VMA calls for: .*dirty tracking'
	walked file-shared-rw_-written
	says "shared file page, written" 'as the VMA calls for$'
	says "shared file page: its mapping" "^  mapping: .* rw-s offset 0x[0-9a-f]+ $DISK/mapped\$"
	walked forked
	says "page shared with a child" 'as the VMA calls for: .*copy on write'
	says "page shared with a child" 'mapcount 2, refcount'
	walked anon-private-___-written-before
	says "page without access" 'Linux: protnone pfn'
	says "page without access" 'as the VMA calls for$'
	walked anon-private-__x-written-before
	says "code" 'VM_EXEC'
	walked anon-private-rw_-untouched
	says "untouched page" 'as the VMA calls for: no entry until'
}

check_special()
{
	walked thp
	says "huge page" '= 0x[0-9a-f]+, 2M page, rw-u'
	says "huge page" '^  page: .* thp'
	walked thp-zero
	says "huge zero page" 'as the VMA calls for: .*the zero page'
	walked thp-none
	says "huge page without access" 'PDE.*Linux: protnone'
	walked hugetlb-private
	says "hugetlb, private" '^  page: .* huge.* refcount'
	says "hugetlb, private" 'VM_HUGETLB'
	walked hugetlb-shared
	says "hugetlb, shared" '2M page, rw-u'
	walked swapped
	says "swapped page" 'Linux: swap type 0 offset 0x'
	says "swapped page" 'as the VMA calls for: not present'
	walked vdso
	says "vdso" '^  mapping: .* r-xp .*\[vdso\]'
	walked pattern --access w,u
	says "locked page" 'VM_LOCKED'
	says "locked page, on a node" 'refcount [0-9]+, node 0'
	says "a write to it" 'write, user: allowed'
}

# ---- physical memory -------------------------------------------------------------------------

# own_bytes ADDRESS N - of the process, as /proc/PID/mem has them
own_bytes()
{
	dd if="/proc/$pid/mem" bs=1 skip=$(($1)) count="$2" status=none
}

check_memory()
{
	local va pa

	va=$(at pattern)
	pa=$("$remap" translate --pid "$pid" "$va" | cut -d ' ' -f 2)
	"$remap" read --pa "$pa" --raw 4096 >"$work/got"
	own_bytes "$va" 4096 >"$work/want"
	equal "$what: read: the bytes of a process" "$(md5sum <"$work/got")" "$(md5sum <"$work/want")"
	"$remap" read --pa "$pa" 4096 | cut -c 18-66 | tr -d ' \n' >"$work/hex"
	equal "$what: read: as hexadecimal digits" "$(md5sum <"$work/hex")" \
		"$(od -An -v -tx1 "$work/want" | tr -d ' \n' | md5sum)"
	ends_with "$what: write --hex" 0 "$remap" write --pa $((pa + 100)) --hex "de ad be ef 00"
	equal "$what: write: what the process has now" \
		"$(own_bytes $((va + 100)) 5 | od -An -tx1 | tr -d ' ')" deadbeef00
	printf 'written by a file' >"$work/text"
	ends_with "$what: write --file" 0 "$remap" write --pa $((pa + 200)) --file "$work/text"
	equal "$what: write: what the process has now" "$(own_bytes $((va + 200)) 17)" "written by a file"
	equal "$what: write: the byte behind it" "$(own_bytes $((va + 217)) 1 | od -An -tx1)" \
		"$(tail -c +218 "$work/want" | head -c 1 | od -An -tx1)"
}

part_physical()
{
	local end

	# The last page of RAM in the first MiB, and what is behind it.
	end=$(sed -nE '/System RAM/{s/.*-0*([0-9a-f]+) : .*/\1/p;q}' /proc/iomem)
	end=$((0x$end + 1 & ~4095))
	fails "$what: read: beyond RAM" 1 "$(printf '0x%x-0x%x: 4097 bytes were not read: no RAM' \
		$end $((end + 4096)))" "$remap" read --pa $((end - 16)) 4113
	equal "$what: read: what is before it" "$(wc -l <"$work/out")" 1
	"$remap" read --pa $((end - 4096)) --raw 8192 2>/dev/null | wc -c >"$work/got"
	equal "$what: read --raw: bytes, zeros among them" "$(cat "$work/got")" 8192
	fails "$what: write: beyond RAM" 1 "no RAM.*; 0 bytes were written" \
		"$remap" write --pa $end --hex 00
	fails "$what: read: device memory without a word" 1 "no RAM \(--mmio" \
		"$remap" read --pa 0xfee00030 4
	ends_with "$what: read: the APIC's version" 0 "$remap" read --pa 0xfee00030 --mmio 4 4
	equal "$what: read: the APIC's version" "$(cut -c 19-20 "$work/out")" 14
	fails "$what: read: RAM as device memory" 1 "RAM, no device" "$remap" read --pa 0x100000 --mmio 4 4
	fails "$what: read: a width that is none" 2 "--mmio is 1, 2, 4 or 8" \
		"$remap" read --pa 0xfee00030 --mmio 3 3
	fails "$what: read: not aligned" 2 "multiples" "$remap" read --pa 0xfee00031 --mmio 4 4
	fails "$what: read: beyond the address width" 1 "address width" \
		"$remap" read --pa 0x8000000000000 1
	fails "$what: write: the kernel's own code" 1 "read-only" \
		"$remap" write --pa "$("$remap" translate --kernel "$(symbol _stext)" | cut -d ' ' -f 2)" \
		--hex 00
}

# ---- the kernel's half -----------------------------------------------------------------------

symbol()
{
	awk -v name="$1" '$3 == name { print "0x" $1; exit }' /proc/kallsyms
}

# Functions of the kernel lie where its image was put.
check_text()
{
	local code

	code=$(sed -nE 's/^ *0*([0-9a-f]+)-.*Kernel code/0x\1/p' /proc/iomem)
	awk '$2 ~ /[tT]/ && NF == 3 && NR % 300 == 0 { print $1 }' /proc/kallsyms >"$work/symbols"
	perl -ne 'BEGIN { no warnings "portable"; ($text, $etext, $code) = map hex, splice @ARGV, 0, 3 }
		no warnings "portable"; $va = hex; next if $va < $text || $va >= $etext;
		printf "0x%x 0x%x\n", $va, $va - $text + $code' \
		"$(symbol _text)" "$(symbol _etext)" "$code" "$work/symbols" >"$work/want"
	cut -d ' ' -f 1 "$work/want" | "$remap" translate --kernel - >"$work/got"
	same_lines "$what: kernel functions" "$work/want" "$work/got"
	"$remap" kind --json - <<<"$(cut -d ' ' -f 1 "$work/want")" |
		jq -r 'select(.kind == "kernel image") | [.address, .pa] | join(" ")' >"$work/got"
	same_lines "$what: kind of kernel functions" "$work/want" "$work/got"
}

# perms FIRST LAST - of the ranges between two symbols
perms()
{
	local last

	last=$(symbol "$2")
	"$remap" dump --kernel --perms "$(symbol "$1")-$(printf '0x%x' $((last - 1)))" |
		awk '{ print $3 }' | sort -u | tr '\n' ' '
}

check_perms()
{
	equal "$what: permissions of kernel code" "$(perms _stext _etext)" "r-xs "
	equal "$what: permissions of read-only data" "$(perms __start_rodata __end_rodata)" "r--s "
	equal "$what: permissions of data" "$(perms _sdata _edata)" "rw-s "
	"$remap" dump --kernel --perms >"$work/half"
	at_least "$what: ranges of the kernel's half" "$(wc -l <"$work/half")" 50
	equal "$what: ranges that can be written and executed" "$(awk '$3 ~ /wx/' "$work/half" | wc -l)" 0
	equal "$what: entries that the CPU refuses" "$(grep -c bad: "$work/half")" 0
}

# Functions of modules are mapped as code.
check_modules()
{
	awk '$2 ~ /[tT]/ && NF == 4 && NR % 20 == 0 { print "0x" $1, $3, $4 }' /proc/kallsyms |
		grep -vE '__(init|exit)|init_module|cleanup_module' | head -n 100 >"$work/functions"
	cut -d ' ' -f 1 "$work/functions" | "$remap" walk --kernel --json - |
		jq -r 'select(.read and (.write | not) and .exec and (.user | not)) | .address' >"$work/got"
	cut -d ' ' -f 1 "$work/functions" | sed 's/^0x0*/0x/' >"$work/want"
	same_lines "$what: functions of modules are code" "$work/want" "$work/got"
	"$remap" kind --json - <"$work/want" | jq -r 'select(.kind == "modules") |
		[.address, .module] | join(" ")' >"$work/got"
	sed -E 's/^0x0*(\S+) \S+ /0x\1 /' "$work/functions" >"$work/want"
	same_lines "$what: kind of functions of modules" "$work/want" "$work/got"
}

# What was mapped for devices is where vmallocinfo says.
check_ioremap()
{
	sed -nE 's/^0x0*([0-9a-f]+)-.* phys=0x0*([0-9a-f]+) ioremap.*/0x\1 0x\2/p' /proc/vmallocinfo >"$work/want"
	cut -d ' ' -f 1 "$work/want" | "$remap" translate --kernel - >"$work/got"
	same_lines "$what: ioremap" "$work/want" "$work/got"
	equal "$what: kind of ioremap" "$(cut -d ' ' -f 1 "$work/want" | "$remap" kind --json - |
		jq -r .kind | sort -u)" vmalloc
}

# Physical addresses, there and back.
check_direct_map()
{
	sed -nE 's/^0*([0-9a-f]+)-0*([0-9a-f]+) : System RAM/0x\1 0x\2/p' /proc/iomem |
		while read -r first last; do
			printf '0x%x\n' "$((first))" "$(((first + last) / 2))" "$((last))"
		done | sed '/^0x0$/d' >"$work/want"
	"$remap" kind --pa --json - <"$work/want" >"$work/places"
	jq -r .direct_map "$work/places" | "$remap" kind --json - | jq -r .pa >"$work/got"
	same_lines "$what: kind --pa and back" "$work/want" "$work/got"
	jq -r .direct_map "$work/places" | "$remap" translate --kernel - 2>/dev/null | cut -d ' ' -f 2 >"$work/got"
	same_lines "$what: direct map, by the tables" "$work/want" "$work/got"
	jq -r .struct_page "$work/places" | "$remap" kind --json - |
		jq -r '[.kind, .pfn, .offset] | join(" ")' >"$work/got"
	while read -r pa; do
		printf 'vmemmap 0x%x 0x0\n' $((pa >> 12))
	done <"$work/want" >"$work/pfns"
	same_lines "$what: vmemmap and back" "$work/pfns" "$work/got"
	jq -r .struct_page "$work/places" | "$remap" translate --kernel - >"$work/got"
	equal "$what: struct pages that are mapped" "$(grep -vc ' - ' "$work/got")" "$(wc -l <"$work/want")"
}

# kcore_samples - addresses of each of its segments that are mapped
kcore_samples()
{
	local start size i

	readelf -lW /proc/kcore 2>/dev/null | awk '$1 == "LOAD" { print $3, $6 }' |
		while read -r start size; do
			for i in 3 7 50; do
				perl -e 'no warnings "portable"; ($s, $n, $i) = @ARGV; $n = hex $n;
					$n = 1 << 40 if $n > 1 << 40;
					printf "0x%x\n", (hex($s) + $n / 100 * $i) & ~4095' "$start" "$size" "$i"
			done
		done
	symbol _stext
	symbol linux_banner
	awk '$6 ~ /^0x/ { print $6 }' /proc/modules | head -n 5
	sed -nE 's/^(0x[0-9a-f]+)-.* pages=.* vmalloc.*/\1/p' /proc/vmallocinfo | head -n 20
}

# kcore VA... - prints 256 bytes at each address
kcore()
{
	perl -e 'no warnings "portable"; open K, "<:raw", "/proc/kcore" or die; my ($h, @load);
		sysread K, $h, 64; my ($off, $size, $nr) = (unpack("Q", substr $h, 32), unpack("vv", substr $h, 54));
		for (0 .. $nr - 1) { sysseek K, $off + $_ * $size, 0; sysread K, $h, $size;
			my ($type, undef, $at, $va, undef, $len) = unpack "VVQQQQ", $h;
			push @load, [$at, $va, $len] if $type == 1 }
		for my $va (map hex, @ARGV) {
			my ($l) = grep { $va >= $_->[1] && $va - $_->[1] < $_->[2] } @load;
			my $b = ""; sysseek K, $l->[0] + ($va - $l->[1]), 0 if $l; sysread K, $b, 256 if $l;
			printf "0x%x %s\n", $va, unpack "H*", $b }' "$@"
}

# memory - 256 bytes at each address of $work/there, as kcore() prints them
memory()
{
	local va pa

	while read -r va pa; do
		printf '%s ' "$va"
		"$remap" read --pa "$pa" --raw 256 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
		echo
	done <"$work/there"
}

# What the tables lead to is what the kernel reads there. Some of it changes all the time.
check_kcore()
{
	[[ -r /proc/kcore ]] || return
	# Not across a page: what follows in memory may be elsewhere.
	kcore_samples | sed -E 's/^0x0*(.*)..$/0x\100/' | "$remap" translate --kernel - |
		grep -v ' - ' | sort -u >"$work/there"
	# shellcheck disable=SC2046 # words
	kcore $(cut -d ' ' -f 1 "$work/there") >"$work/before"
	memory >"$work/memory"
	# shellcheck disable=SC2046 # words
	kcore $(cut -d ' ' -f 1 "$work/there") | comm -12 - "$work/before" >"$work/want"
	cut -d ' ' -f 1 "$work/want" | grep -F -f - "$work/memory" >"$work/got"
	at_least "$what: /proc/kcore: samples" "$(wc -l <"$work/want")" 20
	same_lines "$what: bytes in /proc/kcore and at the physical address" "$work/want" "$work/got"
	check_regions
}

# Each region of the kernel's half is among these samples, and dump says of each what translate says.
check_regions()
{
	local kind

	cut -d ' ' -f 1 "$work/want" | "$remap" kind --json - | jq -r .kind | sort >"$work/kinds"
	for kind in "kernel image" modules vmalloc "direct map" vmemmap; do
		at_least "$what: /proc/kcore: samples of $kind" "$(grep -cx "$kind" "$work/kinds")" 1
	done
	# shellcheck disable=SC2046 # words
	"$remap" dump --kernel --pages $(sed -E 's/ .*//; s/.*/&-&/' "$work/there") |
		sed -nE 's/^0x0*([0-9a-f]+)-.* pa (0x[0-9a-f]+).*/0x\1 \2/p' | sort >"$work/got"
	sort "$work/there" >"$work/want"
	same_lines "$what: dump --kernel of the samples" "$work/want" "$work/got"
}

part_kernel()
{
	check_text
	check_perms
	check_modules
	check_ioremap
	check_direct_map
	check_kcore
	equal "$what: kinds of fixed addresses" "$("$remap" kind --json 0 0xffffffffff600000 \
		0xfffffe0000000000 0xffffff0000000000 0xffffffff00000000 0xfffffffeffffffff |
		jq -r .kind | tr '\n' ,)" "user,vsyscall,cpu entry area,espfix stacks,unused,EFI,"
	"$remap" kind --json "$((1 << 62))" | jq -r .kind >"$work/got"
	equal "$what: kind of a non-canonical address" "$(cat "$work/got")" non-canonical
	"$remap" walk --kernel "$((1 << 62))" >"$work/walk"
	says "walk to a non-canonical address" 'no page: address not canonical'
}

# pointer_at VA - what the kernel has there
pointer_at()
{
	kcore "$1" | perl -lane 'printf "0x%x\n", unpack "Q<", pack "H16", $F[1]'
}

# Kernels with 16-bit segments (not the cloud flavour) have a stack for each CPU, 64 of them in a
# page, which is mapped 65536 times (arch/x86/kernel/espfix_64.c).
part_espfix()
{
	local page

	"$remap" dump --kernel --json 0xffffff0000000000-0xffffff7fffffffff >"$work/dump"
	page=$(pointer_at "$(symbol espfix_pages)") # the first of them
	equal "$what: espfix: the page that is mapped" "$(jq -r .pa "$work/dump" | sort -u | xargs)" \
		"$("$remap" kind --json "$page" | jq -r .pa)" "espfix_pages in /proc/kcore"
	equal "$what: espfix: how often" "$(wc -l <"$work/dump")" 65536
	equal "$what: espfix: read, write, exec, user, page size" \
		"$(jq -c '[.read, .write, .exec, .user, .page_size]' "$work/dump" | sort -u)" "[true,false,false,false,4096]"
	equal "$what: espfix: kinds of the first and the last" "$(sed -n '1p; $p' "$work/dump" | jq -r .start |
		xargs "$remap" kind --json | jq -r .kind | tr '\n' ,)" "espfix stacks,espfix stacks,"
}

# ---- errors, and page-table isolation --------------------------------------------------------

part_errors()
{
	local thread

	fails "$what: no such process" 1 "pid 4194000: no such process" "$remap" walk --pid 4194000 0
	thread=$(pgrep -x kthreadd)
	fails "$what: a kernel thread" 1 "pid $thread: .*has no memory" "$remap" dump --pid "$thread"
	fails "$what: a user address of the kernel" 1 "not in the kernel's half" "$remap" walk --kernel 0x1000
	fails "$what: a range of both halves" 1 "not in the kernel's half" "$remap" dump --kernel 0-0xffffffffffffffff
	fails "$what: not root" 1 "run as root" setpriv --reuid 1000 --clear-groups "$remap" walk --kernel 0
	fails "$what: one capability missing" 1 "CAP_SYS_RAWIO" \
		setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio "$remap" read --pa 0x1000 16
	rmmod ptremap
	fails "$what: without the module" 1 "not loaded" "$remap" dump --pid $$
}

# With PTI: the kernel's table has NX where user mode's has none, and the kernel's half is nearly
# empty in user mode's.
part_pti()
{
	local kernel_lines user_lines

	grep -qw pti /proc/cpuinfo || { not_ok "$what: no PTI" && return; }
	start_mappings
	walked file-private-r_x-called
	says "PTI: the kernel's root" 'PML.*NX$'
	says "PTI: the kernel's root" 'as the VMA calls for$'
	cp "$work/walk" "$work/kernel"
	walked file-private-r_x-called --user-root
	says "PTI: user mode's root" '4K page, r-xu'
	equal "PTI: user mode's root is the page behind the kernel's" \
		"$(($(sed -nE '1s/.*root (0x[0-9a-f]+)$/\1/p' "$work/kernel") + 4096))" \
		"$(($(sed -nE '1s/.*root (0x[0-9a-f]+)$/\1/p' "$work/walk")))"
	kernel_lines=$("$remap" dump --kernel --perms | wc -l)
	user_lines=$("$remap" dump --kernel --user-root --perms | wc -l)
	at_least "PTI: ranges of the kernel's half: $user_lines in user mode, in the kernel" \
		"$kernel_lines" $((3 * user_lines))
	kill "$pid"
}

module=$1
shift
prepare "$module"
parts "$@"
((!failures))
