# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set by what it goes with
# What doctor says against what is found by other means. After check.sh. The run may be made
# elsewhere (run_doctor, in the lab) than it is looked at (check_doctor).

run_doctor()
{
	local hook

	mkdir -p "$1"
	"$pf" doctor --json >"$1/json" 2>"$1/stderr"
	echo $? >"$1/status"
	"$pf" doctor >"$1/text" 2>>"$1/stderr"
	uname -r >"$1/release"
	awk '$3 == "_text" { print "0x" $1 }' /proc/kallsyms >"$1/text_symbol"
	grep -qw la57 /proc/cpuinfo && echo 5 >"$1/levels" || echo 4 >"$1/levels"
	grep -qw pti /proc/cpuinfo && echo true >"$1/pti" || echo false >"$1/pti"
	for hook in fentry kprobe rawtp; do
		"$pf" record -q --hook $hook -o /dev/null -- true 2>/dev/null && echo $hook
	done >"$1/hooks"
}

# doctor_hook DIR WORDS - prints true or false
doctor_hook()
{
	jq -r --arg what "$2" '.hooks[] | select(.hook | startswith($what)) | .works' "$1/json"
}

# check_doctor WHAT DIR
check_doctor()
{
	local hook want half json=$2/json

	equal "doctor, $1: status" "$(cat "$2/status")" 0
	equal "doctor, $1: lines on stderr" "$(wc -l <"$2/stderr")" 0
	equal "doctor, $1: kernel" "$(jq -r .kernel "$json")" "$(cat "$2/release")" uname
	equal "doctor, $1: levels" "$(jq -r .levels "$json")" "$(cat "$2/levels")" cpuinfo
	equal "doctor, $1: PTI" "$(jq -r .pti "$json")" "$(cat "$2/pti")" cpuinfo
	equal "doctor, $1: kernel text" "$(jq -r .kernel_text "$json")" "$(cat "$2/text_symbol")" kallsyms
	for hook in fentry:fentry fentry:fexit kprobe:kprobe kprobe:kretprobe rawtp:"raw tracepoint"; do
		grep -q "^${hook%%:*}$" "$2/hooks" && want=true || want=false
		equal "doctor, $1: ${hook#*:}" "$(doctor_hook "$2" "${hook#*:}")" $want "record --hook ${hook%%:*}"
	done
	# With the kernel's own variables at hand, the search must have come to the same.
	half=$(jq -r .page_offset_symbol "$json")
	[[ $half =~ ^0x0*$ || $half == null ]] && return
	equal "doctor, $1: direct map" "$(jq -r .page_offset "$json")" "$half" page_offset_base
}
