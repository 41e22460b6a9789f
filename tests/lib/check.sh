# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # set here and used there
# What the test scripts share. Each check prints one line, "ok ..." or "not ok ...", with the
# values that it compared; tests/run counts those lines.
#
# Sets: $top the source tree, $bin the build folder, $pf the program, $work a folder of the
# script's own, removed at its end.

set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
bin=${O:-$top/build}
[[ $bin == /* ]] || bin=$top/$bin
pf=$bin/ptrace-pf
work=$(mktemp -d) || exit 1
failures=0
cleanups=()
export LC_ALL=C

# at_exit COMMAND [ARG]... - runs it when the script ends, the last one first; its words are kept
# apart by printf %q
at_exit()
{
	local words

	printf -v words '%q ' "$@"
	cleanups=("$words" "${cleanups[@]}")
}

leave()
{
	local words

	for words in "${cleanups[@]}"; do
		eval "$words"
	done
	rm -rf "$work"
}
trap leave EXIT

# long N MORE - prints N, or MORE where LONG is set (make check LONG=1): for what may go on longer
long()
{
	[[ ${LONG:-0} == 0 ]] && echo "$1" || echo "$2"
}

# on_debug - whether the debug kernel stands for all others (make check-debug); Intel's machine would
# be too slow for it
on_debug()
{
	[[ ${LAB_KERNEL-} == debug ]]
}

# parts NAME... - calls part_NAME of each; and how many seconds each took
parts()
{
	local part start said=''

	for part; do
		start=$SECONDS
		"part_$part"
		said+=" $part $((SECONDS - start))"
	done
	printf '# seconds:%s\n' "$said"
}

ok()
{
	printf 'ok %s\n' "$1"
}

not_ok()
{
	printf 'not ok %s\n' "$1"
	failures=$((failures + 1))
}

# skip REASON - for what cannot run here at all
skip()
{
	printf 'skip %s\n' "$1"
}

# until_runs PID NAME - past the exec that gives it its own memory
until_runs()
{
	until [[ $(<"/proc/$1/comm") == "$2" ]] || ! kill -0 "$1" 2>/dev/null; do sleep 0.05; done
}

# machine_said WHAT STATUS - of a machine of the lab's: how its run ended, and its own checks, with WHAT
# before them; from $work/said and $work/err
machine_said()
{
	equal "$1: status, and nothing in the kernel log" "$2" 0
	failures=$((failures + $(grep -c '^not ok' "$work/said")))
	sed -E "s/^((not )?ok|skip) /&$1: /" "$work/said"
	cat "$work/err"
}

# finish - ends the script: with 0 when every check was ok
finish()
{
	exit $((failures > 0))
}

# commas N - prints 1234567 as 1,234,567
commas()
{
	local n=${1:-nothing} out=''

	while [[ $n =~ ^[0-9]{4,}$ ]]; do
		out=,${n: -3}$out
		n=${n:0:-3}
	done
	printf '%s%s' "$n" "$out"
}

# equal WHAT GOT WANT [SOURCE] - SOURCE says where WANT comes from
equal()
{
	local line

	line="$1: $(commas "$2")"
	if [[ -n $2 && $2 == "$3" ]]; then
		ok "$line = $(commas "$3")${4:+ ($4)}"
	else
		not_ok "$line, but $(commas "$3")${4:+ ($4)}"
	fi
}

# adds_up WHAT EVENTS LOST WANT SOURCE
adds_up()
{
	local line

	line="$1: $(commas "$2") events + $(commas "$3") lost"
	if [[ $2 && $3 && $4 ]] && (($2 + $3 == $4)); then
		ok "$line = $(commas "$4") ($5)"
	else
		not_ok "$line, but $(commas "$4") ($5)"
	fi
}

# at_least WHAT GOT MIN [SOURCE]
at_least()
{
	if [[ $2 && $3 ]] && (($2 >= $3)); then
		ok "$1: $(commas "$2") >= $(commas "$3")${4:+ ($4)}"
	else
		not_ok "$1: $(commas "$2"), not >= $(commas "$3")${4:+ ($4)}"
	fi
}

# close_to WHAT GOT WANT DISTANCE [SOURCE]
close_to()
{
	local line

	line="$1: $(commas "$2")"
	if [[ $2 && $3 ]] && (($2 >= $3 - $4 && $2 <= $3 + $4)); then
		ok "$line, at most $4 from $(commas "$3")${5:+ ($5)}"
	else
		not_ok "$line, more than $4 from $(commas "$3")${5:+ ($5)}"
	fi
}

# at_most WHAT GOT LIMIT
at_most()
{
	if [[ $2 && $3 ]] && (($2 <= $3)); then
		ok "$1: $(commas "$2") <= $(commas "$3")"
	else
		not_ok "$1: $(commas "$2"), not <= $(commas "$3")"
	fi
}

# same_lines WHAT WANT_FILE GOT_FILE - prints the first differences
same_lines()
{
	local lines

	lines=$(wc -l <"$2")
	if [[ -s $2 ]] && cmp -s "$2" "$3"; then
		ok "$1: $(commas "$lines") lines alike"
	else
		not_ok "$1: $(diff "$2" "$3" | grep -c '^[<>]') of $(commas "$lines") lines differ; first:"
		diff "$2" "$3" | head -n 12
	fi
}

# ends_with WHAT STATUS COMMAND [ARG]... - runs it, its output goes to $work/out and $work/err
ends_with()
{
	local what=$1 want=$2 got

	shift 2
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	equal "$what: exit status" "$got" "$want"
}

# fails WHAT STATUS PATTERN COMMAND [ARG]... - and one line on stderr, which matches whatever the
# case of its letters
fails()
{
	local what=$1 status=$2 pattern=$3 got lines

	shift 3
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	lines=$(wc -l <"$work/err")
	if ((got == status && lines == 1)) && grep -qiE -- "$pattern" "$work/err"; then
		ok "$what: $got, $(cat "$work/err")"
	else
		not_ok "$what: status $got (not $status), $lines lines (not 1, /$pattern/):"
		head -n 5 "$work/err"
	fi
}
