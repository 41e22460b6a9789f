# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# QEMU's monitor. What is spoken on its pipes is QMP, where the end of an answer cannot be mistaken;
# the commands of the human's monitor (HMP) are reached through it.

readonly MONITOR_SECONDS=60

# monitor_open PATH - makes the pipes PATH.in and PATH.out, for a QEMU that is to be started with
# them: -chardev pipe,id=monitor,path=PATH -mon chardev=monitor,mode=control, or scripts/lab
# --monitor PATH
monitor_open()
{
	monitor_path=$1
	mkfifo "$1.in" "$1.out" || return
	# Open for both directions, so that nobody has to wait here for QEMU.
	exec {monitor_in}<>"$1.in"
	setpriv --pdeathsig TERM jq -c --unbuffered 'select(has("return") or has("error"))' \
		<>"$1.out" >"$1.answers" &
	monitor_reader=$!
}

monitor_close()
{
	kill "$monitor_reader"
	wait "$monitor_reader" 2>/dev/null
	exec {monitor_in}>&-
	rm -f "$monitor_path".{in,out,answers}
}

# monitor_ask - sends the commands on stdin, a JSON object on each line; prints what they return,
# one after the other
monitor_ask()
{
	local before asked answers=$monitor_path.answers end=$((SECONDS + MONITOR_SECONDS))

	before=$(wc -l <"$answers")
	asked=$(tee "/dev/fd/$monitor_in" | wc -l)
	until (($(wc -l <"$answers") >= before + asked)); do
		if ((SECONDS >= end)); then
			echo "monitor: no answer in $MONITOR_SECONDS s" >&2
			return 1
		fi
		sleep 0.01
	done
	tail -n "+$((before + 1))" "$answers" | jq -j 'if has("error") then
		error("monitor: " + .error.desc) else .return | select(. != {}) end'
}

# qmp COMMAND [NAME VALUE]... - VALUE is JSON
qmp()
{
	local command=$1 arguments=()

	shift
	while (($#)); do
		arguments+=(--argjson "$1" "$2")
		shift 2
	done
	jq -nc --arg command "$command" "${arguments[@]}" \
		'{execute: $command, arguments: ($ARGS.named | del(.command))}' | monitor_ask
}

# hmp CPU COMMAND... - commands of the human's monitor, for that virtual CPU; prints their texts
hmp()
{
	jq -nc --argjson cpu "$1" '$ARGS.positional[] | {execute: "human-monitor-command",
		arguments: {"command-line": ., "cpu-index": $cpu}}' --args "${@:2}" |
		monitor_ask | tr -d '\r'
}
