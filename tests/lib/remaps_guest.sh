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
