#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Recordings in the hands of perf: it opens them without a word, and sees in them what we see.
# And the other way round: perf's own recordings.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/seen_by_perf.sh
. "$top/tests/lib/seen_by_perf.sh"

readonly DATA=$work/data
# Several programs, with libraries, a shell's forks and execs among them.
readonly PROGRAMS='ls -lR /etc/default; gcc --version; grep -c . /etc/passwd; perf --version;
	/usr/bin/python3 -c "import json, ssl"; jq --version'

# Those with symbols.
readonly NAMED='/usr/bin/python3 -c "import ssl, sqlite3, unittest, http.client, ctypes, decimal"
	echo "int x;" | clang -x c -O2 -S -o /dev/null -; perf --version; git --version; sort /etc/services
	bash -c "echo {1..20000}"; jq -n "[range(9999)]"; ls -lR /usr/include; sed "" /etc/services'

# record OPTION... - of $PROGRAMS into $DATA
record()
{
	rm -f "$DATA"*
	[[ ${*: -1} == -- ]] || set -- "$@" --
	"$pf" record -q -o "$DATA" "$@" sh -c "$PROGRAMS" >/dev/null 2>"$work/err" ||
		{ not_ok "record $*" && cat "$work/err"; }
}

# by_perf ARG... - perf with $DATA; its words on stderr are kept in $work/words
by_perf()
{
	perf "$@" -i "$DATA" 2>>"$work/words"
}

# check_options OPTION... - one recording
check_options()
{
	record "$@"
	seen_by_perf "record $*" "$DATA"
}

# More options, of smaller runs: those that the table of options has and the list above has not.
# $PID and $TID are of a program that waits for the recorder.
declare -rA MORE=(
	[pid]='-p PID' [tid]='-t TID' [all-cpus]='-a -- COMMAND' [cpu]='-C 0-63 -- COMMAND'
	[comm]='--comm ls -- COMMAND' [cgroup]='--cgroup CGROUP -- COMMAND'
	[addr]='--addr 0-7fffffffffff -g -- COMMAND' [verbose]='-v -- COMMAND'
)
readonly SHOWN=(output compression-level event no-inherit access call-graph ring-size no-walks quiet help)

# options_are_checked - each option of record is in one of the lists
options_are_checked()
{
	"$pf" record --help | sed -nE 's/^ {2,6}(-., )?--([a-z-]+).*/\2/p' | sort >"$work/want"
	printf '%s\n' "${!MORE[@]}" "${SHOWN[@]}" "${OPTIONS_IN_LAB[@]}" | sort >"$work/got"
	same_lines "options of record that are held against perf" "$work/want" "$work/got"
}

# waiting COMMAND... - of touch -w: with the words of its "ready" line, "ready PID TID"
waiting()
{
	local words=() recorder

	rm -f "$DATA"*
	coproc TOUCH { exec "$bin/tests/touch" -w -t 1 300; }
	read -ra words <&"${TOUCH[0]}"
	set -- "${@//PID/${words[1]}}"
	set -- "${@//TID/${words[2]}}"
	"$pf" record -q "$@" -o "$DATA" 2>"$work/err" &
	recorder=$!
	for ((i = 0; i < 200; i++)); do
		[[ -s $DATA ]] && break
		sleep 0.1
	done
	sleep 0.3
	kill -USR1 "${words[1]}"
	wait $recorder
}

check_more_options()
{
	local name words cgroup

	options_are_checked
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	for name in "${!MORE[@]}"; do
		read -ra words <<<"${MORE[$name]}"
		case "$name ${words[-1]}" in
		*' COMMAND')
			[[ $name != cgroup || $cgroup ]] || { skip "no cgroup v2" && continue; }
			unset 'words[-1]'
			record "${words[@]/#CGROUP/$cgroup}"
			;;
		*) waiting "${words[@]}" ;;
		esac
		seen_by_perf "record ${words[*]}" "$DATA"
		at_least "record ${words[*]}: events" "$(wc -l <"$work/got")" 1
	done
	# What only the lab can make.
	for name in abi-kvm abi-capsule fentry-4level kprobe-5level rawtp-stacks; do
		seen_by_perf "tests/replay/$name.ptd" "$top/tests/replay/$name.ptd"
	done
}

check_symbols()
{
	local same other

	rm -f "$DATA"*
	"$pf" record -q -o "$DATA" -- sh -c "$NAMED" >/dev/null 2>&1
	by_perf script --no-inline -F ip,sym,symoff | awk 'NF { $1 = $1; print }' |
		sort -u >"$work/want"
	"$pf" script --json -i "$DATA" |
		jq -r 'select(.type == "fault") | "\(.ip[2:]) \(.symbol) \(.symbol_offset)"' |
		sort -u >"$work/got"
	read -r same other < <(awk -f "$top/tests/lib/agree.awk" "$work/want" "$work/got")
	equal "addresses whose functions perf sees otherwise" "$other" 0
	at_least "addresses whose functions are perf's" "$same" 1000
}

# Other commands of perf, and its other way in.
check_commands()
{
	: >"$work/words"
	equal "perf evlist" "$(by_perf evlist | grep -v '^#' | tr '\n' ' ')" "ptscope:fault dummy:HG "
	equal "perf script: fields of an event" \
		"$(by_perf script | grep -c ' ptscope:fault: \(user\|kernel\) \(read\|write\|exec\) error_code=0x')" \
		"$(by_perf script | wc -l)"
	at_least "perf diff with itself: lines without a difference" \
		"$(perf diff "$DATA" "$DATA" 2>>"$work/words" | grep -c '+0\.00%')" 10
	at_least "perf buildid-list" "$(by_perf buildid-list | grep -c '^[0-9a-f]\{40\} /')" 5
	equal "perf report --header-only: the tracer" \
		"$(by_perf report --header-only | grep -c '^# perf version : ptscope')" 1
	perf_words "perf's other commands"
}

# Aliases of a function have one name after this: that which the symbol table has first.
canonical()
{
	awk 'FNR == NR { if (!($1 in first)) first[$1] = $3; name[$3] = first[$1]; next }
		{
			n = split($1, frame, ";")
			line = frame[1]
			for (i = 2; i <= n; i++)
				line = line ";" (frame[i] in name ? name[frame[i]] : frame[i])
			count[line] += $2
		}
		END { for (line in count) print line, count[line] }' "$work/names" - | sort
}

check_folded()
{
	nm "$bin/tests/touch" | grep -i ' [tw] ' >"$work/names"
	rm -f "$DATA"*
	"$pf" record -q -g -e fault:u -o "$DATA" -- "$bin/tests/touch" -t 3 500 >/dev/null 2>&1
	: >"$work/words"
	by_perf script --no-inline -F comm,ip,sym,dso | awk -f "$top/tests/lib/fold.awk" |
		canonical >"$work/want"
	"$pf" report --folded --no-inline -i "$DATA" | canonical >"$work/got"
	same_lines "report --folded and perf script folded" "$work/got" "$work/want"
	at_least "stacks" "$(wc -l <"$work/got")" 10
	perf_words "perf script of call chains"
}

# A recorder that is killed leaves what perf and we can read.
check_killed()
{
	local recorder i

	rm -f "$DATA"*
	"$pf" record -q -a -o "$DATA" 2>/dev/null &
	recorder=$!
	for ((i = 0; i < 100; i++)); do
		[[ -s $DATA ]] && break
		sleep 0.1
	done
	"$bin/tests/touch" -t 1 5000 >/dev/null
	for ((i = 0; i < 100; i++)); do
		(($("$pf" script -i "$DATA" 2>/dev/null | grep -c '^ *touch ') >= 5000)) && break
		sleep 0.1
	done
	kill -9 $recorder
	wait $recorder 2>/dev/null
	: >"$work/words"
	comms_by_perf "$DATA" >"$work/want"
	comms_by_us "$DATA" >"$work/got"
	same_lines "killed recorder: samples per command" "$work/got" "$work/want"
	at_least "killed recorder: touch's" "$(awk '$1 == "touch" { print $2 }' "$work/got")" 5000
	perf_words "killed recorder"
}

check_pipes()
{
	rm -f "$DATA"*
	"$pf" record -q -o - -- "$bin/tests/touch" -t 1 5000 2>/dev/null >"$DATA"
	equal "through a pipe: perf script's lines" \
		"$(perf script -i - <"$DATA" 2>"$work/words" | wc -l)" \
		"$("$pf" report --sort comm --json -i - <"$DATA" | jq .events)"
	perf_words "through a pipe"
}

# same_faults WHAT - of perf's recording $DATA
same_faults()
{
	by_perf script -F comm,tid,trace 2>/dev/null |
		sed -nE 's/^ *(.*[^ ]) +([0-9]+) +address=(\S*) ip=(\S*) error_code=(\S*)$/\1 \2 \3 \4 \5/p' |
		sort >"$work/want"
	"$pf" script --json -i "$DATA" 2>"$work/words" | jq -r 'select(.type == "fault") |
		"\(.comm) \(.tid) \(.address) \(.ip) \(.error_code)"' |
		awk '{ $NF = sprintf("0x%x", $NF); print }' | sort >"$work/got"
	same_lines "$1" "$work/got" "$work/want"
	at_least "$1: events" "$(wc -l <"$work/got")" 5000
	equal "$1: the end of the recording" \
		"$("$pf" report --sort comm --json -i "$DATA" | jq .complete)" true
	perf_words "$1"
}

# perf's own recordings: plain, compressed, with chains and periods, from all CPUs
check_foreign()
{
	local events=exceptions:page_fault_user option

	for option in '' -z -g -c1 -a; do
		rm -f "$DATA"*
		perf record -q $option -m 16M -e $events -o "$DATA" -- \
			"$bin/tests/touch" -t 2 5000 >/dev/null 2>&1
		same_faults "perf record $option -e $events"
	done
	perf record -q -e $events -o - -- "$bin/tests/touch" -t 1 5000 2>/dev/null |
		"$pf" report --sort comm --json -i - >"$work/json"
	at_least "perf record -o -: events" "$(jq .events "$work/json")" 5000
	rm -f "$DATA"*
	perf record -q -e cpu-clock -o "$DATA" true 2>/dev/null
	equal "perf record of something else" "$("$pf" report -i "$DATA" 2>&1 | grep -c 'without page faults')" 1
}

# bytes NAME COMMAND... - what an event takes with walks, compressed, beside perf's own record
bytes()
{
	local name=$1 ours perfs

	shift
	rm -f "$DATA"*
	"$pf" record -q -o "$DATA" -- "$@" >/dev/null 2>&1
	ours=$(($(stat -c %s "$DATA") / $("$pf" report --sort comm --json -i "$DATA" | jq .events)))
	rm -f "$DATA"*
	perf record -q -m 16M -e exceptions:page_fault_user -e exceptions:page_fault_kernel \
		-o "$DATA" -- "$@" >/dev/null 2>&1
	perfs=$(($(stat -c %s "$DATA") / $(perf script -i "$DATA" -F tid 2>/dev/null | wc -l)))
	at_most "$name: bytes per event (perf record's: $perfs), a third of perf's 88" "$ours" 29
}

# Several recordings as one, and one in slices of time.
check_several()
{
	local a b middle first

	rm -f "$DATA"*
	"$pf" record -q -o "$DATA" -- sh -c 'ls -l /etc; sleep 0.3; ls -l /usr' >/dev/null 2>&1 &
	"$pf" record -q -o "$DATA.2" -- sh -c 'ls -l /usr; sleep 0.3; ls -l /etc' >/dev/null 2>&1
	wait $!
	a=$("$pf" script -i "$DATA" | tee "$work/a" | wc -l)
	b=$("$pf" script -i "$DATA.2" | tee "$work/b" | wc -l)
	equal "two recordings: events" \
		"$("$pf" report --sort comm --json -i "$DATA" -i "$DATA.2" | jq .events)" $((a + b))
	"$pf" script -i "$DATA" -i "$DATA.2" >"$work/both"
	sort "$work/a" "$work/b" >"$work/want"
	sort "$work/both" >"$work/got"
	same_lines "two recordings: lines" "$work/got" "$work/want"
	middle=$(sed -nE "$((a / 2))s/^.*\] ([0-9.]+): .*/\1/p" "$work/a")
	first=$("$pf" script --time ",$middle" -i "$DATA" | wc -l)
	equal "slices of time: first half" "$first" $((a / 2))
	equal "slices of time: one moment" \
		"$("$pf" report --sort comm --json --time "$middle,$middle" -i "$DATA" | jq .events)" 1
	equal "slices of time: the rest" "$("$pf" script --time "$middle," -i "$DATA" | wc -l)" \
		$((a - first + 1))
}

# What was lost is lost for perf, too.
check_lost()
{
	rm -f "$DATA"*
	"$pf" record -q -m 4k -o "$DATA" -- "$bin/tests/touch" -t 2 100000 >/dev/null 2>&1
	equal "lost events in perf's eyes" \
		"$(perf script -D -i "$DATA" 2>/dev/null | grep -a 'PERF_RECORD_LOST' | sed 's/.*lost://')" \
		"$("$pf" report --sort comm --json -i "$DATA" | jq .lost.total)"
}

record
for options in '' '-z 0' '-g -z 19' '--no-walks -g -z 0' '-e fault:k' --no-inherit \
	'--access write -m 1M'; do
	# shellcheck disable=SC2086 # several words
	check_options $options
done
check_more_options
check_symbols
check_commands
check_folded
check_killed
check_pipes
check_lost
check_several
check_foreign
bytes gcc gcc -O2 -S -o /dev/null -I"$top" -D_GNU_SOURCE "$top/user/pt/pt_map.c"
bytes python3 /usr/bin/python3 -c 'import json, ssl, unittest, email.mime.text; x = [str(i) for i in range(500000)]'
bytes jq jq -n '[range(200000) | { number: . }] | length'
finish
