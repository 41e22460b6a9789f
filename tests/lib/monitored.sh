# shellcheck shell=bash disable=SC2034,SC2154 # set here and used there
# SPDX-License-Identifier: GPL-2.0
# Guests of tests/guests/kvm in the background of a test, and what ptremap says of them. Sourced
# behind check.sh; $name is what is tested.

remap=$bin/ptremap
kvm_guest=$bin/tests/kvm_guest
name=

# start WHAT [ARG]... - a guest in the background, up to where it waits; sets $vm, the monitor's pid.
# $work/guest has what it says.
start()
{
	mkfifo "$work/line" || exit 1
	"$kvm_guest" "$@" <"$work/line" >"$work/guest" 2>&1 &
	vm=$!
	exec 7>"$work/line"
	rm -f "$work/line"
}

# until_says WORD - waits for a line of the guest's that begins with it
until_says()
{
	local i

	for ((i = 0; i < 600; i++)); do
		grep -q "^$1" "$work/guest" && return
		kill -0 "$vm" 2>/dev/null || break
		sleep 0.1
	done
	not_ok "$name: the guest says '$1'"
	return 1
}

# stop - the guest goes on to its end
stop()
{
	echo >&7
	exec 7>&-
	wait "$vm"
	equal "$name: the guest's own checks" $? 0
}

# says WHAT PATTERN - the words on stderr, in $work/stderr
says()
{
	if grep -q -- "$2" "$work/stderr"; then
		ok "$1: $(<"$work/stderr")"
	else
		not_ok "$1: no '$2' in: $(<"$work/stderr")"
	fi
}

# refused WHAT WORDS COMMAND... - exit status 1 or 2, one line with the words
refused()
{
	local what=$1 words=$2 status

	shift 2
	"$remap" "$@" >"$work/out" 2>"$work/stderr"
	status=$?
	equal "refused: $what: lines on stderr, on stdout" \
		"$(wc -l <"$work/stderr") $(wc -l <"$work/out")" '1 0'
	equal "refused: $what: status" $((status == 1 || status == 2)) 1
	says "refused: $what" "$words"
}
