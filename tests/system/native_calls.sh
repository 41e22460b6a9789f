#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Call graphs and what stands in them: inlined functions, lines, names of C++, of BPF programs, and of
# programs whose debug information is elsewhere.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly DATA=$work/data PAGES=1000

# record OPTION... -- COMMAND...
record()
{
	rm -f "$DATA"*
	"$pf" record -q -g -o "$DATA" "$@" >"$work/out" 2>"$work/err" ||
		{ not_ok "record $*" && cat "$work/err"; }
}

# report OPTION... - of $DATA
report()
{
	"$pf" report -i "$DATA" "$@"
}

# Numbers that the program's source gives.
check_counts()
{
	local tree

	record -e fault:u --no-walks -- "$bin/tests/inlined" $PAGES
	equal "functions that were called by main" "$(report --sort symbol,caller --json |
		jq '.groups[] | select(.symbol == "touch_all" and .caller == "through").count')" \
		$((PAGES / 2))
	equal "functions with what they called" "$(report --children --sort symbol --json |
		jq -c '[.groups[] | select(.symbol == "through" or .symbol == "touch_all") |
			[.symbol, .count, .children]] | sort')" \
		"[[\"through\",0,$((PAGES / 2))],[\"touch_all\",$PAGES,$PAGES]]"
	equal "the line" "$(report --sort srcline --json |
		jq --arg line "inlined.c:$(grep -n '\*page = 1' "$top/tests/system/inlined.c" | cut -d : -f 1)" \
			'.groups[] | select(.srcline == $line).count')" $PAGES
	tree=$(report -g callee --sort symbol --limit 1 | sed '1,/^#.*touch_all$/d' | awk '{ $1 = ""; print }')
	equal "the tree's first functions" "$(head -n 3 <<<"$tree" | tr -s ' \n' ' ')" \
		" touch_page (inlined) touch_some (inlined) touch_all "
	equal "without what is inlined" "$(report -g callee --no-inline --sort symbol --limit 1 |
		grep -c '(inlined)')" 0
	equal "the same from the other end" "$(report -g caller,20 --sort comm --json |
		jq -c '[.groups[0].calls[] | select(.inlined) | [.function, .count]]')" \
		"[[\"touch_some\",$((PAGES / 2))],[\"touch_page\",$((PAGES / 2))],[\"touch_some\",$((PAGES / 2))],[\"touch_page\",$((PAGES / 2))]]"
}

# All frames of the program's own functions, as addr2line(1) has them.
check_addr2line()
{
	local ip

	"$pf" script --json -i "$DATA" |
		jq -r 'select(.type == "fault") | .stack_user[] |
			select(.symbol | IN("touch_all", "through", "main")) | .ip' | sort -u >"$work/ips"
	at_least "addresses in functions with debug information" "$(wc -l <"$work/ips")" 3
	while read -r ip; do
		addr2line -i -f -e "$bin/tests/inlined" "$ip" | awk -v ip="$ip" '
			NR % 2 { stack = $0 (stack == "" ? "" : ";") stack }
			END { print ip, stack }'
	done <"$work/ips" >"$work/inlined"
	"$pf" script --json -i "$DATA" | jq -r --rawfile known "$work/inlined" '
		($known | split("\n") | map(select(. != "") | split(" ") | {(.[0]): .[1]}) | add) as $at |
		select(.type == "fault") | .comm + ";" + ([(.stack_user | reverse)[] |
			$at[.ip] // (if .symbol == "[unknown]" and (.dso | IN("[unknown]", "[kernel]") | not)
				then "[" + (.dso | split("/")[-1]) + "]" else .symbol end)] | join(";"))' |
		sort | uniq -c | awk '{ n = $1; $1 = ""; print substr($0, 2), n }' | LC_ALL=C sort >"$work/want"
	report --folded | LC_ALL=C sort >"$work/got"
	same_lines "report --folded with inlined functions as addr2line has them" "$work/got" "$work/want"
	equal "events with inlined functions" "$(awk '/touch_all;touch_some;touch_page / { n += $NF }
		END { print n }' "$work/got")" $PAGES
}

# stop PID - it may have ended
stop()
{
	kill "$1" 2>/dev/null && wait "$1" 2>/dev/null
}

# stripped - a copy of the program in $work whose debug information is in another file
stripped()
{
	cp "$bin/tests/inlined" "$work/inlined-stripped"
	objcopy --only-keep-debug "$work/inlined-stripped" "$work/debug"
	strip "$work/inlined-stripped"
}

# build_id FILE - in hex
build_id()
{
	readelf -n "$1" 2>/dev/null | sed -n 's/^ *Build ID: //p'
}

# known WHAT COUNT - how many faults are known to be in the inlined function
known()
{
	equal "$1" "$(report --folded | awk '/touch_page / { n += $NF } END { print n + 0 }')" "$2"
}

# Debug files in perf's cache; from a server, but only if one is named.
check_debug_files()
{
	local id server port=$((20000 + RANDOM % 20000)) i

	stripped
	record -e fault:u --no-walks -- "$work/inlined-stripped" $PAGES
	export HOME=$work/home
	mkdir -p "$HOME"
	unset DEBUGINFOD_URLS
	known "no debug file" 0
	id=$(build_id "$work/inlined-stripped")
	mkdir -p "$HOME/.debug/.build-id/${id:0:2}/${id:2}"
	cp "$work/debug" "$HOME/.debug/.build-id/${id:0:2}/${id:2}/debug"
	known "debug file in perf's cache" $PAGES
	cp "$pf" "$HOME/.debug/.build-id/${id:0:2}/${id:2}/debug"
	known "another program's in its place" 0
	rm -r "$HOME/.debug"
	mkdir "$work/served"
	mv "$work/debug" "$work/served/inlined.debug"
	debuginfod -p $port -d "$work/debuginfod.sqlite" -F "$work/served" >"$work/debuginfod.log" 2>&1 &
	server=$!
	at_exit stop $server
	for ((i = 0; i < 200; i++)); do
		debuginfod_has "$port" && break
		sleep 0.1
	done
	known "a server that nobody has named" 0
	DEBUGINFOD_URLS=http://127.0.0.1:$port/ known "a server that is named" $PAGES
	equal "what was asked of the server" \
		"$(grep -c "GET /buildid/$id/debuginfo" "$work/debuginfod.log")" 1
	stop $server
	DEBUGINFOD_URLS=http://127.0.0.1:$port/ known "from its cache, without the server" $PAGES
	rm -r "$HOME/.cache"
	DEBUGINFOD_URLS=http://127.0.0.1:$port/ known "a server that is not there" 0
}

# debuginfod_has PORT - the server has looked at all its files
debuginfod_has()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && cat <&3) 2>/dev/null |
		grep -q '^scanned_files_total{source="\.debug file"} 1\|^thread_work_total{role="groom"} [1-9]'
}

# A file that has changed: the build ID in the recording says so, whatever lies there now.
check_changed()
{
	cp "$bin/tests/inlined" "$work/changing"
	record -e fault:u --no-walks -- "$work/changing" $PAGES
	known "the file as it was" $PAGES
	cp "$bin/tests/touch" "$work/changing.new"
	mv "$work/changing.new" "$work/changing"
	known "another program under its name" 0
	equal "its functions" "$(report --sort symbol,dso --json | jq --arg dso "$work/changing" \
		'[.groups[] | select(.dso == $dso and .symbol != "[unknown]")] | length')" 0
	cp "$bin/tests/inlined" "$work/changing.new"
	mv "$work/changing.new" "$work/changing"
	known "the same program again" $PAGES
}

check_cpp()
{
	cat >"$work/boxes.cc" <<-'END'
		#include <stdlib.h>
		namespace shapes { template <class T> struct Box {
			__attribute__((noinline)) void fill(T *p, long n) {
				for (long i = 0; i < n; i++) p[i * 4096] = 1;
				asm volatile("" ::: "memory"); } }; }
		int main() { shapes::Box<char>().fill((char *)aligned_alloc(4096, 4096 * 400), 400); }
	END
	clang -x c++ -O1 -g "$work/boxes.cc" -o "$work/boxes" 2>"$work/err" || cat "$work/err"
	record -e fault:u --no-walks -- "$work/boxes"
	equal "a C++ function" "$(report --sort symbol,srcline --json | jq -r '
		.groups[] | select(.count > 390) | "\(.symbol) \(.srcline)"')" "shapes::Box<char>::fill boxes.cc:4"
	equal "as perf has it" "$(perf script -F ip,sym -i "$DATA" 2>/dev/null |
		grep -c ' shapes::Box<char>::fill')" "$(report --sort symbol --json |
		jq '.groups[] | select(.symbol == "shapes::Box<char>::fill").count')"
}

# ksyms FILE - of a perf.data file: address, length, flags and name of each BPF program
ksyms()
{
	perf script -D -i "$1" 2>/dev/null | sed -nE \
		's/.*PERF_RECORD_KSYMBOL addr ([0-9a-f]+) len ([0-9]+) type 1 flags (0x[0-9]) name (bpf_prog_.*)$/\1 \2 \3 \4/p' |
		sort -u
}

# there - the BPF programs that are there, as perf tells of them
there()
{
	perf record -q -a -e dummy -o "$work/perf.data" true 2>/dev/null
	ksyms "$work/perf.data" | awk '$3 == "0x1" { gone[$1] } { line[$1] = $0 }
		END { for (at in line) if (!(at in gone)) print line[at] }'
}

# BPF programs: those that are there as perf tells of them; one that comes and goes meanwhile.
check_bpf()
{
	local id traced

	bpftrace -q -e 'tracepoint:syscalls:sys_enter_acct { @[comm] = count(); }' >/dev/null 2>&1 &
	traced=$!
	at_exit stop $traced
	for ((i = 0; i < 100; i++)); do
		id=$(bpftool -j prog 2>/dev/null | jq --argjson pid $traced \
			'.[] | select([.pids[]?.pid] | index($pid)).id')
		[[ $id ]] && break
		sleep 0.1
	done
	there >"$work/before"
	record -a --no-walks -- sh -c "bpftrace -q -e 'tracepoint:syscalls:sys_enter_swapoff { @[comm] = count(); }
		interval:ms:200 { exit(); }' >/dev/null 2>&1"
	# Other people's programs come and go.
	there | sort - "$work/before" | uniq -d >"$work/want"
	stop $traced
	ksyms "$DATA" >"$work/ours"
	at_least "BPF programs as perf tells of them" "$(wc -l <"$work/want")" 1
	grep -xFf "$work/want" "$work/ours" >"$work/got"
	same_lines "BPF programs that were there" "$work/got" "$work/want"
	at_least "BPF programs that went meanwhile" "$(grep -c ' 0x1 bpf_prog_' "$work/ours")" 1
	equal "words of perf" "$(perf report --stdio --sort comm -i "$DATA" 2>&1 >/dev/null | wc -l)" 0
}

check_refused()
{
	fails "no call chains" 1 'no call chains: record with -g' "$pf" report -g callee \
		-i "$top/tests/replay/kprobe-5level.ptd"
	fails "an order that there is not" 2 'not caller or callee' "$pf" report -g both
	fails "a percentage that is none" 2 'not caller or callee' "$pf" report -g caller,x
	fails "-g and --csv" 2 'does not go with -g' "$pf" report -g caller --csv
	fails "--no-inline alone" 2 'is for -g and --folded' "$pf" report --no-inline
}

check_counts
check_addr2line
check_changed
check_cpp
check_bpf
check_refused
check_debug_files
finish
