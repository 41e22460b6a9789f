#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What reports take of memory does not grow with the events, whoever recorded them and however many
# threads read them; and all of them print the same.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly MIX=$bin/tests/mix COST=$bin/tests/cost
readonly EVENTS=500000 # about so many; kept, they would be 96 MB
readonly MOST=65536	# KiB

# events FILE - as one thread counts them
events()
{
	"$pf" report -j 1 --json -i "$1" | sed -n 's/^{"events":\([0-9]*\).*/\1/p'
}

# kib FILE OPTIONS... - of a report at most; "failed" if it fails
kib()
{
	local file=$1 took

	shift
	took=$("$COST" "$pf" report "$@" -i "$file") && echo "${took##* }" || echo failed
}

check_own()
{
	local jobs

	"$pf" record -q -o "$work/own" -- "$MIX" $EVENTS 2>"$work/err"
	equal "own: recorded" $? 0
	at_least "own: events" "$(events "$work/own")" $((EVENTS * 9 / 10))
	for jobs in 1 2 3; do
		"$pf" report -j $jobs -i "$work/own" >"$work/report.$jobs"
		equal "own: report by $jobs" $? 0
		at_most "own: KiB of a report by $jobs" "$(kib "$work/own" -j $jobs)" $MOST
	done
	for jobs in 2 3; do
		cmp "$work/report.1" "$work/report.$jobs"
		equal "own: by $jobs as by one" $? 0
	done
	at_most "own: KiB of a page" "$(kib "$work/own" --html "$work/page")" $MOST
	at_most "own: bytes of the page" "$(stat -c %s "$work/page")" $((5 << 20))
}

# Its buffers make rounds of many samples, which wait until they can be put in order.
check_perf()
{
	perf record -q -m 16M -e exceptions:page_fault_user -c 1 -o "$work/perf" "$MIX" \
		$((EVENTS / 2)) 2>"$work/err"
	equal "perf: recorded" $? 0
	at_least "perf: events" "$(events "$work/perf")" $((EVENTS * 9 / 20))
	at_most "perf: KiB of a report" "$(kib "$work/perf")" $MOST
}

check_own
check_perf
finish
