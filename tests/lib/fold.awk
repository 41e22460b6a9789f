# SPDX-License-Identifier: GPL-2.0
# Folds what perf script -F comm,ip,sym,dso prints, as FlameGraph's stackcollapse-perf.pl does: the
# command, a line for each frame from the innermost on, a blank line.
function end()
{
	if (comm != "")
		count[comm stack]++
	comm = stack = ""
}

/^$/ {
	end()
	next
}

/^[^ \t]/ {
	comm = $0
	sub(/ *$/, "", comm)
	gsub(/ /, "_", comm)
	next
}

{
	name = dso = $0
	sub(/^.* \(/, "", dso)
	sub(/\)$/, "", dso)
	sub(/^[ \t]*[0-9a-f]+ /, "", name)
	sub(/ \([^ ]*\)$/, "", name)
	sub(/\+0x[0-9a-f]+$/, "", name)
	if (name == "[unknown]" && dso != "[unknown]") {
		sub(/.*\//, "", dso)
		name = "[" dso "]"
	}
	gsub(/;/, ":", name)
	stack = ";" name stack
}

END {
	end()
	for (s in count)
		print s, count[s]
}
