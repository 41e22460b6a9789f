#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap on images whose tables another program has made (mkimage.c), and on images that are none.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly remap=$bin/ptremap mkimage=$bin/tests/mkimage
readonly FORMATS=(32bit pae 4level 5level ept4 ept5) SEEDS=(1 2 3)

# make_image FORMAT SEED [elf] - sets $image, $pages (what it maps), $root and $select (options)
make_image()
{
	local name=$1

	image=$work/$1.$2${3:+.$3}
	pages=$image.pages
	"$mkimage" "$1" "$2" "$image" ${3:+"$3"} >"$image.said" || not_ok "mkimage $1 $2"
	root=$(awk '$1 == "root" { print $2 }' "$image.said")
	grep '^0x' "$image.said" >"$pages"
	[[ $name == 32bit ]] && name=32bit-pse
	[[ $name == loop ]] && name=4level
	select=(--image "$image" --format "$name" --root "$root")
}

# listed - dump's lines as mkimage prints pages
listed()
{
	awk '{ sub(/-.*/, "", $1); print $1, $6, $4, $3 }'
}

# each_page - ranges of dump, as the pages that are in them
each_page()
{
	perl -ne 'no warnings "portable";
		/^0x([0-9a-f]+)-0x([0-9a-f]+) +\S+ (\S+) (\d+)([KMG]) pa 0x([0-9a-f]+)/ or die $_;
		my ($va, $last, $perm, $n, $unit, $pa) = (hex $1, hex $2, $3, $4, $5, hex $6);
		my $size = $n << {K => 10, M => 20, G => 30}->{$unit};
		my $digits = length $1;
		for (;;) {
			printf "0x%0${digits}x 0x%x %s%s %s\n", $va, $pa, $n, $unit, $perm;
			last if $last - $va < $size;
			$va += $size; $pa += $size;
		}'
}

# translations - the first byte of each page and where it is, without leading zeros
translations()
{
	sed -E 's/^0x0*([0-9a-f])/0x\1/' "$pages" | cut -d ' ' -f 1,2
}

check_format()
{
	local what="$1, seed $2"

	make_image "$1" "$2"
	"$remap" dump "${select[@]}" --pages | listed >"$work/got"
	same_lines "$what: dump --pages" "$pages" "$work/got"
	"$remap" dump "${select[@]}" >"$work/ranges"
	each_page <"$work/ranges" >"$work/got"
	same_lines "$what: dump, taken apart" "$pages" "$work/got"
	at_least "$what: pages to a range, in percent" \
		$(($(wc -l <"$pages") * 100 / $(wc -l <"$work/ranges"))) 150
	"$remap" dump "${select[@]}" --tree | grep -v ' table ' | sed 's/^ *//' | listed >"$work/got"
	same_lines "$what: dump --tree" "$pages" "$work/got"
	translations >"$work/want"
	cut -d ' ' -f 1 "$pages" | "$remap" translate "${select[@]}" - >"$work/got"
	same_lines "$what: translate" "$work/want" "$work/got"
	"$remap" dump "${select[@]}" --holes --json >"$work/json"
	equal "$what: dump --holes has no gaps" "$(jq -r '.start, .last' "$work/json" | gaps)" 0
	equal "$what: dump --json: pages" \
		"$(jq -s '[.[] | select(.kind == "leaf")] | length' "$work/json")" \
		"$(wc -l <"$work/ranges")"
	"$remap" diff "${select[@]}" --image "$image" >"$work/out" 2>"$work/err"
	equal "$what: diff with itself" "$?/$(cat "$work/out" "$work/err" | wc -c)" 0/0
}

# gaps - how many of the ranges START LAST (each a line) do not follow the one before; all addresses
# are covered
gaps()
{
	perl -e 'no warnings "portable"; my ($next, $gaps, @n) = (0, 0, map { hex } <STDIN>);
		while (my ($start, $last) = splice @n, 0, 2) {
			$gaps++ if $start != $next;
			$next = $last == ~0 ? 0 : $last + 1;
		}
		print $gaps + ($next != 0), "\n"'
}

check_formats()
{
	local format seed

	for format in "${FORMATS[@]}"; do
		for seed in "${SEEDS[@]}"; do
			check_format "$format" "$seed"
		done
	done
}

# An ELF core with registers: nothing but the image need be said.
check_cores()
{
	local format

	for format in 32bit pae 4level 5level; do
		make_image $format 7 elf
		"$remap" dump --image "$image" --pages | listed >"$work/got"
		same_lines "$format, core: dump --pages" "$pages" "$work/got"
		"$remap" dump --image "$image" --cpu 0 --cr3 "$root" --pages | listed >"$work/got"
		same_lines "$format, core: dump --cr3" "$pages" "$work/got"
		ends_with "$format, core: walk" 0 "$remap" walk --image "$image" "$(head -n 1 "$pages" | cut -d ' ' -f 1)"
		fails "$format, core: CPU that is not there" 1 "no registers of CPU 1" \
			"$remap" walk --image "$image" --cpu 1 0
	done
}

# The guest's tables lie behind an EPT, and so do its pages.
check_nested()
{
	local guest eptp npt missing

	make_image nested 1
	guest=$(awk '$1 == "guest-root" { print $2 }' "$image.said")
	eptp=$(printf '0x%x' $((root | 0x1e)))
	select=(--image "$image" --eptp "$eptp" --cr3 "$guest")
	translations >"$work/want"
	cut -d ' ' -f 1 "$pages" | "$remap" translate "${select[@]}" - | cut -d ' ' -f 1,2 >"$work/got"
	same_lines "nested: translate" "$work/want" "$work/got"
	"$remap" translate --image "$image" --format 4level --eptp "$eptp" --root "$guest" - \
		< <(cut -d ' ' -f 1 "$pages") | cut -d ' ' -f 1,2 >"$work/got"
	same_lines "nested: translate, by --format" "$work/want" "$work/got"
	# An entry of this EPT is a writable one of nested tables, too; U/S is the EPT's X.
	npt=(--image "$image" --ncr3 "$root" --cr3 "$guest")
	cut -d ' ' -f 1 "$pages" | "$remap" translate "${npt[@]}" - | cut -d ' ' -f 1,2 >"$work/got"
	same_lines "nested: translate through --ncr3" "$work/want" "$work/got"
	"$remap" walk "${select[@]}" --json "$(head -n 1 "$pages" | cut -d ' ' -f 1)" >"$work/json"
	equal "nested: entries that a walk reads" \
		"$(jq '[.levels[], .levels[].nested.levels[], .nested.levels[]] | length' "$work/json")" 24
	equal "nested: walk: where it leads" "$(jq -r .hpa "$work/json")" \
		"$(head -n 1 "$pages" | cut -d ' ' -f 2)"
	missing=$(awk '$2 == "-" { print $1; exit }' "$pages")
	"$remap" walk "${select[@]}" --access w "$missing" >"$work/out"
	equal "nested: verdict of a missing page" "$(tail -n 1 "$work/out")" \
		"  write, supervisor: EPT violation, qualification 0x2: not present, at EPT PTE"
	equal "nested: translate of a missing page" "$("$remap" translate "${select[@]}" "$missing")" \
		"$missing - not present at EPT PTE"
}

# poke OFFSET HEX - eight bytes of $image, the most significant one first
poke()
{
	local bytes

	bytes=$(sed -E 's/(..)(..)(..)(..)(..)(..)(..)(..)/\\x\8\\x\7\\x\6\\x\5\\x\4\\x\3\\x\2\\x\1/' <<<"$2")
	# shellcheck disable=SC2059 # that is the point
	printf "$bytes" | dd of="$image" bs=1 seek=$(($1)) conv=notrunc status=none
}

# Tables by hand: 0x1000 -> 0x2000 -> 0x3000 -> 0x4000, whose first four entries are pages.
check_words()
{
	image=$work/hand
	truncate -s 20480 "$image"
	poke 0x1000 0000000000002007
	poke 0x2000 0000000000003007
	poke 0x3000 0000000000004007
	poke 0x4000 0000000000005067
	poke 0x4008 0000000000006067
	poke 0x4010 8000000000009001
	poke 0x4018 1ffffffffffffe00
	select=(--image "$image" --cr3 0x1000)
	cat >"$work/want" <<-END
	0x0000000000000000-0x0000000000001fff       8K rwxu 4K pa 0x5000
	0x0000000000002000-0x0000000000002fff       4K r--s 4K pa 0x9000
	END
	"$remap" dump "${select[@]}" >"$work/got"
	same_lines "by hand: dump" "$work/want" "$work/got"
	cat >"$work/want" <<-END
	0x2345: 4level, root 0x1000
	  PML4E[0] at 0x1000: 0x2007  P RW US addr=0x2000
	  PDPTE[0] at 0x2000: 0x3007  P RW US addr=0x3000
	  PDE[0] at 0x3000: 0x4007  P RW US addr=0x4000
	  PTE[2] at 0x4010: 0x8000000000009001  P addr=0x9000 NX
	  = 0x9345, 4K page, r--s
	  exec, user: #PF, error code 0x15 (P U I): user access to a supervisor page, at PTE
	END
	"$remap" walk "${select[@]}" --access x,u 0x2345 >"$work/got"
	same_lines "by hand: walk" "$work/want" "$work/got"
	"$remap" walk "${select[@]}" --linux 6.1 0x3000 | tail -n 2 >"$work/got"
	equal "by hand: a swap entry" "$(sed -n 's/.*Linux: //p' "$work/got")" "swap type 3 offset 0x0"
	equal "by hand: end of the walk" "$(tail -n 1 "$work/got")" "  = no page: not present at PTE"
	check_tree
	check_diff
}

# Tables and memory that is not there, in JSON.
check_tree()
{
	"$remap" dump "${select[@]}" --tree --json |
		jq -c 'select(.kind == "table") | [.entry, .read, .write, .exec, .user]' >"$work/got"
	printf '["%s",true,true,true,true]\n' PML4E PDPTE PDE >"$work/want"
	same_lines "by hand: dump --tree --json: tables" "$work/want" "$work/got"
	"$remap" dump --image "$image" --cr3 0x100000 >"$work/got"
	equal "root beyond the end: dump: exit status" $? 0
	cat >"$work/want" <<-END
	0x0000000000000000-0x00007fffffffffff     128T bad: memory unreadable, PML4E at 0x100000
	0xffff800000000000-0xffffffffffffffff     128T bad: memory unreadable, PML4E at 0x100800
	END
	same_lines "root beyond the end: dump" "$work/want" "$work/got"
	equal "root beyond the end: dump --json" \
		"$("$remap" dump --image "$image" --cr3 0x100000 --json | jq -c .value | uniq)" null
	"$remap" walk --image "$image" --format ept4 --root 0x1000 0xfffffffffffff000 >"$work/got"
	equal "no guest-physical address" "$(tail -n 1 "$work/got")" "  = no page: address out of range"
}

# What changes between two images by hand.
check_diff()
{
	local before=$image

	image=$work/changed
	cp "$before" "$image"
	poke 0x4000 0000000000007067
	poke 0x4008 0000000000006065
	poke 0x4010 0000000000000000
	poke 0x4018 0000000000005007
	cat >"$work/want" <<-END
	moved 0x0000000000000000-0x0000000000000fff       4K rwxu 4K pa 0x5000 -> rwxu 4K pa 0x7000
	changed 0x0000000000001000-0x0000000000001fff       4K rwxu 4K pa 0x6000 -> r-xu 4K pa 0x6000
	removed 0x0000000000002000-0x0000000000002fff       4K r--s 4K pa 0x9000
	added 0x0000000000003000-0x0000000000003fff       4K rwxu 4K pa 0x5000
	END
	"$remap" diff --cr3 0x1000 --image "$before" --image "$image" >"$work/got"
	equal "by hand: diff: exit status" $? 0
	same_lines "by hand: diff" "$work/want" "$work/got"
	"$remap" diff --cr3 0x1000 --json --image "$before" "$image" | jq -r .change >"$work/got"
	cut -d ' ' -f 1 "$work/want" >"$work/changes"
	same_lines "by hand: diff --json" "$work/changes" "$work/got"
	cp "$before" "$image"
	poke 0x4000 0000000000005007
	equal "by hand: diff of accessed and dirty bits" \
		"$("$remap" diff --cr3 0x1000 --image "$before" "$image" | wc -l)/$("$remap" diff --ad \
			--cr3 0x1000 --image "$before" "$image" | wc -l)" 0/1
	check_diff_of_holes "$before"
	check_diff_within_ranges "$before"
}

# check_diff_of_holes BEFORE - what is not mapped is a swap slot or another
check_diff_of_holes()
{
	cp "$1" "$image"
	poke 0x4018 1ffffffffffffc00
	poke 0x4020 1ffffffffffffe00
	cat >"$work/want" <<-END
	changed 0x0000000000003000-0x0000000000003fff       4K hole: PTE at 0x4018: 0x1ffffffffffffe00 -> hole: PTE at 0x4018: 0x1ffffffffffffc00
	changed 0x0000000000004000-0x0000000000004fff       4K hole -> hole: PTE at 0x4020: 0x1ffffffffffffe00
	END
	"$remap" diff --cr3 0x1000 --image "$1" "$image" >"$work/got"
	same_lines "by hand: diff of swap slots" "$work/want" "$work/got"
	equal "by hand: diff of swap slots, --json" \
		"$("$remap" diff --cr3 0x1000 --json --image "$1" "$image" | jq -c '[.before.value, .after.value]' |
			head -n 1)" '["0x1ffffffffffffe00","0x1ffffffffffffc00"]'
	equal "by hand: diff of swap slots, --perms" \
		"$("$remap" diff --cr3 0x1000 --perms --image "$1" "$image" | wc -l)" 0
}

# check_diff_within_ranges BEFORE - the entries that are told are those of the page that differs
check_diff_within_ranges()
{
	cp "$1" "$image"
	poke 0x4008 0000000000006065
	"$remap" diff --cr3 0x1000 --json --image "$1" "$image" |
		jq -c '[.start, .before.at, .before.value, .after.at, .after.value]' >"$work/got"
	echo '["0x1000","0x4008","0x6067","0x4008","0x6065"]' >"$work/want"
	same_lines "by hand: diff within a range" "$work/want" "$work/got"
}

check_loops()
{
	make_image loop 0
	fails "loop: dump" 1 "10000 entries were read" "$remap" dump "${select[@]}" --limit 10000
	fails "loop: dump --tree" 1 "--limit" "$remap" dump "${select[@]}" --tree --limit 10000
	fails "loop: diff" 1 "--limit" "$remap" diff "${select[@]}" --image "$image" --limit 10000
	equal "loop: translate" "$("$remap" translate "${select[@]}" 0x123)" "0x123 0x1123"
}

# Tables that lead out of the image, and images that are nothing.
check_hostile()
{
	local seed format command

	for seed in {1..20}; do
		"$mkimage" noise "$seed" "$work/noise"
		for format in 32bit-pse36 pae 4level 5level ept4 npt-pae; do
			for command in "dump --limit 1000000" "dump --tree --limit 100000" "walk 0x1234 0x0"; do
				# shellcheck disable=SC2086 # several words
				timeout 60 "$remap" ${command%% *} --image "$work/noise" --format $format \
					--root 0 ${command#* } >/dev/null 2>&1
				(($? <= 1)) || not_ok "noise $seed: $format: $command"
			done
		done
	done
	ok "noise: 360 commands"
	make_image 4level 1
	head -c 20000 "$image" >"$work/short"
	ends_with "tables beyond the end: dump" 0 "$remap" dump --image "$work/short" --format 4level --root 0x1000
	at_least "tables beyond the end: said" "$(grep -c 'bad: memory unreadable' "$work/out")" 1
	ends_with "root beyond the end: walk" 0 "$remap" walk --image "$image" --cr3 0x100000000 0
	equal "root beyond the end: said" "$(tail -n 1 "$work/out")" \
		"  = no page: memory unreadable at PML4E"
	make_image 4level 1 elf
	for seed in {0..199}; do
		cp "$image" "$work/broken"
		printf '\xff\xff\xff' | dd of="$work/broken" bs=1 seek=$((seed + 4)) conv=notrunc status=none
		timeout 60 "$remap" dump --image "$work/broken" --limit 100000 >/dev/null 2>&1
		(($? <= 2)) || not_ok "core broken at byte $((seed + 4))"
	done
	ok "broken cores: 200"
}

# An image of 1 TiB, nearly all of it a hole, and one whose first byte is elsewhere.
check_sizes()
{
	make_image 4level 2
	truncate -s 1T "$image"
	"$remap" dump "${select[@]}" --pages | listed >"$work/got"
	same_lines "image of 1 TiB: dump --pages" "$pages" "$work/got"
	make_image 4level 2
	tail -c +4097 "$image" >"$work/tail"
	"$remap" dump --image "$work/tail" --base 0x1000 --cr3 "$root" --pages | listed >"$work/got"
	same_lines "--base: dump --pages" "$pages" "$work/got"
}

# The image is cut while the program waits for the next address.
check_cut()
{
	local status tries

	make_image 4level 3
	mkfifo "$work/addresses"
	"$remap" translate "${select[@]}" - <"$work/addresses" >"$work/out" 2>"$work/err" &
	exec 9>"$work/addresses"
	for ((tries = 0; tries < 100; tries++)); do
		[[ $(readlink "/proc/$!/fd/"* 2>/dev/null) == *"$image"* ]] && break
		sleep 0.05
	done
	sleep 0.2 # from open() to where it waits for stdin
	truncate -s 0 "$image"
	echo 0x1000 >&9
	exec 9>&-
	wait $!
	status=$?
	equal "image is cut: exit status" $status 1
	equal "image is cut: stderr" "$(cat "$work/err")" "ptremap: the image was cut while it was read"
}

check_usage()
{
	local dir=$work/dir

	make_image 4level 1
	mkdir "$dir"
	fails "no such command" 2 "'nonsense' is not a command" "$remap" nonsense
	fails "decode: no value" 2 "value is missing" "$remap" decode
	fails "decode: no number" 2 "'0xz' is not a value" "$remap" decode 1 0xz
	fails "decode: no such format" 2 "format 'x86' is not one of none, 32bit" "$remap" decode --format x86 1
	fails "decode: no such level" 2 "level is 1 to 4" "$remap" decode --level 5 1
	fails "decode: level 0" 2 "level is 1 to 4" "$remap" decode --level 0 1
	fails "decode: format none" 2 "no entries" "$remap" decode --format none 1
	fails "decode: address width" 2 "maxphyaddr is 32 to 52" "$remap" decode --maxphyaddr 53 1
	fails "decode: encryption bit" 2 "enc-bit is 32 to 51" "$remap" decode --enc-bit 31 1
	fails "decode: no version" 2 "linux 'new'" "$remap" decode --linux new 1
	fails "decode: no such addition" 2 "[+]device_private is not known" "$remap" decode --linux 6.1+device_private 1
	fails "decode: Linux and EPT" 2 "64-bit kernels" "$remap" decode --linux 6.1 --format ept4 1
	fails "decode: too many bits" 1 "0x100000000: .*32 bits" "$remap" decode --format 32bit 0x100000000
	fails "walk: no image" 2 "image is missing" "$remap" walk --cr3 0 1
	fails "walk: two images" 2 "one --image" "$remap" walk --image a --image b --cr3 0 1
	fails "walk: three images" 2 "too many" "$remap" walk --image a --image b --image c --cr3 0 1
	fails "walk: no address" 2 "address is missing" "$remap" walk "${select[@]}"
	fails "walk: no number" 2 "'here' is not an address" "$remap" walk "${select[@]}" here
	fails "walk: no registers anywhere" 2 "no control registers" "$remap" walk --image "$image" 0
	fails "walk: no registers of a CPU" 1 "no registers of CPU 0" "$remap" walk --image "$image" --cpu 0 0
	fails "walk: --format alone" 2 "needs --root" "$remap" walk --image "$image" --format pae 0
	fails "walk: --root alone" 2 "needs --format" "$remap" walk --image "$image" --root 0 0
	fails "walk: --format and --cr3" 2 "control registers" "$remap" walk "${select[@]}" --cr3 0 0
	fails "walk: --eptp and --ncr3" 2 "exclude" "$remap" walk --image "$image" --eptp 0x1e --ncr3 0 0
	fails "walk: no EPT pointer" 2 "no EPT pointer" "$remap" walk --image "$image" --eptp 0x1007 0
	fails "walk: a guest in an EPT's format" 2 "neither EPT nor NPT" \
		"$remap" walk --image "$image" --eptp 0x1e --format ept4 --root 0 0
	fails "walk: the host's registers without --ncr3" 2 "ncr3" "$remap" walk --image "$image" --cr3 0 --host-cr4 0 0
	fails "walk: a guest without CR3" 2 "need --cr3" "$remap" walk --image "$image" --eptp 0x1e --cr4 0 0
	fails "walk: --cpu and --eptp" 2 "cpu has nothing" "$remap" walk --image "$image" --eptp 0x1e --cpu 0 0
	fails "walk: no such access" 2 "access 'lick'" "$remap" walk "${select[@]}" --access lick 0
	fails "walk: no access" 2 "access ','" "$remap" walk "${select[@]}" --access , 0
	fails "walk: write and fetch" 2 "exclude" "$remap" walk "${select[@]}" --access w,x 0
	fails "walk: read and write" 2 "exclude" "$remap" walk "${select[@]}" --access r,u,w 0
	fails "walk: user and supervisor" 2 "exclude" "$remap" walk "${select[@]}" --access u,s 0
	fails "walk: a user's implicit access" 2 "supervisor's" "$remap" walk "${select[@]}" --access implicit,u 0
	fails "walk: fetch of a shadow stack" 2 "shadow" "$remap" walk "${select[@]}" --access shstk,x 0
	fails "walk: largest PKRU" 2 "pkru has 32 bits" "$remap" walk "${select[@]}" --pkru 0xffffffffffffffff 0
	fails "walk: --base of a core" 1 "ELF core.*raw images" "$remap" walk --image "$work/4level.7.elf" --base 0x1000 0
	fails "walk: --base of a device" 1 "device.*raw images" "$remap" walk --image /dev/zero --cr3 0 --base 0x1000 0
	fails "walk: CPU 2^32" 1 "no registers of CPU 4294967296" \
		"$remap" walk --image "$work/4level.7.elf" --cpu 0x100000000 0
	fails "walk: the last EPT pointer" 2 "no EPT pointer" "$remap" walk --image "$image" --eptp 0xffffffffffffffff 0
	ends_with "walk: the last CR3" 0 "$remap" walk --image "$image" --cr3 0xffffffffffffffff 0
	ends_with "walk: the last root" 0 "$remap" walk --image "$image" --format pae --root 0xffffffffffffffff 0
	fails "walk: large PKRU" 2 "32 bits" "$remap" walk "${select[@]}" --access r --pkru 0x100000000 0
	fails "dump: no range" 2 "'9-1' is not a range" "$remap" dump "${select[@]}" 9-1
	fails "dump: --perms and --pages" 2 "perms" "$remap" dump "${select[@]}" --perms --pages
	fails "diff: one image" 2 "two images" "$remap" diff "${select[@]}"
	fails "diff: two formats" 1 "different formats" "$remap" diff --image "$work/4level.7.elf" "$work/5level.7.elf"
	fails "no such file" 1 "none: .*No such file" "$remap" walk --image "$work/none" --cr3 0 0
	fails "a folder" 1 "dir: .*directory" "$remap" walk --image "$dir" --cr3 0 0
	echo "0x1000 nowhere" >"$work/list"
	"$remap" translate "${select[@]}" - <"$work/list" >"$work/out" 2>"$work/err"
	equal "translate: no number on stdin: status" $? 1
	equal "translate: no number on stdin" "$(cat "$work/err")" "ptremap: stdin, line 1: not an address"
	check_long_words
}

# What is only the beginning of a word is no number.
check_long_words()
{
	local word

	printf '0x%0200x' 0x1000 >"$work/list"
	equal "translate: many zeros on stdin" "$("$remap" translate "${select[@]}" - <"$work/list" | cut -d ' ' -f 1)" 0x1000
	for word in "$(printf '0x%0300x' 0x1000)" "$(printf '%-40s' 0x1 | tr ' ' 0)zzzz" '0x1000\0' '\0' \
		'0x1000\0junk'; do
		printf '%b\n' "$word" >"$work/list"
		"$remap" translate "${select[@]}" - <"$work/list" >"$work/out" 2>"$work/err"
		equal "translate: '${word:0:12}' on stdin, ${#word} characters" "$?/$(cat "$work/out" "$work/err")" \
			"1/ptremap: stdin, line 1: not an address"
	done
}

check_outputs()
{
	local command

	make_image 4level 1
	for command in "decode 1" "walk ${select[*]} 0" "translate ${select[*]} 0xffffff72be400000" \
		"dump ${select[*]}" "dump --json ${select[*]}"; do
		# shellcheck disable=SC2086 # several words
		"$remap" $command >/dev/full 2>"$work/err"
		equal "${command%% *} >/dev/full: exit status" $? 1
		equal "${command%% *} >/dev/full: says so" "$(grep -c 'No space left' "$work/err")" 1
	done
	make_image loop 0
	"$remap" dump "${select[@]}" --limit 1000000 2>"$work/err" | head -n 1 >/dev/null
	equal "dump | head: exit status" "${PIPESTATUS[0]}" 0
	equal "dump | head: lines on stderr" "$(wc -l <"$work/err")" 0
	ends_with "no arguments" 2 "$remap"
	ends_with "version" 0 "$remap" --version
}

check_formats
check_cores
check_nested
check_words
check_loops
check_hostile
check_sizes
check_cut
check_usage
check_outputs
finish
