# SPDX-License-Identifier: GPL-2.0
# Answers about the slot of "kvm_guest moves" that were true at no moment of the time it took to give
# them, as lines on stderr; at the end: lies, answers, of them with a page, without an answer.
# usage: awk -f true_then.awk [-v killed=TIME] KVM_GUEST_LINES ANSWERS
# ANSWERS: "ask KIND FROM TO STATUS LINES_ON_STDERR WORDS" (times in us), and below it "said ..." lines,
# which are by KIND
#   gpa         GPA HVA PA [WHY], of ptremap translate
#   gva:VCPU    GVA GPA HVA PA [WHY]
#   words:GPA   COUNT WORD, of the page there
#   event       GPA HVA PFN (decimal), of a violation that ended in a page
# Numbers are compared as text, so pages are.

function value(name)
{
	return match($0, " " name "=[^ ]*") ? \
		substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) : ""
}

function lie()
{
	print "lie: " asked ": " $0 >"/dev/stderr"
	lies++
}

# Could it be as after change number i, then? 0 is before the first.
function then(i)
{
	return (i == 0 || begun[i] <= to) && (i == n || ended[i + 1] >= from)
}

# Memory and page that are at an address after change number i; "": none
function frame(i, at)
{
	return i && substr(gpa[i], 1, 4) == substr(at, 1, 4) ? memory[i] substr(at, 7, 1) : ""
}

function is_so(i, at, h, p, why, f)
{
	f = frame(i, at)
	if (kind == "event")
		return f != "" && h == hva[f] && p == decimal[f]
	if (kind == "words")
		return h == 512 && p == (f == "" ? "0000000000000000" : word[f])
	if (f == "")
		return h p why == "--in no memory slot"
	return h == hva[f] && p == pfn[f] "000" && (why == "" || why ~ /^not in (NPT|EPT) yet$/)
}

function judge(at, h, p, why, i, good)
{
	for (i = 0; i <= n && !good; i++)
		good = then(i) && is_so(i, at, h, p, why)
	answers++
	pages += kind == "words" ? p !~ /^0*$/ : h != "-"
	if (!good)
		lie()
}

FNR == NR {
	if ($1 == "frame") {
		f = value("memory") value("page")
		hva[f] = value("hva")
		pfn[f] = value("pfn")
		decimal[f] = value("decimal")
		word[f] = value("word")
	}
	if ($1 == "state") {
		begun[++n] = value("begun") + 0
		ended[n] = value("ended") + 0
		gpa[n] = value("gpa")
		memory[n] = value("memory")
	}
	if ($1 == "vcpu") {
		making[value("id")] = value("begun") + 0
		made[value("id")] = value("ended") + 0
	}
	next
}

$1 == "ask" {
	asked = $0
	split($2, part, ":")
	kind = part[1]
	vcpu = kind == "gva" ? part[2] : ""
	from = $3
	to = $4
	dead = killed && to >= killed
	missing = / has no vCPU /
	if ($5 > 1 || $6 > 1 || ($6 && !dead && kind != "words" && !missing))
		lie()
	if (vcpu > 0 && !dead && (missing ? from > made[vcpu] : to < making[vcpu]))
		lie()
	next
}

dead || /changed under each try/ {
	undecided++
	next
}

kind == "gva" {
	if ($2 != $3)
		lie()
	$2 = "" # a guest that maps its memory to itself
	$0 = $0
	$1 = $1
}

{
	why = $0
	sub(/^said [^ ]* [^ ]* [^ ]* ?/, "", why)
}

kind == "words" { judge(part[2], $2, $3, "") }
kind != "words" { judge($2, $3, $4, why) }

END { print lies + 0, answers + 0, pages + 0, undecided + 0 }
