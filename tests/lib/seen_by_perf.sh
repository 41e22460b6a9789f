# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # $pf and $work are set by check.sh
# A recording in the hands of perf: no word on stderr, and the same in it as in ours. After check.sh.

# Options of record that natively have no hooks, guests or modules: lab_kvm.sh makes recordings with them.
# shellcheck disable=SC2034 # used elsewhere
readonly OPTIONS_IN_LAB=(hook outcome min-latency vm nr abi wait)

# perf_words WHAT - perf has said nothing since the last time. Of a kernel that is not here it has to
# say that it has no symbols.
perf_words()
{
	if grep -v '^No kallsyms or vmlinux' "$work/words" >"$work/more_words"; then
		not_ok "$1: perf's words on stderr"
		head -n 5 "$work/more_words"
	else
		ok "$1: no word of perf on stderr"
	fi
	: >"$work/words"
}

# comms_by_perf FILE - prints "COMM COUNT" as perf report counts
comms_by_perf()
{
	# perf cuts names at what the longest name of then needs now.
	perf report --stdio --sort comm -n -g none --no-children -t '|' -w 0,0,40 -i "$1" 2>>"$work/words" |
		awk -F '|' '!/^#/ && NF == 3 { gsub(/ /, "", $2); sub(/ *$/, "", $3); n[$3] += $2 }
			END { for (comm in n) print comm, n[comm] }' | sort
}

comms_by_us()
{
	"$pf" report -i "$1" --sort comm --json | jq -r '.groups[] | "\(.comm) \(.count)"' | sort
}

# seen_by_perf WHAT FILE - samples per command, events with their addresses, and no word
seen_by_perf()
{
	: >"$work/words"
	comms_by_perf "$2" >"$work/want"
	comms_by_us "$2" >"$work/got"
	same_lines "$1: samples per command" "$work/got" "$work/want"
	perf script -F event,addr -i "$2" 2>>"$work/words" |
		awk '{ sub(":$", "", $1); print $1, $2 }' | sort >"$work/want"
	"$pf" script --json -i "$2" | jq -r 'select(.type != "totals") |
		"ptscope:\(if .type == "exit" then "vmexit" else .type end) \(
			.address // .gpa // .va // "0x0" | .[2:])"' | sort >"$work/got"
	same_lines "$1: events and addresses" "$work/got" "$work/want"
	perf_words "$1"
}
