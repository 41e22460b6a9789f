#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each command of the README is run. Its processes are one that sleeps, its images are made here,
# its recordings are those that its own "record" makes. What needs nothing but root and files has to
# succeed. The others (they need KVM, the helper module, the end of a fault as a hook, or a terminal)
# have to be understood: they work, or say in one line what is missing, but not that they are used
# wrongly. With the module and in virtual machines such commands are run by the lab's scripts.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

shopt -s extglob
readonly seconds=2 # for what goes on until Ctrl-C

# commands - prints those of the README's blocks, one on a line, without prompt and comment
commands()
{
	awk '/^```/ { inside = !inside; next }
		inside && /^(# )?(ptrace-pf|ptremap) [a-z]+( |;|$)/' "$top/README.md" |
		sed -E 's/^# //; s/ +# .*//' | awk '!seen[$0]++'
}

# here COMMAND - does it need nothing but root and files?
here()
{
	case $1 in
	*--vm\ * | *--pid\ * | *--pa\ * | *'--kernel '* | *' -e '[a-z]*) return 1 ;;
	ptrace-pf\ @(record|report|script|diff|export|doctor|stat)\ * | ptrace-pf\ @(script|doctor)) ;;
	'ptrace-pf top --batch '*) ;;
	*--image\ * | 'ptremap decode '*) [[ $1 != *'host.img'* ]] ;;
	*) return 1 ;;
	esac
}

# set_up - the files and programs that the commands name
set_up()
{
	local file

	mkdir "$work/bin" && cd "$work" || exit 1
	ln -s "$bin/ptrace-pf" "$bin/ptremap" "$work/bin"
	printf '#!/bin/sh\nexec cat\n' >"$work/bin/flamegraph.pl"
	printf '#!/bin/sh\nexec true\n' >"$work/bin/VMM"
	chmod +x "$work/bin"/*
	printf 'all:\n\t@true\n' >Makefile
	"$bin/tests/mkimage" 4level 1 raw >said
	root=$(awk '$1 == "root" { print $2 }' said)
	mapped=$(grep -m 1 '^0x' said | cut -d ' ' -f 1)
	echo "$mapped" >addresses
	for file in vmcore before after host.img tables; do
		cp raw "$file"
	done
	cp "$top/tests/replay/calls.abi" mine.abi
	echo bytes >bytes
	PATH=$work/bin:$PATH
	sleep 1000 &
	sleeper=$!
	at_exit kill "$sleeper"
}

# prepared COMMAND - prints it with names that mean something here. Raw images have no registers.
prepared()
{
	sed -E -e "s/(--(pid|vm|into)|-p) [0-9]+/\1 $sleeper/g; s/(--frames-of) [0-9]+:/\1 $sleeper:/" \
		-e "s/--image (vmcore|before)/--format 4level --root $root &/" \
		-e "s/(vmcore.*) 0xffffffffa[0-9a-f]*/\1 $mapped/; s/\<ADDR\>/$mapped/" \
		-e 's/(1\.\.)[0-9]+/\11000/; s/(--for|sleep) (10|9)\>/\1 0.2/' <<<"$1"
}

# run COMMAND - its status; what goes on is interrupted, and then it has done what it should
run()
{
	local status

	timeout -s INT -k 10 "$seconds" bash -c "set -o pipefail; $(prepared "$1")" >"$work/out" \
		2>"$work/err" </dev/null
	status=$?
	((status == 124)) && status=0
	return "$status"
}

set_up
nr=0
while IFS= read -r command; do
	nr=$((nr + 1))
	if [[ $command == *' b1,'* ]]; then
		for file in {a,b}{1,2,3}; do
			cp ptrace-pf.data "$file"
		done
	fi
	run "$command"
	status=$?
	if here "$command"; then
		equal "$command: status" "$status" 0
		((status)) && head -n 3 "$work/err"
	elif ((status == 0 || status == 1 || status == 130)) && ! grep -q 'try --help' "$work/err"; then
		ok "$command: understood, status $status: $(head -n 1 "$work/err")"
	else
		not_ok "$command: status $status: $(head -n 1 "$work/err")"
	fi
done < <(commands)
at_least "commands in the README" "$nr" 45
finish
