# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set by what it goes with
# A run of zoo, fault by fault. After check.sh and recording.sh.
#
# A run is a folder: events.ptd, oracle, zoo.json, and levels with the page tables' depth.

# zoo_events DIR - writes what was recorded at the oracle's addresses to DIR/events, the whole
# text of it to DIR/text
zoo_events()
{
	local levels

	levels=$("$pf" script --json -i "$1/events.ptd" | head -n 1 |
		jq -r '.walk_before.levels[0].level')
	equal "$2: levels" "$levels" "$(cat "$1/levels")"
	"$pf" script -i "$1/events.ptd" >"$1/text"
	awk -v levels="$levels" -v pid="$(target_json "$1/zoo.json" .pid)" \
		-f "$top/tests/lib/oracle.awk" "$1/oracle" "$1/text" >"$1/events"
}

# zoo_kinds DIR - prints how many faults of each outcome were compared
zoo_kinds()
{
	awk '{ n[$4]++ } END { for (k in n) printf "%s %d\n", k, n[k] }' "$1/oracle" | sort |
		paste -sd , | sed 's/,/, /g'
}

# check_frames WHAT DIR - frames of the walks after the faults
check_frames()
{
	awk '{ print $1, $2, $3, $5 }' "$2/oracle" >"$work/want"
	awk '{ print $1, $2, $3, $5 }' "$2/events" >"$work/got"
	same_lines "$1: frame after the fault (pagemap)" "$work/want" "$work/got"
}

# check_stops WHAT DIR [ORIGINS] - where the walks before the faults stopped
check_stops()
{
	awk -v origins="${3:-user kernel gup}" 'index(origins, $2) { print $1, $2, $3, $6 }' \
		"$2/oracle" >"$work/want"
	awk '{ print $1, $2, $3, $6 }' "$2/events" >"$work/got"
	same_lines "$1: level missing before the fault" "$work/want" "$work/got"
}

# check_outcomes WHAT DIR
check_outcomes()
{
	awk '{ print $1, $2, $3, $4 }' "$2/oracle" >"$work/want"
	awk '{ print $1, $2, $3, $4 }' "$2/events" >"$work/got"
	same_lines "$1: outcome ($(zoo_kinds "$2"))" "$work/want" "$work/got"
}

# check_rusage WHAT DIR - completed faults between the first and the last of the oracle
check_rusage()
{
	local first last minor major

	first=$(head -n 1 "$2/oracle" | cut -d ' ' -f 1)
	last=$(tail -n 1 "$2/oracle" | cut -d ' ' -f 1)
	read -r minor major < <(awk -v first="addr=0x$first" -v last="addr=0x$last" \
		-v pid="$(target_json "$2/zoo.json" .pid)" '
		$2 !~ "^" pid "/" { next }
		$8 == last { on = 0 }
		on && / lat=/ && !/ outcome=(sigsegv|sigbus|oom) / { / major=1/ ? major++ : minor++ }
		$8 == first { on = 1 }
		END { print minor + 0, major + 0 }' "$2/text")
	equal "$1: minor faults completed" "$minor" "$(target_json "$2/zoo.json" .minflt)" rusage
	equal "$1: major faults completed" "$major" "$(target_json "$2/zoo.json" .majflt)" rusage
}
