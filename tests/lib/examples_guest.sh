# shellcheck shell=bash disable=SC2034,SC2154 # set here and used there
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: the commands of the README and of the man pages' examples that need the module, a
# guest or all hooks (tests/lib/examples.sh), on two processes and guests of tests/guests/kvm. Sourced
# by rules_guest.sh, behind check.sh and monitored.sh.

# shellcheck source=tests/lib/examples.sh
. "$top/tests/lib/examples.sh"

readonly SIGN_TENTHS=600

# process - one with memory of its own; sets $started, its pid, and $own, where 32 pages of that are
process()
{
	mkfifo "$work/process"
	perl -e '$| = 1; my $x = "x" x (1 << 20); printf "0x%x\n", unpack("J", pack("p", $x)); sleep' \
		>"$work/process" &
	started=$!
	read -r own <"$work/process"
	rm "$work/process"
	own=$(printf '0x%x' $(((own | 0xffff) + 1)))
	at_exit kill "$started"
}

# physical - of $page; then that of the table that its entry is in
physical()
{
	"$remap" walk --pid "$target" "$page" |
		sed -nE 's/^  = (0x[0-9a-f]+), 4K page.*/\1/p; s/^  PTE\[.* at (0x[0-9a-f]+)[0-9a-f]{3}: .*/\1000/p'
}

# names - what stands for the names in the examples; $held is a guest that has run and waits
names()
{
	local started own

	process
	other=$started:$own
	process
	target=$started page=$own next=$(printf '0x%x' $((own + 4096)))
	{ read -r table; read -r frame; } < <(physical)
	gva=0x40000000 gpa=0x40001 gpas=0x40000000-0x40001fff
	start --hold halt memtest 8
	until_says held
	held=$vm
	exec 8>&7
}

# loads COMMAND - one that loads modules, which therefore must not be there
loads()
{
	unload_all
	succeeds examples "$1"
	equal "examples: $1: the module is there" "$([[ -d /sys/module/ptremap ]] && echo yes)" yes
}

unload_all()
{
	local module

	for module in ptremap_kvm ptremap; do
		[[ ! -d /sys/module/$module ]] || rmmod $module
	done
}

# has_told PATTERN - has the example said that, or begun a recording?
has_told()
{
	grep -qs -- "$1" "$work/err" || [[ -s $work/ptrace-pf.data ]]
}

# to_the_end COMMAND PATTERN - on a guest that begins when the command has said that, and whose end is
# the end of the command
to_the_end()
{
	local i

	rm -f ptrace-pf.data
	ready memtest 4
	begin "$1"
	for ((i = 0; i < SIGN_TENTHS; i++)); do
		has_told "$2" && break
		kill -0 "$example" 2>/dev/null || break
		sleep 0.1
	done
	stop
	wait "$example"
	equal "examples: $1: status" $? 0
	[[ ! -f ptrace-pf.data ]] || "$pf" script >"$work/out"
	at_least "examples: $1: lines" "$(wc -l <"$work/out")" 1
}

# of_calls COMMAND - on a guest that calls without end, until there are events
of_calls()
{
	start --quiet die 100000
	until_says dies
	succeeds examples "$1" $SIGN_TENTHS
	{ kill -9 "$vm" && wait "$vm"; } 2>/dev/null
	exec 7>&-
	at_least "examples: $1: hypercalls" "$(grep -c ': hypercall ' "$work/out")" 1
}

# undoes COMMAND - with a change to undo
undoes()
{
	"$remap" trap --pid "$target" "$next" --keep >"$work/out" 2>&1
	succeeds examples "$1"
	equal "examples: $1: changes that it lists" "$(grep -c " trap .*$next" "$work/out")" 1
	equal "examples: $1: changes behind it" "$("$remap" list | wc -l)" 0
}

# untouched COMMAND - on a guest of whose pages none was changed, since it has halted: NPT has them all
untouched()
{
	start --hold halt memtest 8
	until_says held
	succeeds examples "$1"
	stop
}

# example COMMAND - with what it needs
example()
{
	name="examples: $1"
	case $1 in
	'ptremap rule add '*) to_the_end "$1" 'in force' ;;
	'ptremap watch --vm '*) to_the_end "$1" watching ;;
	'ptrace-pf record -e '*' --vm '*) to_the_end "$1" 'no words' ;;
	'ptrace-pf live -e '*' --vm '*) of_calls "$1" ;;
	'ptremap ept show '*) untouched "$1" ;;
	'ptremap list;'*) undoes "$1" ;;
	*) succeeds examples "$1" 30 ;;
	esac
}

# run_examples MODULE - what several examples come to when names have been replaced is run once
run_examples()
{
	local target=0 page=0 next=0 frame=0 table=0 other=0 gva=0 gpa=0 gpas=0 module=$1
	local main_job="remap $1"
	local root mapped ept_root guest_root guest_mapped held example line command commands
	local -A seen=()

	vm=0
	example_files
	mapfile -t commands < <(of_place lab)
	for command in "${commands[@]}"; do
		[[ $command != @(*insmod\ *|sudo\ *) ]] || loads "$command"
	done
	unload_all
	{ insmod "$module" && insmod "${module%/*}/ptremap_kvm.ko"; } || not_ok 'examples: insmod'
	names
	for command in "${commands[@]}"; do
		[[ $command != @(*insmod\ *|sudo\ *) ]] || continue
		vm=$held line=$(prepared "$command")
		[[ ! ${seen[$line]-} ]] || continue
		seen[$line]=1
		example "$command"
	done
	name=examples vm=$held
	exec 7>&8 8>&-
	stop
	cd / || exit 1
}
