# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The rows of the table that a run ends with, and what is missing in it. Sourced by what measures; C
# programs have tests/bench/bench.h. A row is a line of the file $BENCH_ROWS, if that is set:
#
#   WHAT  UNIT  OURS  COST  PEER  COST  RATIO      with tabs between them; or TITLE alone
#
# UNIT is ns, bytes or x (times as long as without). All values are costs, of which less is better.

# rows_about TITLE - of the rows that come behind
rows_about()
{
	[[ -z ${BENCH_ROWS-} ]] || printf '%s\n' "$1" >>"$BENCH_ROWS"
}

# row WHAT UNIT OURS COST PEER COST [RATIO]
row()
{
	[[ ${BENCH_ROWS-} && $4 && $6 ]] || return 0
	awk -v OFS='\t' -v what="$1" -v unit="$2" -v ours="$3" -v a="$4" -v peer="$5" -v b="$6" \
		-v ratio="${7-}" 'BEGIN {
			if (b > 0)
				print what, unit, ours, a, peer, b, ratio == "" ? a / b : ratio }' >>"$BENCH_ROWS"
}

# complain WHAT... - a line on stderr, and in the file $BENCH_SAID, if that is set: what is missing in
# the table
complain()
{
	printf 'bench: %s\n' "$*" >&2
	[[ -z ${BENCH_SAID-} ]] || printf '%s\n' "$*" >>"$BENCH_SAID"
}
