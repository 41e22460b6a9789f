#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that this machine's own kernel may not allow, on Debian's kernels in the lab: each
# way of hooking, the walks after the faults, their outcomes, 4 and 5 levels, PTI. The runs are
# made in there (tests/lib/guest.sh) and compared here.
# What no hook makes a difference to (filters of accesses and addresses, of names and CPUs) is on one
# kernel each; LONG=1: on both, more faults, page-table isolation also with 4 levels.
# usage: lab_kernels.sh [BOOT]... (see boots below)
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"
# shellcheck source=tests/lib/counts.sh
. "$top/tests/lib/counts.sh"
# shellcheck source=tests/lib/zoo.sh
. "$top/tests/lib/zoo.sh"
# shellcheck source=tests/lib/filters.sh
. "$top/tests/lib/filters.sh"
# shellcheck source=tests/lib/doctor.sh
. "$top/tests/lib/doctor.sh"

# name -> kernel, levels, more kernel arguments (with commas between; - for none), parts
ONCE_6_1=$(long zoo_filters 'zoo_filters other_filters')
ONCE_6_12=$(long other_filters 'filters zoo_filters other_filters')
DOCTOR=$(long '' doctor)
PREEMPT=preempt=full,hugepagesz=1G,hugepages=1
readonly ONCE_6_1 ONCE_6_12 DOCTOR PREEMPT
declare -rA BOOTS=(
	[6.1]="6.1 4 - doctor fentry kprobe counts filters $ONCE_6_1 nobtf"
	[6.12]="6.12 4 - doctor fentry kprobe counts $ONCE_6_12 nobtf"
	[6.1-la57-pti-preempt]="6.1 5 pti=on,$PREEMPT $DOCTOR fentry preempt gib"
	[6.12-la57-preempt]="6.12 5 $PREEMPT fentry preempt gib"
	[6.1-pti]="6.1 4 pti=on doctor fentry"
	[6.1-preempt]="6.1 4 $PREEMPT preempt gib"
	[6.12-preempt]="6.12 4 $PREEMPT preempt gib"
)

check_counts()
{
	local hook threads run

	for hook in fentry kprobe rawtp; do
		for threads in $THREADS; do
			check_touch "$1, $hook, $threads threads" "$2/$hook-$threads" user "$FAULTS"
		done
		check_stat "$1, $hook, stat" "$2/$hook-stat"
		check_small_ring "$1, $hook, ring of 4096 bytes" "$2/$hook-small"
		[[ $hook == rawtp ]] && continue
		for run in populate readv; do
			check_touch "$1, $hook, $run" "$2/$hook-$run" gup 20000
		done
	done
	check_touch "$1, fentry, from the kernel" "$2/fentry-kernel" kernel 20000
}

# check_zoo WHAT DIR
check_zoo()
{
	equal "$1: zoo's status" "$(cat "$2/status")" 0
	totals "$2/events.ptd"
	equal "$1: lost" "$lost" 0
	zoo_events "$2" "$1"
	check_frames "$1" "$2"
	check_stops "$1" "$2"
	check_outcomes "$1" "$2"
	check_rusage "$1" "$2"
}

check_filters()
{
	local dir=$2 zoo_origins="user kernel gup"

	check_attach_filters "$1" "$dir"
	echo 4 | tee "$dir/outcome/levels" >"$dir/gup/levels"
	zoo_events "$dir/outcome" "" >/dev/null
	equal "$1: --outcome: kinds" "$(groups "$dir/outcome/events.ptd" outcome | sed 's/ [0-9]*//g')" \
		cow,sigsegv,zero
	equal "$1: --outcome: faults" "$(wc -l <"$dir/outcome/events")" \
		"$(oracle_count "$dir/outcome/oracle" '/ (cow|zero|sigsegv) /')" oracle
	zoo_events "$dir/gup" "" >/dev/null
	equal "$1: -e gup: origins" "$(groups "$dir/gup/events.ptd" origin | sed 's/ [0-9]*//g')" gup
	equal "$1: -e gup: faults" "$(wc -l <"$dir/gup/events")" \
		"$(oracle_count "$dir/gup/oracle" '/ gup /')" oracle
	check_latency_filter "$1" "$dir/latency"
	check_cgroup_filter "$1" "$dir/cgroup"
}

# check_latency_filter WHAT DIR - what is left out is counted
check_latency_filter()
{
	local filtered

	totals "$2/events.ptd"
	filtered=$("$pf" report -i "$2/events.ptd" --json | jq .filtered)
	at_least "$1: --min-latency: the shortest" "$("$pf" script --json --no-walks \
		-i "$2/events.ptd" | jq -s 'map(.latency_ns // empty) | min')" 20000 ns
	equal "$1: --min-latency: recorded and filtered" $((events + filtered)) \
		"$(perf_count "$2/perf" all)" "perf stat"
}

check_gib()
{
	local address event

	address=$(target_json "$2/gib.json" .address)
	event=$("$pf" script --json -i "$2/events.ptd" | jq -c --arg a "$address" \
		'select(.address == $a and .origin == "user")')
	equal "$1, 1 GiB page: events" "$(grep -c . <<<"$event")" 1
	equal "$1, 1 GiB page: outcome" "$(jq -r .outcome <<<"$event")" hugetlb
	equal "$1, 1 GiB page: missing level" "$(jq -r .walk_before.stop <<<"$event")" hole
	equal "$1, 1 GiB page: leaf's level" "$(jq .walk_after.stop_level <<<"$event")" 3
	equal "$1, 1 GiB page: size" "$(jq .walk_after.page_size <<<"$event")" $((1 << 30))
	equal "$1, 1 GiB page: frame" "$(jq .walk_after.pfn <<<"$event")" \
		"$(target_json "$2/gib.json" .pfn)" pagemap
}

# With fentry programs some of these would be skipped: kprobe has to be chosen.
check_preempt()
{
	local run origin faults

	for run in "write user $FAULTS_SAMPLED" "kernel kernel 20000" "populate gup 20000"; do
		read -r run origin faults <<<"$run"
		check_sampled "$1, preempt=full, $run" "$2/$run" "$origin" "$faults"
		equal "$1, preempt=full, $run: hook" \
			"$("$pf" report --json -i "$2/$run/events.ptd" | jq -r .hook)" kprobe
		equal "$1, preempt=full, $run: outcomes in the regions" \
			"$(groups "$2/$run/events.ptd" outcome | tr , '\n' | sed 's/ .*//' |
				grep -cx -e anon -e zero)" 2
	done
}

check_nobtf()
{
	equal "$1, no BTF: status" "$(cat "$2/status")" 1
	equal "$1, no BTF: lines on stderr" "$(wc -l <"$2/err")" 1
	equal "$1, no BTF: says so" "$(grep -c 'no BTF' "$2/err")" 1
	equal "$1, no BTF: doctor's status" "$(cat "$2/doctor_status")" 1
	equal "$1, no BTF: doctor says so" "$(grep -cE '^BTF +no' "$2/doctor")" 1
}

# boot NAME
boot()
{
	local kernel levels more parts part dir=$work/$1 status

	read -r kernel levels more parts <<<"${BOOTS[$1]}"
	[[ $more == - ]] && more=''
	more=${more//,/ }
	mkdir "$dir"
	# shellcheck disable=SC2086 # several parts
	"$top/scripts/lab" --kernel "$kernel" --cpu-levels "$levels" --append "$more" --mem 3G --quiet \
		--disk-mb 256 --disk-mb 256 --timeout 600 --results "$dir" -- \
		"$top/tests/lib/guest.sh" $parts
	status=$?
	equal "$1: the lab" $status 0
	[[ -f $dir/times ]] && printf '# %s: seconds: %s\n' "$1" "$(paste -sd ' ' "$dir/times")"
	((status)) && return
	for part in $parts; do
		case $part in
		doctor) check_doctor "$1" "$dir/doctor" ;;
		fentry | kprobe) check_zoo "$1, $part" "$dir/zoo-$part" ;;
		counts) check_counts "$1" "$dir" ;;
		filters) check_filters "$1" "$dir/filters" ;;
		zoo_filters) check_zoo_filters "$1" "$dir/filters" "user kernel gup" ;;
		other_filters) check_other_filters "$1" "$dir/filters/other" ;;
		gib) check_gib "$1" "$dir/gib" ;;
		preempt) check_preempt "$1" "$dir/preempt" ;;
		nobtf) check_nobtf "$1" "$dir/nobtf" ;;
		esac
	done
	rm -rf "$dir"
}

(($#)) || ! on_debug || set -- 6.1 6.1-la57-pti-preempt
# shellcheck disable=SC2046 # several words
(($#)) || set -- 6.1 6.12 6.1-la57-pti-preempt 6.12-la57-preempt \
	$(long '' '6.1-pti 6.1-preempt 6.12-preempt')
for name; do
	boot "$name"
done
finish
