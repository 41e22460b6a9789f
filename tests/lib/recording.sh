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

# in_ranges FILE.ptd PID ORIGIN "FIRST LAST ..." - prints how many events of the process are there
in_ranges()
{
	"$pf" script --no-walks -i "$1" |
		awk -v pid="$2" -v origin="$3" -v ranges="$4" -f "$top/tests/lib/in_ranges.awk"
}

# in_regions FILE.ptd TOUCH_JSON ORIGIN - prints how many events are in touch's regions
in_regions()
{
	in_ranges "$1" "$(target_json "$2" .pid)" "$3" \
		"$(target_json "$2" '[.threads[] | .first[2:], .last[2:]] | join(" ")')"
}

# by_children FILE.ptd TOUCH_JSON ORIGIN - the same for the regions of touch's children
by_children()
{
	local pid ranges sum=0

	while read -r pid ranges; do
		sum=$((sum + $(in_ranges "$1" "$pid" "$3" "$ranges")))
	done < <(jq -r 'select(.child) | "\(.child) \(.first[2:]) \(.last[2:])"' "$2")
	echo "$sum"
}

# groups FILE.ptd KEY - prints what KEY is in the recording's events: "touch 5,zoo 7"
groups()
{
	"$pf" report -i "$1" --sort "$2" --json |
		jq -r --arg key "$2" '.groups | map("\(.[$key]) \(.count)") | sort | join(",")'
}
