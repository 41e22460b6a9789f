#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Exits of KVM's guests as events, held against what the guest did (tests/guests/kvm), against
# pagemap, and against KVM's tracepoints counted by the kernel in the same run. The runs are made
# in the lab (tests/lib/kvm_runs.sh) and compared here.
# usage: lab_kvm.sh [BOOT]... (see boots below; SEED= makes the guests' choices)
# shellcheck disable=SC2317 # checks are called by the names of parts
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/seen_by_perf.sh
. "$top/tests/lib/seen_by_perf.sh"

# LONG=1: all parts on Intel's machine, too, which is slow.
# name -> machine, kernel, levels of its tables, memory, vendor, parts (:N the number of pages, or the
# guests' modes)
# What does not depend on the kernel runs on one of them.
readonly ALL="absent doctor calls touch:10000 thp hooks mmio modes filters loss stat:2000 live attach"
readonly BOTH="calls touch:10000 thp hooks mmio modes stat:2000 attach"
readonly MODES=real,none,32bit,pse,pae,4level
declare -rA BOOTS=(
	[6.1]="npt 6.1 4 2G amd $ALL buffers:$MODES nobtf"
	[6.12]="npt 6.12 5 2G amd $(long "$BOTH" "$ALL") options helper:$MODES,5level nobtf"
	[ept]="ept 6.1 4 256M intel $(long 'thp calls touch:10000 mmio modes stat:500' \
		"${ALL/stat:2000/stat:500}") buffers:real,4level helper:real,32bit,pae,4level"
)
# What guests with buffers call, by the numbers in rax, and by capsules' reasons in rdi.
readonly CALLS=$top/tests/replay/calls.abi
seed=${SEED:-$RANDOM}
echo "# SEED=$seed"

# events DIR [OPTION]... - as lines, those of its guest; others may be in the same recording
events()
{
	local pid

	pid=$(sed -nE 's/^guest .* pid=([0-9]+) .*/\1/p' "$1/guest")
	"$pf" script -i "$1/events.ptd" "${@:2}" | grep -E " ${pid:-[0-9]+}/[0-9]+ \["
}

# of_report DIR EXPRESSION - from the report by event and reason
of_report()
{
	"$pf" report --json -s event,reason -i "$1/events.ptd" | jq -r "$2"
}

# fields NAME... - of lines with name=value, the values; "-" for what is not there
fields()
{
	awk -v names="$*" 'BEGIN { n = split(names, name, " ") }
		{
			delete value
			for (i = 1; i <= NF; i++)
				if (at = index($i, "="))
					value[substr($i, 1, at - 1)] = substr($i, at + 1)
			line = ""
			for (i = 1; i <= n; i++)
				line = line (name[i] in value ? value[name[i]] : "-") " "
			print line
		}'
}

# same_calls WHAT DIR MODE REGISTER... - every call in order, as the guest says that it made them
same_calls()
{
	local what=$1 dir=$2 mode=$3

	shift 3
	grep '^call ' "$dir/guest" | sed 's/ rax=/ nr=/; s/ mode=[^ ]*/ mode='"$mode/" |
		fields vcpu rip nr "$@" ret cpl mode >"$work/want"
	events "$dir" | grep ': hypercall ' | fields vcpu rip nr "$@" ret cpl mode >"$work/got"
	same_lines "$what: calls with registers, return value, rip, cpl, mode" "$work/want" "$work/got"
}

# same_exits WHAT DIR - $work/exits (reason count) beside the kernel's own histogram: all the more that
# are here must be what that dropped
same_exits()
{
	sort -n "$2/exits" >"$work/want"
	awk 'NR == FNR { theirs[$1] = $2; next }
		{ n = $2 < theirs[$1] + 0 ? $2 : theirs[$1] + 0; more += $2 - n; if (n) print $1, n }
		END { print "dropped", more + 0 }' "$work/want" "$work/exits" | sort -n >"$work/got"
	same_lines "$1: exits by reason, as counted by kvm:kvm_exit" "$work/want" "$work/got"
}

# by_tracepoints WHAT DIR
by_tracepoints()
{
	"$pf" script --json -i "$2/events.ptd" | jq -r 'select(.reason) | .reason' | sort -n | uniq -c |
		awk '{ print $2, $1 }' >"$work/exits"
	same_exits "$1" "$2"
}

lost()
{
	equal "$1: lost" "$(of_report "$2" .lost.total)" 0
}

check_calls()
{
	set -- "$1" "$2/calls"
	seen_by_perf "$1, 10,000 calls" "$2/events.ptd"
	same_calls "$1, 10,000 calls" "$2" 64 rbx rcx rdx rsi rdi r8 r9 r10 r11
	lost "$1, 10,000 calls" "$2"
	by_tracepoints "$1, 10,000 calls" "$2"
	equal "$1, 10,000 calls: events" "$(events "$2" | grep -c ': hypercall ')" \
		"$(cat "$2/hypercalls")" kvm:kvm_hypercall
	equal "$1, 10,000 calls: violations" "$(events "$2" | grep -c ': violation ')" \
		"$(cat "$2/page_faults")" kvm:kvm_page_fault
}

# touched DIR - of the violations in touch's memory: gpa access hva pfn level
touched()
{
	"$pf" script --json -i "$1/events.ptd" | jq -r 'select(.type == "violation" and
		(.gpa | length == 10 and . >= "0x40000000" and . < "0x50000000")) |
		[.gpa, .access, .hva // "-", "\(.pfn)", "\(.walk_after.stop_level)", .outcome,
			.walk_before.stop] | join(" ")'
}

# pages DIR - the same of what the guest says: gpa access hva pfn
pages()
{
	grep '^page ' "$1/guest" | fields gpa access hva pfn |
		while read -r gpa access hva pfn; do
			echo "$gpa $access $hva $((pfn)) 1 mapped hole"
		done
}

# check_pages WHAT DIR
check_pages()
{
	pages "$2" >"$work/want"
	touched "$2" >"$work/got"
	same_lines "$1: a violation for each page, hva and pfn as in pagemap" "$work/want" "$work/got"
	lost "$1" "$2"
}

check_touch()
{
	check_pages "$1, touch" "$2/touch"
	check_violations "$1, touch" "$2/touch"
}

check_violations()
{
	equal "$1: violations" "$(of_report "$2" .events)" "$(cat "$2/page_faults")" kvm:kvm_page_fault
}

# With huge pages below it, one violation maps 512 pages: fewer events, with a leaf of level 2.
check_thp()
{
	set -- "$1, thp" "$2/thp"
	touched "$2" | awk '{ print $1, $4, $5 }' >"$work/events"
	pages "$2" | awk '{ print $1, $4 }' >"$work/pages"
	equal "$1: violations of 4 huge pages" "$(wc -l <"$work/events")" 4
	equal "$1: level of the leaves" "$(awk '{ print $3 }' "$work/events" | sort -u)" 2
	equal "$1: pfns as in pagemap" "$(awk 'NR == FNR { pfn[$1] = $2; next }
		pfn[$1] == $2 { n++ } END { print n + 0 }' "$work/pages" "$work/events")" 4
}

check_hooks()
{
	local want

	equal "$1, kprobe: hook" "$(of_report "$2/touch-kprobe" .hook)" kprobe
	check_pages "$1, kprobe" "$2/touch-kprobe"
	equal "$1, rawtp: hook" "$(of_report "$2/touch-rawtp" .hook)" rawtp
	touched "$2/touch-rawtp" >"$work/got"
	want=$(pages "$2/touch-rawtp" | sed -E 's/ 0x[0-9a-f]+ / - /' | sort)
	equal "$1, rawtp: a violation for each page, without hva, pfn as in pagemap" \
		"$(sort "$work/got" | cksum)" "$(cksum <<<"$want")"
}

check_mmio()
{
	equal "$1, mmio: violations that went to the VMM" \
		"$(events "$2/mmio" | grep -c 'outcome=mmio_user user_exit=6')" \
		"$(grep '^exits' "$2/mmio/guest" | fields mmio | tr -d ' ')" "its own count"
	by_tracepoints "$1, mmio" "$2/mmio"
	equal "$1, readonly: writes that went to the VMM" \
		"$(events "$2/readonly" | grep -c ' write .* slot=2 outcome=mmio_user user_exit=6')" 50
	check_violations "$1, readonly" "$2/readonly"
}

# same_words WHAT DIR - the calls by KVM's ABI: name and result
same_words()
{
	grep '^call ' "$2/guest" | fields rax ret | awk '
		BEGIN {
			name["0x1"] = "vapic_poll_irq"; name["0x2"] = "mmu_op"
			name["0x3"] = "features"; name["0xc"] = "map_gpa_range"
			result["0x0"] = "ok"
			result["0xfffffc18"] = result["0xfffffffffffffc18"] = "ENOSYS"
			result["0xffffffff"] = result["0xffffffffffffffff"] = "EPERM"
		}
		{ print ($1 in name ? name[$1] : "unknown#" $1), result[$2] }' >"$work/want"
	events "$2" --abi kvm |
		sed -E 's/.* vcpu=[0-9]+ ([^ (]+)\(.*\) = ([^ ]+) nr=.*/\1 \2/' >"$work/got"
	same_lines "$1: calls by their ABI" "$work/want" "$work/got"
}

check_modes()
{
	local run narrow=32

	# Intel's code segment is known to KVM alone: 16 or 32 is not told.
	[[ $1 == ept ]] && narrow=legacy
	for run in mode-real mode-32bit cpl3; do
		same_words "$1, $run" "$2/$run"
	done
	same_calls "$1, real mode" "$2/mode-real" real rbx rcx rdx rsi rdi
	same_calls "$1, 32-bit" "$2/mode-32bit" "$narrow" rbx rcx rdx rsi rdi
	same_calls "$1, PAE" "$2/mode-pae" "$narrow" rbx rcx rdx rsi rdi
	same_calls "$1, CPL 3" "$2/cpl3" 64 rbx rcx rdx rsi rdi r8 r9 r10 r11
}

# in_words ABI DIR GUEST - the calls of one guest, as JSON
in_words()
{
	local pid

	pid=$(grep '^guest ' "$2/$3" | fields pid)
	"$pf" script --json --abi "$1" -i "$2/events.ptd" |
		jq -c --argjson pid "$pid" 'select(.type == "hypercall" and .pid == $pid)'
}

# parts FILTER - of calls, the parts of a buffer as the guest names them: ADDRESS:BYTES or
# ADDRESS:WHY for each page
parts()
{
	jq -r 'def why:
			if test("level 1 is absent") then "hole"
			elif test("no memory slot") then "slot"
			elif test("not in the host") then "host"
			elif test("CR3") then "cr3"
			else . end;
		def parts: map("\(.address):\(.bytes // (.missing | why))") | join(",");
		'"$1"
}

# Where CR3 is not known, gvas lead nowhere.
blind()
{
	case $1 in
	*-4level) sed -E '/space=gva/s/:(hole|slot|host|[0-9a-f]+)/:cr3/g' ;;
	*) cat ;;
	esac
}

# check_memory WHAT DIR FILTER MODE... - what calls point to, byte by byte; the guest's lines go
# through FILTER
check_memory()
{
	local what=$1 dir=$2 filter=$3 mode

	shift 3
	equal "$what: status" "$(cat "$dir/status")" 0
	equal "$what: lost" "$("$pf" report --json -i "$dir/events.ptd" | jq .lost.total)" 0
	for mode; do
		grep '^buffer ' "$dir/bitvisor-$mode" | $filter "bitvisor-$mode" | fields addr parts \
			>"$work/want"
		in_words bitvisor "$dir" "bitvisor-$mode" | parts 'select(.call.call == "get_function") |
			.call.args.name | "\(.address) \(.parts | parts) "' >"$work/got"
		same_lines "$what, bitvisor, $mode: names that calls point to" "$work/want" "$work/got"
		grep -E '^(buffer|call) ' "$dir/capsule-$mode" | $filter "capsule-$mode" |
			fields addr len parts rdi rcx | paste -d' ' - - | awk '
				{ split("read write exec", name, " "); flags = substr($10, 3); rights = ""
				  for (i = 0; i < 3; i++)
					if (int(flags / 2 ^ i) % 2)
						rights = rights (rights == "" ? "" : "|") name[i + 1]
				  print $1, $2, $3, substr($9, 3), rights }' >"$work/want"
		in_words "$CALLS" "$dir" "capsule-$mode" | parts '.call.args | "\(.data.address) " +
			"\(.data.length) \(.data.parts | parts) \(.reason) \(.rights.names | join("|"))"' \
			>"$work/got"
		same_lines "$what, capsule, $mode: memory, reasons and flags" "$work/want" "$work/got"
	done
}

# check_learned WHAT DIR MODE... - calls by a number that a call before was given, by its name
check_learned()
{
	local what=$1 dir=$2 mode

	shift 2
	for mode; do
		grep '^named ' "$dir/bitvisor-$mode" | fields name >"$work/want"
		in_words bitvisor "$dir" "bitvisor-$mode" |
			jq -r 'select(.nr | . == "0xfffffffffffffc18" or . == "0xfffffc18") |
				.call.call + " "' >"$work/got"
		at_least "$what, bitvisor, $mode: calls by number" "$(wc -l <"$work/want")" 5
		same_lines "$what, bitvisor, $mode: their names" "$work/want" "$work/got"
	done
}

# By the reason alone: another ABI than that of the recording.
check_reasons()
{
	{
		printf 'abi capsule\nnumber rdi\n'
		printf 'call %d virtual data=bytes:gva:rsi:rdx\n' {0..6}
		printf 'call %d physical data=bytes:gpa:rsi:rdx\n' {7..9}
	} >"$work/reasons.abi"
	grep '^buffer ' "$2/capsule-4level" | fields parts >"$work/want"
	in_words "$work/reasons.abi" "$2" capsule-4level |
		parts '.call.args.data.parts | parts + " "' >"$work/got"
	same_lines "$1: calls of a capsule by reason, told by another ABI" "$work/want" "$work/got"
}

# code_of DIR MODE - what the guest's calls are said to be
code_of()
{
	in_words "$CALLS" "$1" "capsule-$2" | jq -r .mode | sort -u
}

check_buffers()
{
	local modes

	IFS=, read -ra modes <<<"$3"
	set -- "$1" "$2/buffers"
	if [[ $1 == ept ]]; then
		equal "$1, no module: says so" "$(grep -c 'ptremap_kvm is not loaded' "$2/stderr")" 1
		check_memory "$1, no module" "$2" blind "${modes[@]}"
		equal "$1, no module: violations with a gva" \
			"$("$pf" script --json -i "$2/events.ptd" | jq -s 'map(select(.gva)) | length')" 0
		return
	fi
	check_memory "$1" "$2" cat_all "${modes[@]}"
	check_learned "$1" "$2" "${modes[@]}"
	check_reasons "$1" "$2"
}

# The lines as they are.
cat_all()
{
	cat
}

check_helper()
{
	local modes

	IFS=, read -ra modes <<<"$3"
	set -- "$1, module" "$2/helper"
	equal "$1: says nothing of it, and it may go" \
		"$(grep -c ptremap_kvm "$2/stderr") $(cat "$2/rmmod")" '0 0'
	check_memory "$1" "$2" cat_all "${modes[@]}"
	check_learned "$1" "$2" "${modes[@]}"
	check_reasons "$1" "$2"
	equal "$1: modes of the code" "$(code_of "$2" real) $(code_of "$2" pae) $(code_of "$2" 4level)" \
		'real 32 64'
	[[ $1 == ept* ]] && check_gvas "$1" "$2"
}

# check_gvas WHAT DIR - of each violation for which there is one; in order where the guest touched
check_gvas()
{
	"$pf" script --json -i "$2/events.ptd" | jq -c 'select(.type == "violation")' >"$work/json"
	jq -r 'select(.gpa | length == 10 and . >= "0x40000000" and . < "0x50000000") |
		"\(.gpa) \(.access) \(.gva) "' "$work/json" >"$work/got"
	grep '^page ' "$2/touch" | fields gpa access gva >"$work/want"
	same_lines "$1: gva of each page touched" "$work/want" "$work/got"
	equal "$1: violations with a gva" "$(jq -s 'map(select(.gva)) | length' "$work/json")" \
		"$(jq -s 'map(select(.bits | split("|") | index("gva"))) | length' "$work/json")" \
		"the qualification"
}

check_filters()
{
	equal "$1, --nr 1: calls" "$(of_report "$2/nr" .events)" \
		"$(grep -c '^call .* rax=0x1 ' "$2/nr/guest")" "the guest"
	equal "$1, --nr 1: others" "$(events "$2/nr" | grep -vc 'nr=0x1 ')" 0
	equal "$1, --addr: violations in 16 pages" "$(touched "$2/addr" | awk '{ print $1 }' |
		grep -c '^0x4001')" 16
	equal "$1, --addr: events" "$(of_report "$2/addr" .events)" 16
	equal "$1, --addr: events + filtered" "$(of_report "$2/addr" '.events + .filtered')" \
		"$(cat "$2/addr/page_faults")" kvm:kvm_page_fault
	equal "$1, faults beside calls: kinds" "$(of_report "$2/mixed" \
		'[.groups[].event] | unique | join(",")')" fault,hypercall
}

check_attach()
{
	same_calls "$1, --vm" "$2/attach" 64 rbx rcx rdx rsi rdi r8 r9 r10 r11
	equal "$1, --vm of no VMM: lines" "$(grep -c 'has no virtual machine' "$2/attach/no_vm")" 1
}

check_loss()
{
	local events lost all

	read -r events lost < <(of_report "$2/small" '"\(.events) \(.lost.ring_full)"')
	all=$(awk '{ n += $2 } END { print n }' "$2/small/exits")
	at_least "$1, ring of 4096 bytes: lost" "$lost" 1
	adds_up "$1, ring of 4096 bytes" "$events" "$lost" "$all" kvm:kvm_exit
	lost "$1, killed VMM" "$2/die"
	by_tracepoints "$1, killed VMM" "$2/die"
	equal "$1, killed VMM: vCPUs" "$("$pf" report --json -s vcpu -i "$2/die/events.ptd" |
		jq -c '[.groups[].vcpu] | sort')" '[0,1]'
}

# by_perf DIR - of perf kvm stat: reason, exits, mean in ns; the names are KVM's, which are ours on
# Intel. Exits that a vCPU has not come back from are none to perf, whose report is on stderr.
by_perf()
{
	perf kvm -i "$1/perf.data" stat report --event vmexit 2>&1 | awk '
		BEGIN { name["hypercall"] = "vmmcall"; name["interrupt"] = "intr"; name["io"] = "ioio"
			name["IO_INSTRUCTION"] = "io" }
		NF >= 7 && $2 ~ /^[0-9]+$/ {
			printf "%s %s %.0f\n", (($1 in name) ? name[$1] : tolower($1)), $2, $7 * 1000
		}' | sort
}

# check_perf WHAT DIR - a tracer has the work of the other in its times, some microseconds each time,
# and what the emulator loses meanwhile; on Intel, in Bochs, an instruction takes 50 ns.
check_perf()
{
	local each=40000

	[[ $vendor == intel ]] && each=150000
	jq -r '.exits | group_by(.reason_name)[] | "\(.[0].reason_name) \(map(.ended) | add) \(
		(map(.latency_sum_ns) | add) / (map(.ended) | add) | floor)"' "$2/json" | sort >"$work/ours"
	by_perf "$2" >"$work/perf"
	cut -d ' ' -f 1,2 "$work/ours" >"$work/got"
	cut -d ' ' -f 1,2 "$work/perf" >"$work/want"
	same_lines "$1: exits by reason, as counted by perf kvm stat" "$work/want" "$work/got"
	while read -r reason count mean _ other; do
		other=${other%.*}
		((count > 500)) && close_to "$1: mean latency of $reason, ns" "$mean" "$other" \
			$((each + other / 2)) "perf kvm stat"
	done < <(join "$work/ours" "$work/perf")
}

check_stat()
{
	set -- "$1" "$2/stat"
	check_perf "$1, stat" "$2"
	jq -r '.exits | group_by(.reason)[] | "\(.[0].reason) \(map(.count) | add)"' "$2/json" |
		sort -n >"$work/exits"
	same_exits "$1, stat" "$2"
	equal "$1, stat: calls of each vCPU" "$(jq -c '[.exits[] |
		select(.reason_name == "vmmcall" or .reason_name == "vmcall") | .count]' "$2/json")" \
		"$(sed -nE 's/^stats vcpu=.* hypercalls=([0-9]+).*/\1/p' "$2/guest" | paste -sd , | sed 's/.*/[&]/')" \
		"KVM's statistics"
	equal "$1, stat: histograms have every latency" \
		"$(jq '[.exits[].latency_histogram[].count] | add' "$2/json")" \
		"$(jq '[.exits[].ended] | add' "$2/json")"
	equal "$1, stat: rows whose mean is not between min and max" "$(jq '[.exits[] |
		select(.ended > 0) | (.latency_sum_ns / .ended) as $mean |
		select($mean < .latency_min_ns or $mean > .latency_max_ns)] | length' "$2/json")" 0
}

# frame FILE - the last picture of top, without the commas of its numbers
frame()
{
	awk 'BEGIN { RS = "" } { last = $0 } END { gsub(/,/, "", last); print last }' "$1"
}

check_live()
{
	set -- "$1" "$2/live"
	equal "$1, top: lost" "$(frame "$2/vm" | sed -n 's/^lost \([0-9]*\).*/\1/p')" 0
	# rate/s total p50 p99 max vm vcpu event reason nr
	frame "$2/vm" | awk '/rate\/s/ { rows = 1; next } rows { n += $2 } END { print n }' >"$work/got"
	awk '{ n += $2 } END { print n }' "$2/exits" >"$work/want"
	equal "$1, top: exits" "$(cat "$work/got")" "$(cat "$work/want")" kvm:kvm_exit
	equal "$1, top: hypercalls of each vCPU" "$(frame "$2/vm" | awk '$8 == "hypercall" {
		n[$7] += $2 } END { print n[0], n[1] }')" "500 500"
	equal "$1, top: violations" "$(frame "$2/vm" | awk '$8 == "violation" { n += $2 } END { print n }')" \
		"$(cat "$2/page_faults")" kvm:kvm_page_fault
	equal "$1, top: addresses of violations" "$(frame "$2/vm" | grep -c '^guest-physical [0-9a-f]*-')" 1
	close_to "$1, top: latencies of faults, all pictures together" "$(tr -d , <"$2/latency" | awk '
		/^ *[0-9.]+[num]?s +[0-9.]+[num]?s +[0-9]+ / { n += $3 } END { print n }')" \
		"$(frame "$2/latency" | sed -n 's/^events \([0-9]*\) .*/\1/p')" 5
	equal "$1, metrics: hypercalls of each vCPU" "$(sed -n \
		's/^ptrace_pf_vm_exits_total{.*,vcpu="[01]",reason="vm*call"} //p' "$2/page" | tr '\n' ' ')" \
		"500 500 "
	equal "$1, metrics: latencies" "$(grep -c '^ptrace_pf_vm_exit_latency_seconds_count{' "$2/page")" \
		"$(grep -c '^ptrace_pf_vm_exits_total{' "$2/page")"
}

check_absent()
{
	set -- "$1" "$2/absent"
	equal "$1, no KVM: status" "$(cat "$2/refused_status")" 1
	equal "$1, no KVM: lines" "$(wc -l <"$2/refused")" 1
	equal "$1, no KVM: says so" "$(grep -c 'KVM is not loaded.*--wait' "$2/refused")" 1
	equal "$1, no KVM: doctor says so" "$(grep -c '^KVM  *not loaded' "$2/doctor")" 1
	equal "$1, loaded meanwhile: status" "$(cat "$2/status")" 0
	equal "$1, loaded meanwhile: calls" "$(jq .events "$2/json")" 100
}

# bpf_frames - of addresses with names of BPF programs: "ADDRESS NAME"
bpf_frames()
{
	awk '$2 ~ /^bpf_(prog|trampoline)_/ { sub(/\+0x.*/, "", $2); print $1, $2 }' | sort -u
}

check_options()
{
	local what=$1 file

	set -- "$1" "$2/options"
	equal "$what, options: recordings that failed" "$(find "$2" -name failed | wc -l)" 0
	for file in "$2"/*.ptd; do
		seen_by_perf "$what, option $(basename "$file" .ptd)" "$file"
		at_least "$what, option $(basename "$file" .ptd): events" "$(wc -l <"$work/got")" 1
	done
	perf script -F ip,sym -i "$2/gup.ptd" 2>/dev/null | bpf_frames >"$work/want"
	"$pf" script -g -i "$2/gup.ptd" | bpf_frames >"$work/got"
	same_lines "$what: frames of BPF programs" "$work/got" "$work/want"
	check_foreign "$what" "$2/perf.data"
}

# check_foreign WHAT FILE - perf's own recording of kvm:*, read by us and by perf
check_foreign()
{
	perf script -F event -i "$2" 2>/dev/null | sed -n 's/^ *kvm:\(kvm_[a-z_]*\):.*/\1/p' | sort | uniq -c |
		awk '{ print $2, $1 }' >"$work/perf"
	of_report_file "$2" '[.groups[] | .count] | add' >"$work/got"
	equal "$1, perf record -e kvm:*: exits" "$(cat "$work/got")" \
		"$(awk '$1 == "kvm_exit" { print $2 }' "$work/perf")" "perf script"
	equal "$1, perf record -e kvm:*: hypercalls" \
		"$(of_report_file "$2" '[.groups[] | select(.event == "hypercall").count] | add')" \
		"$(awk '$1 == "kvm_hypercall" { print $2 }' "$work/perf")" "perf script"
	equal "$1, perf record -e kvm:*: violations" \
		"$(of_report_file "$2" '[.groups[] | select(.event == "violation").count] | add')" \
		"$(awk '$1 == "kvm_page_fault" { print $2 }' "$work/perf")" "perf script"
}

# of_report_file FILE EXPRESSION
of_report_file()
{
	"$pf" report --json -s event,reason -i "$1" 2>/dev/null | jq -r "$2"
}

# At least the tracepoints' own arguments are left: the kernel's BTF may have some of KVM's types.
check_nobtf()
{
	set -- "$1" "$2/nobtf"
	lost "$1, no BTF of KVM" "$2"
	equal "$1, no BTF of KVM: says so" "$(grep -c 'KVM has no BTF' "$2/stderr")" 1
	grep '^call ' "$2/guest" | sed 's/ rax=/ nr=/' | fields vcpu rip nr rbx rcx rdx rsi >"$work/want"
	events "$2" | grep ': hypercall ' | fields vcpu rip nr rbx rcx rdx rsi >"$work/got"
	same_lines "$1, no BTF of KVM: calls with five registers" "$work/want" "$work/got"
	equal "$1, no BTF of KVM: what is not known is not told" \
		"$(events "$2" | grep -cE ' (ret|cpl|mode|hva|slot)=')" 0
	equal "$1, no BTF of KVM: violations" "$(events "$2" | grep -c ': violation .* gpa=0x')" \
		"$(cat "$2/page_faults")" kvm:kvm_page_fault
}

check_doctor()
{
	set -- "$1" "$2/doctor"
	equal "$1, doctor: KVM's hooks" "$(grep -cE '^ *KVM: .* yes *$' "$2/text")" 6
	equal "$1, doctor: vendor" "$(awk '$1 == "KVM" { print $2 }' "$2/text")" "$vendor"
}

# helper KERNEL PARTS - builds the module, if a part needs it, and prints where it is
helper()
{
	local module

	[[ $2 == *helper:* ]] || return 0
	module=$(O=$bin "$top/scripts/kmod" "$1") && dirname "$module"
}

# boot NAME
boot()
{
	local machine kernel levels memory vendor parts part dir=$work/$1 status bring=()

	read -rd '' machine kernel levels memory vendor parts <<<"${BOOTS[$1]}"
	HELPER=$(helper "$kernel" "$parts") || { not_ok "$1: module" && return; }
	export HELPER
	[[ $HELPER ]] && bring=(--bring "$HELPER")
	mkdir "$dir"
	# shellcheck disable=SC2086 # several parts
	"$top/scripts/lab" --machine "$machine" --kernel "$kernel" --cpu-levels "$levels" \
		--mem "$memory" --quiet "${bring[@]}" --timeout 600 --results "$dir" -- \
		"$top/tests/lib/kvm_runs.sh" "$vendor" "$seed" $parts
	status=$?
	equal "$1: the lab" $status 0
	((status)) && return
	for part in $parts; do
		"check_${part%:*}" "$1" "$dir" "${part#*:}"
	done
	rm -rf "$dir"
}

(($#)) || set -- 6.1 6.12 ept
for name; do
	boot "$name"
done
finish
