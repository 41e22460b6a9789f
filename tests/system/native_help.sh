#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The help texts, the man page and the bash completion tell the same: commands, options with their
# arguments, values. The man page renders without a warning.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=user/cmd/ptrace-pf.bash
. "$top/user/cmd/ptrace-pf.bash"

man=$top/user/cmd/ptrace-pf.1
mapfile -t commands < <("$pf" --help | awk '/^  [a-z]/ { print $1 }')

# help_options COMMAND - prints "-o, --output FILE", "--json", ... of its help
help_options()
{
	"$pf" "$1" --help | sed -nE 's/^ {2,6}(-.*)/\1/p' | sed -E 's/ {2,}.*//'
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
	COMP_WORDS=(ptrace-pf "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_ptrace_pf
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
	same_lines "$1" "$work/want" "$work/got"
}

# allowed OPTION - the values that the program names when it gets a wrong one
allowed()
{
	"$pf" stat "$1" '?' 2>&1 | sed -n 's/.* is not one of //p' | words
}

# man_tags HEADING - first words of the tagged paragraphs of a part of the man page
man_tags()
{
	awk -v heading="$1" '
		/^\.S[HS]/ { here = (substr($0, 5) == heading) }
		here && tag && /^\.B / { print $2 }
		{ tag = /^\.TP/ }' "$man"
}

printf '%s\n' "${commands[@]}" >"$work/want"
man_tags Commands >"$work/got"
alike "commands: --help and man page"
printf '%s\n' "${commands[@]}" help --help --version >"$work/want"
completed '' >"$work/got"
alike "commands: --help and completion"

for command in "${commands[@]}"; do
	help_options "$command" >"$work/want"
	man_options "$command" >"$work/got"
	alike "$command: options in --help and man page"
	help_options "$command" | words | grep '^-' >"$work/want"
	completed "$command" - >"$work/got"
	alike "$command: options in --help and completion"
	# An option with a value is followed by a value, one without by more options.
	help_options "$command" | sed 's/.*--//; s/ .*/ value/' >"$work/want"
	while read -r option _; do
		completed "$command" "--$option" '' >"$work/words"
		grep -qx -- --help "$work/words" && echo "$option" || echo "$option value"
	done <"$work/want" >"$work/got"
	alike "$command: options with a value in --help and completion"
done

for option in --hook --event --access --outcome; do
	allowed "$option" | sed 's/ (.*//' >"$work/want"
	completed stat "$option" '' >"$work/got"
	alike "$option: values in the error message and completion"
done
# The help wraps: its lines are put together, and the list stands between "of" and the default.
"$pf" report --help | tr -s '\n ' ' ' | sed 's/.*comma list of \([a-z, ]*\) (default.*/\1/' |
	words >"$work/want"
completed report --sort '' >"$work/got"
alike "--sort: keys in --help and completion"

{ allowed --outcome; echo unknown; } >"$work/want"
man_tags OUTCOMES >"$work/got"
alike "outcomes: the program and the man page"
allowed --hook | grep -vx auto >"$work/want"
man_tags HOOKS >"$work/got"
alike "hooks: the program and the man page"

groff -man -ww -z -Tutf8 "$man" 2>"$work/warnings"
equal "man page: groff's warnings" "$(wc -l <"$work/warnings")" 0
cat "$work/warnings"
finish
