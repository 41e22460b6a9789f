# SPDX-License-Identifier: GPL-2.0
# Counts the events of process pid and of one origin whose address is in one of the ranges
# ("FIRST LAST FIRST LAST ...", hex digits only). Hex of the same length compares as text does.
BEGIN {
	n = split(ranges, range, " ")
}
$2 ~ "^" pid "/" && $5 == origin && match($0, / addr=0x[0-9a-f]+/) {
	address = substr($0, RSTART + 8, RLENGTH - 8)
	for (i = 1; i < n; i += 2)
		if (length(address) == length(range[i]) && address >= range[i] "" &&
		    address <= range[i + 1] "")
			count++
}
END {
	print count + 0
}
