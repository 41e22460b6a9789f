# SPDX-License-Identifier: GPL-2.0
# "START LAST PERMISSIONS" of leaves, as mem_ranges.awk wants them: the permissions of the levels
# above are from upper_entries.sh (first file), the leaves from `info tlb` (second file). Subscripts
# are addresses as text: of a large number, mawk keeps six digits there. After hex.awk.

NR == FNR {
	level[digits($2)] = $1
	allowed[digits($2)] = $3
	next
}

{
	start = page($1)
	large = $3 ~ /P/
	pages = large ? 512 ^ (level[address(start)] - 1) : 1
	above = allowed[address(large ? start : start - start % 512)]
	print address(start), address(start + pages - 1), (above >= 4 && $3 ~ /U/ ? "u" : "-") "r" \
		(above % 4 >= 2 && $3 ~ /W/ ? "w" : "-")
}
