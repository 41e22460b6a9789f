#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every fault is counted once: by the tracer, by perf and by rusage, on this machine's kernel.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"
# shellcheck source=tests/lib/counts.sh
. "$top/tests/lib/counts.sh"

for threads in 1 2; do
	run_touch "$work/run" record -t $threads 200000
	check_touch "200,000 pages, $threads threads" "$work/run" user 200000
	run_touch "$work/run" stat -t $threads 200000
	check_stat "stat, 200,000 pages, $threads threads" "$work/run"
done
run_touch "$work/run" record -k kernel -t 2 200000
check_touch "200,000 pages from the kernel" "$work/run" kernel 200000
run_touch "$work/run" record -k read -t 2 200000
check_touch "200,000 pages read" "$work/run" user 200000

"$pf" live -a --comm "touch-$$" -- perf stat -x, -e "$PERF_EVENTS" -o "$work/perf" -- \
	"$work/touch-$$" 100000 >"$work/live" 2>"$work/err"
equal "live: lines" "$(grep -c ' addr=0x' "$work/live")" "$(perf_count "$work/perf" all)" "perf stat"

run_touch "$work/run" record -t 2 -r 10 200000
check_touch "2,000,000 faults" "$work/run" user 2000000
run_touch "$work/run" stat -t 2 -r 10 200000
check_stat "stat, 2,000,000 faults" "$work/run"
run_touch "$work/run" "record -m 4096" -t 2 -r 10 200000
check_small_ring "2,000,000 faults, ring of 4096 bytes" "$work/run"
finish
