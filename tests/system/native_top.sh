#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptrace-pf top: its numbers against perf's, as plain text; and on a terminal (tmux) of several
# sizes, with keys, through a resize, and whatever ends it: the terminal is as it was before.
# shellcheck disable=SC2317 # commands are called through until_true
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"

readonly PAGES=50000
# A name of its own: somebody else may run touch at the same time.
readonly name=touch-$$
cp "$bin/tests/touch" "$work/$name"
mux() { tmux -L "ptscope-$$" -f /dev/null "$@" 2>"$work/tmux"; }
at_exit mux kill-server
mux new-session -d -s keep 'sleep 1000' # a server without a session ends

# frame FILE - its last picture
frame()
{
	awk 'BEGIN { RS = "" } { last = $0 } END { print last }' "$1"
}

# number FILE WORD - the number behind the word in its last picture, without commas
number()
{
	frame "$1" | sed -nE "s/.*\\b$2 ([0-9,]+).*/\\1/p" | head -n 1 | tr -d ,
}

# column N - of each row of the picture that it reads, without commas
column()
{
	awk -v n="$1" 'rows { gsub(/,/, "", $n); print $n } /rate\/s/ { rows = 1 }'
}

# batch FILE OPTION... - a run of touch, counted by perf, too
batch()
{
	local file=$1

	shift
	"$pf" top --batch --delay 0.2 -a --comm "$name" "$@" -- perf stat -x, -e "$PERF_EVENTS" \
		-o "$work/perf" -- "$work/$name" $PAGES >"$file" 2>"$work/err"
}

check_batch()
{
	local view events

	for view in process vma outcome address; do
		batch "$work/$view" --view $view
		equal "$view: exit status" $? 0
		events=$(number "$work/$view" events)
		equal "$view: events" "$events" "$(perf_count "$work/perf" all)" "perf stat"
		equal "$view: sum of its rows" "$(frame "$work/$view" |
			sed 's/^\([0-9a-f]*\)-[0-9a-f]* /0 /; /^\.\.\.$/d; s/^addresses .*total$/rate\/s/' |
			awk '/rate\/s$/ { address = 1 } address && !/rate/ { $1 = ""; } { print }' |
			awk '{ sub(/^ +/, "") } 1' | column 2 | paste -sd+ | bc)" "$events"
		equal "$view: lost" "$(number "$work/$view" lost)" 0
	done
	close_to "vma: the mapping with most faults" \
		"$(frame "$work/vma" | column 2 | sort -n | tail -n 1)" $PAGES 100 "pages of touch"
	# Each picture's share of the events is in its rate, to the rounding of three digits.
	close_to "rates of all pictures, added up" "$(awk '
		/^ptrace-pf top/ { t = $NF; ms = t ~ /ms$/ ? 1 : 1000; sub(/m?s$/, "", t) }
		/^events/ { rate = $3; gsub(/[,\/s]/, "", rate); sum += rate * t * ms / 1000 }
		END { printf "%d", sum }' "$work/process")" \
		"$(number "$work/process" events)" $((PAGES / 50))
}

check_lost()
{
	"$pf" top --batch --delay 0.2 -m 4096 -a --comm "$name" -- perf stat -x, -e "$PERF_EVENTS" \
		-o "$work/perf" -- "$work/$name" -t 2 200000 >"$work/small" 2>"$work/err"
	at_least "ring of 4096 bytes: lost" "$(number "$work/small" lost)" 1
	adds_up "ring of 4096 bytes" "$(number "$work/small" events)" "$(number "$work/small" lost)" \
		"$(perf_count "$work/perf" all)" "perf stat"
	equal "ring of 4096 bytes: the cause" "$(frame "$work/small" |
		grep -cE '^lost [0-9]+ of [0-9]+ events: ring_full [0-9]+')" 1
}

check_options()
{
	"$pf" top -b -n 3 -d 0.1 -a >"$work/three" 2>"$work/err"
	equal "-n 3: exit status" $? 0
	equal "-n 3: pictures" "$(grep -c '^ptrace-pf top: ' "$work/three")" 3
	equal "-n and a command that would go on: its end" \
		"$("$pf" top -b -n 1 -d 0.1 -- sleep 100 >"$work/out" 2>"$work/err"; echo $?)" 143 \
		"SIGTERM"
	batch "$work/filtered" --filter nobody
	equal "filter: no row" "$(frame "$work/filtered" | grep -c "no row has the filter's text")" 1
	fails "no terminal" 1 "are no terminal; use --batch" sh -c "'$pf' top 2>&1 >/dev/null | tail -n 1 >&2; exit 1"
	fails "no such view" 2 "view 'x' is not one of process, vma" "$pf" top --view x
	fails "no such order" 2 "order 'x' is not one of rate, total" "$pf" top --order x
	fails "no such key" 1 "no sort key 'x'" sh -c "'$pf' top -b -s x 2>&1 | tail -n 1 >&2; exit 1"
	fails "a delay of nothing" 2 "delay '0' is not a time" "$pf" top -d 0
	fails "no delay" 2 "delay 'soon' is not a time" "$pf" top -d soon
	fails "a filter that is too long" 2 "at most 63 bytes" "$pf" top --filter "$(printf '%070d' 0)"
}

# The shell of the terminal: not bash, which would itself put right what a killed program left.
cat >"$work/run" <<-'END'
	#!/bin/dash
	work=$1
	shift
	# Large arrays are asked of the kernel each time, so that it can refuse.
	export MALLOC_MMAP_THRESHOLD_=65536
	trap : INT QUIT
	modes() { stty -a | sed 's/rows [0-9]*; columns [0-9]*;//'; }
	modes >"$work/before"
	"$@" 2>"$work/err"
	echo $? >"$work/status"
	modes >"$work/after"
	echo "shell again"
	while sleep 1; do :; done
END

# terminal WIDTH HEIGHT OPTION... - starts top in a terminal; sets $pid
terminal()
{
	local width=$1 height=$2

	shift 2
	rm -f "$work/status" "$work/after"
	mux kill-session -t top
	mux new-session -d -s top -x "$width" -y "$height" dash "$work/run" "$work" \
		"$pf" top --delay 0.2 "$@"
	shows "lost [0-9]"
	pid=$(pgrep -P "$(mux display-message -p -t top '#{pane_pid}')" -x ptrace-pf)
}

screen()
{
	mux capture-pane -p -t top
}

# until_true COMMAND [ARG]... - waits for it, 10 s at most
until_true()
{
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

on_screen()
{
	screen | grep -qE -- "$1"
}

# shows PATTERN - waits until the terminal does
shows()
{
	until_true on_screen "$1"
}

# seen WHAT PATTERN
seen()
{
	if shows "$2"; then
		ok "$1: $(screen | grep -E -m 1 -- "$2" | cut -c 1-60)"
	else
		not_ok "$1: the terminal does not show /$2/ but"
		screen
	fi
}

keys()
{
	mux send-keys -t top "$@"
}

# terminal_is_back WHAT STATUS - the program has ended with it, the terminal is as before
terminal_is_back()
{
	if ! until_true test -s "$work/after"; then
		not_ok "$1: it did not end"
		screen
		return
	fi
	equal "$1: exit status" "$(cat "$work/status")" "$2"
	equal "$1: stty -a" "$(cksum <"$work/after")" "$(cksum <"$work/before")" "before"
	shows "shell again"
	equal "$1: alternate screen, cursor, keypad" "$(mux display-message -p -t top \
		'#{alternate_on} #{cursor_flag} #{keypad_cursor_flag}#{keypad_flag}')" "0 1 00"
}

# has_lines HEIGHT - the terminal shows a picture of that height
has_lines()
{
	screen >"$work/screen"
	head -n 1 "$work/screen" | grep -q '^ptrace-pf top: ' &&
		(($(grep -n '^? help' "$work/screen" | cut -d : -f 1) == $1))
}

# full_page WHAT WIDTH HEIGHT - the picture ends with the status in the last line
full_page()
{
	until_true has_lines "$3"
	equal "$1: lines" "$(wc -l <"$work/screen")" "$3"
	equal "$1: first line" "$(head -n 1 "$work/screen" | grep -c '^ptrace-pf top: ')" 1
	equal "$1: last line" "$(tail -n 1 "$work/screen" | grep -c '^? help  q quit')" 1
	equal "$1: lines that are too wide" "$(awk -v w="$2" 'length > w' "$work/screen" | wc -l)" 0
}

check_sizes()
{
	terminal 80 24 -a
	seen "80x24" '\[1 process\]'
	full_page "80x24" 80 24
	mux resize-window -t top -x 200 -y 50
	full_page "resized to 200x50" 200 50
	mux resize-window -t top -x 41 -y 9
	full_page "resized to 41x9" 41 9
	keys q
	terminal_is_back "q after resizes" 0
	terminal 200 50 -a
	full_page "200x50" 200 50
	keys C-c
	terminal_is_back "Ctrl-C" 130
}

check_keys()
{
	terminal 80 24 -a
	keys '?'
	seen "key ?" 'Tab +the next view'
	keys '?' 2
	seen "key 2" '\[2 vma\]'
	keys Tab
	seen "Tab" '\[3 outcome\]'
	keys BTab
	seen "Shift-Tab" '\[2 vma\]'
	keys 4
	seen "key 4" 'no VM exits in this session'
	keys 6
	seen "key 6" '^addresses +rate/s +total'
	keys 1 s
	seen "key s" '\*total'
	keys r
	seen "key r" 'r: reversed'
	keys r S / no such name
	seen "typing a filter" '^show rows with: nosuchname_'
	keys Enter
	seen "a filter" "no row has the filter's text"
	keys "\\"
	seen "no filter" 'filter: none'
	keys p
	seen "key p" 'PAUSED'
	keys p z
	seen "key z" '^events [0-9],?[0-9]?'
	keys q
	terminal_is_back "q" 0
	equal "q: what it came to" "$(grep -cE '^ptrace-pf: [0-9,]+ events, [0-9,]+ lost$' "$work/err")" 1
}

# ended_by WHAT STATUS SIGNAL
ended_by()
{
	terminal 80 24 -a
	kill "-$3" "$pid"
	terminal_is_back "$1" "$2"
}

check_ends()
{
	ended_by "SIGTERM" 143 TERM
	ended_by "SIGHUP" 129 HUP
	ended_by "an assertion that fails (SIGABRT)" 134 ABRT
	ended_by "a fault of its own (SIGSEGV)" 139 SEGV
	ended_by "SIGUSR1" 138 USR1
	terminal 80 24 -a
	keys "C-\\"
	terminal_is_back 'SIGQUIT by its key' 131
}

alternate_is()
{
	(($(mux display-message -p -t top '#{alternate_on}') == $1))
}

# Only a shell with job control can be gone back to.
check_stop()
{
	mux kill-session -t top
	mux new-session -d -s top -x 80 -y 24 bash --norc -i
	keys "PS1='back: '; '$pf' top -a --delay 0.2" Enter
	seen "started by an interactive shell" '\[1 process\]'
	keys C-z
	until_true alternate_is 0
	seen "stopped by Ctrl-Z: the shell's screen" '^back:'
	keys fg Enter
	until_true alternate_is 1
	seen "goes on after Ctrl-Z" '\[1 process\]'
	keys q
	until_true alternate_is 0
	seen "q after Ctrl-Z" '^ptrace-pf: [0-9,]+ events, [0-9,]+ lost'
}

# Nothing can be read any more: there is no memory for what comes, and that is an error of the
# stream; the target has gone; the command has ended.
check_stream()
{
	terminal 80 24 -s page -a --comm "$name"
	prlimit --pid "$pid" --as=1
	"$work/$name" $PAGES >"$work/touched"
	terminal_is_back "a stream that fails" 1
	equal "a stream that fails: why" "$(grep -c 'Cannot allocate memory' "$work/err")" 1
	sleep 1000 &
	terminal 80 24 -p $!
	kill $!
	terminal_is_back "its target ended" 0
	rm -f "$work/seen"
	# shellcheck disable=SC2016 # for the command's own shell
	terminal 80 24 -- sh -c 'echo nonsense; echo nonsense >&2; cat
		until [ -e "$0" ]; do sleep 0.1; done' "$work/seen"
	screen >"$work/screen"
	: >"$work/seen"
	equal "a command's output is not on the screen" "$(grep -cE '^(nonsense|ptrace-pf top)' "$work/screen")" 1
	equal "a command's stderr, which is a file, is its own" "$(grep -c '^nonsense$' "$work/err")" 1
	terminal_is_back "its command ended" 0
}

# A terminal that cannot do it is told so, and left alone.
check_terms()
{
	local term

	for term in dumb nonsense; do
		rm -f "$work/after"
		mux kill-session -t top
		mux new-session -d -s top -x 80 -y 24 dash "$work/run" "$work" \
			env TERM=$term "$pf" top -a
		terminal_is_back "TERM=$term" 1
		equal "TERM=$term: says so" "$(grep -c "TERM=$term: .*use --batch" "$work/err")" 1
	done
}

check_batch
check_lost
check_options
check_sizes
check_keys
check_ends
check_stop
check_terms
check_stream
finish
