# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Permissions of 5-level tables as QEMU's monitor sees the guest's memory, for `info mem` is of no
# use there: in QEMU 7.2 mem_info_la57() takes present entries for missing ones and the other way
# round, and prints nothing. Here the upper tables are read by `xp`; the leaves' own bits are in
# `info tlb`. After monitor.sh.

# present_entries TABLE... - of tables at these physical addresses: "N INDEX ENTRY", N counting them
# from 0
present_entries()
{
	hmp 0 "${@/#/xp /512gx }" | awk '{
		for (i = 2; i <= NF; i++) {
			if ($i ~ /[13579bdf]$/)
				print int(n / 512), n % 512, $i
			n++
		}
	}'
}

# upper_entries TABLE - "LEVEL ADDRESS PERMISSIONS", in decimal, hex and decimal, of the entries of
# level 2 and of large leaves. PERMISSIONS are R/W and U/S of all levels down to there, at their
# places in an entry. TABLE is that of level 5.
upper_entries()
{
	local tables=("$1") bases=(0) permissions=(6) level n index entry base
	local next_bases next_permissions next_tables

	for level in 5 4 3 2; do
		next_tables=() next_bases=() next_permissions=()
		while read -r n index entry; do
			base=$((bases[n] | index << (12 + 9 * (level - 1))))
			if ((level == 2 || level == 3 && entry & 0x80)); then
				# Bit 56 is the sign.
				printf '%d %016x %d\n' $level $((base << 7 >> 7)) \
					$((permissions[n] & entry))
				continue
			fi
			next_tables+=($((entry & 0xffffffffff000)))
			next_bases+=("$base")
			next_permissions+=($((permissions[n] & entry)))
		done < <(present_entries "${tables[@]}")
		tables=("${next_tables[@]}") bases=("${next_bases[@]}")
		permissions=("${next_permissions[@]}")
	done
}
