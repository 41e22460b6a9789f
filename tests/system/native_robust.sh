#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Recorders that are killed, stopped, interrupted or have no room: what is in the file, and what
# is said to be lost, is together what happened.
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

killed()
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
	equal "kill -9: script's status" "$("$pf" script -i "$work/ptd" 2>"$work/err" >"$work/text"; echo $?)" 0
	equal "kill -9: script says that it was cut" "$(grep -c 'cut' "$work/err")" 1
	at_least "kill -9: faults in the file" "$(wc -l <"$work/text")" \
		"$(steady_count "$from" $((to - 1500000000)))" "made more than 1.5 s before"
	equal "kill -9: report says that it was cut" \
		"$("$pf" report -i "$work/ptd" | grep -c '^# recording: .*cut')" 1
	totals "$work/ptd"
	equal "kill -9: complete" "$complete" false
	equal "kill -9: report's events" "$events" "$(wc -l <"$work/text")" script
}

# perf beside the recorder: the same process, from exec to exit
stopped()
{
	"$pf" record -q --hook rawtp -a --comm touch -m 64K -o "$work/ptd" -- \
		perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
		"$bin/tests/touch" -w 200000 >"$work/out" &
	recorder=$!
	wait_for "$work/out"
	kill -STOP "$recorder"
	kill -USR1 "$(awk '{ print $2; exit }' "$work/out")"
	sleep 3
	kill -CONT "$recorder"
	wait "$recorder"
	equal "stopped for 3 s: exit status" "$?" 0
	totals "$work/ptd"
	adds_up "stopped for 3 s" "$events" "$lost" "$(perf_count "$work/perf" all)" "perf stat"
	at_least "stopped for 3 s: lost" "$lost" 1
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
	"$pf" record -q --hook rawtp -a --comm touch -o "$work/small/ptd" -- \
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

killed
stopped
interrupted
interrupted_with_command
full_disk
finish
