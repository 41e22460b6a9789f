#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptrace-pf diff of real recordings: what grew by a known number of pages is found, and what is the
# same in all of them is not.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly RUNS=2

# record NAME PAGES - $RUNS recordings of touch; sets $list, a comma list of them
record()
{
	local i file

	list=''
	for ((i = 0; i < RUNS; i++)); do
		file=$work/$1$i.ptd
		"$pf" record -q -o "$file" -- "$bin/tests/touch" "$2" >"$work/out" 2>"$work/err" ||
			not_ok "recording: $(cat "$work/err")"
		list+=${list:+,}$file
	done
}

# writes EXPRESSION - of the row of touch's writes in user mode
writes()
{
	jq -r '.rows[] | select(.comm == "touch" and .access == "write" and .origin == "user") | '"$1" \
		"$work/json"
}

# compare OLD NEW
compare()
{
	ends_with "diff" 0 "$pf" diff --json --sort comm,access,origin "$1" "$2"
	cp "$work/out" "$work/json"
}

record small 1000
small=$list
record large 1500
large=$list

compare "$small" "$large"
equal "500 pages more: change" "$(writes .change)" grew
close_to "500 pages more: difference" "$(writes '.difference | round')" 500 4
equal "500 pages more: beyond noise" "$(writes .beyond_noise)" true
equal "500 pages more: counts of the new side" "$(writes '.new.counts | length')" $RUNS
equal "500 pages more: counts are report's" "$(writes '.new.counts[0]')" \
	"$("$pf" report --json --sort comm,access,origin -i "$work/large0.ptd" | jq '.groups[] |
		select(.comm == "touch" and .access == "write" and .origin == "user") | .count')"
compare "$large" "$small"
equal "the other way round: change" "$(writes .change)" shrank
compare "$small" "${small#*,},${small%%,*}"
equal "the same in another order: beyond noise" "$(writes .beyond_noise)" false
compare "${small%%,*}" "${large%%,*}"
equal "one a side: noise" "$(writes .beyond_noise)" null

"$pf" diff --csv --sort comm,access,origin "$small" "$large" >"$work/csv"
compare "$small" "$large"
jq -r '.rows[] | [.comm, .access, .origin, .change, .old.mean, .new.mean] | @csv' "$work/json" |
	tr -d '"' | sed -E 's/(\.[0-9]{3})[0-9]+/\1/g' >"$work/want"
tail -n +2 "$work/csv" | cut -d , -f 1-6 | sed -E 's/(\.[0-9]{3})[0-9]+/\1/g' >"$work/got"
same_lines "--csv: rows of --json" "$work/want" "$work/got"
equal "--beyond-noise: rows" \
	"$("$pf" diff --json --beyond-noise --sort comm,access,origin "$small" "$large" |
		jq '.rows | length')" \
	"$(jq '[.rows[] | select(.beyond_noise or .p50_beyond_noise or .p99_beyond_noise)] | length' \
		"$work/json")"

# Without names it is the last recording against the one before.
cd "$work" || exit 1
cp small0.ptd ptrace-pf.data.old
cp large0.ptd ptrace-pf.data
equal "no names" "$("$pf" diff --csv --sort comm | head -n 2 | tail -n 1 | cut -d , -f 1,2)" touch,grew
fails "one name" 2 "takes OLD and NEW" "$pf" diff "$small"
fails "no such file" 1 "nowhere: .*No such file" "$pf" diff nowhere "$small"
fails "no such file in a list" 1 "nowhere: .*No such file" "$pf" diff "$small" "$small,nowhere"
fails "no such key" 1 "no sort key 'x'" "$pf" diff -s x "$small" "$large"
fails "two formats" 2 "exclude each other" "$pf" diff --json --csv "$small" "$large"
finish
