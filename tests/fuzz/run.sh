#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run the fuzzers, as many at once as there are processors.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P) || exit 1
cd "$top" || exit 1
bin=${O:-build}/tests
readonly SECONDS_EACH=20
# What reads files of strangers, and the core that everything stands on, for longer.
declare -rA SECONDS_OF=(
	[fuzz_record]=120 [fuzz_walk]=60 [fuzz_iterate]=60 [fuzz_decode]=60 [fuzz_image]=60 [fuzz_edit]=60
)
readonly INTERRUPTED=72 # libFuzzer's exit status after Ctrl-C
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

usage()
{
	cat <<-END
	usage: tests/fuzz/run.sh [--forever] [NAME]...

	Runs the fuzzers (default: all), each for 20 s to 2 minutes, and prints a line "ok ..." or
	"not ok ..." for each. NAME is that of the program, with or without fuzz_. FUZZ_TIMES=N in
	the environment: N times as long.

	  --forever  round after round, with what was learnt, until one fails or Ctrl-C

	Exit status: 0 no crash, 1 a crash (its input's file is named), 2 wrong usage.
	END
}

# seeds NAME - puts real inputs into $work/NAME
seeds()
{
	local events=exceptions:page_fault_user

	case $1 in
	fuzz_abi)
		cp -n user/abi/*.abi "$work/$1"
		;;
	fuzz_record)
		cp -n tests/replay/*.ptd "$work/$1"
		perf record -q -e $events -o "$work/$1/perf" true 2>/dev/null
		perf record -q -z -g -e $events -o "$work/$1/perf-z" true 2>/dev/null
		perf record -q -e $events -o - true 2>/dev/null >"$work/$1/perf-stream"
		;;
	esac
}

# fuzz NAME - runs one fuzzer; what it finds worth keeping stays in $work/NAME
fuzz()
{
	local name=$1 log=$work/$1.log crash=$bin/$1- inputs status longest=8192
	local seconds=$((${SECONDS_OF[$1]-$SECONDS_EACH} * ${FUZZ_TIMES:-1}))

	mkdir -p "$work/$name"
	seeds "$name"
	[[ $name == fuzz_record ]] && longest=65536
	setpriv --pdeathsig TERM "$bin/$name" -max_total_time="$seconds" -max_len="$longest" \
		-close_fd_mask=2 \
		-print_final_stats=1 -artifact_prefix="$crash" "$work/$name" >"$log" 2>&1
	status=$?
	((status == INTERRUPTED)) && return 1
	inputs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
	if ((status == 0 && ${inputs:-0} > 0)); then
		echo "ok $name: $inputs inputs in $seconds s"
		return 0
	fi
	{
		echo "not ok $name: exit status $status after ${inputs:-no} inputs:"
		tail -n 40 "$log"
		grep -o "${crash}[a-z]*-[0-9a-f]*" "$log" | sort -u | sed 's/^/# input kept in /'
	} >"$log.end"
	cat "$log.end"
	return 1
}

# round - all fuzzers once; fails if one of them did
round()
{
	local name running=0 failed=0

	for name in "${names[@]}"; do
		((running < $(nproc))) || { wait -n || failed=1; running=$((running - 1)); }
		fuzz "$name" &
		running=$((running + 1))
	done
	while ((running--)); do
		wait -n || failed=1
	done
	return $failed
}

# built - prints the names of all fuzzers that are built
built()
{
	find "$bin" -maxdepth 1 -name 'fuzz_*' -type f -executable -printf '%f\n' | sort
}

main()
{
	local forever='' names name

	case ${1-} in
	-h | --help) usage && exit 0 ;;
	--forever) forever=1 && shift ;;
	-*) usage >&2 && exit 2 ;;
	esac
	(($#)) && names=("${@#fuzz_}") && names=("${names[@]/#/fuzz_}")
	(($#)) || mapfile -t names < <(built)
	for name in "${names[@]:-fuzz_*}"; do
		[[ -x $bin/$name ]] && continue
		printf "fuzz: no fuzzer %s is built in %s\n" "$name" "$bin" >&2
		exit 2
	done
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
	while round; do
		[[ $forever ]] || exit 0
	done
	exit 1
}

main "$@"
