#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes, inside the lab, the runs that tests/system/lab_kernels.sh looks at: a folder of
# $LAB_RESULTS each. The guest is slow, so nothing is compared here.
# usage: guest.sh PART...
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"
# shellcheck source=tests/lib/counts.sh
. "$top/tests/lib/counts.sh"
# shellcheck source=tests/lib/filters.sh
. "$top/tests/lib/filters.sh"
# shellcheck source=tests/lib/doctor.sh
. "$top/tests/lib/doctor.sh"

readonly RESULTS=$LAB_RESULTS HOOKS=(fentry kprobe rawtp)
readonly DISK=/run/disk

prepare()
{
	# Nobody else's faults and nobody else's frames: the zoo wants swap, hugetlb and a disk.
	modprobe ext4 && mkfs.ext4 -q /dev/vda && mkdir -p $DISK && mount /dev/vda $DISK || exit 1
	mkswap /dev/vdb >/dev/null && swapon /dev/vdb || exit 1
	echo 8 >/proc/sys/vm/nr_hugepages
	zoo_dir=$DISK
}

part_counts()
{
	local hook threads

	for hook in "${HOOKS[@]}"; do
		for threads in $THREADS; do
			run_touch "$RESULTS/$hook-$threads" "record --hook $hook" -t "$threads" "$FAULTS"
		done
		run_touch "$RESULTS/$hook-stat" "stat --hook $hook" -t 2 "$FAULTS"
		run_touch "$RESULTS/$hook-small" "record --hook $hook -e fault:u,fault:k -m 4096" -t 2 "$FAULTS"
		[[ $hook == rawtp ]] && continue
		run_touch "$RESULTS/$hook-populate" "record --hook $hook" -k populate -t 2 20000
		run_touch "$RESULTS/$hook-readv" "record --hook $hook" -k readv -t 2 20000
	done
	run_touch "$RESULTS/fentry-kernel" "record --hook fentry" -k kernel -t 2 20000
}

# zoo HOOK - every kind of fault there is
zoo()
{
	local dir=$RESULTS/zoo-$1

	mkdir -p "$dir"
	"$pf" record -q --hook "$1" -o "$dir/events.ptd" -- \
		"$bin/tests/zoo" -d $DISK -s -H "$dir/oracle" 100000 >"$dir/zoo.json" 2>"$dir/stderr"
	echo $? >"$dir/status"
	grep -qw la57 /proc/cpuinfo && echo 5 >"$dir/levels" || echo 4 >"$dir/levels"
}

part_fentry()
{
	zoo fentry
}

part_kprobe()
{
	zoo kprobe
}

# Filters that need the end of a fault or get_user_pages, and cgroup v2.
exit_filters()
{
	local dir=$1

	record_zoo "$dir/outcome" --outcome cow,zero,sigsegv
	record_zoo "$dir/gup" -e gup
	run_touch "$dir/latency" "record -e fault:u,fault:k --min-latency 20us" 20000
	run_cgroup_filter "$dir/cgroup" /sys/fs/cgroup/touched
}

part_filters()
{
	local dir=$RESULTS/filters

	run_attach_filters "$dir"
	exit_filters "$dir"
}

part_zoo_filters()
{
	run_zoo_filters "$RESULTS/filters"
}

part_other_filters()
{
	run_other_filters "$RESULTS/filters/other"
}

part_doctor()
{
	run_doctor "$RESULTS/doctor"
}

# One page of 1 GiB.
part_gib()
{
	local dir=$RESULTS/gib

	mkdir -p "$dir"
	"$pf" record -q -o "$dir/events.ptd" -- "$bin/tests/gib" >"$dir/gib.json" 2>"$dir/stderr"
}

# The kernel may preempt itself, and somebody else reads user stacks in interrupts meanwhile.
part_preempt()
{
	local dir=$RESULTS/preempt sampler

	perf record -q -a -g -e cpu-clock -F 2000 -o /tmp/samples >/dev/null 2>&1 &
	sampler=$!
	run_touch "$dir/write" record -t 2 "$FAULTS_SAMPLED"
	run_touch "$dir/kernel" record -k kernel -t 2 20000
	run_touch "$dir/populate" record -k populate -t 4 20000
	kill $sampler
	wait $sampler
}

# A kernel without BTF, as far as anybody can see.
part_nobtf()
{
	mkdir -p "$RESULTS/nobtf" /run/empty
	mount --bind /run/empty /sys/kernel/btf
	"$pf" record -q -o /dev/null -- true >"$RESULTS/nobtf/out" 2>"$RESULTS/nobtf/err"
	echo $? >"$RESULTS/nobtf/status"
	"$pf" doctor >"$RESULTS/nobtf/doctor" 2>&1
	echo $? >"$RESULTS/nobtf/doctor_status"
	umount /sys/kernel/btf
}

prepare
for part; do
	start=$SECONDS
	"part_$part"
	printf '%s %d\n' "$part" $((SECONDS - start)) >>"$RESULTS/times"
done
