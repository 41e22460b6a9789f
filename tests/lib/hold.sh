#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside the lab: keeps every CPU in user space, in a process of its own with memory of every kind,
# until $LAB_RESULTS/go is there. $LAB_RESULTS/ready tells that they are at it.
# usage: hold.sh PROGRAM
set -uo pipefail

readonly PROGRAM=$1
cpus=$(nproc)
spinners=()

# Off by itself in a machine this small.
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
echo 1 >/sys/kernel/mm/transparent_hugepage/use_zero_page
echo $((4 * cpus)) >/proc/sys/vm/nr_hugepages
for ((cpu = 0; cpu < cpus; cpu++)); do
	taskset -c "$cpu" "$PROGRAM" "/run/ready.$cpu" &
	spinners+=($!)
done
for ((cpu = 0; cpu < cpus; cpu++)); do
	until [[ -e /run/ready.$cpu ]]; do
		kill -0 "${spinners[cpu]}" || exit 1
		sleep 0.1
	done
done
touch "$LAB_RESULTS/ready"
until [[ -e $LAB_RESULTS/go ]]; do
	sleep 0.1
done
kill "${spinners[@]}"
wait
true
