# SPDX-License-Identifier: GPL-2.0
# What QEMU's `info mem` prints for mappings "START LAST PERMISSIONS" (both addresses are
# included), which come in the order of their addresses. Ranges that follow each other with
# the same permissions are one, wherever they lead; the two halves of the canonical addresses follow
# each other, too. The column with the sizes, which says nothing new, is left out. After hex.awk.
# -v bits=N: of an address, without its sign: 32, 48 or 57

# with_sign(PAGE) - the end of the space, which is no address, has none
function with_sign(n)
{
	return address(bits > 32 && n >= pages / 2 && n < pages ? n + 2 ^ 52 - pages : n)
}

function flush()
{
	if (permissions != "")
		printf "%s-%s %s\n", with_sign(start), with_sign(end), permissions
}

BEGIN {
	pages = 2 ^ (bits - 12)
}

{
	first = page($1) % pages
	if (first != end || $3 != permissions) {
		flush()
		start = first
		permissions = $3
	}
	end = page($2) % pages + 1
}

END {
	flush()
}
