# SPDX-License-Identifier: GPL-2.0
# Turns the text of ptrace-pf script into the lines of an oracle (tests/system/oracle.h): the
# events of process pid at the addresses that the oracle file, given first, has.
# levels: of the page tables.
function level_of(name)
{
	if (name == "pgd")
		return levels
	return name == "p4d" ? 4 : name == "pud" ? 3 : name == "pmd" ? 2 : name == "pte" ? 1 : "?"
}

function size_level(size)
{
	return size == "4K" ? 1 : size == "2M" ? 2 : size == "1G" ? 3 : "?"
}

# "h1" or "l1" of "[before: ... -> hole at pte]" or "... -> 4K pfn 0x1]"; - without such a walk
function stop_of(text, word, n)
{
	if (!match(text, /-> [^]]*/))
		return "-"
	n = split(substr(text, RSTART + 3, RLENGTH - 3), word, " ")
	if (word[1] == "hole")
		return "h" level_of(word[3])
	return n == 3 && word[2] == "pfn" ? "l" size_level(word[1]) : text
}

# The frame of a walk, 0 for a hole, - without a walk
function pfn_of(text)
{
	if (match(text, /-> [0-9A-Z]+ pfn 0x[0-9a-f]+/)) {
		text = substr(text, RSTART, RLENGTH)
		return substr(text, index(text, "0x") + 2)
	}
	return text ~ /-> hole/ ? "0" : "-"
}

function part(title, at)
{
	at = index($0, "[" title ": ")
	return at ? substr($0, at, index(substr($0, at), "]")) : ""
}

NR == FNR {
	wanted[$1] = 1
	next
}
$2 ~ "^" pid "/" && match($0, / addr=0x[0-9a-f]+/) {
	address = substr($0, RSTART + 8, RLENGTH - 8)
	if (!(address in wanted))
		next
	outcome = "unknown"
	if (match($0, / outcome=[a-z]+/))
		outcome = substr($0, RSTART + 9, RLENGTH - 9)
	print address, $5, $6, outcome, pfn_of(part("after")), stop_of(part("before"))
}
