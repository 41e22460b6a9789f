#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mirrors, in Debian's kernels with 4 and 5 levels: an emulator whose back ends must agree, what
# happens to the memory behind a window, random changes of guest and host, processes that are
# killed. The lab looks through the kernel log. SEED chooses the programs and changes.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# kernel, levels, CPUs, seconds of random changes
readonly RUNS=("6.1 5 2 10" "6.12 4 3 15")
SEED=${SEED-$RANDOM}

# run PROGRAM [ARG]...
run()
{
	"$bin/tests/$1" "${@:2}" || not_ok "$1: exit status $?"
}

# in_guest MODULE SECONDS
in_guest()
{
	if ! mkswap /dev/vda >/dev/null || ! swapon /dev/vda; then
		not_ok "swap"
	fi
	insmod "$1" || not_ok "insmod"
	run emulator "$SEED"
	run mirrors
	run mirrors_random "$2" "$SEED"
	rmmod ptremap || not_ok "rmmod"
	finish
}

# in_lab KERNEL LEVELS CPUS SECONDS
in_lab()
{
	local what="$1, $2 levels, $3 CPUs" module said=$work/said

	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --smp "$3" --disk-mb 256 --quiet \
		--timeout 280 -- "$top/tests/system/lab_mirror.sh" --guest "$module" "$4" \
		>"$said" 2>"$work/err"
	equal "$what: status" $? 0
	failures=$((failures + $(grep -c '^not ok' "$said")))
	sed -E "s/^((not )?ok|skip) /&$what: /" "$said"
	cat "$work/err"
}

if [[ ${1-} == --guest ]]; then
	in_guest "$2" "$3"
fi
export SEED
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
