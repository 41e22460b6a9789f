# SPDX-License-Identifier: GPL-2.0
# What QEMU's `info tlb` prints for pages "ADDRESS PA SIZE ENTRY": SIZE in decimal, others in hex.
# After hex.awk.

BEGIN {
	split("X G P D A C T U W", letter)
	split("63 8 7 6 5 4 3 2 1", at)
}

{
	flags = ""
	for (i = 1; i <= 9; i++) {
		# Bit 7 of a small page's entry is PAT, which is not shown.
		set = bit($4, at[i]) && !(at[i] == 7 && $3 == 4096)
		flags = flags (set ? letter[i] : "-")
	}
	printf "%s: %s %s\n", digits($1), digits($2), flags
}
