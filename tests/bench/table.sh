# shellcheck shell=bash disable=SC2154 # set where it is sourced
# SPDX-License-Identifier: GPL-2.0
# What a run ends with: what was measured where, as one page of Markdown. Sourced behind lib.sh.

# version_of TOOL - its version, or that it is not there
version_of()
{
	local version

	if ! command -v "$1" >/dev/null; then
		echo "$1: not installed"
		return
	fi
	version=$("$1" --version 2>&1 | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1)
	echo "$1 ${version:-of an unknown version}"
}

# virtual - what this machine is, as far as it knows
virtual()
{
	local by

	by=$(lscpu | sed -n 's/^Hypervisor vendor: *//p')
	echo "${by:+a virtual machine of $by}"
}

# load - the mean of the last minute
load()
{
	cut -d ' ' -f 1 /proc/loadavg
}

# commit - of the source, if it is known
commit()
{
	git describe --always --dirty=', with changes' 2>/dev/null
}

# facts BEGIN LOAD LAB... - what measured, from the time $SECONDS was BEGIN; the load before; each
# lab's kernel with its machine
facts()
{
	local begin=$1 load_before=$2 by commit lab
	local -a tools=()

	shift 2
	by=$(virtual)
	commit=$(commit)
	for tool in perf bpftrace trace-cmd drgn; do
		tools+=("$(version_of "$tool")")
	done
	cat <<-END
	- $(date -u '+%F %H:%M') UTC, $(((SECONDS - begin + 30) / 60)) minutes; ptscope $("$pf" --version |
		sed 's/.* //')${commit:+, commit $commit}
	- $(nproc) CPUs, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(awk '
		/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo) of memory${by:+; $by}
	- Linux $(uname -r)
	- load average $load_before before, $(load) at the end: more than 0.5 before was other programs,
	  beside which single values say little, and ratios still something
	- $(join ', ' "${tools[@]}")
	END
	for lab; do
		echo "- $lab"
	done
}

# join SEPARATOR WORD...
join()
{
	local separator=$1 words=$2

	shift 2
	while (($#)); do
		words+=$separator$1
		shift
	done
	printf '%s\n' "$words"
}

# table - the rows on stdin, in columns as wide as they must be
table()
{
	awk -F '\t' '
	function three(v) { return sprintf(v >= 100 ? "%.0f" : "%.3g", v) }
	function ratio(v) { return sprintf(v >= 100 ? "%.0f" : v >= 0.1 ? "%.2f" : "%.2g", v) }
	function scaled(v, step, units,   n, u, i) {
		n = split(units, u, " ")
		for (i = 1; i < n && v >= step; i++)
			v /= step
		return three(v) " " u[i]
	}
	function cost(v, unit) {
		if (unit == "ns")
			return scaled(v, 1000, "ns us ms s")
		if (unit == "bytes")
			return scaled(v, 1000, "B kB MB GB")
		return sprintf("%.2fx", v)
	}
	function add(a, b, c, d) {
		cell[++rows, 1] = a; cell[rows, 2] = b; cell[rows, 3] = c; cell[rows, 4] = d
		for (i = 1; i <= 4; i++)
			width[i] = length(cell[rows, i]) > width[i] ? length(cell[rows, i]) : width[i]
	}
	BEGIN { add("what", "ours", "peer", "ours/peer"); add("-", "-", "-", "-") }
	NF == 1 { title = $1; next }
	NF == 7 {
		if (title != "")
			add("**" title "**", "", "", "")
		title = ""
		add($1, $3 ": " cost($4, $2), $5 ": " cost($6, $2), ratio($7))
	}
	function line(r,   i, text) {
		text = "|"
		for (i = 1; i <= 4; i++) {
			text = text " " cell[r, i]
			for (k = length(cell[r, i]); k < width[i]; k++)
				text = text (r == 2 ? "-" : " ")
			text = text " |"
		}
		print text
	}
	END { for (r = 1; r <= rows; r++) line(r) }'
}

# page FACTS ROWS SAID - files; the last is there if something is missing
page()
{
	cat <<-END
	# Benchmarks

	What ptscope costs beside what one would use instead. \`sudo make bench\` measures, and writes this
	page.

	END
	cat "$1"
	cat <<-END

	All values are costs, so less is better; below 1.00 ptscope's is less. What is compared ran in turns
	in this one run. "x" is how many times as long a program takes when it is traced as without, the
	best of some rounds of each; "lost" is what a tracer did not keep of the last run's events.
	"(itself)" is compared where nothing else does it. In the lab the CPU is a program: only ratios mean
	something there.

	END
	table <"$2"
	if [[ -s $3 ]]; then
		printf '\nWhat is missing:\n\n'
		sed 's/^/- /' "$3" | uniq
	fi
}
