#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Names that programs give themselves, their files and their functions do no harm in any output, and
# are whole where a parser reads them; so do texts of guests, and names that guests give (recorded in
# the lab, tests/replay/record.sh).
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly NAME=$'=\e[31m<img src=x onerror=alert(1)>\xe2\x80\xae\xc2\x9b\x9b;"\n@'
readonly outputs=$work/outputs recording=$work/recording

# makes FILE COMMAND [ARG]... - its stdout and stderr, into the folder of outputs
makes()
{
	local file=$1

	shift
	"$@" >"$outputs/$file" 2>"$outputs/$file.errors"
	equal "$file: exit status" $? 0
	mv "$outputs/$file.errors" "$outputs/errors-$file"
}

mkdir "$outputs"
cp "$bin/tests/nasty" "$work/$NAME"
"$pf" record -q --hook rawtp -g -o "$recording" -- "$work/$NAME" || not_ok "record"

makes text-report "$pf" report -i "$recording" --sort comm,symbol,dso,vma,file
makes json-report "$pf" report -i "$recording" --sort comm,symbol,dso,vma,file --json
makes csv-report "$pf" report -i "$recording" --sort comm,symbol,dso,vma,file --csv
makes folded-report "$pf" report -i "$recording" --folded
makes html-report "$pf" report -i "$recording" --html -
makes text-script "$pf" script -i "$recording"
makes lines-script "$pf" script -i "$recording" --json
makes text-diff "$pf" diff --sort comm,symbol "$recording" "$recording"
makes json-diff "$pf" diff --sort comm,symbol --json "$recording" "$recording"
makes csv-diff "$pf" diff --sort comm,symbol --csv "$recording" "$recording"
makes json-perfetto "$pf" export -i "$recording" --perfetto -
makes text-top "$pf" top --batch --hook rawtp -a --comm $'=\e[2J<b>\xe2\x80\xae"\n;' -- "$work/$NAME" 2000
makes text-live "$pf" live --hook rawtp -- "$work/$NAME" 100
makes openmetrics-stat "$pf" stat --openmetrics --hook rawtp -- "$work/$NAME"
guest=(--abi "$top/user/abi/bitvisor.abi")
calls=$top/tests/replay/abi-bitvisor-nasty.ptd
makes text-guest-report "$pf" report "${guest[@]}" -i "$calls" --sort call
makes json-guest-report "$pf" report "${guest[@]}" -i "$calls" --sort call --json
makes csv-guest-report "$pf" report "${guest[@]}" -i "$calls" --sort call --csv
makes html-guest-report "$pf" report "${guest[@]}" -i "$calls" --html -
makes text-guest-script "$pf" script "${guest[@]}" -i "$calls"
makes lines-guest-script "$pf" script "${guest[@]}" -i "$calls" --json
makes text-guest-diff "$pf" diff "${guest[@]}" --sort call "$calls" "$calls"
makes json-guest-diff "$pf" diff "${guest[@]}" --sort call --json "$calls" "$calls"
makes csv-guest-diff "$pf" diff "${guest[@]}" --sort call --csv "$calls" "$calls"
makes json-guest-perfetto "$pf" export "${guest[@]}" -i "$calls" --perfetto -
/usr/bin/python3 "$top/tests/system/nasty_check.py" "$outputs" || failures=$((failures + 1))
events=$(jq -s 'map(select(.type == "fault")) | length' "$outputs/lines-script")
equal "script: lines as events" "$(wc -l <"$outputs/text-script")" "$events"
equal "script of a guest: lines as events" "$(wc -l <"$outputs/text-guest-script")" 28
# What a guest puts into a name is no field of the line.
equal "script of a guest: fields that its names make up" \
	"$(sed -E 's/"([^"\\]|\\.)*"//g' "$outputs/text-guest-script" | grep -c ' nr=0x7')" 0
# The file is gone by its name: messages have it, too.
fails "a file that is not there" 1 'img src' "$pf" report -i "$work/$NAME.none"
equal "messages: what is hidden" "$(tr -d '\n' <"$work/err" | LC_ALL=C.UTF-8 grep -acP '[\x00-\x1f\x7f-\x{9f}\x{202e}]')" 0
finish
