#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each command of the README and of the man pages' examples is run (tests/lib/examples.sh). What needs
# nothing but root and files has to succeed. The others, which need KVM, the helper module or the end
# of a fault as a hook, succeed in the lab (tests/lib/examples_guest.sh); here they have to be
# understood: they work, or say in one line what is missing, but not that they are used wrongly.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/examples.sh
. "$top/tests/lib/examples.sh"

# set_up - a process that sleeps stands for all of them
set_up()
{
	sleep 1000 &
	target=$!
	at_exit kill "$target"
	page=0x7f0012345000 next=0x7f0012344000 other=$target:$page frame=0x6a10000 table=0x2a0a000
	vm=$target gva=0x100000 gpa=0x40001 gpas=0x1000-0x2fff module=$bin/ptremap.ko
	main_job="trace $work/run.data comm,access,symbol"
	example_files
	printf '#!/bin/sh\nexec true\n' >bin/VMM
}

# is_understood COMMAND - what has failed says why, in one line for each command on the line
is_understood()
{
	local status lines want=0 semicolons

	run "$1"
	status=$?
	lines=$(wc -l <"$work/err")
	semicolons=${1//[^;]/}
	((status == 1)) && want=$((1 + ${#semicolons}))
	if ((status > 1 && status != 130)) || grep -q 'try --help' "$work/err" ||
		((want && lines != want)); then
		not_ok "$1: status $status, $lines lines: $(head -n 3 "$work/err")"
	else
		ok "$1: understood, status $status: $(head -n 1 "$work/err")"
	fi
}

# The list of what is not run has nothing in it that is no example any more, and names tests.
check_list()
{
	local line command file

	while IFS= read -r line; do
		command=${line%% # *} file=${line#* # } file=${file%%: *}
		equal "$command: is an example, and is tested elsewhere" \
			"$(examples | grep -cxF -- "$command") $([[ -s $top/$file ]] && echo "$file")" "1 $file"
	done < <(unrunnable)
}

set_up
while IFS= read -r command; do
	if [[ $command == *' b1,'* ]]; then
		for file in {a,b}{1,2,3}; do
			cp ptrace-pf.data "$file"
		done
	fi
	find_place "$command"
	case $place,$command in
	here,* | lab,'sudo make run') succeeds runs "$command" ;;
	lab,ptrace-pf\ * | lab,ptremap\ *) is_understood "$command" ;;
	esac
done < <(examples)
check_list
at_least "commands in the README" "$(readme_commands | wc -l)" 50
at_least "examples in man pages" "$(man_commands | wc -l)" 35
at_least "commands that had to succeed here" "$(of_place here | wc -l)" 35
finish
