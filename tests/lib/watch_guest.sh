# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set in change_guest.sh, which sources this
# Inside the lab: ptremap watch; changes of processes that are no more; read and write of a process'
# memory.

# watch ARG... - ptremap watch in the background; returns when it watches. Sets $watcher
watch()
{
	local tries

	"$remap" watch "$@" >"$work/watched" 2>"$work/watched.err" &
	watcher=$!
	for ((tries = 0; tries < 200; tries++)); do
		grep -q watching "$work/watched.err" && return
		sleep 0.05
	done
	not_ok "$what: watch $*: does not watch"
}

# watched WHAT STATUS - waits for the end of it
watched()
{
	local status

	wait "$watcher"
	status=$?
	equal "$what: $1: status" $status "$2"
}

# until_watched N - until it has printed so many lines
until_watched()
{
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		(($(wc -l <"$work/watched") >= $1)) && return
		sleep 0.05
	done
	not_ok "$what: watch: fewer than $1 lines"
}

part_watch()
{
	start t
	start s
	check_watch_text
	check_watch_json
	check_watch_ends
	check_told_at_once
	check_recycled
	nothing_listed "after all"
	stop t s
}

check_watch_text()
{
	local id

	watch --count 5
	"$remap" protect --clear RW "$(place t c)" --keep >"$work/out" 2>/dev/null
	id=$(sed -n 's/^transaction //p' "$work/out")
	ask t protect c
	"$remap" undo "$id" 2>/dev/null
	hold map --fresh "$(place t a)"
	let_go "watch" TERM 143
	"$remap" map --fresh "$(place t b)" --for 100ms >/dev/null 2>&1
	watched "watch --count" 0
	equal "$what: watch: what happened" "$(cut -d ' ' -f 2,4,5 "$work/watched" | tr '\n' ';')" \
		"made protect $(place t c);taken protect $(place t c);made fresh $(place t a);undone fresh $(place t a);made fresh $(place t b);"
	equal "$what: watch: the entries of what was made, as the command has them" \
		"$(head -n 1 "$work/watched" | cut -d ' ' -f 6-8)" \
		"$(awk '$1 == "before" { b = $2 } $1 == "after" { print b, "->", $2 }' "$work/out" | tr -d :)"
	equal "$what: watch: the entries of what was taken" \
		"$(sed -n 2p "$work/watched" | cut -d ' ' -f 6-8)" \
		"$(head -n 1 "$work/watched" | awk '{ print $8, $7, $6 }')"
	equal "$what: watch: the cause, in words" \
		"$(sed -n 2p "$work/watched" | cut -d ' ' -f 9-)" \
		"before protect: the kernel changed the protection (mprotect, fork, NUMA balancing)"
	equal "$what: watch: times that are in order" "$(cut -d ' ' -f 1 "$work/watched" | sort -nc && echo yes)" yes
}

check_watch_json()
{
	watch --json --pid "${pid[s]}"
	hold map --fresh "$(place t b)"
	let_go "watch --pid" TERM 143
	hold trap "$(place s b)"
	ask s discard b
	ends_alone "watch --json" 1 madvise
	until_watched 2
	kill -INT "$watcher"
	watched "watch --json, after Ctrl-C" 130
	equal "$what: watch --json --pid" \
		"$(jq -r '[.event, .what, .state, .cause, .pid, .address] | @csv' "$work/watched" | tr -d '"' | tr '\n' ' ')" \
		"made,trap,active,,${pid[s]},${at[s-b]} taken,trap,taken,clear,${pid[s]},${at[s-b]} "
	equal "$what: watch --json: members" "$(jq -c 'keys' "$work/watched" | sort -u)" \
		'["address","after","before","cause","event","id","keep","level","pid","state","time","what"]'
	watch --id 4000000000 --for 300ms
	"$remap" trap "$(place t b)" --for 50ms >/dev/null 2>&1
	watched "watch --id, --for" 0
	equal "$what: watch --id: lines about others" "$(wc -l <"$work/watched")" 0
}

check_watch_ends()
{
	local reader

	mkfifo "$work/pipe"
	head -n 1 "$work/pipe" >"$work/watched.head" &
	reader=$!
	"$remap" watch >"$work/pipe" 2>"$work/watched.err" &
	watcher=$!
	until grep -q watching "$work/watched.err"; do sleep 0.05; done
	"$remap" trap "$(place t b)" --for 50ms >/dev/null 2>&1
	wait $reader
	watched "watch, whose reader has left" 0
	equal "$what: watch, whose reader has left: words" "$(cat "$work/watched.err")" "ptremap: watching"
	watch
	fails "$what: rmmod while there is a watch" 1 "in use" rmmod ptremap
	"$remap" watch --count 1 >/dev/full 2>"$work/err" &
	reader=$!
	until grep -q watching "$work/err"; do sleep 0.05; done
	"$remap" trap "$(place t b)" --for 50ms >/dev/null 2>&1
	wait $reader
	equal "$what: watch to a full disk: status" $? 1
	kill -TERM "$watcher"
	watched "watch, after SIGTERM" 143
	fails "$what: watch: not root" 1 "run as root" setpriv --reuid 1000 --clear-groups "$remap" watch
	rmmod ptremap
	fails "$what: watch without the module" 1 "not loaded" "$remap" watch
	insmod "$module"
}

# A line for what is taken, while the rest is still in force.
check_told_at_once()
{
	local tries

	hold map --fresh "$(place t a)" "$(place t b)"
	ask t discard a
	for ((tries = 0; tries < 600; tries++)); do
		grep -q 'original is back' "$work/held.err" && break
		sleep 0.05
	done
	equal "$what: told while the other one is in force" \
		"$(grep -c "pid ${pid[t]}, ${at[t-a]}: the original is back: .*madvise" "$work/held.err")" 1
	sees "told at once" t b -
	let_go "told at once" TERM 143
	rm -f "$work/told"
	# shellcheck disable=SC2016 # for the command's own shell
	"$remap" map --fresh "$(place t c)" -- sh -c 'until [ -e "$0" ]; do sleep 0.05; done; exit 3' \
		"$work/told" >/dev/null 2>"$work/held.err" &
	holder=$!
	until grep -q '^transaction' "$work/held.err"; do sleep 0.05; done
	ask t discard c
	for ((tries = 0; tries < 600; tries++)); do
		grep -q 'original is back' "$work/held.err" && break
		sleep 0.05
	done
	equal "$what: told while the command runs" "$(grep -c 'original is back' "$work/held.err")" 1
	: >"$work/told"
	wait $holder
	equal "$what: ... whose status it is" $? 3
}

# The process of a plan ends before the plan is made, and another one gets its number.
check_recycled()
{
	local old va in planner heir tries

	start r
	old=${pid[r]} va=${at[r-a]}
	mkfifo "$work/plan"
	"$remap" apply "$work/plan" >"$work/out" 2>"$work/planned.err" &
	planner=$!
	exec {in}>"$work/plan"
	echo "trap $old:$va" >&"$in"
	# Lines are read as they come: it has the process open when it is asleep in the next read.
	for ((tries = 0; tries < 100; tries++)); do
		grep -q "^Pid:.*[[:space:]]$old\$" /proc/$planner/fdinfo/* 2>/dev/null && break
		sleep 0.05
	done
	stop r
	for ((tries = 0; tries < 100; tries++)); do
		echo $((old - 1)) >/proc/sys/kernel/ns_last_pid
		(exec {in}>&-; exec sleep 1000) &
		heir=$!
		((heir == old)) && break
		kill $heir
		wait $heir 2>/dev/null
	done
	equal "$what: a recycled pid" "$heir" "$old"
	exec {in}>&-
	wait $planner
	equal "$what: a plan whose process has ended: status" $? 1
	equal "$what: a plan whose process has ended: words" "$(cat "$work/planned.err")" \
		"ptremap: $work/plan, line 1: trap $old:$va: no such process"
	kill $heir
	wait $heir 2>/dev/null
}

# ---- memory of a process ---------------------------------------------------------------------

# memory PROGRAM ADDRESS LEN - what /proc/PID/mem has
memory()
{
	dd if="/proc/${pid[$1]}/mem" bs=1 skip=$(($2)) count="$3" iflag=skip_bytes,count_bytes status=none
}

part_memory()
{
	local a b

	start t
	a=${at[t-a]} b=${at[t-b]}
	"$remap" read --pid "${pid[t]}" --va "$a" --raw 64 >"$work/got"
	memory t "$a" 64 >"$work/want"
	equal "$what: read --va --raw: /proc/PID/mem" "$(cmp "$work/got" "$work/want" && echo same)" same
	equal "$what: read --va: rows" "$("$remap" read --pid "${pid[t]}" --va "$a" 20 | cut -c 1-16 | tr '\n' ' ')" \
		"$(printf '%016x %016x ' $((a)) $((a + 16)))"
	check_holes
	check_memory_write
	check_memory_refused
	sees "after all" t d t-d
	stop t
}

# Pages a, b, c and d have an untouched one between them.
check_holes()
{
	local first=$((at[t-a] + 4096)) third=$((at[t-b] + 4096))

	"$remap" read --pid "${pid[t]}" --va "${at[t-a]}" --raw 16384 >"$work/got" 2>"$work/err"
	equal "$what: read --va with holes: status" $? 1
	{ memory t "${at[t-a]}" 4096; head -c 4096 /dev/zero; memory t "${at[t-b]}" 4096; head -c 4096 /dev/zero; } >"$work/want"
	equal "$what: read --va with holes: bytes, zeros where there are none" \
		"$(cmp "$work/got" "$work/want" && echo same)" same
	equal "$what: read --va with holes: words" "$(tr '\n' ';' <"$work/err")" \
		"$(printf 'ptremap: 0x%x-0x%x: 4096 bytes were not read: mapped, but there is no page yet: nothing at PTE;' \
			$first $((first + 4095)) $third $((third + 4095)))"
	fails "$what: read --va: nothing mapped" 1 \
		"0x10000-0x1001f: 32 bytes were not read: nothing is mapped there" \
		"$remap" read --pid "${pid[t]}" --va 0x10000 32
	fails "$what: read --va: 64 GiB where nothing is" 1 "68719476736 bytes were not read: nothing is mapped" \
		"$remap" read --pid "${pid[t]}" --va 0x100000000 64G
}

check_memory_write()
{
	ends_with "$what: write --va --hex" 0 \
		"$remap" write --pid "${pid[t]}" --va "${at[t-d]}" --hex "$(printf other-text | od -An -tx1) 00"
	sees "write --va --hex" t d other-text
	printf 't-d\0' >"$work/text"
	ends_with "$what: write --va --file" 0 \
		"$remap" write --pid "${pid[t]}" --va "${at[t-d]}" --file "$work/text"
	sees "write --va --file" t d t-d
	# From the last bytes of a page on, into the hole behind it.
	fails_lines "write --va into a hole" 1 2 "cannot be written: mapped, but there is no page" \
		"$remap" write --pid "${pid[t]}" --va $((at[t-b] + 4092)) --hex 0102030405060708
	equal "$what: write --va into a hole: nothing is written" \
		"$(memory t $((at[t-b] + 4092)) 4 | od -An -tx1)" " 00 00 00 00"
	fails_lines "write --va --partial" 1 2 "were not written: mapped, but there is no page" \
		"$remap" write --pid "${pid[t]}" --va $((at[t-b] + 4092)) --hex 0102030405060708 --partial
	equal "$what: write --va --partial: words" "$(tail -n 1 "$work/err")" "ptremap: 4 of 8 bytes were written"
	equal "$what: write --va --partial: what could be, is written" \
		"$(memory t $((at[t-b] + 4092)) 4 | od -An -tx1)" " 01 02 03 04"
	fails_lines "write --va to shared read-only memory" 1 2 "read-only memory \(--force" \
		"$remap" write --pid "${pid[t]}" --va "${at[t-read-only]}" --hex 41
	sees "write --va to shared read-only memory" t read-only t-read-only
	ends_with "$what: write --va --force" 0 \
		"$remap" write --pid "${pid[t]}" --va "${at[t-read-only]}" --hex 54 --force
	sees "write --va --force" t read-only T-read-only
}

# fails_lines WHAT STATUS LINES PATTERN COMMAND... - as fails, with more lines, the first of which matches
fails_lines()
{
	local status

	"${@:5}" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	if ((status == $2)) && (($(wc -l <"$work/err") == $3)) && head -n 1 "$work/err" | grep -qE -- "$4"; then
		ok "$what: $1: $status, $(head -n 1 "$work/err")"
	else
		not_ok "$what: $1: status $status (not $2), /$4/:"
		cat "$work/err"
	fi
}

check_memory_refused()
{
	local remap_read=("$remap" read)

	fails "$what: --va and --pa" 2 "exclude each other" "${remap_read[@]}" --pa 0 --pid 1 --va 0 1
	fails "$what: --va without --pid" 2 "go together" "${remap_read[@]}" --va 0 1
	fails "$what: --pid without an address" 2 "missing" "${remap_read[@]}" --pid 1 1
	fails "$what: --va and --mmio" 2 "for --pa" "${remap_read[@]}" --pid 1 --va 0 --mmio 4 4
	fails "$what: --force without --va" 2 "for --va" "$remap" write --pa 0 --force --hex 00
	fails "$what: no such process" 1 "no such process" "${remap_read[@]}" --pid 4194000 --va 0 1
	fails "$what: a kernel thread" 1 "has no memory" "${remap_read[@]}" --pid "$(pgrep -x kthreadd)" --va 0 1
	fails "$what: the kernel's half" 1 "user space" \
		"${remap_read[@]}" --pid "${pid[t]}" --va 0xffff888000000000 1
}
