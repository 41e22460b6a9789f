#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The help texts, the man pages and the completions of bash and zsh tell the same: commands, options
# with their arguments, values. The man pages render without a warning. The README's commands are
# commands.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=user/cmd/ptrace-pf.bash
. "$top/user/cmd/ptrace-pf.bash"
# shellcheck source=user/cmd/ptremap.bash
. "$top/user/cmd/ptremap.bash"

# use PROGRAM - the next checks are about it; sets $program, $run, $man
use()
{
	program=$1
	run=$bin/$1
	man=$top/user/cmd/$1.1
}

# help_options COMMAND - prints "-o, --output FILE", "--json", ... of its help
help_options()
{
	"$run" "$1" --help | sed -nE 's/^ {2,6}(-.*)/\1/p' | sed -E 's/ {2,}.*//'
}

# man_options COMMAND - the same, of the man page's parts that name the command
man_options()
{
	awk -v command="$1" '
		/^\.SH/ { part = ($2 == "OPTIONS"); here = 0 }
		/^\.SS/ {
			gsub(/,/, "")
			here = part && / every command$/
			for (i = 2; i <= NF; i++)
				here = here || (part && $i == command)
		}
		here && tag && /^\.B \\-/ { print }
		{ tag = /^\.TP/ }' "$man" | sed -E 's/^\.B //; s/\\f.//g; s/\\-/-/g'
}

# completed WORD... - prints what the completion offers for the last of the words
completed()
{
	COMP_WORDS=("$program" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	"_${program//-/_}"
	((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
}

# words - splits what it reads at commas and blanks
words()
{
	tr -s ', ' '\n' | sed '/^$/d'
}

# alike WHAT - compares $work/want with $work/got, whatever the order
alike()
{
	sort -o "$work/want" "$work/want"
	sort -o "$work/got" "$work/got"
	same_lines "$program $1" "$work/want" "$work/got"
}

# allowed COMMAND OPTION - the values that the program names when it gets a wrong one
allowed()
{
	"$run" "$1" "$2" '?' 2>&1 | sed -n 's/.* is not \(a list\|one\) of //p' | words
}

# man_tags HEADING - first words of the tagged paragraphs of a part of the man page
man_tags()
{
	awk -v heading="$1" '
		/^\.S[HS]/ { here = (substr($0, 5) == heading) }
		here && tag && /^\.B / { print $2 }
		{ tag = /^\.TP/ }' "$man" | sed 's/\\-/-/g'
}

check_command()
{
	local option

	help_options "$1" >"$work/want"
	man_options "$1" >"$work/got"
	alike "$1: options in --help and man page"
	help_options "$1" | words | grep '^-' >"$work/want"
	completed "$1" - >"$work/got"
	alike "$1: options in --help and completion"
	# An option with a value is followed by a value, one without by more options.
	help_options "$1" | sed 's/.*--//; s/ .*/ value/' >"$work/want"
	while read -r option _; do
		completed "$1" "--$option" '' >"$work/words"
		grep -qx -- --help "$work/words" && echo "$option" || echo "$option value"
	done <"$work/want" >"$work/got"
	alike "$1: options with a value in --help and completion"
}

check_program()
{
	local command commands

	mapfile -t commands < <("$run" --help | awk '/^  [a-z]/ { print $1 }')
	printf '%s\n' "${commands[@]}" >"$work/want"
	man_tags Commands >"$work/got"
	alike "commands: --help and man page"
	printf '%s\n' "${commands[@]}" help --help --version >"$work/want"
	completed '' >"$work/got"
	alike "commands: --help and completion"
	for command in "${commands[@]}"; do
		check_command "$command"
	done
	groff -man -ww -z -Tutf8 "$man" 2>"$work/warnings"
	equal "$program: groff's warnings about the man page" "$(wc -l <"$work/warnings")" 0
	cat "$work/warnings"
}

# zsh_offers LINE... - what zsh offers for each line goes to $work/zsh, as "LINE<tab>WORD"
zsh_offers()
{
	mkdir -p "$work/functions" && cp "$top/user/cmd/ptscope.zsh" "$work/functions/_ptscope"
	printf '%s\n' "$@" |
		PATH=$bin:$PATH timeout 120 zsh -f "$top/tests/lib/zsh_offers.zsh" "$work/functions" >"$work/zsh"
}

# offered LINE - of that; a lone "-" stands for the options of a command that may come
offered()
{
	awk -F '\t' -v line="$1" '$1 == line && $2 != "-" { print $2 }' "$work/zsh"
}

# check_zsh - the options of all of the program's commands
check_zsh()
{
	local command commands lines

	mapfile -t commands < <("$run" --help | awk '/^  [a-z]/ { print $1 }')
	lines=("${commands[@]/#/$program }")
	zsh_offers "$program " "${lines[@]/%/ -}"
	printf '%s\n' "${commands[@]}" help --help --version >"$work/want"
	offered "$program " >"$work/got"
	alike "commands: --help and completion of zsh"
	for command in "${commands[@]}"; do
		help_options "$command" | words | grep '^-' >"$work/want"
		offered "$program $command -" >"$work/got"
		alike "$command: options in --help and completion of zsh"
	done
}

# valued COMMAND - its options that take a value, short ones, too
valued()
{
	help_options "$1" | awk '$NF !~ /^-/ { for (i = 1; i < NF; i++) print $i }' | tr -d ,
}

# kinds - of lines "COMMAND<tab>WORD": a word for all processes, and of their names that of this one
kinds()
{
	awk -F '\t' -v OFS='\t' -v self="$(<"/proc/$$/comm")" '
		$1 ~ / --comm $/ && $2 != self { next }
		$1 !~ / --mmio $/ && $2 ~ /^[0-9]+$/ { $2 = "PID" }
		{ sub(/\/$/, "", $2); print $1, $2 }' | sort -u
}

# check_zsh_values - each option's, in a folder with a file and a folder, are those of bash. Where bash
# offers the same after an option of several commands, zsh is asked about the first one.
check_zsh_values()
{
	local command option offers lines=() PATH=$bin:$PATH
	local -A asked=()

	mkdir -p "$work/names/a-folder" && cd "$work/names" && : >a-file || exit 1
	while read -r command; do
		for option in $(valued "$command"); do
			offers=$(completed "$command" "$option" '' | sed "s/^/$program $command $option \t/" | kinds)
			[[ ! ${asked[$option ${offers//$program $command/}]-} ]] || continue
			asked[$option ${offers//$program $command/}]=1
			lines+=("$program $command $option ")
			[[ ! $offers ]] || echo "$offers"
		done
	done < <("$run" --help | awk '/^  [a-z]/ { print $1 }') >"$work/want"
	zsh_offers "${lines[@]}"
	awk -F '\t' '$2 != "-"' "$work/zsh" | kinds >"$work/got"
	cd "$OLDPWD" || exit 1
	alike "values of ${#lines[@]} options in completions of bash and zsh"
}

# check_values COMMAND OPTION...
check_values()
{
	local command=$1 option

	shift
	for option; do
		allowed "$command" "$option" | sed 's/ (.*//' >"$work/want"
		completed "$command" "$option" '' >"$work/got"
		alike "$option: values in the error message and completion"
	done
}

use ptrace-pf
check_program
check_zsh
check_zsh_values
check_values stat --hook --event --access --outcome
# The help wraps: its lines are put together, and the list stands between "of" and the default.
"$run" report --help | tr -s '\n ' ' ' | sed 's/.*comma list of \([a-z, ]*\) (default.*/\1/' |
	words >"$work/want"
completed report --sort '' >"$work/got"
alike "--sort: keys in --help and completion"
{ allowed stat --outcome; echo unknown; } >"$work/want"
man_tags OUTCOMES >"$work/got"
alike "outcomes: the program and the man page"
allowed stat --hook | grep -vx auto >"$work/want"
man_tags HOOKS >"$work/got"
alike "hooks: the program and the man page"

# The names of processes are not ours: one that is a command is not run.
check_foreign_name()
{
	local i file name='\$\(\>ran\)'

	mkdir "$work/here" && cd "$work/here" || exit 1
	# shellcheck disable=SC2016 # a name
	printf -v file '%s/$(>ran)' "$work/here"
	cp "$(type -P sleep)" "$file"
	"$file" 1000 &
	at_exit kill $!
	for ((i = 0; i < 100; i++)); do
		[[ $(<"/proc/$!/comm") != *ran* ]] || break
		sleep 0.1
	done
	completed live --comm '' >"$work/words"
	equal "--comm: a process' name is offered, and not run" \
		"$(grep -cxF "$name" "$work/words") $(find . -name ran | wc -l)" '1 0'
	cd "$OLDPWD" || exit 1
}
check_foreign_name

# The ABIs, and the example of their man page, which has to be one.
man5=$top/user/cmd/ptrace-pf-abi.5
for abi in "$top"/user/abi/*.abi; do
	basename "$abi" .abi
done >"$work/want"
"$run" script --abi help >"$work/got"
alike "--abi help: the files of the source"
echo help >>"$work/want"
PATH=$bin:$PATH completed script --abi '' >"$work/words"
(cd "$top" && ls -A) | grep -vxFf - "$work/words" >"$work/got"
alike "--abi: names in completion"
sed -n '/^abi mine$/,/^\.RE$/p' "$man5" | grep -v '^\.' >"$work/mine.abi"
equal "ptrace-pf-abi(5): lines of the example" "$(wc -l <"$work/mine.abi")" 11
ends_with "ptrace-pf-abi(5): the example is an ABI" 0 \
	"$run" script --abi "$work/mine.abi" -i "$top/tests/replay/abi-kvm.ptd"
equal "ptrace-pf-abi(5): calls told by the example" "$(grep -c ' unknown#0x.*(rdi=0x' "$work/out")" 9
groff -man -ww -z -Tutf8 "$man5" 2>"$work/warnings"
equal "ptrace-pf-abi(5): groff's warnings" "$(wc -l <"$work/warnings")" 0
cat "$work/warnings"

# The examples of the rules' man page are rules: each is understood, and refused for its process.
man5=$top/user/cmd/ptremap-rules.5
sed -n '/^on [a-z]*:/ { s/\\//g; p }' "$man5" >"$work/rules"
equal "ptremap-rules(5): rules among the examples" "$(wc -l <"$work/rules")" 4
"$bin/ptremap" rule add --vm 1 --pid 1 "$work/rules" >"$work/out" 2>&1
equal "ptremap-rules(5): the examples are understood" "$? $(grep -c 'not loaded' "$work/out")" '1 1'
groff -man -ww -z -Tutf8 "$man5" 2>"$work/warnings"
equal "ptremap-rules(5): groff's warnings" "$(wc -l <"$work/warnings")" 0
cat "$work/warnings"

use ptremap
check_program
check_zsh
check_zsh_values
check_values walk --format --access
check_values graft --prot --cache
allowed protect --set | sed 's/=N$/=/' >"$work/want"
completed protect --set '' >"$work/got"
alike "--set: bits in the error message and completion"
allowed protect --clear | sed 's/=N$//' >"$work/want"
completed protect --clear '' >"$work/got"
alike "--clear: bits in the error message and completion"
allowed decode --format >"$work/want"
man_tags FORMATS >"$work/got"
alike "formats: the program and the man page"
"$run" decode --help | tr -s '\n ' ' ' |
	sed 's/.*--format FORMAT \(.*\) --maxphyaddr.*/\1/; s/or of nested paging//' | words >"$work/got"
alike "formats: the program and --help"
finish
