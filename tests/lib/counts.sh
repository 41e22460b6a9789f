# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set by what it goes with
# One run of touch, counted by the tracer, by perf and by rusage. After check.sh, recording.sh.
#
# A run is a folder: events.ptd or stat.json, perf, touch.json, and stderr.

# Faults of a run whose kernel is slow, and of one with another tracer beside it.
FAULTS=$(long 50000 200000)
# Threads that make them, in a run each.
THREADS=$(long 2 '1 2')
FAULTS_SAMPLED=$(long 40000 100000)

# run_touch DIR "record|stat OPTIONS" TOUCH_ARG... - makes the run; perf's counting starts at the
# exec that gives the process the name that the tracer looks for, and that nobody else has
run_touch()
{
	local dir=$1 output=events.ptd touch=$work/touch-$$
	local -a tracer

	read -ra tracer <<<"$2"
	shift 2
	mkdir -p "$dir"
	[[ ${tracer[0]} == stat ]] && output=stat.json && tracer+=(--json)
	[[ -x $touch ]] || cp "$bin/tests/touch" "$touch"
	"$pf" "${tracer[@]}" -a --comm "${touch##*/}" -o "$dir/$output" -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$dir/perf" -- "$touch" "$@" \
		>"$dir/touch.json" 2>"$dir/stderr" || echo "exit status $?" >>"$dir/stderr"
}

# check_perf WHAT DIR - user, kernel and lost events against perf
check_perf()
{
	adds_up "$1" $((user + kernel)) "$lost" "$(perf_count "$2/perf" all)" "perf stat"
	((lost)) && return
	equal "$1: user mode" "$user" "$(perf_count "$2/perf" user)" "perf stat"
	equal "$1: kernel mode" "$kernel" "$(perf_count "$2/perf" kernel)" "perf stat"
}

# check_touch WHAT DIR ORIGIN FAULTS - everything about a recorded run that must lose nothing
check_touch()
{
	totals "$2/events.ptd"
	check_perf "$1" "$2"
	check_regions "$@"
}

# check_sampled WHAT DIR ORIGIN FAULTS - the same for a run that another tracer has interrupted,
# which adds faults in kernel mode; perf's counters come to a task and leave it at other moments
# than its name, so that a few of these, the more the slower the kernel is, fall between
check_sampled()
{
	totals "$2/events.ptd"
	equal "$1: user mode" "$user" "$(perf_count "$2/perf" user)" "perf stat"
	close_to "$1: kernel mode" "$kernel" "$(perf_count "$2/perf" kernel)" \
		$((10 + kernel / 200)) "perf stat"
	check_regions "$@"
}

# check_regions WHAT DIR ORIGIN FAULTS - nothing lost, and each fault that was made is there. The
# kernel may take a page of the program's own away meanwhile: rusage then has a fault more.
check_regions()
{
	equal "$1: lost" "$lost" 0
	equal "$1: events in the regions" "$(in_regions "$2/events.ptd" "$2/touch.json" "$3")" \
		"$4" "touched"
	close_to "$1: rusage" "$(target_json "$2/touch.json" '.minflt + .majflt')" "$4" 4 "touched"
}

# check_small_ring WHAT DIR - a ring too small for the run, of exceptions only: perf does not know
# get_user_pages, and what is lost is not told apart
check_small_ring()
{
	totals "$2/events.ptd"
	check_perf "$1" "$2"
	at_least "$1: lost" "$lost" 1
}

# check_stat WHAT DIR
check_stat()
{
	stat_totals "$2/stat.json"
	check_perf "$1" "$2"
}
