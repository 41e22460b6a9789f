# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # set here and used there
# The commands of the README's blocks and of the man pages' EXAMPLES. Each is run, and has to succeed,
# on this machine (tests/system/native_readme.sh) or in the lab (tests/lib/examples_guest.sh); the few
# that neither can run are in tests/examples.list. Sourced behind check.sh.
#
# What names in commands are replaced by, set by who sources this: $target a process, $page and $next
# pages of its own, $frame and $table the physical addresses of such a page and of a table, $other
# PID:PAGE of another process, $vm a VM's process, $gva, $gpa (without the lower 12 bits) and $gpas
# (a range) in it, $module the path of ptremap.ko, $main_job what of "make run" is run in this place.

shopt -s extglob

# readme_commands - those of the README's blocks, one on a line, without comment. In a block with
# prompts they stand behind one ("# kernel: ..." is no command); in one without, each line is one.
readme_commands()
{
	awk '
		function is_prompt(s) { return s ~ /^# [^ ]*[^ :]( |$)/ }
		function block(   i) {
			for (i = 1; i <= n; i++) {
				if (prompts ? is_prompt(line[i]) : line[i] ~ /^[^ ]/)
					print prompts ? substr(line[i], 3) : line[i]
			}
			n = prompts = 0
		}
		/^```/ { inside = !inside; if (!inside) block(); next }
		inside { line[++n] = $0; prompts += is_prompt($0) }' "$top/README.md" |
		sed -E 's/ +# .*//' | awk '!seen[$0]++'
}

# man_commands - those of the man pages' examples: tagged paragraphs, and what is not filled
man_commands()
{
	cat "$top"/user/cmd/*.1 "$top"/scripts/*.1 | awk '
		/^\.SH/ { here = ($2 == "EXAMPLES") }
		/^\.nf/ { plain = here }
		/^\.fi/ { plain = 0 }
		here && tag && sub(/^\.B /, "") { print }
		plain && !/^\./ { print }
		{ tag = /^\.TP/ }' |
		sed -E "s/\\\\-/-/g; s/\\\\\(aq/'/g; s/\\\\\(dq/\"/g; s/\\\\e/\\\\/g" | awk '!seen[$0]++'
}

# examples - all of them
examples()
{
	{ readme_commands && man_commands; } | awk '!seen[$0]++'
}

# unrunnable - the commands of the list, each with " # FILE: REASON"
unrunnable()
{
	grep -v '^#' "$top/tests/examples.list"
}

NOWHERE=$'\n'$(unrunnable | sed 's/ # .*//')$'\n'
readonly NOWHERE

# find_place COMMAND - sets $place to where it is run: here, lab, or nowhere. What needs nothing but
# root and files is run here. Whatever else there is, the lab has to run.
find_place()
{
	case $1 in
	*--vm\ * | *--pid\ * | *' -p '* | *--pa\ * | *'--kernel '* | *' -e '[a-z]* | *--outcome\ *)
		place=lab
		;;
	ptrace-pf\ @(record|report|script|diff|export|stat|doctor)?(\ *)) place=here ;;
	'ptrace-pf top --batch '* | 'perf report '* | *--image\ * | 'ptremap decode '*) place=here ;;
	*) place=lab ;;
	esac
	[[ $NOWHERE != *$'\n'"$1"$'\n'* ]] || place=nowhere
}

# of_place PLACE - the examples that are run there
of_place()
{
	local command place

	while IFS= read -r command; do
		find_place "$command"
		[[ $place != "$1" ]] || printf '%s\n' "$command"
	done < <(examples)
}

# goes_on COMMAND - does it, until Ctrl-C?
goes_on()
{
	case $1 in
	*--for\ * | *--dry-run*) return 1 ;;
	'ptrace-pf live '* | *'-- ptrace-pf live '* | *' --every '* | 'ptrace-pf record '*--vm*) ;;
	'ptremap watch '* | 'ptremap rule add '* | 'ptremap mirror '* | 'ptremap graft '*) ;;
	*) return 1 ;;
	esac
}

# example_files - changes to $work, and makes the files and programs that the commands name
example_files()
{
	local file

	mkdir "$work/bin" && cd "$work" || exit 1
	ln -s "$bin/ptrace-pf" "$bin/ptremap" "$work/bin"
	printf '#!/bin/sh\nexec cat\n' >"$work/bin/flamegraph.pl"
	printf '#!/bin/sh\nexec %q --quiet memtest 8\n' "$bin/tests/kvm_guest" >"$work/bin/VMM"
	chmod +x "$work/bin"/*
	printf 'all:\n\t@true\n' >Makefile
	"$bin/tests/mkimage" 4level 1 vmcore elf >said
	root=$(awk '$1 == "root" { print $2 }' said)
	mapped=$(grep -m 1 '^0x' said | cut -d ' ' -f 1)
	echo "$mapped" >addresses
	for file in before after; do
		cp vmcore "$file"
	done
	"$bin/tests/mkimage" 4level 1 ram.bin >/dev/null
	"$bin/tests/mkimage" nested 1 host.img >said
	cp host.img host.bin
	ept_root=$(awk '$1 == "root" { print $2 }' said)
	guest_root=$(awk '$1 == "guest-root" { print $2 }' said)
	guest_mapped=$(awk '/^0x/ && $2 != "-" { print $1; exit }' said)
	cp "$top/tests/replay/calls.abi" mine.abi
	echo bytes >bytes
	PATH=$work/bin:$PATH
}

# prepared COMMAND - prints it with names that mean something here, and shorter. What boots the lab
# is in it already, and does what is to be done there.
prepared()
{
	sed -E \
		-e "s#^sudo make run\$#cd $top \&\& O=$bin scripts/run $main_job#" \
		-e 's/^ptscope-lab (--kernel [0-9.]+ )?//' \
		-e "s#\\$\((scripts/kmod|ptscope-kmod) [^()]*(\([^()]*\)[^()]*)?\)#$module#" \
		-e "s#insmod (ptremap[a-z_]*\.ko)#insmod ${module%/*}/\1#g" \
		-e "s/--vm ([0-9]+|\\$\(pidof [^)]*\))/--vm $vm/" \
		-e "s/(--pid|--into|-p) [0-9]+/\1 $target/g; s/(--frames?-of) [0-9]+:0x[0-9a-f]+/\1 OTHER/" \
		-e "s/--with 0x7f[0-9a-f]{10}\>/--with NEXT/; s/\<0x7f[0-9a-f]{10}\>/$page/g" \
		-e "s/OTHER/$other/; s/NEXT/$next/" \
		-e "s/--gva 0x[0-9a-f]+( |\$)/--gva $gva\1/; s/--gpa 0x[0-9a-f]+-0x[0-9a-f]+/--gpa $gpas/" \
		-e "s/--gpa 0x[0-9a-f]+([0-9a-f]{3})( |\$)/--gpa $gpa\1\2/" \
		-e "s/--phys 0x[0-9a-f]+ --for /--phys $frame --for /" \
		-e "s/--phys 0x[0-9a-f]+ --force-frame table/--phys $table --force-frame table/" \
		-e "s/(vmcore.*) 0xffffffff[0-9a-f]+/\1 $mapped/" \
		-e "/host\./!s/--cr3 0x[0-9a-f]+/--cr3 $root/; s/--eptp 0x[0-9a-f]+/--eptp ${ept_root%??}1e/" \
		-e "/host\./{s/--cr3 0x[0-9a-f]+/--cr3 $guest_root/; s/(ADDR|0x[0-9a-f]+)\$/$guest_mapped/}" \
		-e 's/(1\.\.)[0-9]+/\11000/; s/(--for|sleep) (10|9)\>/\1 0.2/; s/--every 15s/--every 1s/' \
		<<<"$1"
}

# begin COMMAND - in the background; sets $example, its pid. What it says is in $work/out, $work/err
begin()
{
	rm -f "$work/out" "$work/err"
	touch "$work/begun"
	timeout --preserve-status -s INT -k 10 60 bash -c "set -o pipefail; $(prepared "$1")" \
		>"$work/out" 2>"$work/err" </dev/null &
	example=$!
}

# until_begun TENTHS - waits, so many tenths of a second at most, until it has said or written
# something, or has ended
until_begun()
{
	local i

	for ((i = 0; i < $1; i++)); do
		[[ -s $work/out || -s $work/err ]] && return
		[[ -s $work/ptrace-pf.data && $work/ptrace-pf.data -nt $work/begun ]] && return
		kill -0 "$example" 2>/dev/null || return
		sleep 0.1
	done
}

# run COMMAND [TENTHS] - its status. What goes on is interrupted when it has begun, or after so many
# tenths of a second.
run()
{
	begin "$1"
	if goes_on "$1"; then
		until_begun "${2:-20}"
		kill -INT "$example" 2>/dev/null
	fi
	wait "$example"
}

# succeeds WHAT COMMAND [TENTHS] - runs it: 0 at its end, or 130 when it was interrupted
succeeds()
{
	local status want=0

	goes_on "$2" && want=130
	run "$2" "${3:-20}"
	status=$?
	equal "$1: $2: status" "$status" $want
	((status == want)) || { prepared "$2" && head -n 3 "$work/err"; }
}
