# SPDX-License-Identifier: GPL-2.0
# Addresses to translate, from `info tlb`: for each combination of flags the first and the last
# page, an address in the midst of each, and what is just before and behind. After hex.awk.
# -v bits=N: of an address, without its sign: 32, 48 or 57

# short(HEX) - with 0x, without leading zeros
function short(hex)
{
	sub(/^0+/, "", hex)
	return "0x" hex
}

function choose(n)
{
	if (n >= 0 && n < (bits == 32 ? 2 ^ 20 : 2 ^ 52))
		print short(substr(address(n), 1, 13) "5a8")
}

function choose_around(n, flags)
{
	choose(n - 1)
	choose(n)
	choose(n + 1)
	if (flags ~ /P/) {
		choose(n + 511)
		choose(n + 512)
	}
}

{
	if (!($3 in first))
		first[$3] = page($1)
	last[$3] = page($1)
}

END {
	for (flags in first) {
		choose_around(first[flags], flags)
		choose_around(last[flags], flags)
	}
	choose(0)
	if (bits > 32) {
		# The ends of the two halves of the canonical addresses, from both sides.
		choose(2 ^ (bits - 13) - 1)
		choose(2 ^ (bits - 13))
		choose(2 ^ 52 - 2 ^ (bits - 13) - 1)
		choose(2 ^ 52 - 2 ^ (bits - 13))
		choose(2 ^ 52 - 1)
	}
}
