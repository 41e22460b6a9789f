#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What other programs read: stat's page of metrics by the parser of Prometheus' own library, and
# export's trace by its documented fields (Trace Event Format), both against what was counted.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"

readonly PAGES=5000
# A name of its own: somebody else may run touch at the same time.
readonly name=touch-$$
cp "$bin/tests/touch" "$work/$name"
# Debian's python, whose packages these are.
readonly PYTHON=/usr/bin/python3

# sum FILE NAME [LABEL=VALUE] - of the samples of that name in a page, as the parser reads it; a
# page that breaks the format's rules is an error
sum()
{
	"$PYTHON" - "$@" <<-'END'
		import sys
		from prometheus_client.openmetrics.parser import text_string_to_metric_families
		path, name, *labels = sys.argv[1:]
		want = dict(label.split("=", 1) for label in labels)
		total, n = 0, 0
		for family in text_string_to_metric_families(open(path).read()):
		    for sample in family.samples:
		        if sample.name == name and want.items() <= sample.labels.items():
		            total, n = total + sample.value, n + 1
		print(f"{total:.12g}" if n else "none")
	END
}

check_metrics()
{
	local page=$work/page.prom

	"$pf" stat --openmetrics -a --comm "$name" -o "$page" -- perf stat -x, -e "$PERF_EVENTS" \
		-o "$work/perf" -- "$work/$name" $PAGES >"$work/out" 2>"$work/err"
	equal "metrics: exit status" $? 0
	equal "metrics: faults" "$(sum "$page" ptrace_pf_faults_total)" "$(perf_count "$work/perf" all)" \
		"perf stat"
	equal "metrics: in user mode" "$(sum "$page" ptrace_pf_faults_total origin=user)" \
		"$(perf_count "$work/perf" user)" "perf stat"
	equal "metrics: lost" "$(sum "$page" ptrace_pf_events_lost_total)" 0
	equal "metrics: causes of loss" "$(grep -c '^ptrace_pf_events_lost_total{cause=' "$page")" 4
	equal "metrics: what counts" "$(sum "$page" ptrace_pf_info)" 1
	equal "metrics: latencies that end in +Inf" \
		"$(sum "$page" ptrace_pf_fault_latency_seconds_bucket le=+Inf)" \
		"$(sum "$page" ptrace_pf_fault_latency_seconds_count)"
	equal "metrics: last line" "$(tail -n 1 "$page")" "# EOF"
	equal "metrics: no other file is left" "$(cd "$work" && echo page*)" page.prom
	sed '$d' "$page" >"$work/cut.prom"
	sum "$work/cut.prom" ptrace_pf_info >"$work/out" 2>&1
	at_least "metrics: the parser sees a cut page" "$(grep -c 'Missing # EOF' "$work/out")" 1
}

# Pages come one after the other, each whole, and numbers only grow.
check_every()
{
	local page=$work/live.prom counter pid i now before=0 pages=0 last=''

	"$pf" stat --openmetrics --every 100ms -a --comm steady -o "$page" 2>"$work/err" &
	pid=$!
	at_exit sh -c "kill $pid 2>/dev/null"
	"$bin/tests/steady" "$work/log" &
	counter=$!
	at_exit sh -c "kill $counter 2>/dev/null"
	for ((i = 0; i < 100 && pages < 3; i++)); do
		sleep 0.1
		[[ -s $page ]] || continue
		cp "$page" "$work/copy.prom"
		[[ $(cksum <"$work/copy.prom") != "$last" ]] || continue
		last=$(cksum <"$work/copy.prom")
		now=$(sum "$work/copy.prom" ptrace_pf_faults_total)
		[[ $now == none ]] && continue
		((now >= before)) || not_ok "--every: a counter went from $before to $now"
		before=$now pages=$((pages + 1))
	done
	equal "--every: whole pages that were seen" $pages 3
	at_least "--every: faults" "$before" 1
	kill $counter
	kill -INT $pid
	wait $pid
	equal "--every: exit status" $? 130
	equal "--every: the last page" "$(tail -n 1 "$page")" "# EOF"
	at_least "--every: faults in the end" "$(sum "$page" ptrace_pf_faults_total)" "$before"
	fails "--every alone" 2 "add --openmetrics and -o" "$pf" stat --every 1s
	fails "two forms" 2 "exclude each other" "$pf" stat --json --openmetrics
	fails "no folder" 1 "No such file or directory" "$pf" stat --openmetrics --hook rawtp \
		-o "$work/nowhere/page" -- true
}

# count EXPRESSION - of events in the trace
count()
{
	jq "[.traceEvents[] | select($1)] | length" "$work/trace"
}

check_trace()
{
	"$pf" record -q -o "$work/ptd" -- "$work/$name" -t 2 $PAGES >"$work/out" 2>"$work/err"
	ends_with "trace" 0 "$pf" export -i "$work/ptd" --perfetto "$work/trace"
	"$pf" script --json -i "$work/ptd" >"$work/events"
	equal "trace: faults" "$(count '.cat == "fault"')" "$(grep -c '"type":"fault"' "$work/events")"
	# Slices with a duration, or instants of a thread; names and counters have arguments.
	equal "trace: events without a field that they must have" "$(count '
		(.ph | IN("X", "i", "M", "C") | not) or (.name | type != "string") or
		(.pid | type != "number") or (.tid | type != "number") or
		(.ph != "M" and (.ts | type != "number")) or
		(.ph == "X" and (.dur | type != "number")) or (.ph == "i" and .s != "t") or
		(.args | type != "object")')" 0
	jq -r 'select(.type == "fault") | "\(.tid) \(.time) \(.address)"' "$work/events" | sort \
		>"$work/want"
	jq -r '.traceEvents[] | select(.cat == "fault") |
		"\(.tid) \(.ts * 1000 | round) \(.args.address)"' "$work/trace" | sort >"$work/got"
	same_lines "trace: thread, time, address of each fault" "$work/want" "$work/got"
	equal "trace: name of the process" "$(jq -r '[.traceEvents[] |
		select(.name == "process_name") | .args.name] | join(",")' "$work/trace")" "$name"
	equal "trace: threads without a name" "$(jq '[.traceEvents[] | select(.cat == "fault") | .tid] -
		[.traceEvents[] | select(.name == "thread_name") | .tid] | length' "$work/trace")" 0
	close_to "trace: the counter, added up" "$(jq '[.traceEvents[] | select(.ph == "C")] |
		(.[1].ts - .[0].ts) as $width | [.[].args | .user + .kernel + .gup] | add * $width / 1e6 |
		round' "$work/trace")" "$(count '.cat == "fault"')" 1
	equal "trace: what was lost" "$(jq .otherData.lost.total "$work/trace")" 0
	"$pf" export -i "$work/ptd" --perfetto - | cmp -s - "$work/trace"
	equal "trace to stdout: cmp's status" $? 0
	fails "no form" 2 "perfetto is missing" "$pf" export -i "$work/ptd"
	fails "no recording" 1 "nowhere: .*No such file" "$pf" export -i nowhere --perfetto "$work/none"
	equal "no recording: no file" "$(cd "$work" && echo none*)" 'none*'
	fails "a full disk" 1 "/dev/full: No space left" "$pf" export -i "$work/ptd" --perfetto /dev/full
}

check_metrics
check_every
check_trace
finish
