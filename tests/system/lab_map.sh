#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The helper module's mappings at new addresses, in Debian's kernels with 4 and 5 levels: what is
# seen and allowed through them, which are refused, and that they go cleanly whatever happens. The
# lab looks through the kernel log.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# kernel, levels, CPUs
RUNS=("6.1 5 1" "6.12 4 4")
[[ $(long '' more) ]] && RUNS+=("6.1 4 2" "6.12 5 2")
readonly RUNS
readonly PROGRAMS=(maps maps_events maps_refused)

# in_guest MODULE
in_guest()
{
	local program

	insmod "$1" || not_ok "insmod"
	for program in "${PROGRAMS[@]}"; do
		"$bin/tests/$program" || not_ok "$program: exit status $?"
	done
	rmmod ptremap || not_ok "rmmod"
	finish
}

# in_lab KERNEL LEVELS CPUS
in_lab()
{
	local what="$1, $2 levels, $3 CPU" module

	[[ $3 == 1 ]] || what+=s
	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --smp "$3" --quiet --timeout 180 -- \
		"$top/tests/system/lab_map.sh" --guest "$module" >"$work/said" 2>"$work/err"
	machine_said "$what" $?
}

if [[ ${1-} == --guest ]]; then
	in_guest "$2"
fi
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
