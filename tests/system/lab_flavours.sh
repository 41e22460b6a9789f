#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The helper module in the other flavours of Debian's kernels: amd64, on two NUMA nodes, and rt,
# which may preempt nearly everything. It is built with the headers of each, without a warning, and
# edits pages there; who lacks a right is refused, as is everybody under lockdown, which comes last
# and stays. The lab looks through the kernel log.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"

readonly remap=$bin/ptremap
# Kernel, flavour and what runs there, in one boot. To the module one rt is as the other, and so is
# amd64: LONG=1 has both kernels'.
RUNS=("6.12 amd64 nodes rights clock lockdown"
	"6.12 rt edits")
[[ $(long '' more) ]] && RUNS+=("6.1 rt" "6.1 amd64 nodes rights clock lockdown")
readonly RUNS

# ---- in the guest ----------------------------------------------------------------------------

run_nodes()
{
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	"$bin/tests/edits_nodes" "$remap" || not_ok "edits_nodes: exit status $?"
}

run_edits()
{
	mkfs.ext4 -q /dev/vda && mkdir "$work/disk" && mount /dev/vda "$work/disk" &&
		at_exit umount "$work/disk"
	"$bin/tests/edits" "$work/disk/file" || not_ok "edits: exit status $?"
	"$bin/tests/edits_random" 500 1 || not_ok "edits_random: exit status $?"
}

# refused WHO WORDS COMMAND... - each subcommand says the WORDS to those whom COMMAND makes
refused()
{
	local who=$1 words=$2

	shift 2
	fails "$who: walk" 1 "$words" "$@" "$remap" walk --kernel 0xffffffff81000000
	fails "$who: dump" 1 "$words" "$@" "$remap" dump --kernel
	fails "$who: read" 1 "$words" "$@" "$remap" read --pa 0x100000 16
	fails "$who: trap" 1 "$words" "$@" "$remap" trap --pid $$ 0x1000
	fails "$who: list" 1 "$words" "$@" "$remap" list
	fails "$who: undo" 1 "$words" "$@" "$remap" undo --all
}

run_rights()
{
	"$bin/tests/edits_rights" caps || not_ok "edits_rights: exit status $?"
	refused "no CAP_SYS_ADMIN" CAP_SYS_ADMIN setpriv --bounding-set -sys_admin --inh-caps -sys_admin
	refused "no CAP_SYS_RAWIO" CAP_SYS_RAWIO setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio
	refused "root of a user namespace" CAP_SYS_ADMIN unshare -U -r
	fails "nobody: list" 1 CAP_SYS_ADMIN setpriv --reuid 65534 --clear-groups --bounding-set -all \
		"$remap" list
	ends_with "the two capabilities alone: list" 0 setpriv --inh-caps -all \
		--bounding-set -all,+sys_admin,+sys_rawio "$remap" list
}

# step_clock - sets it hours on and back, as long as it is let
step_clock()
{
	while sleep 0.05; do
		date -s '+2 hours' && date -s '-3 hours'
	done >/dev/null
}

# metric NAME - the sum of its samples in the page
metric()
{
	awk -v name="$1" 'index($1, name "{") == 1 || $1 == name { sum += $2 } END { printf "%.9g\n", sum }' "$work/page"
}

# Pages of metrics come in time, and count what perf counts. Sets $pages and $seconds.
stat_pages()
{
	local counter began tries last=none now

	began=$(cut -d . -f 1 /proc/uptime)
	"$pf" stat --openmetrics --every 100ms -a --comm touch -e fault:u,fault:k -o "$work/page" 2>"$work/err" &
	counter=$!
	pages=0
	for ((tries = 0; tries < 1200 && pages < 4; tries++)); do
		now=$(stat -c %i:%Z "$work/page" 2>/dev/null || echo none)
		[[ $now == "$last" ]] || pages=$((pages + 1))
		last=$now
		sleep 0.05
	done
	perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- "$bin/tests/touch" -r 5 2000 >/dev/null
	kill -INT $counter
	wait $counter
	seconds=$(($(cut -d . -f 1 /proc/uptime) - began + 1))
}

# Times of a recording are those of a clock that nobody sets, and so are those of stat.
run_clock()
{
	local stepper began span pages seconds

	began=$(cut -d . -f 1 /proc/uptime)
	mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
	step_clock &
	stepper=$!
	"$pf" record -q --comm touch -e fault:u,fault:k -o "$work/steps" -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- "$bin/tests/touch" -r 5 2000 \
		>/dev/null 2>"$work/err"
	equal "a clock that is set: exit status" $? 0
	totals "$work/steps"
	adds_up "a clock that is set" $((user + kernel)) "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	equal "a clock that is set: complete" "$complete" true
	span=$("$pf" script --no-walks -i "$work/steps" | sed -En 's/.*\] ([0-9]+)\.[0-9]+: .*/\1/p' |
		sort -n | sed -n '1p;$p' | paste -sd ' ' | awk '{ print $2 - $1 }')
	at_most "a clock that is set: seconds from the first event to the last" "$span" \
		$(($(cut -d . -f 1 /proc/uptime) - began + 1))
	stat_pages
	kill $stepper
	wait $stepper
	equal "a clock that is set: pages of stat --every" "$pages" 4
	adds_up "a clock that is set: stat" "$(metric ptrace_pf_faults_total)" \
		"$(metric ptrace_pf_events_lost_total)" "$(perf_count "$work/perf" all)" "perf stat"
	at_most "a clock that is set: seconds that stat has counted" \
		"$(metric ptrace_pf_counted_seconds_total | cut -d . -f 1)" "$seconds"
}

run_lockdown()
{
	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	"$bin/tests/edits_rights" lockdown || not_ok "edits_rights: exit status $?"
	refused "lockdown" "the kernel is locked down" env
	fails "lockdown: record" 1 "locked down .confidentiality." "$pf" record -o "$work/none" -- true
	equal "lockdown: nothing is recorded" "$(find "$work" -name none | wc -l)" 0
}

# run_part NAME
run_part()
{
	case $1 in
	nodes) run_nodes ;;
	edits) run_edits ;;
	rights) run_rights ;;
	clock) run_clock ;;
	lockdown) run_lockdown ;;
	esac
}

# in_guest MODULE PART...
in_guest()
{
	local part

	insmod "$1" || not_ok "insmod"
	for part in "${@:2}"; do
		run_part "$part"
	done
	rmmod ptremap || not_ok "rmmod"
	finish
}

# ---- outside of it ---------------------------------------------------------------------------

# built NAME [ARG]... - with the kernel's additional warnings; sets $module
built()
{
	module=$(O=$bin "$top/scripts/kmod" "$1" W=1 "${@:2}" 2>"$work/log")
	equal "$1: build with W=1: status" $? 0
	# The kernel's headers are not ours.
	equal "$1: warnings" "$(grep -iE 'warning|error:' "$work/log" | grep -c /kmod/)" 0
	grep -iE -m 20 '/kmod/.*(warning|error:)' "$work/log"
	[[ $module ]]
}

sparse_has_run()
{
	equal "$1: sparse: files" "$(grep '^  CHECK ' "$work/log" | grep -vc '/pt/')" \
		"$(find "$top/kmod-helper" -name '*.c' | wc -l)" "source files"
}

# in_lab KERNEL FLAVOUR PART...
in_lab()
{
	local name=$1-$2 module said=$work/said numa=()

	if [[ $2 == amd64 ]]; then
		numa=(--numa)
	fi
	# To sparse they are alike.
	if [[ $name == 6.12-amd64 ]]; then
		built "$name" C=2 || return
		sparse_has_run "$name"
	else
		built "$name" || return
	fi
	(($# > 2)) || return
	"$top/scripts/lab" --kernel "$1" --flavour "$2" "${numa[@]}" --disk-mb 64 --quiet \
		--timeout 240 -- "$top/tests/system/lab_flavours.sh" --guest "$module" "${@:3}" \
		>"$said" 2>"$work/err"
	equal "$name: status" $? 0
	failures=$((failures + $(grep -c '^not ok' "$said")))
	sed -E "s/^((not )?ok|skip) /&$name: /" "$said"
	cat "$work/err"
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
