/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two forms of the script sink.
 *
 * Text, one line per event; parts that the session did not record are left out:
 *
 *	comm pid/tid [cpu] seconds: origin access error=P|W|U addr=0x.. ip=0x.. symbol+0x.. (dso)
 *	outcome=anon lat=1.2us major=1 retried=1 vm_fault=0x.. vma=start-end perms+pgoff name
 *	[before: pgd:.. pud:.. pmd:0 -> hole at pmd] [after: ...]
 *
 * then, when asked for and recorded, the call chain, one frame per line, and an empty line.
 *
 * VM exits, with what kind it is in front and what is not known left out:
 *
 *	... hypercall vcpu=0 nr=0x1 rip=0x.. cpl=0 mode=64 rbx=.. ... r11=.. ret=0x.. lat=1.2us
 *	... hypercall vcpu=0 kick_cpu(flags=0x0, apic=1) = ok nr=0x5 rip=0x.. (with an ABI)
 *	... hypercall vcpu=0 put(data=01 02 03 <5 bytes at 0x2000: no memory slot>) = 0x0 nr=..
 *	... violation vcpu=0 write gpa=0x.. bits=read|ept_r hva=0x.. slot=1 outcome=mapped lat=1.2us
 *	[before: l4:.. -> hole at l1] [after: ...]
 *	... exit vcpu=0 reason=hlt rip=0x.. info1=0x.. info2=0x.. lat=1.2us
 *
 * Changes by ptremap and their ends; the entries from the one that was there to the one that is:
 *
 *	... remap made id=3 protect of=42 va=0x.. level=1 0x..67 -> 0x..65
 *	... remap taken id=3 protect of=42 va=0x.. level=1 0x..65 -> 0x..67 cause=unmap
 *	... remap made id=4 ept-swap of=42 vm_fd=5 gpa=0x.. va=0x.. level=1 0x.. -> 0x..
 *	... remap made id=5 mapped of=42 va=0x.. len=0x.. from=0x..
 *
 * JSON, one object per line, "type":"fault", and at the end one of "type":"totals". Every key is
 * there in every object, null when the session did not record it; only the walks are left out
 * altogether when the user asked for that, and "call" without an ABI. Addresses are hex strings,
 *counts and ids numbers.
 */
#ifndef REPORT_SCRIPT_H
#define REPORT_SCRIPT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/report/learned.h"
#include "user/report/sink.h"
#include "user/report/view.h"

struct script {
	struct sink sink;
	struct sink_env env;
	struct script_opts opts;
	FILE *out;
	struct pt_fmt fmt;
	struct line line;
	struct json json;
	struct learned learned; /* names of hypercalls */
};

/* Each writes one event. 0 or -errno. */
int script_text(struct script *script, const struct ptev_fault *fault);
int script_json(struct script *script, const struct ptev_fault *fault);
int script_kvm_text(struct script *script, const struct ptev_vmexit *exit);
int script_kvm_json(struct script *script, const struct ptev_vmexit *exit);
int script_remap_text(struct script *script, const struct ptev_remap *remap);
int script_remap_json(struct script *script, const struct ptev_remap *remap);

/* Whom an event happened to, where and when. */
struct script_who {
	uint64_t time;
	uint32_t pid, tid, cpu;
	const char *comm; /* NULL: what the session knows of names tells */
};

/* "comm pid/tid [cpu] seconds: " */
void script_who_text(struct line *line, const struct script *script, const struct script_who *who);
/* "type", "time", "cpu", "pid", "tid", "comm" */
void script_who_json(struct json *json, const char *type, const struct script *script,
		     const struct script_who *who);

#endif
