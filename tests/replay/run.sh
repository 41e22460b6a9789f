#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Replays the recordings beside this script and compares what is printed with the golden files:
#
#	tests/replay/run.sh            compare; one line each, a diff where they differ
#	tests/replay/run.sh --update   write the golden files anew
#
# PTRACE_PF is the program under test (default: build/ptrace-pf). Symbols come from the files and
# the kernel of the machine that replays, so they are blanked in scripts, and reports are made by
# other keys. Recordings called abi-NAME.ptd or abi-NAME-WORD.ptd are of hypercalls, told by NAME.abi,
# of this folder or of those that are installed.
# Exit: 0 all equal, 1 something differs, 2 wrong usage, 77 nothing to compare.

dir=$(cd "$(dirname "$0")" && pwd) || exit 2
: "${PTRACE_PF:=$dir/../../build/ptrace-pf}"
update=false
case "$*" in
'') ;;
--update) update=true ;;
*)
	echo "usage: run.sh [--update]" >&2
	exit 2
	;;
esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
failed=0
compared=0

blank_symbols()
{
	sed -E \
		-e 's/"symbol":"[^"]*","dso":"[^"]*"/"symbol":"SYMBOL"/g' \
		-e 's/(ip=0x[0-9a-f]+) (\[unknown\]|.*\+0x[0-9a-f]+) \(/\1 SYMBOL (/' \
		-e 's/"symbol":("[^"]*"|null),"symbol_offset":([0-9]+|null)/"symbol":"SYMBOL"/g'
}

# compare NAME GOLDEN COMMAND...: the exit code and stderr belong to what is compared
compare()
{
	name=$1
	golden=$2
	shift 2
	"$PTRACE_PF" "$@" >"$tmp/raw" 2>"$tmp/err"
	code=$?
	{
		blank_symbols <"$tmp/raw"
		sed 's/^/stderr: /' "$tmp/err"
		[ $code -eq 0 ] || echo "exit: $code"
	} >"$tmp/out"
	compared=$((compared + 1))
	if $update; then
		cp "$tmp/out" "$golden"
		echo "updated replay $name"
	elif [ -f "$golden" ] && diff -u "$golden" "$tmp/out" >"$tmp/diff"; then
		echo "ok replay $name"
	else
		echo "not ok replay $name"
		[ -f "$golden" ] || echo "no golden file $golden" >"$tmp/diff"
		cat "$tmp/diff"
		failed=$((failed + 1))
	fi
}

if [ ! -x "$PTRACE_PF" ]; then
	echo "run.sh: $PTRACE_PF: not there; build it or set PTRACE_PF" >&2
	exit 2
fi
PTRACE_PF=$(realpath "$PTRACE_PF")
# The same words for the same file, wherever the tree is.
cd "$dir" || exit 2
for file in *.ptd; do
	case $file in
	'*.ptd' | abi-*) continue ;;
	esac
	base=${file%.ptd}
	compare "$base script" "$base.script" script -i "$file"
	compare "$base script --json" "$base.json" script --json -i "$file"
	compare "$base report" "$base.report" report --sort comm,access,outcome,level -i "$file"
	compare "$base report --json" "$base.report.json" \
		report --json --sort pid,file,outcome -i "$file"
done
# Call chains. Programs have no names here, but what the recording itself tells of: BPF programs.
for base in rawtp-stacks gup-stacks; do
	compare "$base report -g callee" "$base.callee" report -g callee --sort comm,origin -i "$base.ptd"
	compare "$base report -g caller --json" "$base.caller.json" \
		report -g caller,5 --json --sort comm -i "$base.ptd"
	compare "$base report --children" "$base.children" \
		report --children --sort symbol,caller -i "$base.ptd"
	compare "$base report --children --csv" "$base.children.csv" \
		report --children --csv --sort dso,srcline -i "$base.ptd"
	compare "$base report --folded" "$base.folded" report --folded -i "$base.ptd"
done
for file in abi-*.ptd; do
	[ -f "$file" ] || continue
	base=${file%.ptd}
	abi=${base#abi-}
	abi=${abi%-*}.abi
	[ -f "$abi" ] || abi=../../user/abi/$abi
	[ "${abi#*/}" = "$abi" ] && abi=./$abi
	compare "$base script" "$base.script" script --abi "$abi" -i "$file"
	compare "$base script --json" "$base.json" script --json --abi "$abi" -i "$file"
	compare "$base report" "$base.report" report --abi "$abi" -i "$file"
	compare "$base report --json" "$base.report.json" \
		report --json --sort call,nr --abi "$abi" -i "$file"
done
# Recordings against each other: one a side, several, a cut one, and hypercalls.
a=fentry-4level.ptd b=kprobe-5level.ptd c=rawtp-stacks.ptd
compare "diff" diff.text diff --sort comm,outcome "$a" "$b"
compare "diff, several" diff-several.text diff --sort outcome,access "$a,$b" "$c,$a,cut.ptd"
compare "diff --json" diff.json diff --json --sort pid,level "$a,$a" "$b,$a"
compare "diff --csv" diff.csv diff --csv --limit 20 --sort file,access "$a" "$b"
compare "diff --csv of one that was cut" diff-cut.csv diff --csv --sort access "$a" cut.ptd
compare "diff --beyond-noise" diff-beyond.text \
	diff --beyond-noise --sort outcome,access "$a,$a,$a" "$a,$a,$a"
compare "diff of hypercalls" diff-calls.text diff --abi ../../user/abi/kvm.abi --sort call,vcpu \
	abi-kvm.ptd abi-bitvisor.ptd,abi-kvm.ptd
compare "export" export-faults.json export --perfetto - -i "$a"
compare "export of a recording that was cut" export-cut.json export --perfetto - -i cut.ptd
compare "export of hypercalls" export-calls.json \
	export --perfetto - --abi ../../user/abi/kvm.abi -i abi-kvm.ptd
if [ $compared -eq 0 ]; then
	echo "skip replay: no recordings"
	exit 77
fi
echo "replay: $compared compared, $failed differ"
[ $failed -eq 0 ]
