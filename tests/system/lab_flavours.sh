#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The helper module in the other flavours of Debian's kernels: amd64, on two NUMA nodes, and rt,
# which may preempt nearly everything. It is built with the headers of each, without a warning, and
# edits pages there; who lacks a right is refused, or sees no frames, and everybody is refused under
# lockdown, which comes last and stays. The lab looks through the kernel log.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"

readonly remap=$bin/ptremap NUMA_BALANCING=/proc/sys/kernel/numa_balancing
# Kernel, flavour and what runs there, in one boot. To the module one rt is as the other, and so is
# amd64: LONG=1 has both kernels'.
RUNS=("6.12 amd64 nodes rights frames clock lockdown"
	"6.12 rt edits")
[[ $(long '' more) ]] && RUNS+=("6.1 rt" "6.1 amd64 nodes rights frames clock lockdown")
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
	"$bin/tests/edits_rights" || not_ok "edits_rights: exit status $?"
	refused "no CAP_SYS_ADMIN" CAP_SYS_ADMIN setpriv --bounding-set -sys_admin --inh-caps -sys_admin
	refused "no CAP_SYS_RAWIO" CAP_SYS_RAWIO setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio
	refused "root of a user namespace" CAP_SYS_ADMIN unshare -U -r
	fails "nobody: list" 1 CAP_SYS_ADMIN setpriv --reuid 65534 --clear-groups --bounding-set -all \
		"$remap" list
	ends_with "the two capabilities alone: list" 0 setpriv --inh-caps -all \
		--bounding-set -all,+sys_admin,+sys_rawio "$remap" list
}

# record_remaps NAME COMMAND... - of all that is changed from now on; adds to $recorders
record_remaps()
{
	"${@:2}" record -q -z 0 -a -e remap -o "$work/open/$1" 2>"$work/err" &
	recorders+=($!)
	# It gives up its rights once it has attached.
	until grep -q '^NoNewPrivs:.*1' "/proc/$!/status" 2>/dev/null; do
		kill -0 $! 2>/dev/null || { not_ok "$1: record: $(<"$work/err")" && return; }
		sleep 0.05
	done
}

# has_bytes NAME ENTRY - how many lines of the recording, which is made one, have this entry in them
has_bytes()
{
	local bytes

	bytes=$(printf %016x "$2" | fold -w 2 | tac | tr -d '\n')
	od -An -v -tx1 "$work/open/$1" | tr -d ' \n' | grep -c "$bytes"
}

# remaps_of NAME PID - entries before and after, of each event
remaps_of()
{
	"$pf" script --json -i "$work/open/$1" | jq -c "select(.type == \"remap\" and .of == $2) | [.event, .old, .new]"
}

# Of what root changes they are told, too, who may trace; but no frames, which they may not see.
run_frames()
{
	local caps=-all,+bpf,+perfmon recorders=() pid va frame old

	mkdir -m 777 "$work/open" && chmod 711 "$work" && cp "$pf" "$work/open"
	echo 2 >/proc/sys/kernel/perf_event_paranoid # Debian's 3 is for CAP_SYS_ADMIN alone
	sleep 1000 &
	pid=$!
	# Its stack is where it stays a moment after it has its name.
	until { [[ $(<"/proc/$pid/comm") == sleep ]] && grep -q '\[stack\]' "/proc/$pid/maps"; } ||
		! kill -0 $pid 2>/dev/null; do sleep 0.05; done
	va=$((0x$(sed -n 's/^[^-]*-\([^ ]*\) .*\[stack\]$/\1/p' /proc/$pid/maps) - 0x1000))
	frame=$(dd if=/proc/$pid/pagemap bs=8 skip=$((va / 4096)) count=1 2>/dev/null | od -An -tx8)
	frame=$(printf %x $((0x${frame# } & (1 << 55) - 1))) # proc_pid_pagemap(5)
	record_remaps root "$pf"
	record_remaps tracer setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$caps" \
		--ambient-caps "$caps" --bounding-set "$caps" "$work/open/ptrace-pf"
	ends_with "a change that is recorded" 0 "$remap" protect --pid $pid "$(printf 0x%x $va)" --clear RW -- true
	kill -INT "${recorders[@]}"
	wait "${recorders[@]}"
	kill $pid
	old=$(remaps_of root $pid | jq -rs '.[0][1]')
	equal "root: the frame in the entry $old" "$(grep -c "$frame...\$" <<<"$old")" 1 "pagemap: $frame"
	equal "root: recordings with that entry" "$(has_bytes root "$old")" 1
	equal "CAP_BPF and CAP_PERFMON: what is told of it" "$(remaps_of tracer $pid | paste -sd ' ')" \
		'["made",null,null] ["undone",null,null]'
	equal "CAP_BPF and CAP_PERFMON: recordings with that entry" "$(has_bytes tracer "$old")" 0
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

# ruled - a process for rules, until it is told to go on; sets $ruled, $touched and $source
ruled()
{
	mkfifo "$work/line"
	"$bin/tests/ruled" <"$work/line" >"$work/ruled" &
	ruled=$!
	exec 7>"$work/line"
	until grep -q ready "$work/ruled" || ! kill -0 $ruled 2>/dev/null; do sleep 0.05; done
	read -r _ _ touched source <"$work/ruled"
}

run_lockdown()
{
	local ruled touched source rule

	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
	# Pages that it looks at are none that changes are in force of.
	[[ -e $NUMA_BALANCING ]] && echo 0 >$NUMA_BALANCING
	ends_with "modprobe kvm_amd" 0 modprobe kvm_amd
	ends_with "insmod ptremap_kvm" 0 insmod "${module%/*}/ptremap_kvm.ko"
	ruled
	"$remap" rule add --pid "$ruled" --on "fault:$touched-$(printf '0x%x' $((touched + 0x3fff)))" \
		--do "map va=\$page va=$source" >"$work/rule" 2>&1 &
	rule=$!
	until grep -q 'in force' "$work/rule" || ! kill -0 $rule 2>/dev/null; do sleep 0.05; done
	echo 1 >/sys/kernel/tracing/events/ptremap/ptremap_acted/enable
	"$bin/tests/in_force" "$top/tests/system/lab_flavours.sh --locked $work" ||
		not_ok "in_force: exit status $?"
	exec 7>&-
	kill -INT $rule
	wait $rule "$ruled"
	rmmod ptremap_kvm || not_ok "rmmod ptremap_kvm"
}

# What a rule was to do, and programs that were loaded before call it.
rule_under_lockdown()
{
	local i

	echo >"$1/line"
	for ((i = 0; i < 1200; i++)); do
		grep -q end "$1/ruled" && break
		sleep 0.05
	done
	equal "integrity: first accesses that a rule was called for" \
		"$(grep -c 'ptremap_acted: .* error=-129$' /sys/kernel/tracing/trace)" 4
	equal "integrity: pages that it changed" "$(grep -cE '^(page . s|wrote . w)' "$1/ruled")" 0
}

record_under_integrity()
{
	ends_with "integrity: record" 0 "$pf" record -q -o "$work/file" -- true
	at_least "integrity: events" "$("$pf" script --json -i "$work/file" | grep -c '"type":"fault"')" 10
}

# locked FOLDER LEVEL - in_force has changes in force, and the kernel is locked down
locked()
{
	refused "$2" "the kernel is locked down" env
	if [[ $2 == integrity ]]; then
		rule_under_lockdown "$1"
		record_under_integrity
	else
		fails "$2: record" 1 "locked down .confidentiality." "$pf" record -o "$work/none" -- true
		equal "$2: nothing is recorded" "$(find "$work" -name none | wc -l)" 0
	fi
	finish
}

# run_part NAME
run_part()
{
	case $1 in
	nodes) run_nodes ;;
	edits) run_edits ;;
	rights) run_rights ;;
	frames) run_frames ;;
	clock) run_clock ;;
	lockdown) run_lockdown ;;
	esac
}

# in_guest MODULE PART...
in_guest()
{
	local part module=$1

	insmod "$module" || not_ok "insmod"
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
	local name=$1-$2 module numa=()

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
		--timeout 500 -- "$top/tests/system/lab_flavours.sh" --guest "$module" "${@:3}" \
		>"$work/said" 2>"$work/err"
	machine_said "$name" $?
}

case ${1-} in
--guest) in_guest "${@:2}" ;;
--locked) locked "${@:2}" ;;
esac
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
