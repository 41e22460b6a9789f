#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: changes of what a VM's guest-physical pages lead to, by programs that are their
# own VMMs, and by ptremap ept.
# usage: ept_edits_guest.sh MODULE PART...
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"

readonly MODULE=$1 SECONDS_EACH=${EPT_SECONDS:-4}
remap=$bin/ptremap
shift

# load, unload - both modules
load()
{
	{ insmod "$MODULE" && insmod "${MODULE%.ko}_kvm.ko"; } && return
	not_ok 'insmod'
	finish
}

unload()
{
	{ rmmod ptremap_kvm && rmmod ptremap; } || not_ok "the modules are gone after $1"
}

# run PROGRAM [ARG]... - one that says ok and not ok itself
run()
{
	"$bin/tests/$1" "${@:2}" || not_ok "$*: exit status $?"
}

part_edits()
{
	run ept_edits
}

part_refused()
{
	run ept_refused 1
}

part_race()
{
	run ept_race "$SECONDS_EACH"
}

# KVM without nested paging: the guest's tables are shadowed.
part_shadow()
{
	unload 'what came before'
	{ rmmod kvm_amd && modprobe kvm_amd npt=0; } || not_ok 'kvm_amd without NPT'
	load
	run ept_edits
}

# edits_events removes the modules itself.
part_events()
{
	{ mkfs.ext4 -q /dev/vda && mkdir "$work/disk" && mount /dev/vda "$work/disk" &&
		at_exit umount "$work/disk" && mkswap -q /dev/vdb && swapon /dev/vdb; } ||
		not_ok 'a disk to work with'
	run edits_huge_events "$work/disk/file" guest
	run edits_events "$work/disk/file" guest
	load
}

# ---- the command, and a VM of tests/guests/kvm --------------------------------------------------

readonly PAGES=8 FIRST=0x40000000

# start_guest - one that has written to its pages, and has halted; $vm is its monitor
start_guest()
{
	mkfifo "$work/line" || exit 1
	"$bin/tests/kvm_guest" --hold halt --access w --in-order touch "$PAGES" <"$work/line" \
		>"$work/guest" 2>&1 &
	vm=$!
	exec 7>"$work/line"
	for ((i = 0; i < 600; i++)); do
		grep -q '^held' "$work/guest" && return
		sleep 0.1
	done
	not_ok "the guest is held: $(<"$work/guest")"
	finish
}

gpa()
{
	printf '0x%x' $((FIRST + 4096 * $1))
}

# frame N - physical address of page N
frame()
{
	"$remap" translate --vm "$vm" --gpa "$(gpa "$1")" 2>/dev/null | cut -d' ' -f3
}

# words N - contents of page N, as the guest has it, in one word
words()
{
	"$remap" read --raw --vm "$vm" --gpa "$(gpa "$1")" 4096 | sha256sum | cut -d' ' -f1
}

# says WHAT STATUS PATTERN COMMAND... - its exit status, and one line on stderr
says()
{
	local what=$1 status=$2 pattern=$3 got

	shift 3
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	if ((got == status)) && grep -q -- "$pattern" "$work/err" && (($(wc -l <"$work/err") == 1))
	then
		ok "$what: $(<"$work/err")"
	else
		not_ok "$what: status $got, says: $(<"$work/err")"
	fi
}

# as_before WHAT - nothing is in force, and pages are where they were
as_before()
{
	local i now=''

	for ((i = 0; i < PAGES; i++)); do
		now+=" $(words "$i")"
	done
	equal "$1: contents of the pages" "$(tr -d ' ' <<<"$now" | sha256sum)" "$before"
	equal "$1: changes in force" "$("$remap" list | wc -l)" 0
}

check_swap()
{
	local a b c d id

	a=$(frame 1) b=$(frame 2) c=$(words 1) d=$(words 2)
	"$remap" ept swap --vm "$vm" --gpa "$(gpa 1)" --with "$(gpa 2)" --dry-run >"$work/out"
	equal 'dry run: frames stay' "$(frame 1) $(frame 2)" "$a $b"
	as_before 'dry run'
	says 'rehearsal of ranges that overlap' 1 'twice in this' "$remap" ept swap --vm "$vm" \
		--gpa "$(gpa 1)" --with "$(gpa 2)" --len 8K --rehearse
	"$remap" ept swap --json --vm "$vm" --gpa "$(gpa 1)" --with "$(gpa 2)" --rehearse >"$work/out"
	equal 'rehearsal: exit status' $? 0
	equal 'rehearsal: what it says' "$(jq -r '[.id, .rehearsed, (.changes[0] | .before.address,
		.after.address)] | map(tostring) | join(" ")' "$work/out")" "null true $a $b"
	"$remap" ept map --fresh --vm "$vm" --gpa "$(gpa 1)" --rehearse >"$work/out"
	equal 'rehearsal: as text' "$(head -n 1 "$work/out" | cut -d, -f1)" rehearsed
	as_before 'rehearsal'
	"$remap" ept swap --json --vm "$vm" --gpa "$(gpa 1)" --with "gpa=$(gpa 2)" --keep \
		>"$work/out" 2>/dev/null
	id=$(jq .id "$work/out")
	equal 'swap: before and after in JSON' \
		"$(jq -r '.changes[0] | .before.address + " " + .after.address' "$work/out")" \
		"$a $b"
	equal 'swap: contents of both, by EPT or NPT' "$(words 1) $(words 2)" "$d $c"
	equal 'swap: in the list' "$("$remap" list --json |
		jq -r 'select(.state == "active") | "\(.id) \(.what) \(.pid) \(.gpa)"' | tr '\n' ' ')" \
		"$id ept-swap $vm $(gpa 1) $id ept-swap $vm $(gpa 2) "
	equal 'swap: the list, as text' "$("$remap" list | grep -c "ept-swap  *$vm/[0-9]*:gpa=0x")" 2
	"$remap" undo "$id" 2>/dev/null
	equal 'swap: undone, frames' "$(frame 1) $(frame 2)" "$a $b"
	as_before 'swap, undone'
}

check_ranges()
{
	local got

	"$remap" ept map --fresh --vm "$vm" --gpa "$(gpa 2)" --len 12K -- \
		"$remap" read --raw --vm "$vm" --gpa "$(gpa 1)" 20480 >"$work/out" 2>"$work/err"
	equal 'fresh pages while a command runs: its exit status' $? 0
	got=$(tail -c +4097 "$work/out" | head -c 12288 | tr -d '\0' | wc -c)
	equal 'fresh pages: bytes in three of them' "$got" 0
	as_before 'fresh pages, after the command'
	"$remap" ept swap --vm "$vm" --gpa "$(gpa 0)" --len 16K --with "$(gpa 4)" --for 1ms >/dev/null \
		2>&1
	equal 'a range for some time: exit status' $? 0
	as_before 'a range, after the time'
}

check_show()
{
	"$remap" ept show --vm "$vm" --gpa "$(gpa 3)" --gpa "$(gpa 4)" >"$work/out"
	equal 'show: exit status' $? 0
	equal 'show: frames, by the tables and by pagemap' \
		"$(sed -n 's/^= \(0x[0-9a-f]*\)000, .*/\1/p' "$work/out" | tr '\n' ' ')" \
		"$(sed -n 's/^page i=[34] .* pfn=\(0x[0-9a-f]*\).*/\1/p' "$work/guest" | tr '\n' ' ')"
}

check_refused()
{
	says 'no slot there' 1 'no memory slot' "$remap" ept map --fresh --vm "$vm" --gpa 0x10000000
	says 'two of a kind' 1 'twice in this' "$remap" ept map --fresh --vm "$vm" --gpa "$(gpa 1)" \
		--gpa "$(gpa 1)"
	says 'no VM' 1 'has no VM' "$remap" ept map --fresh --vm $$ --gpa "$(gpa 1)"
	says 'no such VM' 1 'is no VM' "$remap" ept map --fresh --vm "$vm" --vm-fd 0 --gpa "$(gpa 1)"
	says 'not a page' 2 'no multiple of 4096' "$remap" ept map --fresh --vm "$vm" --gpa 0x40000001
	says 'a rehearsal for some time' 2 'leaves nothing in force' "$remap" ept map --fresh \
		--vm "$vm" --gpa "$(gpa 1)" --rehearse --for 1s
	says 'a rehearsal of access' 2 'for map and swap' "$remap" ept protect --clear w \
		--vm "$vm" --gpa "$(gpa 1)" --rehearse
	says 'another entry' 1 'not the expected' "$remap" ept map --fresh --vm "$vm" \
		--gpa "$(gpa 1)" --expect 0x1234
	as_before 'refused'
}

# What the kernel takes is told at once.
check_watch()
{
	local got watch

	"$remap" ept map --fresh --vm "$vm" --gpa "$(gpa 1)" --keep >/dev/null 2>&1
	"$remap" watch >"$work/events" 2>"$work/watch.err" &
	watch=$!
	until grep -q watching "$work/watch.err" || ! kill -0 "$watch" 2>/dev/null; do sleep 0.05; done
	echo >&7
	exec 7>&-
	wait "$vm"
	equal "the guest's own checks, after all that" $? 0
	for ((i = 0; i < 100; i++)); do
		grep -q taken "$work/events" && break
		sleep 0.1
	done
	kill -TERM "$watch"
	wait "$watch"
	got=$(grep -o "taken [0-9]* ept-fresh $vm/[0-9]*:gpa=$(gpa 1) .* before exit" "$work/events" |
		wc -l)
	equal 'watch: the VM exits, and the change is gone' "$got" 1
	((got)) || cat "$work/events"
	"$remap" undo --all 2>/dev/null
}

part_command()
{
	local i before=''

	start_guest
	for ((i = 0; i < PAGES; i++)); do
		before+=" $(words "$i")"
	done
	before=$(tr -d ' ' <<<"$before" | sha256sum)
	check_show
	check_swap
	check_ranges
	check_refused
	check_watch
}

modprobe kvm_intel 2>/dev/null || modprobe kvm_amd || not_ok 'KVM'
load
for part; do
	"part_$part"
done
unload "$*"
finish
