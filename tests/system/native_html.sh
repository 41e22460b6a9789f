#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Pages of report --html: what they count, how large they become, and how a browser shows them.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly PAGES=$bin/tests/html # kept, to be looked at
readonly PAGES_TOUCHED=300000
readonly LARGEST=$((5 << 20))

# document FILE - the JSON in a page
document()
{
	sed -n '/id="data">/,/<\/script>$/ { s/.*id="data">//; s/<\/script>$//; p }' "$1"
}

# totals NAME RECORDING - each part of a page has every event
totals()
{
	local page=$work/$1.html events

	"$pf" report -i "$2" --html "$page" || not_ok "$1: the page is written"
	events=$("$pf" report -i "$2" --json | jq .events)
	document "$page" >"$work/document"
	equal "$1: events" "$events" "$(jq '.recording.faults + .recording.vm_exits' "$work/document")"
	equal "$1: events of the address space and of exits" "$events" \
		"$(jq '[.space, .exits | .series[].cells | to_entries[] | select(.key % 3 == 2).value] | add' \
			"$work/document")"
	equal "$1: faults of the flame graph" "$(jq .recording.faults "$work/document")" \
		"$(jq '.flame.nodes[2]' "$work/document")"
	equal "$1: events of the tables" true \
		"$(jq '[.tables[] | select(.report.groups | length < 200) |
			([.report.groups[].count] | add) == .report.events] | all' "$work/document")"
}

refusals()
{
	local out=$work/out.html

	echo before >"$out"
	fails "--html with --sort" 2 "does not go with --sort" "$pf" report --html "$out" --sort comm
	fails "--html with --json" 2 "does not go with" "$pf" report --html "$out" --json
	fails "--html of what is no recording" 1 "README" "$pf" report -i "$top/README.md" --html "$out"
	fails "--html where nothing can be written" 1 "/none/x.html" "$pf" report \
		-i "$work/touch" --html /none/x.html
	fails "--html on a full disk" 1 "No space" "$pf" report -i "$work/touch" --html "$work/full/x.html"
	equal "what was there stays" before "$(cat "$out")"
	equal "unfinished files that are left" 0 "$(find "$work" -name '*.new' | wc -l)"
}

mkdir -p "$PAGES" "$work/full"
mount -t tmpfs -o size=64k none "$work/full" && at_exit umount "$work/full"
"$pf" record -q --hook rawtp -g -o "$work/program" -- ls -R /usr/share/doc >/dev/null
"$pf" record -q --hook rawtp -o "$work/touch" -- "$bin/tests/touch" $PAGES_TOUCHED >/dev/null
totals "a program with call chains" "$work/program"
totals "many faults" "$work/touch"
totals "hypercalls" "$top/tests/replay/abi-kvm.ptd"
totals "a recording that was cut" "$top/tests/replay/cut.ptd"
size=$(stat -c %s "$work/many faults.html")
equal "$PAGES_TOUCHED faults make $size bytes: more than $LARGEST" 0 $((size > LARGEST))
refusals
cp "$work/a program with call chains.html" "$PAGES/faults.html"
cp "$work/hypercalls.html" "$PAGES/vms.html"
timeout 120 /usr/bin/python3 "$top/tests/system/html_page.py" "$PAGES" "$PAGES/faults.html" "$PAGES/vms.html" ||
	not_ok "the page in a browser"
finish
