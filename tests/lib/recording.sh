# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # set here and used there
# What recordings say, and what perf says of the same run. After check.sh.

# What perf stat is to count beside the tracer.
readonly PERF_EVENTS=exceptions:page_fault_user,exceptions:page_fault_kernel

# perf_counts FILE COMMAND [ARG]... - runs it, counted by perf from its exec on
perf_counts()
{
	local file=$1

	shift
	perf stat -x, -e "$PERF_EVENTS" -o "$file" -- "$@"
}

# perf_count FILE user|kernel|all - prints a count of perf_counts
perf_count()
{
	awk -F, -v want="$2" '$3 ~ /page_fault_/ && (want == "all" || $3 ~ want "$") { n += $1 }
		END { print n }' "$1"
}

# totals FILE - sets $events, $lost, $user, $kernel, $gup, $missed and $complete of a recording
totals()
{
	local json

	json=$("$pf" report -i "$1" --sort origin --json) || json='{}'
	read -r events lost user kernel gup missed complete < <(jq -r '
		[.groups // [] | .[] | {(.origin): .count}] | add as $n | $all |
		[.events, .lost.total, $n.user // 0, $n.kernel // 0, $n.gup // 0, .missed_exit,
			.complete] | map(tostring) | join(" ")' \
		<<<"$json" --argjson all "$json")
}

# stat_totals FILE - the same of what ptrace-pf stat --json has written
stat_totals()
{
	read -r events lost user kernel gup < <(jq -r '
		[.events, .lost.total, .origin.user, .origin.kernel, .origin.gup] | join(" ")' "$1")
}

# target_json FILE EXPRESSION - of what tests/system/touch or zoo has printed first
target_json()
{
	grep -m 1 '^{' "$1" | jq -r "$2"
}

# in_regions FILE.ptd TOUCH_JSON ORIGIN - prints how many events are in touch's regions
in_regions()
{
	local ranges pid

	pid=$(target_json "$2" .pid)
	ranges=$(target_json "$2" '[.threads[] | .first[2:], .last[2:]] | join(" ")')
	"$pf" script --no-walks -i "$1" | awk -v ranges="$ranges" -v pid="$pid" -v origin="$3" \
		-f "$top/tests/lib/in_regions.awk"
}
