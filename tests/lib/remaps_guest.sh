# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # set in change_guest.sh, which sources this
# A part of change_guest.sh: what ptremap changes, among the events of tracers; compared with what
# ptremap watch tells of the same changes.
# told_by_watch, told_by_trace - the changes that each has told, in one form
told_by_watch()
{
	jq -c '[.time, .event, .id, .what, .pid, .address, .level, .before.value, .after.value, .cause]' \
		"$work/watched"
}

told_by_trace()
{
	"$pf" script --json -i "$work/both" | jq -c 'select(.type == "remap") |
		[.time, .event, .id, .what, .of, .va, .level, .old, .new, .cause]'
}

# remapped WORD... - how many remaps of the recording jq's condition is true of
remapped()
{
	"$pf" script --json -i "$work/both" | jq -c "select(.type == \"remap\" and ($*))" | wc -l
}

part_remaps()
{
	local recorder watcher counter

	start t
	rmmod ptremap
	fails "$what: remaps without the module" 1 "the module ptremap is not loaded.*--wait" \
		"$pf" live -e remap -p "${pid[t]}"
	"$pf" record -q -e fault,remap --wait -p "${pid[t]}" -o "$work/both" 2>"$work/err" &
	recorder=$!
	until grep -q 'waiting for it' "$work/err" || ! kill -0 $recorder 2>/dev/null; do sleep 0.1; done
	insmod "$module"
	"$pf" stat --json -e remap -p "${pid[t]}" -o "$work/counted" 2>>"$work/err" &
	counter=$!
	"$remap" watch --json --pid "${pid[t]}" >"$work/watched" 2>"$work/watch.err" &
	watcher=$!
	until [[ -s $work/both ]] || ! kill -0 $recorder 2>/dev/null; do sleep 0.1; done
	until grep -q watching "$work/watch.err" || ! kill -0 $watcher 2>/dev/null; do sleep 0.1; done
	# It gives up its rights once it has attached.
	until grep -q '^NoNewPrivs:.*1' "/proc/$counter/status" || ! kill -0 $counter 2>/dev/null; do sleep 0.1; done
	hold protect "$(place t a)" --clear RW
	let_go "protect" INT 130
	hold swap "$(place t a)" --with "${at[t-b]}"
	let_go "swap" TERM 143
	hold trap "$(place t d)"
	ask t read d
	let_go "trap" TERM 143
	hold map --fresh "$(place t c)"
	ask t discard c
	ends_alone "taken by discard" 1 "madvise"
	kill -INT $recorder $counter $watcher
	wait $recorder $counter $watcher
	told_by_watch >"$work/by_watch"
	told_by_trace >"$work/by_trace"
	equal "$what: what the recording has and watch has not, or otherwise" \
		"$(diff "$work/by_watch" "$work/by_trace" && echo nothing)" nothing
	equal "$what: all of them: one, a pair, one, one; and their ends" "$(wc -l <"$work/by_trace")" 10
	equal "$what: swaps, and their ends" "$(remapped '.what == "swap"')" 4
	equal "$what: made by ptremap" "$(remapped '.event == "made" and .comm == "ptremap"')" 5
	equal "$what: taken because of the program's own call" \
		"$(remapped '.event == "taken" and .cause == "clear" and .pid == .of')" 1
	equal "$what: remaps that stat has counted" \
		"$(jq -c '[.remaps.made, .remaps.taken + .remaps.undone, .remaps.lost, .lost.total]' "$work/counted")" \
		"[5,5,0,0]"
	at_least "$what: faults between the trap and its end" \
		"$("$pf" script -i "$work/both" | sed -n '/remap made.* trap /,/remap .* trap /p' |
			grep -c "${at[t-d]#0x}.*outcome=")" 1
	equal "$what: perf script: what is made" \
		"$(perf script -i "$work/both" 2>/dev/null | grep -c 'ptscope:remap: made id=')" 5
	"$pf" script -i "$work/both" | grep ': remap ' | head -n 3
	[[ -z ${LAB_RESULTS-} ]] || cp "$work/both" "$LAB_RESULTS/remaps.ptd"
	stop t
	nothing_listed "after the trace"
}

# until_stopped PID - each of its threads
until_stopped()
{
	while grep -qs '^State:[[:space:]]*[^[:space:]TZ]' "/proc/$1"/task/*/status; do sleep 0.05; done
}

# Many changes at once, while the recorder that has a small ring is stopped.
part_remaps_lost()
{
	local recorder i round places=() rounds=4 nr=16

	start t
	for ((i = 0; i < nr; i++)); do
		places+=("${pid[t]}:$(printf '0x%x' $((at[t-a] + i * 4096)))")
		ask t write "${places[i]#*:}" text
	done
	"$pf" record -q -e remap -m 4K -p "${pid[t]}" -o "$work/few" 2>"$work/err" &
	recorder=$!
	until [[ -s $work/few ]] || ! kill -0 $recorder 2>/dev/null; do sleep 0.1; done
	kill -STOP $recorder
	until_stopped $recorder
	for ((round = 0; round < rounds; round++)); do
		ends_with "$what: $nr pages for 1 ms" 0 "$remap" protect --clear RW --for 1ms "${places[@]}"
	done
	kill -CONT $recorder
	kill -INT $recorder
	wait $recorder
	"$pf" report --json --sort event -i "$work/few" >"$work/json"
	equal "$what: a small ring: complete" "$(jq .complete "$work/json")" true
	adds_up "$what: a small ring" "$(jq .events "$work/json")" "$(jq .lost.total "$work/json")" \
		$((2 * nr * rounds)) "changes made, and their ends"
	at_least "$what: a small ring: events" "$(jq .events "$work/json")" 1
	at_least "$what: a small ring: lost" "$(jq .lost.total "$work/json")" 1
	equal "$what: a small ring: remaps in the file" \
		"$("$pf" script -i "$work/few" | grep -c ': remap ')" "$(jq .events "$work/json")"
	stop t
	nothing_listed "after a small ring"
}
