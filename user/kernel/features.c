// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/features.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bpf/probe.h"
#include "probe.skel.h"

static const struct feature table[NR_FEATURES] = {
	{ .name = "try_rawtp",
	  .what = "raw tracepoint exceptions:page_fault_user",
	  .cost = "no fault can be traced at all" },
	{ .name = "try_fentry",
	  .what = "fentry handle_mm_fault",
	  .cost = "kprobes are used instead, at a higher cost per fault" },
	{ .name = "try_fexit",
	  .what = "fexit handle_mm_fault",
	  .cost = "kretprobes are used instead, at a higher cost per fault" },
	{ .name = "try_kprobe",
	  .what = "kprobe handle_mm_fault",
	  .cost = "without fentry too: no VMA facts, no get_user_pages faults" },
	{ .name = "try_kretprobe",
	  .what = "kretprobe handle_mm_fault",
	  .cost = "without fexit too: no outcome, no latency, no walk after the fault" },
};

static const struct feature kvm_table[NR_FEATURES_KVM] = {
	{ .name = "try_kvm_exit",
	  .what = "KVM: tracepoint kvm:kvm_exit",
	  .cost = "no exit of a VM can be traced at all" },
	{ .name = "try_kvm_entry",
	  .what = "KVM: raw tracepoint kvm:kvm_entry",
	  .cost = "no exit of a VM can be traced at all" },
	{ .name = "try_kvm_fentry",
	  .what = "KVM: fentry kvm_mmu_page_fault",
	  .cost = "kprobes are used instead, at a higher cost per violation" },
	{ .name = "try_kvm_fexit",
	  .what = "KVM: fexit kvm_tdp_page_fault",
	  .cost = "kretprobes are used instead, at a higher cost per violation" },
	{ .name = "try_kvm_kprobe",
	  .what = "KVM: kprobe kvm_tdp_page_fault",
	  .cost = "without fentry too: no gpa of Intel's misconfigurations" },
	{ .name = "try_kvm_kretprobe",
	  .what = "KVM: kretprobe kvm_tdp_page_fault",
	  .cost = "without fexit too: no host-virtual address of violations" },
};

static void try_one(struct feature *f)
{
	struct probe_bpf *skel = probe_bpf__open();
	struct bpf_program *prog = NULL;
	struct bpf_link *link;

	if (!skel) {
		f->error = -errno;
		f->stage = "load";
		return;
	}
	while ((prog = bpf_object__next_program(skel->obj, prog)))
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), f->name));
	f->error = probe_bpf__load(skel);
	if (f->error) {
		f->stage = "load";
	} else {
		link = bpf_program__attach(bpf_object__find_program_by_name(skel->obj, f->name));
		if (!link) {
			f->error = -errno;
			f->stage = "attach";
		}
		bpf_link__destroy(link);
	}
	probe_bpf__destroy(skel);
}

void features_try(struct feature features[NR_FEATURES])
{
	size_t i;

	memcpy(features, table, sizeof(table));
	for (i = 0; i < NR_FEATURES; i++)
		try_one(&features[i]);
}

void features_try_kvm(struct feature features[NR_FEATURES_KVM])
{
	size_t i;

	memcpy(features, kvm_table, sizeof(kvm_table));
	for (i = 0; i < NR_FEATURES_KVM; i++)
		try_one(&features[i]);
}

/* The file reads "none [integrity] confidentiality". */
void features_lockdown(char *buf, size_t size)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "", mode[64];

	snprintf(buf, size, "unknown (no /sys/kernel/security/lockdown)");
	if (!f)
		return;
	if (fgets(line, sizeof(line), f) &&
	    (sscanf(line, "[%63[^]]", mode) == 1 || sscanf(line, "%*[^[][%63[^]]", mode) == 1))
		snprintf(buf, size, "%s", mode);
	fclose(f);
}
