# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set by what it goes with
# Filters that every kind of hook has, against what the target did. After check.sh, recording.sh.
# The runs may be made elsewhere (run_*, in the lab) than they are looked at (check_*).

# attach DIR "RECORD_OPTIONS" TOUCH_ARG... - to a touch that runs already; PID and TID in the
# options stand for its ids. The recorder's command lets it go on and waits for its end.
attach()
{
	local dir=$1 options=$2 pid tid

	shift 2
	mkdir -p "$dir"
	"$bin/tests/touch" -w "$@" >"$dir/out" &
	until grep -q '^ready' "$dir/out"; do
		kill -0 $! || return
		sleep 0.05
	done
	read -r _ pid tid _ <"$dir/out"
	options=${options//PID/$pid}
	# shellcheck disable=SC2086 # several words
	"$pf" record -q ${options//TID/$tid} -o "$dir/events.ptd" -- \
		bash -c "kill -USR1 $pid && tail -s 0.05 -f --pid=$pid /dev/null" 2>"$dir/stderr"
	wait "$!"
	grep '^{' "$dir/out" >"$dir/touch.json"
	echo "$tid" >"$dir/tid"
}

run_attach_filters()
{
	attach "$1/pid" "-p PID" -t 2 -c 2 20000
	attach "$1/alone" "-p PID --no-inherit" -t 2 -c 2 20000
	attach "$1/tid" "-t TID" -t 2 20000
}

# check_attach_filters WHAT DIR
check_attach_filters()
{
	local dir=$2

	equal "$1: -p: the process" "$(in_regions "$dir/pid/events.ptd" "$dir/pid/touch.json" user)" 20000
	equal "$1: -p: its children" "$(by_children "$dir/pid/events.ptd" "$dir/pid/touch.json" user)" 20000
	equal "$1: -p --no-inherit: the process" \
		"$(in_regions "$dir/alone/events.ptd" "$dir/alone/touch.json" user)" 20000
	equal "$1: -p --no-inherit: processes" "$(groups "$dir/alone/events.ptd" pid | tr , '\n' | wc -l)" 1
	equal "$1: -t: the thread's half" \
		"$(in_regions "$dir/tid/events.ptd" "$dir/tid/touch.json" user)" 10000
	equal "$1: -t: threads" "$(groups "$dir/tid/events.ptd" tid | cut -d ' ' -f 1)" "$(cat "$dir/tid/tid")"
}

# record_zoo DIR OPTION... - the zoo of the cheap and the file faults, filtered
record_zoo()
{
	local dir=$1

	shift
	mkdir -p "$dir"
	"$pf" record -q "$@" -o "$dir/events.ptd" -- \
		"$bin/tests/zoo" -d "${zoo_dir:-$work}" "$dir/oracle" 5000 >"$dir/zoo.json" 2>"$dir/stderr"
}

run_zoo_filters()
{
	local access

	for access in read write exec; do
		record_zoo "$1/$access" --access $access
	done
	record_zoo "$1/two" --access read,exec
	# The zone of the second kind: tests/system/oracle.h
	record_zoo "$1/addr" --addr 108000000000-10ffffffffff
	record_zoo "$1/page" --addr 108000001000-108000001fff
}

# oracle_count FILE AWK_CONDITION - faults that this kernel's hooks can see
oracle_count()
{
	awk -v origins="$zoo_origins" 'index(origins, $2) && '"($2)"' { n++ } END { print n + 0 }' "$1"
}

# check_zoo_filters WHAT DIR ORIGINS
check_zoo_filters()
{
	local access dir=$2 zoo_origins=$3

	for access in read write exec two; do
		echo 4 >"$dir/$access/levels"
		zoo_events "$dir/$access" "" >/dev/null
		equal "$1: --access $access: kinds" "$(groups "$dir/$access/events.ptd" access | sed 's/ [0-9]*//g')" \
			"${access/two/exec,read}"
		equal "$1: --access $access: faults" "$(wc -l <"$dir/$access/events")" \
			"$(oracle_count "$dir/$access/oracle" "index(\"${access/two/exec,read}\", \$3)")" oracle
	done
	totals "$dir/addr/events.ptd"
	equal "$1: --addr of a zone" "$events" "$(oracle_count "$dir/addr/oracle" '/^10[89a-f]/')" oracle
	totals "$dir/page/events.ptd"
	equal "$1: --addr of a page" "$events" 1
}

run_other_filters()
{
	local run touch=$1/touch-$$

	mkdir -p "$1"
	cp "$bin/tests/touch" "$1/other"
	cp "$bin/tests/touch" "$touch"
	"$pf" record -q --comm other -o "$1/comm.ptd" -- \
		bash -c "'$bin/tests/touch' 5000; '$1/other' 7000" >"$1/comm.out" 2>"$1/stderr"
	for run in 0 1; do
		taskset -c 1 "$pf" record -q -a -C $run --comm "${touch##*/}" -o "$1/cpu$run.ptd" -- \
			perf stat -x, -e "$PERF_EVENTS" -o "$1/cpu$run.perf" -- \
			"$touch" 5000 >"$1/cpu$run.json" 2>"$1/stderr"
	done
	for run in u k; do
		"$pf" record -q -a -e fault:$run --comm "${touch##*/}" -o "$1/event$run.ptd" -- \
			perf stat -x, -e "$PERF_EVENTS" -o "$1/event$run.perf" -- \
			"$touch" -k kernel 5000 >"$1/event$run.json" 2>"$1/stderr"
	done
}

# check_other_filters WHAT DIR
check_other_filters()
{
	equal "$1: --comm: names" "$(groups "$2/comm.ptd" comm | cut -d ' ' -f 1)" other
	tail -n 1 "$2/comm.out" >"$2/comm.json"
	equal "$1: --comm: faults" "$(in_regions "$2/comm.ptd" "$2/comm.json" user)" 7000
	totals "$2/cpu0.ptd"
	equal "$1: -C 0 of a program on CPU 1" "$events" 0
	totals "$2/cpu1.ptd"
	equal "$1: -C 1 of a program on CPU 1" "$((user + kernel))" "$(perf_count "$2/cpu1.perf" all)" "perf stat"
	totals "$2/eventu.ptd"
	equal "$1: -e fault:u" "$events" "$(perf_count "$2/eventu.perf" user)" "perf stat"
	totals "$2/eventk.ptd"
	equal "$1: -e fault:k" "$events" "$(perf_count "$2/eventk.perf" kernel)" "perf stat"
}

# run_cgroup_filter DIR CGROUP - one touch in a new cgroup and one in a child of it, one outside
run_cgroup_filter()
{
	local name group=$2 touch=$1/touch-$$

	mkdir -p "$1" "$group/below" || return
	cp "$bin/tests/touch" "$touch"
	for name in outside inside below; do
		case $name in
		inside) group=$2 ;;
		below) group=$2/below ;;
		outside) group='' ;;
		esac
		"$pf" record -q -a --comm "${touch##*/}" --cgroup "$2" -o "$1/$name.ptd" -- \
			bash -c "${group:+echo \$\$ >$group/cgroup.procs && }exec '$touch' 20000" \
			>"$1/$name.json" 2>"$1/stderr"
	done
	rmdir "$2/below" "$2"
}

# check_cgroup_filter WHAT DIR
check_cgroup_filter()
{
	totals "$2/outside.ptd"
	equal "$1: --cgroup: outside" "$events" 0
	equal "$1: --cgroup: inside" "$(in_regions "$2/inside.ptd" "$2/inside.json" user)" 20000
	equal "$1: --cgroup: below" "$(in_regions "$2/below.ptd" "$2/below.json" user)" 20000
}
