# SPDX-License-Identifier: GPL-2.0
# Do two symbolizers see the same function? It is the same when the address is as far into it: a
# function may have several names. First perf's lines, "IP NAME+0xOFFSET"; then "IP NAME OFFSET",
# decimal; names may have blanks. Prints "SAME OTHER": addresses, without those that neither knows, and
# without entries of a procedure linkage table, which perf makes names for.
FNR == NR {
	offset[$1] = $NF ~ /\+0x[0-9a-f]+$/ ? $NF : "none"
	sub(/.*\+0x/, "", offset[$1])
	plt[$1] = $0 ~ /@plt/
	next
}

($1 in offset) && !plt[$1] {
	mine = $2 ~ /^(null|\[unknown\])$/ ? "none" : sprintf("%x", $NF)
	if (mine != offset[$1])
		other++
	else if (mine != "none")
		same++
}

END {
	print same + 0, other + 0
}
