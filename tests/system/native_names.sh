#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Children born on one CPU that run on another are followed and named: the side band's buffers, one
# per CPU, are put in order before they are filtered.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly CHILDREN=200

# names RECORDING - "comm pids" per line, of all processes but the shell
names()
{
	"$pf" script --json --no-walks -i "$1" |
		jq -r 'select(.type == "fault") | "\(.comm) \(.pid)"' | sort -u |
		cut -d ' ' -f 1 | uniq -c | awk '{ print $2, $1 }' | grep -v '^sh ' | paste -sd ,
}

# shellcheck disable=SC2016 # expanded by the traced shell
run='for i in $(seq '$CHILDREN'); do taskset -c 0 env true; done'

"$pf" record -q --hook rawtp -o "$work/all.ptd" -- sh -c "$run" 2>/dev/null
"$pf" record -q --hook rawtp -o "$work/moved.ptd" -- taskset -c 1 sh -c "$run" 2>/dev/null
for recording in all moved; do
	# A process keeps its number through its names: taskset becomes env, and env true.
	got=$(names "$work/$recording.ptd")
	for name in taskset env true; do
		want=$CHILDREN
		[[ $name == taskset && $recording == moved ]] && want=$((CHILDREN + 1))
		equal "$recording: processes called $name" \
			"$(tr , '\n' <<<"$got" | sed -n "s/^$name //p")" $want
	done
	equal "$recording: processes without a name" "$(tr , '\n' <<<"$got" | grep -c '^?')" 0
done
finish
