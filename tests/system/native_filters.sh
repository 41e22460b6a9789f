#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What each filter keeps is what the target did of that kind.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"
# shellcheck source=tests/lib/zoo.sh
. "$top/tests/lib/zoo.sh"
# shellcheck source=tests/lib/filters.sh
. "$top/tests/lib/filters.sh"

run_attach_filters "$work"
check_attach_filters attached "$work"
run_zoo_filters "$work"
check_zoo_filters zoo "$work" "user kernel"
run_other_filters "$work/other"
check_other_filters touch "$work/other"
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [[ $hierarchy ]]; then
	run_cgroup_filter "$work/cgroup" "$hierarchy/touched"
	check_cgroup_filter touch "$work/cgroup"
else
	skip "--cgroup: no cgroup v2 is mounted"
fi
finish
