#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a session keeps of root's rights while it runs, what its command gets, and where it writes.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly NOBODY=65534
# capability.h: CAP_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER, _KILL, _SYS_PTRACE, _SYSLOG, _BPF
readonly KEPT=$((1 << 2 | 1 << 5 | 1 << 19 | 1 << 34 | 1 << 39)) FILES=$((1 << 1 | 1 << 3))

# status_of PID NAME - the field in its status
status_of()
{
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

# wait_until COMMAND [ARG]... - 10 s at most
wait_until()
{
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		"$@" && return
		sleep 0.05
	done
	not_ok "waited in vain: $*"
	return 1
}

# shellcheck disable=SC2317 # wait_until calls it
dropped()
{
	[[ $(status_of "$1" NoNewPrivs) == 1 ]]
}

# keeps WHAT CAPABILITIES ARG... - of a session that runs
keeps()
{
	local what=$1 caps=$2 session mine

	shift 2
	"$pf" "$@" >"$work/out" 2>"$work/err" &
	session=$!
	wait_until dropped $session
	mine=$((0x$(status_of $$ CapPrm) & caps))
	equal "$what: effective" "$(status_of $session CapEff)" "$(printf %016x $mine)"
	equal "$what: permitted" "$(status_of $session CapPrm)" "$(printf %016x $mine)"
	equal "$what: inheritable and ambient" \
		"$(status_of $session CapInh) $(status_of $session CapAmb)" "0000000000000000 0000000000000000"
	kill -INT $session
	wait $session
	equal "$what: exit status" $? 130
}

# What a command finds round itself.
environment()
{
	# shellcheck disable=SC2016 # expanded by the other shell
	echo 'grep -E "^(Cap|NoNewPrivs|Seccomp:|Sig(Blk|Ign)|Uid|Gid|Groups)" /proc/self/status
		ulimit -a; umask; nice; pwd; env | grep -vE "^(_|SHLVL)="; ls /proc/self/fd'
}

inherits()
{
	sh -c "$(environment)" >"$work/want" 2>/dev/null </dev/null
	"$pf" record -q --hook rawtp -o "$work/file" -- sh -c "$(environment)" >"$work/got" 2>/dev/null </dev/null
	same_lines "a command's environment, rights and descriptors" "$work/want" "$work/got"
}

# Names of a process that is not ours, from files that only it may read, after rights were given up.
resolves()
{
	local pid session

	mkdir -m 711 "$work/home" && mkdir -m 700 "$work/home/private"
	cp "$bin/tests/steady" "$work/home/private"
	chown -R $NOBODY "$work/home/private"
	: >"$work/log" && chmod 666 "$work/log" && chmod 711 "$work"
	setpriv --reuid $NOBODY --clear-groups "$work/home/private/steady" "$work/log" &
	pid=$!
	wait_until test -s "$work/log"
	"$pf" live --hook rawtp -p $pid >"$work/text" 2>"$work/err" &
	session=$!
	wait_until test -s "$work/text"
	kill -INT $session
	kill -TERM $pid
	wait $session
	at_least "somebody else's functions" "$(grep -c ' main+0x.*/private/steady' "$work/text")" 10
}

# as_nobody COMMAND...
as_nobody()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups "$@"
}

# not_through ARG... - LINK among them: nothing is written through links that others could have made
not_through()
{
	fails "$1: another's link" 1 "not written to: .*link of another" "$pf" "${@/#LINK/$work/shared/link}"
	fails "$1: a link that all may exchange" 1 "not written to: .*exchange" \
		"$pf" "${@/#LINK/$work/loose/link}"
}

# Root writes where others can put things.
shared_folder()
{
	local folder=$work/shared

	chmod 711 "$work"
	mkdir -m 1777 "$folder" "$work/mine" && mkdir -m 777 "$work/loose"
	echo precious >"$work/precious"
	as_nobody ln -s "$work/precious" "$folder/link"
	as_nobody mkfifo -m 666 "$folder/fifo"
	as_nobody touch "$folder/file" "$folder/file.new"
	ln -s "$work/precious" "$work/loose/link"
	"$pf" record -q --hook rawtp -o "$work/file" -- true
	not_through record -q --hook rawtp -o LINK -- true
	not_through report -i "$work/file" --html LINK
	not_through export -i "$work/file" --perfetto LINK
	not_through stat --hook rawtp -o LINK -- true
	timeout 10 cat "$folder/fifo" >/dev/null &
	sleep 0.2
	fails "another's fifo" 1 "not written to: .*another user's" "$pf" record -q --hook rawtp -o "$folder/fifo"
	wait
	equal "what links led to" "$(cat "$work/precious")" precious
	"$pf" record -q --hook rawtp -o "$folder/file" -- true
	equal "another's file: whose the recording is, and its mode" "$(stat -c '%u %a' "$folder/file")" "0 600"
	equal "another's file is kept" "$(stat -c %u "$folder/file.old")" $NOBODY
	ln -s "$work/file" "$work/mine/link"
	ends_with "a link of one's own" 0 "$pf" record -q --hook rawtp -o "$work/mine/link" -- true
	equal "... is followed" "$(readlink "$work/mine/link")" "$work/file"
}

# hides WHO COMMAND... - what the kernel hides from those whom COMMAND makes, doctor and kind do not show
hides()
{
	local who=$1

	shift
	"$@" "$work/open/ptrace-pf" doctor --json >"$work/doctor" 2>"$work/err"
	equal "$who: kernel addresses that doctor tells" "$(jq '[.page_offset, .page_offset_symbol,
		.vmalloc_base, .vmemmap_base, .kernel_text] | map(select(. != "0x0")) | length' "$work/doctor")" 0
	"$@" "$work/open/ptremap" kind --json "$text" >"$work/kind" 2>"$work/err"
	equal "$who: what kind tells of an address" "$(jq -c '[has("pa", "pfn", "symbol")]' "$work/kind")" \
		'[false,false,false]'
	equal "$who: kind's words on stderr" "$(grep -vc '^ptremap: ' "$work/err")" 0
}

# One who may trace, but not see frames, nor the kernel's addresses: perf_event_paranoid is above 1.
hidden()
{
	local caps=-all,+bpf,+perfmon text name paranoid
	local tracer=(as_nobody --inh-caps "$caps" --ambient-caps "$caps" --bounding-set "$caps")
	paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
	if ((paranoid < 2)); then
		skip "who sees what: perf_event_paranoid is $paranoid, and not above 1"
		return
	fi

	mkdir -m 777 "$work/open" && chmod 711 "$work"
	cp "$pf" "$bin/ptremap" "$work/open" # nobody may not get to where they are
	pf=$work/open/ptrace-pf
	text=0x$(awk '$3 == "_text" { print $1 }' /proc/kallsyms)
	fails "nobody: record" 1 "needs root" as_nobody --bounding-set -all "$pf" record -- true
	fails "nobody: top" 1 "needs root" as_nobody --bounding-set -all "$pf" top --batch -- true
	hides nobody as_nobody --bounding-set -all
	hides "CAP_BPF and CAP_PERFMON" "${tracer[@]}"
	"${tracer[@]}" "$pf" record -q -g --hook rawtp -o "$work/open/recording" -- ls / >/dev/null 2>"$work/err"
	equal "CAP_BPF and CAP_PERFMON: record" $? 0
	equal "... says that there are no walks" "$(grep -c 'no page-table walks' "$work/err")" 1
	"${tracer[@]}" "$pf" script --json -i "$work/open/recording" >"$work/script" 2>"$work/err"
	at_least "... events" "$(grep -c '"type":"fault"' "$work/script")" 50
	equal "... frames and entries in them" "$(grep -cE '"(pfn|entry)":' "$work/script")" 0
	"$pf" report -i "$work/open/recording" --sort origin,symbol --json >"$work/symbols" # root sees them
	name=$(jq -r '[.groups[] | select(.origin == "kernel").symbol][0]' "$work/symbols")
	at_least "... the kernel's functions have names, such as $name" ${#name} 4
	equal "... which it does not see" "$("${tracer[@]}" "$pf" report -i "$work/open/recording" \
		--sort symbol 2>"$work/err" | grep -cw "$name")" 0
}

# is_refused COMMAND... - record and doctor say so, each with its status, and nothing is written
is_refused()
{
	rm -f "$work/alone/file"
	"$@" "$work/alone/ptrace-pf" record -q --hook rawtp -o "$work/alone/file" -- true >"$work/out" 2>"$work/err"
	[[ $? == 1 && ! -s $work/out && ! -e $work/alone/file ]] || return
	[[ $(wc -l <"$work/err") == 1 && $(<"$work/err") =~ ^ptrace-pf:.*(needs\ root|not\ permitted) ]] || return
	"$@" "$work/alone/ptrace-pf" doctor >"$work/out" 2>"$work/err"
	[[ $? == 1 && ! -s $work/err && $(tail -n 1 "$work/out") == 'nothing can be traced here' ]]
}

# as_nobody_with CAPABILITY COMMAND... - that one alone
# shellcheck disable=SC2317 # is_refused calls it
as_nobody_with()
{
	local caps=-all,+$1

	as_nobody --inh-caps "$caps" --ambient-caps "$caps" --bounding-set "$caps" "${@:2}"
}

# No capability is enough to trace with, but CAP_SYS_ADMIN, which stands for the others.
alone()
{
	local cap bit=-1 mine sets=0 others=()

	mkdir -m 777 "$work/alone" && chmod 711 "$work" && install -m 755 "$pf" "$work/alone"
	mine=$((0x$(status_of $$ CapBnd) & 0x$(status_of $$ CapPrm)))
	for cap in $(setpriv --list-caps); do
		bit=$((bit + 1))
		[[ $cap == sys_admin ]] || ((!(mine >> bit & 1))) && continue
		sets=$((sets + 1))
		is_refused as_nobody_with "$cap" || others+=("$cap")
	done
	equal "one capability alone, but CAP_SYS_ADMIN: of $sets those not refused" "${others[*]:-none}" none
	at_least "... how many there are" $sets 10
	ends_with "CAP_SYS_ADMIN alone: record" 0 as_nobody_with sys_admin "$work/alone/ptrace-pf" \
		record -q --hook rawtp -o "$work/alone/file" -- true
	if unshare -Ur true 2>/dev/null; then
		is_refused unshare -Ur
		equal "root of a user namespace: record and doctor are refused: status" $? 0
	else
		skip "root of a user namespace: none can be made here"
	fi
}

modes()
{
	umask 000
	"$pf" record -q --hook rawtp -o "$work/new" -- true
	"$pf" report -i "$work/new" --html "$work/new.html"
	"$pf" export -i "$work/new" --perfetto "$work/new.json"
	umask 022
	"$pf" stat --openmetrics --hook rawtp -o "$work/new.prom" -- true
	equal "modes of recording, page, trace and metrics" \
		"$(stat -c %a "$work"/new "$work/new.html" "$work/new.json" "$work/new.prom" | paste -sd ' ')" \
		"600 600 600 644"
}

keeps record $KEPT record -q --hook rawtp -a -o "$work/file"
keeps live $KEPT live --hook rawtp -p $$
keeps "top --batch" $KEPT top --batch --hook rawtp
keeps stat $KEPT stat --hook rawtp
keeps "stat into a file" $((KEPT | FILES)) stat --hook rawtp --openmetrics -o "$work/metrics"
inherits
resolves
shared_folder
alone
hidden
modes
finish
