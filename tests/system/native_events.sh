#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Event by event, per thread: what perf records of a run is what the tracer records of it.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# compare PROGRAM [ARG]... - of a process with a name that nobody else has
compare()
{
	local what=${1##*/} name=${1##*/}-$$

	cp "$1" "$work/$name"
	shift
	"$pf" record -q -a --comm "$name" -e fault:u -o "$work/ptd" -- \
		perf record -q -e exceptions:page_fault_user -m 64M -o "$work/perf" -- \
		"$work/$name" "$@" \
		>/dev/null 2>"$work/err" || cat "$work/err"
	perf script -i "$work/perf" -F tid,trace 2>/dev/null |
		awk '{ sub("address=", "", $2); sub("ip=", "", $3); sub("error_code=", "", $4)
			print $1, $2, $3, $4 }' | sort -s -n -k 1,1 >"$work/want"
	"$pf" script --json --no-walks -i "$work/ptd" |
		jq -r 'select(.type == "fault") | "\(.tid) \(.address) \(.ip) \(.error_code)"' |
		awk '{ $4 = sprintf("0x%x", $4); print }' | sort -s -n -k 1,1 >"$work/got"
	same_lines "$what: thread, address, ip, error code" "$work/want" "$work/got"
}

compare "$bin/tests/touch" -t 2 50000
compare "$bin/tests/zoo" -d "$work" "$work/oracle" 10000
finish
