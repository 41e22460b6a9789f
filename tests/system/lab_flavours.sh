#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The helper module in the other flavours of Debian's kernels: amd64, on two NUMA nodes, and rt,
# which may preempt nearly everything. It is built with the headers of each, without a warning, and
# edits pages there; who lacks a right is refused, as is everybody under lockdown, which comes last
# and stays. The lab looks through the kernel log.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly remap=$bin/ptremap
# Kernel, flavour and what runs there, in one boot. To the module one rt is as the other: LONG=1 has
# both, and rights on both kernels.
RUNS=("6.1 amd64 nodes"
	"6.12 amd64 nodes rights hidden lockdown"
	"6.12 rt edits")
[[ $(long '' more) ]] && RUNS+=("6.1 rt" "6.1 amd64 rights hidden lockdown")
readonly RUNS

# ---- in the guest ----------------------------------------------------------------------------

run_nodes()
{
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	"$bin/tests/edits_nodes" "$remap" || not_ok "edits_nodes: exit status $?"
}

run_edits()
{
	mkfs.ext4 -q /dev/vda && mkdir "$work/disk" && mount /dev/vda "$work/disk" &&
		at_exit umount "$work/disk"
	"$bin/tests/edits" "$work/disk/file" || not_ok "edits: exit status $?"
	"$bin/tests/edits_random" 500 1 || not_ok "edits_random: exit status $?"
}

# refused WHO WORDS COMMAND... - each subcommand says the WORDS to those whom COMMAND makes
refused()
{
	local who=$1 words=$2

	shift 2
	fails "$who: walk" 1 "$words" "$@" "$remap" walk --kernel 0xffffffff81000000
	fails "$who: dump" 1 "$words" "$@" "$remap" dump --kernel
	fails "$who: read" 1 "$words" "$@" "$remap" read --pa 0x100000 16
	fails "$who: trap" 1 "$words" "$@" "$remap" trap --pid $$ 0x1000
	fails "$who: list" 1 "$words" "$@" "$remap" list
	fails "$who: undo" 1 "$words" "$@" "$remap" undo --all
}

run_rights()
{
	"$bin/tests/edits_rights" caps || not_ok "edits_rights: exit status $?"
	refused "no CAP_SYS_ADMIN" CAP_SYS_ADMIN setpriv --bounding-set -sys_admin --inh-caps -sys_admin
	refused "no CAP_SYS_RAWIO" CAP_SYS_RAWIO setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio
	refused "root of a user namespace" CAP_SYS_ADMIN unshare -U -r
	ends_with "the two capabilities alone: list" 0 setpriv --inh-caps -all \
		--bounding-set -all,+sys_admin,+sys_rawio "$remap" list
}

# hides WHO COMMAND... - what the kernel hides from those whom COMMAND makes, doctor does not show
hides()
{
	local who=$1

	shift
	"$@" "$pf" doctor --json >"$work/doctor" 2>"$work/err"
	equal "$who: kernel addresses that doctor tells" "$(jq '[.page_offset, .page_offset_symbol,
		.vmalloc_base, .vmemmap_base, .kernel_text] | map(select(. != "0x0")) | length' "$work/doctor")" 0
	"$@" "$remap" kind --json "$text" >"$work/kind" 2>"$work/err"
	equal "$who: what kind tells of an address" "$(jq -c '[has("pa", "pfn", "symbol")]' "$work/kind")" \
		'[false,false,false]'
	equal "$who: kind's words on stderr" "$(grep -c '^ptremap: .*run as root' "$work/err")" \
		"$(wc -l <"$work/err")"
}

# Nobody; and one who may trace, but not see frames, nor the kernel's addresses.
run_hidden()
{
	local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all --bounding-set -all)
	local tracer=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "-all,+bpf,+perfmon"
		--ambient-caps "-all,+bpf,+perfmon" --bounding-set "-all,+bpf,+perfmon")
	local text command

	text=0x$(awk '$3 == "_text" { print $1 }' /proc/kallsyms)
	refused "nobody" CAP_SYS_ADMIN "${nobody[@]}"
	for command in record stat live "top --batch"; do
		# shellcheck disable=SC2086 # words
		fails "nobody: $command" 1 "needs root" "${nobody[@]}" "$pf" $command -- true
	done
	mkdir -m 777 "$work/open" && chmod 755 "$work"
	# kptr_restrict 0 shows addresses to whom perf_event_paranoid would let see the kernel: to nobody.
	echo 0 >/proc/sys/kernel/kptr_restrict
	echo 2 >/proc/sys/kernel/perf_event_paranoid # Debian's 3 leaves names and mappings to CAP_SYS_ADMIN
	hides nobody "${nobody[@]}"
	hides "CAP_BPF and CAP_PERFMON" "${tracer[@]}"
	"${tracer[@]}" "$pf" record -q -g -o "$work/open/recording" -- /bin/ls / >/dev/null 2>"$work/err"
	equal "CAP_BPF and CAP_PERFMON: record" $? 0
	equal "... says that there are no walks" "$(grep -c 'no page-table walks' "$work/err")" 1
	"${tracer[@]}" "$pf" script --json -i "$work/open/recording" >"$work/script" 2>"$work/err"
	at_least "... events" "$(grep -c '"type":"fault"' "$work/script")" 50
	equal "... frames and entries in them" "$(grep -cE '"(pfn|entry)":' "$work/script")" 0
	"$pf" report -i "$work/open/recording" --sort symbol --json >"$work/symbols" # root sees them
	command=$(jq -r '[.groups[].symbol | select(test("clear_user|strncpy_from_user|copy_string|elf_load"))][0]' "$work/symbols")
	equal "... names of the kernel's functions, such as $command" "$("${tracer[@]}" "$pf" report \
		-i "$work/open/recording" --sort symbol 2>"$work/err" | grep -c "$command")" 0
}

run_lockdown()
{
	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	"$bin/tests/edits_rights" lockdown || not_ok "edits_rights: exit status $?"
	refused "lockdown" "the kernel is locked down" env
	fails "lockdown: record" 1 "locked down .confidentiality." "$pf" record -o "$work/none" -- true
	equal "lockdown: nothing is recorded" "$(find "$work" -name none | wc -l)" 0
}

# run_part NAME
run_part()
{
	case $1 in
	nodes) run_nodes ;;
	edits) run_edits ;;
	rights) run_rights ;;
	hidden) run_hidden ;;
	lockdown) run_lockdown ;;
	esac
}

# in_guest MODULE PART...
in_guest()
{
	local part

	insmod "$1" || not_ok "insmod"
	for part in "${@:2}"; do
		run_part "$part"
	done
	rmmod ptremap || not_ok "rmmod"
	finish
}

# ---- outside of it ---------------------------------------------------------------------------

# built NAME [ARG]... - with the kernel's additional warnings; sets $module
built()
{
	module=$(O=$bin "$top/scripts/kmod" "$1" W=1 "${@:2}" 2>"$work/log")
	equal "$1: build with W=1: status" $? 0
	# The kernel's headers are not ours.
	equal "$1: warnings" "$(grep -iE 'warning|error:' "$work/log" | grep -c /kmod/)" 0
	grep -iE -m 20 '/kmod/.*(warning|error:)' "$work/log"
	[[ $module ]]
}

sparse_has_run()
{
	equal "$1: sparse: files" "$(grep '^  CHECK ' "$work/log" | grep -vc '/pt/')" \
		"$(find "$top/kmod-helper" -name '*.c' | wc -l)" "source files"
}

# in_lab KERNEL FLAVOUR PART...
in_lab()
{
	local name=$1-$2 module said=$work/said numa=()

	if [[ $2 == amd64 ]]; then
		numa=(--numa)
	fi
	# To sparse they are alike.
	if [[ $name == 6.12-amd64 ]]; then
		built "$name" C=2 || return
		sparse_has_run "$name"
	else
		built "$name" || return
	fi
	(($# > 2)) || return
	"$top/scripts/lab" --kernel "$1" --flavour "$2" "${numa[@]}" --disk-mb 64 --quiet \
		--timeout 180 -- "$top/tests/system/lab_flavours.sh" --guest "$module" "${@:3}" \
		>"$said" 2>"$work/err"
	equal "$name: status" $? 0
	failures=$((failures + $(grep -c '^not ok' "$said")))
	sed -E "s/^((not )?ok|skip) /&$name: /" "$said"
	cat "$work/err"
}

if [[ ${1-} == --guest ]]; then
	shift
	in_guest "$@"
fi
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
