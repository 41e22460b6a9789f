#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The page-table core as part of a kernel module: built with the headers of Debian's kernels,
# loaded there with 4 and 5 levels, where it checks itself against the kernel's own tables.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# make_module DIR KERNEL [ARG]... - a module in DIR; its words go to DIR/log
make_module()
{
	local dir=$1 kernel=$2 headers

	shift 2
	headers=$("$top/scripts/lab-kernel" --headers "$kernel") || return 1
	rm -rf "$dir"
	mkdir -p "$dir/pt" && cp "$top"/tests/kbuild/* "$dir" && cp "$top"/user/pt/*.[ch] "$dir/pt" ||
		return 1
	# BTF of modules needs the kernel's vmlinux and pahole, and nothing here reads it.
	MAKEFLAGS='' make -j"$(nproc)" -C "$headers" M="$dir" CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules >"$dir/log" 2>&1
}

# built KERNEL DIR - with the kernel's additional warnings, all of them errors
built()
{
	make_module "$2" "$1" W=1
	equal "$1: build with W=1: status" $? 0
	equal "$1: build: warnings" "$(grep -ciE 'warning|error:|undefined' "$2/log")" 0
	grep -iE -m 20 'warning|error' "$2/log"
	[[ -f $2/ptw_test.ko ]]
}

# sparse_is_quiet KERNEL DIR - about the core; the kernel's headers are not ours
sparse_is_quiet()
{
	make_module "$2" "$1" C=2
	equal "$1: sparse: files" "$(grep -c '^  CHECK ' "$2/log")" \
		"$(find "$2" -name '*.c' ! -name '*.mod.c' | wc -l)" "source files"
	equal "$1: sparse: warnings" "$(grep -E '(warning|error):' "$2/log" | grep -c "$2/")" 0
	grep -E -m 20 "$2/.*(warning|error):" "$2/log"
}

# loaded KERNEL LEVELS DIR
loaded()
{
	local what="$1, $2 levels" said=$work/said failed

	# shellcheck disable=SC2016 # expanded in the lab
	"$top/scripts/lab" --kernel "$1" --cpu-levels "$2" --quiet --timeout 120 -- sh -c '
		insmod "$1" && rmmod ptw_test
		status=$?
		dmesg | grep -o "ptw_test: .*"
		exit $status' sh "$3/ptw_test.ko" >"$said" 2>"$work/err"
	equal "$what: loaded and unloaded, nothing in the kernel log: status" $? 0
	cat "$work/err"
	equal "$what: the CPU's tables" "$(sed -n "s/.*the CPU's tables: //p" "$said")" "$2level"
	failed=$(sed -n 's/.* checks, \([0-9]*\) failed$/\1/p' "$said")
	equal "$what: failed checks of $(sed -n 's/.*: \([0-9]*\) checks, .*/\1/p' "$said")" \
		"$failed" 0
	[[ $failed == 0 ]] || grep 'not so' "$said"
}

for kernel in 6.1 6.12; do
	dir=$bin/tests/kbuild-$kernel
	built "$kernel" "$dir" || continue
	[[ $kernel == 6.1 ]] && first=4 || first=5
	for levels in $(long "$first" '4 5'); do
		loaded "$kernel" "$levels" "$dir"
	done
	sparse_is_quiet "$kernel" "$dir-sparse"
done
finish
