// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf doctor: what can be traced here, what cannot, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/json.h"
#include "user/base/opts.h"
#include "user/base/table.h"
#include "user/cmd/cmd.h"
#include "user/kernel/features.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/kvm_here.h"

struct doctor_opts {
	bool json;
};

static const struct opt options[] = {
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct doctor_opts, json),
	  NULL },
	{ 0 },
};

struct findings {
	struct kinfo k;
	struct feature features[NR_FEATURES];
	struct feature kvm_features[NR_FEATURES_KVM];
	enum kvm_vendor kvm;
	char lockdown[64];
	bool root, btf;
};

static void examine(struct findings *f)
{
	kinfo_detect(&f->k);
	features_try(f->features);
	f->kvm = kvm_here();
	if (f->kvm)
		features_try_kvm(f->kvm_features);
	features_lockdown(f->lockdown, sizeof(f->lockdown));
	f->root = geteuid() == 0;
	f->btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

static void print_base(struct table *t, const char *name, uint64_t value, const char *missing)
{
	table_cell(t, "%s", name);
	if (value)
		table_cell(t, "0x%016" PRIx64, value);
	else
		table_cell(t, "%s", missing);
}

static const char *const vendors[] = { [KVM_INTEL] = "intel", [KVM_AMD] = "amd" };

static void print_kvm(struct table *t, const struct findings *f)
{
	table_cell(t, "KVM");
	if (!f->kvm)
		table_cell(t, "not loaded: there are no VMs to be traced");
	else if (kvm_here_btf() != KVM_BTF_ALL)
		table_cell(t, "%s, without BTF: %s", vendors[f->kvm],
			   kvm_here_btf_cost(kvm_here_btf()));
	else
		table_cell(t, "%s", vendors[f->kvm]);
}

static int print_kernel(const struct findings *f)
{
	struct table *t = table_new(2);
	int err;

	if (!t)
		return -1;
	table_cell(t, "kernel");
	table_cell(t, "%s", f->k.release);
	table_cell(t, "privileges");
	table_cell(t, "%s", f->root ? "root" : "not root: tracing needs it; use sudo");
	table_cell(t, "lockdown");
	table_cell(t, "%s", f->lockdown);
	table_cell(t, "BTF");
	table_cell(t, "%s",
		   f->btf ? "yes"
			  : "no: programs cannot be fitted to this kernel (CONFIG_DEBUG_INFO_BTF)");
	table_cell(t, "paging");
	table_cell(t, "%u levels, %u-bit physical addresses%s%s", f->k.fmt.top,
		   f->k.feat.maxphyaddr, f->k.pti ? ", PTI" : "",
		   f->k.sme_mask ? ", memory encryption" : "");
	print_kvm(t, f);
	print_base(t, "direct map", f->k.page_offset,
		   f->k.error ? strerror(-f->k.error) : "not found: no page-table walks");
	print_base(t, "vmalloc", f->k.vmalloc_base, "unknown: kallsyms has no variables here");
	print_base(t, "vmemmap", f->k.vmemmap_base, "unknown: kallsyms has no variables here");
	print_base(t, "kernel text", f->k.kernel_text, "hidden (kptr_restrict)");
	err = table_print(t, stdout, 0);
	table_free(t);
	return err;
}

static void hook_row(struct table *t, const struct feature *hook)
{
	table_cell(t, "%s", hook->what);
	if (!hook->error)
		table_cell(t, "yes");
	else
		table_cell(t, "no, %s: %s", hook->stage, strerror(-hook->error));
	table_cell(t, "%s", hook->error ? hook->cost : "");
}

static int print_hooks(const struct findings *f)
{
	struct table *t = table_new(3);
	size_t i;
	int err;

	if (!t)
		return -1;
	for (i = 0; i < NR_FEATURES; i++)
		hook_row(t, &f->features[i]);
	for (i = 0; f->kvm && i < NR_FEATURES_KVM; i++)
		hook_row(t, &f->kvm_features[i]);
	err = table_print(t, stdout, 2);
	table_free(t);
	return err;
}

/* The raw tracepoint alone makes tracing possible. */
static bool can_trace(const struct findings *f)
{
	return !f->features[0].error;
}

static int print_text(const struct findings *f)
{
	int err = print_kernel(f);

	puts("\nhooks, each loaded and attached just now:");
	if (!err)
		err = print_hooks(f);
	puts(can_trace(f) ? "\nfaults can be traced here" : "\nnothing can be traced here");
	return err;
}

static void hook_json(struct json *j, const struct feature *hook)
{
	json_object(j, NULL);
	json_str(j, "hook", hook->what);
	json_bool(j, "works", !hook->error);
	json_str(j, "error", hook->error ? strerror(-hook->error) : NULL);
	json_str(j, "without_it", hook->cost);
	json_end_object(j);
}

static void print_json(const struct findings *f)
{
	struct json j;
	size_t i;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "kernel", f->k.release);
	json_bool(&j, "root", f->root);
	json_str(&j, "lockdown", f->lockdown);
	json_bool(&j, "btf", f->btf);
	json_str(&j, "kvm", f->kvm ? vendors[f->kvm] : NULL);
	json_bool(&j, "kvm_btf", f->kvm && kvm_here_btf() == KVM_BTF_ALL);
	json_u64(&j, "levels", f->k.fmt.top);
	json_u64(&j, "maxphyaddr", f->k.feat.maxphyaddr);
	json_bool(&j, "pti", f->k.pti);
	json_hex(&j, "sme_mask", f->k.sme_mask);
	json_hex(&j, "page_offset", f->k.page_offset);
	json_hex(&j, "page_offset_symbol", f->k.page_offset_symbol);
	json_hex(&j, "vmalloc_base", f->k.vmalloc_base);
	json_hex(&j, "vmemmap_base", f->k.vmemmap_base);
	json_hex(&j, "kernel_text", f->k.kernel_text);
	json_array(&j, "hooks");
	for (i = 0; i < NR_FEATURES; i++)
		hook_json(&j, &f->features[i]);
	for (i = 0; f->kvm && i < NR_FEATURES_KVM; i++)
		hook_json(&j, &f->kvm_features[i]);
	json_end_array(&j);
	json_bool(&j, "can_trace", can_trace(f));
	json_end_object(&j);
	json_end_line(&j);
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_opts o = { 0 };
	struct findings f;
	int rest, err;

	err = opts_parse(options, "ptrace-pf doctor [OPTIONS]",
			 "Exit status: 0 when faults can be traced, 1 when not.", argc, argv, &o,
			 &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	examine(&f);
	if (o.json)
		print_json(&f);
	else if (print_text(&f))
		return EXIT_FAILED;
	return can_trace(&f) ? EXIT_DONE : EXIT_FAILED;
}
