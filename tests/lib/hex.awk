# SPDX-License-Identifier: GPL-2.0
# Addresses in hex as page numbers and back, for awk computes exactly with 53 bits only.

# digits(HEX) - all 16 of them, whether there is a 0x before them or not
function digits(hex)
{
	sub(/^0x/, "", hex)
	return substr("0000000000000000", length(hex) + 1) hex
}

function page(hex,	i, n)
{
	hex = digits(hex)
	for (i = 1; i <= 13; i++)
		n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
	return n
}

function address(n,	high)
{
	high = int(n / 2 ^ 24)
	return sprintf("%07x%06x000", high, n - high * 2 ^ 24)
}

function bit(hex, n,	digit)
{
	digit = index("0123456789abcdef", substr(digits(hex), 16 - int(n / 4), 1)) - 1
	return int(digit / 2 ^ (n % 4)) % 2
}
