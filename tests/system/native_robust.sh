#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Recorders that are killed, stopped, interrupted, slowed down or have no room, and targets that are
# gone at once: what is in the file, and what is said to be lost, is together what happened.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"

# monotonic - prints CLOCK_MONOTONIC in ns
monotonic()
{
	local seconds rest

	read -r seconds rest </proc/uptime
	rest=${seconds#*.}
	echo "${seconds%.*}${rest}0000000"
}

# wait_for FILE - until it has something in it
wait_for()
{
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		[[ -s $1 ]] && return
		sleep 0.05
	done
	not_ok "$1 was not written in 10 s"
	finish
}

# start_steady - sets $steady
start_steady()
{
	rm -f "$work/log"
	"$bin/tests/steady" "$work/log" &
	steady=$!
	wait_for "$work/log"
}

# start_recorder - of all that is named steady; sets $recorder
start_recorder()
{
	rm -f "$work/ptd"
	"$pf" record -q --hook rawtp -a --comm steady -o "$work/ptd" 2>"$work/err" &
	recorder=$!
	wait_for "$work/ptd"
}

# steady_count FROM TO - faults that steady has made between the two times, by its log
steady_count()
{
	awk -v from="$1" -v to="$2" 'NR > 1 && $1 <= from { first = $2 } NR > 1 && $1 <= to { last = $2 }
		END { print last - first }' "$work/log"
}

end_steady()
{
	kill -TERM "$steady"
	wait "$steady"
}

# kill_one - records for 4 s until it is killed; sets $status of reading that, $in_file faults that are
# there, and $made more than 1.5 s before
kill_one()
{
	local from to

	start_steady
	start_recorder
	from=$(monotonic)
	sleep 4
	to=$(monotonic)
	kill -KILL "$recorder"
	wait "$recorder" 2>/dev/null
	end_steady
	"$pf" script -i "$work/ptd" 2>"$work/err" >"$work/text"
	status=$?
	in_file=$(wc -l <"$work/text")
	made=$(steady_count "$from" $((to - 1500000000)))
}

# A machine that stands still for half a second holds up the recorder, too; but not every time.
killed()
{
	local i status in_file made

	for ((i = 0; i < 3; i++)); do
		kill_one
		((in_file >= made)) && break
	done
	equal "kill -9: script's status" "$status" 0
	equal "kill -9: script says that it was cut" "$(grep -c 'cut' "$work/err")" 1
	at_least "kill -9: faults in the file" "$in_file" "$made" "made more than 1.5 s before"
	equal "kill -9: report says that it was cut" \
		"$("$pf" report -i "$work/ptd" | grep -c '^# recording: .*cut')" 1
	totals "$work/ptd"
	equal "kill -9: complete" "$complete" false
	equal "kill -9: report's events" "$events" "$(wc -l <"$work/text")" script
}

# perf beside the recorder: the same process, from exec to exit
stopped()
{
	"$pf" record -q --hook rawtp --comm touch -m 64K -o "$work/ptd" -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
		"$bin/tests/touch" -w 200000 >"$work/out" &
	recorder=$!
	wait_for "$work/out"
	kill -STOP "$recorder"
	kill -USR1 "$(awk '{ print $2; exit }' "$work/out")"
	sleep 10
	kill -CONT "$recorder"
	wait "$recorder"
	equal "stopped for 10 s: exit status" "$?" 0
	totals "$work/ptd"
	adds_up "stopped for 10 s" "$events" "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	at_least "stopped for 10 s: lost" "$lost" 1
}

interrupted()
{
	local signal status

	for signal in INT TERM; do
		start_steady
		start_recorder
		sleep 1
		kill "-$signal" "$recorder"
		wait "$recorder"
		status=$?
		end_steady
		equal "SIG$signal: exit status" "$status" $((128 + $(kill -l $signal)))
		equal "SIG$signal: lines on stderr" "$(wc -l <"$work/err")" 0
		totals "$work/ptd"
		equal "SIG$signal: complete" "$complete" true
		equal "SIG$signal: lost" "$lost" 0
		at_least "SIG$signal: events" "$events" 1
	done
}

# With a command of its own, which has to end too. (A shell's background jobs ignore SIGINT, and
# so would the command.)
interrupted_with_command()
{
	rm -f "$work/log"
	env --default-signal=INT "$pf" record -q --hook rawtp -o "$work/ptd" -- "$bin/tests/steady" "$work/log" 2>"$work/err" &
	recorder=$!
	wait_for "$work/log"
	steady=$(pgrep -P "$recorder")
	sleep 0.5
	kill -INT "$recorder"
	wait "$recorder"
	equal "SIGINT with a command: exit status" "$?" 130
	equal "SIGINT with a command: still running" "$(ps -o pid= -p "${steady:-1}" | wc -l)" 0
	totals "$work/ptd"
	equal "SIGINT with a command: complete" "$complete" true
	at_least "SIGINT with a command: events" "$events" 1
}

full_disk()
{
	local status

	mkdir "$work/small"
	mount -t tmpfs -o size=300k tmpfs "$work/small"
	at_exit umount "$work/small"
	"$pf" record -q --hook rawtp --comm touch -o "$work/small/ptd" -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
		"$bin/tests/touch" 200000 >/dev/null 2>"$work/err"
	status=$?
	equal "full disk: exit status" "$status" 1
	equal "full disk: lines on stderr" "$(grep -c '' "$work/err")" 1
	totals "$work/small/ptd"
	equal "full disk: complete" "$complete" true
	adds_up "full disk" "$events" "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	at_least "full disk: events" "$events" 1
	equal "full disk: script's lines" "$("$pf" script -i "$work/small/ptd" 2>/dev/null | wc -l)" "$events"
}

# A reader of the recording that sleeps is a disk that is slow: writes wait, and the ring is full.
slow()
{
	"$pf" record -q --hook rawtp --comm touch -m 64K -z 0 -o - -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
		"$bin/tests/touch" 100000 2>"$work/err" | { sleep 2; cat; } >"$work/ptd"
	equal "slow output: exit status" "${PIPESTATUS[0]}" 0
	totals "$work/ptd"
	equal "slow output: complete" "$complete" true
	adds_up "slow output" "$events" "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	at_least "slow output: lost" "$lost" 1
	equal "slow output: script's lines" "$("$pf" script -i "$work/ptd" 2>/dev/null | wc -l)" "$events"
}

# slow_group DEVICE BYTES - makes a cgroup, $group, that writes so many bytes a second to it
slow_group()
{
	local top=/sys/fs/cgroup number

	number=$(<"/sys/block/${1##*/}/dev")
	if [[ -d $top/blkio ]]; then
		group=$top/blkio/ptscope-slow.$$
		mkdir "$group" && { echo "$number $2" >"$group/blkio.throttle.write_bps_device" || ! rmdir "$group"; }
	elif grep -qsw io $top/cgroup.subtree_control && grep -qsw memory $top/cgroup.subtree_control; then
		group=$top/ptscope-slow.$$
		mkdir "$group" && { echo "$number wbps=$2" >"$group/io.max" || ! rmdir "$group"; }
	else
		return 1
	fi
}

# A disk that takes 200 KB a second, with no cache before it.
slow_disk()
{
	local device group

	truncate -s 64M "$work/image"
	mkfs.ext4 -q -O ^has_journal "$work/image"
	device=$(losetup -f --show "$work/image" 2>/dev/null) || { skip "slow disk: no loop device" && return; }
	at_exit losetup -d "$device"
	slow_group "$device" 200000 || { skip "slow disk: no cgroup limits what is written" && return; }
	at_exit rmdir "$group"
	mkdir "$work/disk"
	mount -o sync "$device" "$work/disk"
	at_exit umount "$work/disk"
	(
		echo $BASHPID >"$group/cgroup.procs"
		exec "$pf" record -q --hook rawtp --comm touch -m 64K -z 0 -o "$work/disk/ptd" -- \
			perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
			"$bin/tests/touch" 100000 >/dev/null 2>"$work/err"
	)
	equal "slow disk: exit status" $? 0
	totals "$work/disk/ptd"
	equal "slow disk: complete" "$complete" true
	adds_up "slow disk" "$events" "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	at_least "slow disk: lost" "$lost" 1
	equal "slow disk: script's lines" "$("$pf" script -i "$work/disk/ptd" 2>/dev/null | wc -l)" "$events"
}

# by_name NAME - events of the last report
by_name()
{
	jq --arg name "$1" '[.groups[] | select(.comm == $name).count] | add // 0' "$work/json"
}

short_lived()
{
	local children=100000 tries status

	# Names may be lost while a recorder stands still for seconds, on a disk that others use.
	for tries in 1 2 3; do
		"$pf" record -q --hook rawtp -o "$work/ptd" -- \
			perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
			"$bin/tests/short_lived" "$children" >/dev/null 2>"$work/err"
		status=$?
		# Those of perf itself are no part of what it counts.
		"$pf" report -i "$work/ptd" --sort comm --json >"$work/json"
		[[ $(jq .lost_sideband "$work/json") != 0 ]] || break
		echo "# $children processes, run $tries: names were lost"
	done
	equal "$children processes: exit status" "$status" 0
	equal "$children processes: children that could not be followed" "$(jq .lost_children "$work/json")" 0
	adds_up "$children processes" $(($(by_name short_lived) + $(by_name even) + $(by_name odd))) \
		"$(jq .lost.total "$work/json")" "$(perf_count "$work/perf" all)" "perf stat"
}

# Names of processes that have the numbers of others before them.
same_pids()
{
	local children=2000

	"$pf" record -q --hook rawtp --addr 200000000000-200000002fff -o "$work/ptd" -- \
		"$bin/tests/short_lived" -r $children >"$work/out" 2>"$work/err"
	equal "process ids that are used again: exit status" $? 0
	at_most "process ids that are used again: different ones of $children" "$(cat "$work/out")" $((children / 2))
	"$pf" report -i "$work/ptd" --sort comm --json >"$work/json"
	equal "process ids that are used again: lost" "$(jq .lost.total "$work/json")" 0
	equal "process ids that are used again: faults of even ones" "$(by_name even)" $children
	equal "process ids that are used again: faults of odd ones" "$(by_name odd)" $((3 * children / 2))
}

killed
stopped
slow
slow_disk
short_lived
same_pids
interrupted
interrupted_with_command
full_disk
finish
