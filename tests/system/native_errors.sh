#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is refused, and how: the exit status and one line that says why.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly RECORD=(record -q --hook rawtp -o "$work/ptd")

usage_errors()
{
	local group

	fails "no such command" 2 "'nonsense' is not a command" "$pf" nonsense
	fails "no such option" 2 "nonsense" "$pf" record --nonsense
	fails "option without its value" 2 "(-o|output)" "$pf" record -o
	fails "no such hook" 2 "hook 'magic'" "$pf" record --hook magic true
	fails "no such access" 2 "access 'lick'" "$pf" record --access lick true
	fails "no such outcome" 2 "outcome 'luck'" "$pf" record --outcome luck true
	fails "no such event" 2 "event 'rain'" "$pf" record -e rain true
	fails "no address range" 2 "'12-xyz'" "$pf" record --addr 12-xyz true
	fails "range that ends before it begins" 2 "'20-10'" "$pf" record --addr 20-10 true
	fails "no list of CPUs" 2 "'zero'" "$pf" record -C zero true
	fails "no process id" 2 "'init'" "$pf" record -p init
	fails "-p and -t" 2 "-p and -t" "$pf" record -p 1 -t 1
	fails "-a and -p" 2 "-a" "$pf" record -a -p 1
	fails "no size" 2 "'lots'" "$pf" record -m lots true
	fails "no time" 2 "'soon'" "$pf" record --min-latency soon true
	fails "outcome without an exit hook" 1 "--outcome needs a hook" "$pf" record --hook rawtp --outcome cow true
	fails "report with an operand" 2 "rest" "$pf" report rest
	fails "no such ABI" 2 "abi 'none' is not one of .*kvm, xen; " "$pf" script --abi none
	fails "ABI without a name" 2 "abi '' is not one of" "$pf" report --abi ''
	fails "live: no such ABI" 2 "abi '[.][.]' is not one of" "$pf" live --abi .. -- true
	fails "no such file of an ABI" 1 "none.abi: No such file" "$pf" script --abi "$work/none.abi"
	fails "a folder as an ABI" 1 "directory|Input/output" "$pf" script --abi "$work/"
	echo 'abi x' >"$work/x.abi"
	fails "ABI without a number" 1 "x.abi, line 2: 'number REGISTER' is missing" \
		"$pf" report --abi "$work/x.abi"
	fails "sort by call without an ABI" 1 "'call' needs --abi" \
		"$pf" report -i "$work/good" --sort call
	fails "no such sort key" 1 "colour" "$pf" report -i "$work/good" --sort colour
	fails "no such cgroup" 2 "cgroup" "$pf" record -o "$work/ptd" --cgroup /sys/fs/cgroup/none true
	fails "not a cgroup" 2 "not a directory of cgroup v2" "$pf" record -o "$work/ptd" --cgroup /proc true
	group=$(awk '$3 == "cgroup" { print $2; exit }' /proc/mounts)
	[[ $group ]] && fails "a cgroup of version 1" 2 "not a directory of cgroup v2" "$pf" record -o "$work/ptd" --cgroup "$group" true
}

target_errors()
{
	fails "no such process" 1 "pid 4194304: no such process" "$pf" "${RECORD[@]}" -p 4194304
	fails "no such thread" 1 "tid 4194304: no such thread" "$pf" "${RECORD[@]}" -t 4194304
	fails "command that does not exist" 127 "no-such-command: command not found" \
		"$pf" "${RECORD[@]}" -- no-such-command
	fails "command that cannot be executed" 126 "/etc/passwd: permission denied" \
		"$pf" "${RECORD[@]}" -- /etc/passwd
	fails "command that is a folder" 126 "/etc: permission denied" "$pf" "${RECORD[@]}" -- /etc
	fails "command below a file" 126 "/etc/passwd/x: Not a directory" \
		"$pf" "${RECORD[@]}" -- /etc/passwd/x
	fails "stat: command that does not exist" 127 "no-such-command: command not found" \
		"$pf" stat --hook rawtp -- no-such-command
	fails "live: command that does not exist" 127 "no-such-command: command not found" \
		"$pf" live --hook rawtp -- no-such-command
}

statuses()
{
	local command

	for command in "record -q -o $work/ptd" live "stat -o $work/stat"; do
		# shellcheck disable=SC2086 # several words
		{
			ends_with "$command: status of the command" 3 \
				"$pf" $command --hook rawtp -- sh -c 'exit 3'
			equal "$command: lines on stderr" "$(wc -l <"$work/err")" 0
			ends_with "$command: command that is killed" 137 \
				"$pf" $command --hook rawtp -- sh -c 'kill -KILL $$'
			equal "$command: lines on stderr" "$(wc -l <"$work/err")" 0
		}
	done
}

privileges()
{
	local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	cp "$pf" "$work/ptrace-pf"
	chmod 755 "$work"
	fails "record, not root" 1 "root" "${user[@]}" "$work/ptrace-pf" record -o /dev/null -- true
	fails "live, not root" 1 "root" "${user[@]}" "$work/ptrace-pf" live -- true
	fails "stat, not root" 1 "root" "${user[@]}" "$work/ptrace-pf" stat -- true
	chmod 600 "$work/good"
	fails "script of another's file" 1 "good: .*Permission denied" \
		"${user[@]}" "$work/ptrace-pf" script -i "$work/good"
	ends_with "doctor, not root" 1 "${user[@]}" "$work/ptrace-pf" doctor
	equal "doctor, not root: says so" "$(grep -c 'not root' "$work/out")" 1
}

# Files that are no recordings, or no longer.
files()
{
	local command size

	size=$(stat -c %s "$work/good")
	: >"$work/empty"
	head -c 100 "$work/good" >"$work/stump"
	head -c 65536 /dev/urandom >"$work/noise"
	perf record -q -o "$work/foreign" true 2>/dev/null
	head -c $((size / 2)) "$work/good" >"$work/half"
	for command in script report; do
		fails "$command: no such file" 1 "none: .*No such file" "$pf" $command -i "$work/none"
		fails "$command: empty file" 1 "empty: " "$pf" $command -i "$work/empty"
		fails "$command: a folder" 1 "folder|directory" "$pf" $command -i "$work"
		fails "$command: cut in its header" 1 "stump: " "$pf" $command -i "$work/stump"
		fails "$command: noise" 1 "noise: not a perf.data file" "$pf" $command -i "$work/noise"
		fails "$command: a program" 1 "not a perf.data file" "$pf" $command -i /bin/true
		fails "$command: perf's file" 1 "without page faults" "$pf" $command -i "$work/foreign"
		ends_with "$command: cut in the middle" 0 "$pf" $command -i "$work/half"
		at_least "$command: cut in the middle: says so" \
			"$(cat "$work/out" "$work/err" | grep -c 'recording.* cut')" 1
	done
	fails "record into a folder" 1 "$work" "$pf" record -q --hook rawtp -o "$work" -- true
	fails "record onto a full device" 1 "No space left" \
		"$pf" record -q --hook rawtp -o /dev/full -- true
	fails "record below no folder" 1 "No such file" \
		"$pf" record -q --hook rawtp -o "$work/none/ptd" -- true
}

# Readers that leave early and outputs that are full.
outputs()
{
	local status command

	"$pf" script -i "$work/good" 2>"$work/err" | head -n 1 >/dev/null
	equal "script | head: status" "${PIPESTATUS[0]}" 0
	equal "script | head: lines on stderr" "$(wc -l <"$work/err")" 0
	"$pf" report -i "$work/good" --sort page 2>"$work/err" | head -n 1 >/dev/null
	equal "report | head: status" "${PIPESTATUS[0]}" 0
	equal "report | head: lines on stderr" "$(wc -l <"$work/err")" 0
	"$pf" live --hook rawtp -- "$bin/tests/touch" 50000 2>"$work/err" | head -n 1 >/dev/null
	status=${PIPESTATUS[0]}
	equal "live | head: status" "$status" 141
	equal "live | head: lines on stderr" "$(wc -l <"$work/err")" 0
	for command in script report; do
		"$pf" $command -i "$work/good" >/dev/full 2>"$work/err"
		equal "$command >/dev/full: status" "$?" 1
		equal "$command >/dev/full: says so" "$(grep -c 'No space left' "$work/err")" 1
	done
	for command in stat live; do
		"$pf" $command --hook rawtp -- true >/dev/full 2>"$work/err"
		equal "$command >/dev/full: status" "$?" 1
		equal "$command >/dev/full: says so" "$(grep -c 'No space left' "$work/err")" 1
	done
	"$pf" record -q --hook rawtp -o - -- "$bin/tests/touch" 1000 2>/dev/null >"$work/piped"
	equal "record -o -: through a pipe" "$("$pf" script -i - <"$work/piped" 2>&1 | head -c 1 | wc -c)" 1
}

helps()
{
	local command

	for command in "" record live stat report script doctor vms; do
		# shellcheck disable=SC2086 # may be no word
		ends_with "help: ptrace-pf $command --help" 0 "$pf" $command --help
		equal "help: ptrace-pf $command: lines on stderr" "$(wc -l <"$work/err")" 0
	done
	ends_with "no arguments" 2 "$pf"
	ends_with "version" 0 "$pf" --version
}

"$pf" record -q --hook rawtp -o "$work/good" -- "$bin/tests/touch" 20000 >/dev/null || not_ok "record"
cd "$work" || exit 1 # what is recorded by mistake
usage_errors
target_errors
statuses
privileges
files
outputs
helps
finish
