#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The benchmark's table: rows become lines with costs in units that fit and ratios, titles stand
# where something comes behind, and what was not measured is left out. Wrong usage is said. What is
# measured is nobody's to judge here; that each program of it is there is the build's.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

cd "$top" || exit 1
# shellcheck source=tests/bench/rows.sh
. tests/bench/rows.sh
# shellcheck source=tests/bench/table.sh
. tests/bench/table.sh

# cells - of the table's lines, without the spaces that make columns
cells()
{
	table <"$BENCH_ROWS" | sed -E '1,2d; s/ +\|/|/g; s/\| +/|/g'
}

export BENCH_ROWS=$work/rows
rows_about "nothing behind"
rows_about "here"
row "a fault" x ours 1.2 theirs 1.5
row "a page" ns ours 1234.4 theirs 100
row "a report" bytes ours 2.5e9 theirs 5e6 501.4
row "theirs is not there" ns ours 7 theirs ""
row "theirs took no time" ns ours 7 theirs 0
equal "table" "$(cells)" "|**here**||||
|a fault|ours: 1.20x|theirs: 1.50x|0.80|
|a page|ours: 1.23 us|theirs: 100 ns|12.34|
|a report|ours: 2.5 GB|theirs: 5 MB|501|"
equal "table: its lines are as long as one another" \
	"$(table <"$BENCH_ROWS" | awk '{ print length($0) }' | sort -u | wc -l)" 1

echo "- a fact" >"$work/facts"
BENCH_SAID=$work/said complain "not installed" 2>"$work/err"
equal "page: facts, lines of the table, what is missing" \
	"$(page "$work/facts" "$BENCH_ROWS" "$work/said" | grep -cE '^- (a fact|not installed)$|^\|')" 8
equal "what is missing, on stderr" "$(<"$work/err")" "bench: not installed"

tests/bench/run nonsense >"$work/out" 2>"$work/err"
equal "no such part: status, lines on stdout, first line on stderr" \
	"$? $(wc -l <"$work/out") $(head -n 1 "$work/err")" "2 0 bench: no part 'nonsense'"
finish
