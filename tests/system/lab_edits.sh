#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The helper module's edits in Debian's kernels, with 4 and 5 levels, 1, 2 and 4 CPUs: they are seen
# at once and undone exactly, whatever the kernel does meanwhile, whoever dies; what is refused
# changes nothing. The lab looks through the kernel log.
# LONG=1: more edits, one more run. EDITS_SECONDS: how long the parts that go on for a time do, instead of some seconds.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# kernel, levels, CPUs, and what runs there
RUNS=("6.1 4 1 edits huge refused physical reads"
	"6.1 5 4 events huge_events kvm random"
	"6.12 4 4 edits huge random"
	"6.12 5 2 huge_events events refused physical kvm watches pidfds reads")
[[ $(long '' more) ]] && RUNS+=("6.1 4 2 edits kvm huge_events")
EDITS=$(long 2500 10000)
readonly RUNS EDITS
# Memory that the direct map does not have is there where it is asked for.
readonly APPEND=secretmem.enable=1
# Less memory than the events' test allocates.
readonly MEMORY=640M SECONDS_EACH=${EDITS_SECONDS:-$(long 2 4)}

# prepare_guest - a file system that keeps track of what is written, and swap
prepare_guest()
{
	mkfs.ext4 -q /dev/vda && mkdir "$work/disk" && mount /dev/vda "$work/disk" &&
		at_exit umount "$work/disk" && mkswap -q /dev/vdb && swapon /dev/vdb
}

# run_part NAME
run_part()
{
	case $1 in
	edits) "$bin/tests/edits" "$work/disk/file" ;;
	physical) "$bin/tests/edits_physical" ;;
	events) "$bin/tests/edits_events" "$work/disk/file" ;;
	huge) "$bin/tests/edits_huge" ;;
	huge_events) "$bin/tests/edits_huge_events" "$work/disk/file" ;;
	random) "$bin/tests/edits_random" "$EDITS" "$SECONDS_EACH" ;;
	kvm) modprobe kvm_amd && "$bin/tests/edits_kvm" ;;
	refused) "$bin/tests/edits_refused" "$SECONDS_EACH" ;;
	watches) "$bin/tests/watches" 1 ;;
	reads) "$bin/tests/memory_reads" ;;
	pidfds) "$bin/tests/pidfds" "$work/disk/file" ;;
	esac
}

# in_guest MODULE PART... - each part with the module loaded anew; the events remove it themselves
in_guest()
{
	local module=$1 part

	shift
	prepare_guest || { not_ok "no disk to work with"; finish; }
	for part; do
		insmod "$module" || not_ok "insmod"
		echo "# $SECONDS s: $part"
		run_part "$part" || not_ok "$part: exit status $?"
		[[ $part == *events ]] || rmmod ptremap || not_ok "rmmod after $part"
	done
	finish
}

# in_lab KERNEL LEVELS CPUS PART...
in_lab()
{
	local what="$1, $2 levels, $3 CPU" module

	[[ $3 == 1 ]] || what+=s
	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --smp "$3" --mem "$MEMORY" --disk-mb 64 \
		--disk-mb 256 --append "$APPEND" --quiet --timeout $((240 + 4 * SECONDS_EACH)) -- \
		"$top/tests/system/lab_edits.sh" --guest "$module" "${@:4}" >"$work/said" 2>"$work/err"
	machine_said "$what" $?
}

if [[ ${1-} == --guest ]]; then
	shift
	in_guest "$@"
fi
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
