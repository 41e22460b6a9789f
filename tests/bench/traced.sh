# shellcheck shell=bash disable=SC2154 # set where it is sourced
# SPDX-License-Identifier: GPL-2.0
# How much longer a program takes when it is traced, for any number of tracers. Sourced behind
# lib.sh. Who uses it has
#
#   tracers     an array of keys, in the order in which they are printed
#   command     an associative array: what a user would type, by key; its first word is the tool
#   traced KEY  runs the program under that tracer, or alone if KEY is none; the program writes how
#               many nanoseconds it took into the file $BENCH_OUT
#   kept KEY    prints how many events the last run of that tracer has kept, if that can be told

export BENCH_OUT=$tmp/ns
declare -A loss=() # what to say of events that were lost, by key

# once KEY - nanoseconds of one run, or nothing and why not
once()
{
	local words

	rm -f "$BENCH_OUT"
	traced "$1" >/dev/null 2>"$tmp/err"
	[[ -s $BENCH_OUT ]] && cat "$BENCH_OUT" && return
	words=$(grep -m 1 . "$tmp/err")
	complain "${command[$1]-untraced}: ${words:-nothing measured}"
}

# there - takes tracers out that are not installed
there()
{
	local key tool all=("${tracers[@]}")
	local -A said=()

	tracers=()
	for key in "${all[@]}"; do
		tool=${command[$key]%% *}
		if [[ $tool == ptrace-pf ]] || command -v "$tool" >/dev/null; then
			tracers+=("$key")
		elif [[ ! ${said[$tool]-} ]]; then
			said[$tool]=1
			complain "$tool is not installed: nothing is compared with it"
		fi
	done
}

# measure ROUNDS - all tracers take turns, each with an untraced run before it. A tracer that fails
# once is not asked again.
measure()
{
	local rounds=$1 round key ns base

	there
	once none >/dev/null # warm up
	for ((round = 0; round < rounds; round++)); do
		for key in "${tracers[@]}"; do
			((round == 0)) || [[ -s $tmp/ns.$key ]] || continue
			base=$(once none)
			ns=$(once "$key")
			[[ $base && $ns ]] || continue
			echo "$base" | tee -a "$tmp/ns.none" >>"$tmp/alone.$key"
			echo "$ns" >>"$tmp/ns.$key"
		done
	done
}

# lost KEY EVENTS - ", N % lost", if there should have been so many events and are fewer
lost()
{
	local n

	n=$(kept "$1" 2>/dev/null)
	[[ $n ]] || return
	awk -v n="$n" -v all="$2" 'BEGIN { if (n < all) printf ", %.2g %% lost", (1 - n / all) * 100 }'
}

# best FILE - the least of its nanoseconds: other programs can only make one slower
best()
{
	sort -n "$1" | head -n 1
}

# slower KEY - how many times as long the program took: the best of its runs beside the best of as
# many untraced ones
slower()
{
	[[ -s $tmp/ns.$1 ]] || return
	awk -v n="$(best "$tmp/ns.$1")" -v b="$(best "$tmp/alone.$1")" 'BEGIN { print n / b }'
}

# print_tracers TITLE EVENTS - a line for each
print_tracers()
{
	local title=$1 events=$2 key

	printf '%-64s %9s %12s\n' "$title" "slowdown" "ns an event"
	for key in none "${tracers[@]}"; do
		[[ -s $tmp/ns.$key ]] || continue
		[[ $key == none ]] && cp "$tmp/ns.none" "$tmp/alone.none"
		loss[$key]=$([[ $key == none ]] || lost "$key" "$events")
		printf '%-64s %8.3fx %12d%s\n' "${command[$key]-untraced}" "$(slower "$key")" \
			$(($(best "$tmp/ns.$key") / events)) "${loss[$key]}"
	done
}

# row_of_pair WHAT KEY PEER - its slowdown beside the peer's, and what each has lost
row_of_pair()
{
	row "$1" x "\`${command[$2]}\`${loss[$2]-}" "$(slower "$2")" \
		"\`${command[$3]-}\`${loss[$3]-}" "$(slower "$3")"
}

# bytes_each FILE EVENTS
bytes_each()
{
	[[ ! -s $1 ]] || awk -v size="$(stat -c %s "$1")" -v n="$2" 'BEGIN { print size / n }'
}

# row_of_files WHAT EVENTS KEY FILE PEER FILE - bytes of an event in their recordings
row_of_files()
{
	row "$1" bytes "\`${command[$3]}\`" "$(bytes_each "$4" "$2")" "\`${command[$5]}\`" \
		"$(bytes_each "$6" "$2")"
}
