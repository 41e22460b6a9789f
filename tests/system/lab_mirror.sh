#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mirrors, in Debian's kernels with 4 and 5 levels: an emulator whose back ends must agree, what
# happens to the memory behind a window, random changes of guest and host, processes that are
# killed. The lab looks through the kernel log. SEED chooses the programs and changes.
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# kernel, levels, CPUs, seconds of random changes
readonly RUNS=("6.1 5 2 5" "6.12 4 3 8")
SEED=${SEED-$RANDOM}

# run PROGRAM [ARG]...
run()
{
	"$bin/tests/$1" "${@:2}" || not_ok "$1: exit status $?"
}

# word_at PID VA - as this process has it
word_at()
{
	dd if="/proc/$1/mem" bs=8 skip=$(($2 / 8)) count=1 status=none | od -An -v -tx8 |
		sed 's/^ *0*\(.\)/0x\1/'
}

# A guest of KVM, whose monitor says where it has the page of each address.
vm_words()
{
	local mode=$1 vm line gva hva page n=0 wrong=0 pid

	mkfifo "$work/line"
	sleep infinity >"$work/line" &
	pid=$!
	"$bin/tests/kvm_guest" --mode "$mode" --gvas 300 --hold spin walks 200 <"$work/line" \
		>"$work/guest" 2>&1 &
	vm=$!
	until grep -q '^held' "$work/guest"; do
		kill -0 "$vm" 2>/dev/null || break
		sleep 0.1
	done
	while ((n < 6)) && read -r line; do
		gva=${line#* gva=} hva=${line#* hva=}
		gva=$((${gva%% *} & ~7)) hva=$((${hva%% *} & ~7)) page=$((gva & ~4095))
		printf -v line '0x%x-0x%x' "$page" $((page + 4095))
		echo | "$bin/ptremap" mirror --vm "$vm" --gva "$line" --at 0x300000000 -- "$bin/tests/mirrors_window" \
			peek $((0x300000000 + gva - page)) >"$work/said" 2>"$work/err"
		equal "$mode, $line: status" $? 7
		[[ $(<"$work/said") == "$(word_at "$vm" "$hva")" ]] ||
			{ wrong=$((wrong + 1)) && cat "$work/said" "$work/err"; }
		n=$((n + 1))
	done < <(grep '^walk .* hva=0x' "$work/guest" | grep -v 'pfn=0x0$')
	equal "$mode: words of a running guest" "$((n - wrong))" 6
	kill "$pid" "$vm" 2>/dev/null
	wait "$pid" "$vm" 2>/dev/null
	rm -f "$work/line"
}

# A window in a process that is there already, and what the command refuses.
vm_into()
{
	local vm pid status word

	# Its stdin stays silent and open, however long the machine takes.
	mkfifo "$work/held"
	exec 9<>"$work/held"
	"$bin/tests/kvm_guest" --mode none --hold spin hypercalls 1 <&9 >"$work/guest" 2>&1 &
	vm=$!
	until grep -q '^held' "$work/guest" || ! kill -0 "$vm" 2>/dev/null; do sleep 0.1; done
	mkfifo "$work/go"
	"$bin/tests/mirrors_window" peek 0x300000000 <"$work/go" >"$work/said" &
	pid=$!
	exec 8>"$work/go"
	until_runs "$pid" mirrors_window
	"$bin/ptremap" mirror --vm "$vm" --gva 0x1000-0x1fff --at 0x300000000 --into "$pid" \
		>"$work/shown" 2>&1 &
	until [[ -s $work/shown ]]; do sleep 0.1; done
	"$bin/ptremap" list --json >"$work/json"
	word=$(sed -n 's/^slot .*gpa=0x0 .*hva=\(0x[0-9a-f]*\).*/\1/p' "$work/guest")
	equal "--into: as JSON lists it" "$(jq -c '[.what, .pid, .address, .length, .gva, .memory_pid,
		.mode, .read_only, (.memory[] | select(.gpa == "0x0") | .hva)]' "$work/json")" \
		"[\"mirror\",$pid,\"0x300000000\",4096,\"0x1000\",$vm,\"none\",true,\"$word\"]"
	equal "--into: as text lists it" "$("$bin/ptremap" list | head -n 3 | sed 's/, [0-9]* pages/, N pages/')" \
		"mirror $pid:0x300000000-0x300000fff
  shows  0x1000-0x1fff of pid $vm, none, read only, N pages held
  root   $(jq -r '.roots[0].root' "$work/json") tag 0, now"
	echo >&8
	wait "$pid"
	equal "--into: status of the other" $? 7
	equal "--into: what it sees" "$(<"$work/said")" "$(word_at "$vm" $((word + 0x1000)))"
	wait %+ 2>/dev/null
	equal "--into: lines of what is listed then" "$("$bin/ptremap" list | wc -l)" 0
	fails "--gva within a page" 2 'whole pages' "$bin/ptremap" mirror --vm "$vm" --gva 5-6 --into $$
	fails "neither --into nor a command" 2 'either --into' "$bin/ptremap" mirror --vm "$vm" \
		--gva 0x1000-0x1fff
	fails "no VM" 1 'VM' "$bin/ptremap" mirror --vm $$ --gva 0x1000-0x1fff --into $$
	fails "no process" 1 'no such process' "$bin/ptremap" mirror --vm "$vm" --gva 0x1000-0x1fff \
		--into 4000000
	fails "below vm.mmap_min_addr" 1 'mmap_min_addr' "$bin/ptremap" mirror --vm "$vm" \
		--gva 0x1000-0x1fff --into $$
	fails "no such command" 127 'nonesuch' "$bin/ptremap" mirror --vm "$vm" --gva 0x1000-0x1fff \
		--at 0x300000000 -- /nonesuch
	kill "$vm"
	wait "$vm" 2>/dev/null
	exec 9>&-
}

# part_programs SECONDS
part_programs()
{
	run emulator "$SEED"
	run mirrors
	run mirrors_window
	run mirrors_random "$1" "$SEED"
}

part_vm()
{
	{ modprobe kvm_amd && insmod "${module%/*}/ptremap_kvm.ko"; } || not_ok "ptremap_kvm"
	vm_words 4level
	vm_words pae
	vm_into
	rmmod ptremap_kvm || not_ok "rmmod ptremap_kvm"
}

# in_guest MODULE SECONDS PART...
in_guest()
{
	local module=$1 part

	if ! mkswap /dev/vda >/dev/null || ! swapon /dev/vda; then
		not_ok "swap"
	fi
	insmod "$module" || not_ok "insmod"
	for part in "${@:3}"; do
		"part_$part" "$2"
	done
	rmmod ptremap || not_ok "rmmod"
	finish
}

# in_lab KERNEL LEVELS CPUS SECONDS
in_lab()
{
	local what="$1, $2 levels, $3 CPUs" module

	module=$("$top/scripts/kmod" "$1") || { not_ok "$1: no module"; return; }
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --smp "$3" --disk-mb 256 --quiet \
		--timeout 280 -- "$top/tests/system/lab_mirror.sh" --guest "$module" "$4" \
		programs vm \
		>"$work/said" 2>"$work/err"
	machine_said "$what" $?
}

if [[ ${1-} == --guest ]]; then
	in_guest "${@:2}"
fi
export SEED
for run in "${RUNS[@]}"; do
	# shellcheck disable=SC2086 # words
	in_lab $run
done
finish
