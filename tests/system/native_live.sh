#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptremap on this machine's own kernel without the helper module: what /proc has of pages and
# mappings, and words about what is missing.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly remap=$bin/ptremap

# pages - of the process: address and frame of those that are present, by /proc/PID/pagemap
pages()
{
	perl -e 'no warnings "portable"; my $pid = shift; my $e;
		open M, "<", "/proc/$pid/maps" or die; open P, "<:raw", "/proc/$pid/pagemap" or die;
		while (<M>) {
			next unless /^([0-9a-f]+)-([0-9a-f]+) /; my ($va, $end) = (hex $1, hex $2);
			last if $va >> 56;
			for (; $va < $end; $va += 4096) {
				sysseek P, $va >> 9, 0; last unless sysread P, $e, 8;
				$e = unpack "Q", $e;
				printf "0x%x 0x%x\n", $va, ($e & (1 << 55) - 1) << 12 if $e >> 63;
			}
		}' "$1"
}

check_walk()
{
	local va

	pages "$pid" >"$work/want"
	at_least "pages" "$(wc -l <"$work/want")" 50
	va=$(head -n 1 "$work/want" | cut -d ' ' -f 1)
	"$remap" walk --pid "$pid" "$va" >"$work/out" 2>"$work/err"
	equal "walk: exit status" $? 0
	equal "walk: says what is missing" "$(grep -c 'module is not loaded.*no levels' "$work/err")" 1
	equal "walk: where it leads" "$(sed -nE 's/^  = (0x[0-9a-f]+), present.*/\1/p' "$work/out")" \
		"$(head -n 1 "$work/want" | cut -d ' ' -f 2)"
	equal "walk: the page" "$(grep -cE '^  page: pfn 0x[0-9a-f]+, .*mapcount [0-9]+$' "$work/out")" 1
	equal "walk: the mapping" "$(grep -cE '^  mapping: 0x[0-9a-f]+-0x[0-9a-f]+ r--p .*/sleep$' "$work/out")" 1
	equal "walk: its flags" "$(grep -cE '^    VM_READ .*VM_MAYREAD' "$work/out")" 1
	"$remap" walk --json --pid "$pid" "$va" 2>/dev/null | jq -r '.pa, .pagemap.present, .vma.name' \
		>"$work/got"
	equal "walk --json" "$(tr '\n' ' ' <"$work/got")" \
		"$(head -n 1 "$work/want" | cut -d ' ' -f 2) true $(readlink -f "$(command -v sleep)") "
	cut -d ' ' -f 1 "$work/want" | "$remap" translate --pid "$pid" - >"$work/got" 2>/dev/null
	same_lines "translate" "$work/want" "$work/got"
	ends_with "translate: nothing there" 1 "$remap" translate --pid "$pid" 0x1000
	equal "translate: nothing there" "$(cat "$work/out")" "0x1000 - nothing there"
	fails "walk: a kernel address" 1 "not an address of a process" \
		sh -c "$remap walk --pid $pid 0xffffffff81000000 2>&1 >/dev/null | tail -n 1 >&2; exit 1"
}

check_refusals()
{
	fails "dump without the module" 1 "pid $pid: .*not loaded" "$remap" dump --pid "$pid"
	fails "the kernel without the module" 1 "kernel: .*not loaded" "$remap" walk --kernel 0
	fails "read without the module" 1 "not loaded" "$remap" read --pa 0x1000 16
	fails "write without the module" 1 "not loaded" "$remap" write --pa 0x1000 --hex 00
}

check_kind()
{
	"$remap" kind --json 0 0xffffffffff600000 $((1 << 62)) 0xffffffff80000000 2>/dev/null |
		jq -r .kind | tr '\n' , >"$work/got"
	equal "kind" "$(cat "$work/got")" "user,vsyscall,non-canonical,kernel image,"
}

check_usage()
{
	fails "no such process" 1 "pid 4194999: no such process" "$remap" walk --pid 4194999 0
	fails "pid 0" 2 "'0' is not the number of a process" "$remap" walk --pid 0 0
	fails "no pid" 2 "'self' is not" "$remap" walk --pid self 0
	fails "a process and an image" 2 "one --image" "$remap" dump --pid 1 --image x
	fails "a process and a register" 2 "this machine's" "$remap" walk --pid 1 --cr3 0 0
	fails "a process and a format" 2 "this machine's" "$remap" walk --pid 1 --format 4level 0
	fails "an image and --user-root" 2 "user-root is for" "$remap" walk --image x --cr3 0 --user-root 0
	fails "snapshot without the module" 1 "not loaded" "$remap" snapshot --kernel -o "$work/image"
	fails "snapshot of nothing" 2 "pid or --kernel" "$remap" snapshot -o "$work/image"
	fails "snapshot to nowhere" 2 "output is missing" "$remap" snapshot --kernel
	fails "snapshot: no range" 2 "'5-4' is not a range" "$remap" snapshot --kernel -o x 5-4
	fails "kind: no address" 2 "address is missing" "$remap" kind
	fails "read: no address" 2 "pa is missing" "$remap" read 16
	fails "read: no length" 2 "length is missing" "$remap" read --pa 0
	fails "read: length 0" 2 "nothing to do" "$remap" read --pa 0 0
	fails "read: no number" 2 "'much' is not a length" "$remap" read --pa 0 much
	fails "read: beyond all addresses" 2 "beyond all" "$remap" read --pa 0xfffffffffffffff0 17
	fails "read: no such width" 2 "1, 2, 4 or 8" "$remap" read --pa 0 --mmio 16 16
	fails "read: of a VM, no address" 2 "gva or --gpa" "$remap" read --vm 1 8
	fails "read: of a VM, two addresses" 2 "gva or --gpa" "$remap" read --vm 1 --gva 0 --gpa 0 8
	fails "read: of a VM, physical" 2 "exclude each other" "$remap" read --vm 1 --gpa 0 --pa 0 8
	fails "read: of no VM" 2 "are for --vm" "$remap" read --gva 0 8
	fails "read: of no VM, fetched" 2 "is for --vm" "$remap" read --pa 0 --fault-in 8
	fails "read: of a VM, length 0" 2 "nothing to do" "$remap" read --vm 1 --gpa 0 0
	fails "read: of a VM, beyond all" 2 "beyond all" "$remap" read --vm 1 --gpa 0xfffffffffffffff8 9
	fails "read: of a VM, no module" 1 "not loaded" "$remap" read --vm $$ --gpa 0 8
	fails "write: to a VM, no address" 2 "gva or --gpa" "$remap" write --vm 1 --hex 00
	fails "write: to a VM, forced" 2 "is for --va" "$remap" write --vm 1 --gpa 0 --force --hex 00
	fails "write: to a VM, no module" 1 "not loaded" "$remap" write --vm $$ --gpa 0 --hex 00
	fails "write: nothing" 2 "one of them" "$remap" write --pa 0
	fails "write: twice" 2 "one of them" "$remap" write --pa 0 --hex 00 --file x
	fails "write: half a byte" 2 "pairs of digits" "$remap" write --pa 0 --hex "12 3"
	fails "write: no digits" 2 "pairs of digits" "$remap" write --pa 0 --hex xy
}

if [[ -e /dev/ptremap ]]; then
	skip "the helper module is loaded here"
	finish
fi
sleep 1000 &
pid=$!
at_exit kill $pid
until_runs $pid sleep
check_walk
check_refusals
check_kind
check_usage
finish
