// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf vms: the virtual machines of KVM that run here. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/json.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/base/table.h"
#include "user/base/units.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/kernel/helper.h"
#include "user/show/vms_text.h"

/* Threads that a line of the table names. */
#define THREADS_SHOWN 8

struct vms_opts {
	bool json;
};

static const struct opt options[] = {
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct vms_opts, json), NULL },
	{ 0 },
};

static void threads_cell(struct table *t, const struct vm_info *vm)
{
	char text[THREADS_SHOWN * 12 + 8] = "";
	size_t i, len = 0, shown = vm->nr_vcpus < THREADS_SHOWN ? vm->nr_vcpus : THREADS_SHOWN;

	for (i = 0; i < shown; i++) {
		if (vm->vcpus[i].tid)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u",
						i ? "," : "", vm->vcpus[i].tid);
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s-",
						i ? "," : "");
	}
	table_cell(t, "%s%s", shown ? text : "-", shown < vm->nr_vcpus ? ",..." : "");
}

static void print_row(struct table *t, const struct vm_info *vm)
{
	char size[UNITS_LEN];

	table_cell(t, "%u", vm->pid);
	table_cell(t, "%d", vm->fd);
	table_cell(t, "%s", vm->vmm);
	table_cell(t, "%s", vm->name);
	if (vm->vcpus_known)
		table_cell(t, "%zu", vm->nr_vcpus);
	else
		table_cell(t, "-");
	table_cell(t, "%s", vm->mapped_known ? units_size(size, vm->mapped) : "-");
	threads_cell(t, vm);
}

/* The VMs that KVM told of, each with what it told. */
static int print_known(const struct vm_list *list, const struct vm_kvm *known)
{
	struct line l = { 0 };
	int err = 0;
	size_t i;

	for (i = 0; !err && i < list->nr; i++) {
		if (known[i].error)
			continue;
		line_char(&l, '\n');
		vms_text(&l, &list->vms[i], &known[i]);
		err = line_write(&l, stdout);
	}
	line_free(&l);
	return err;
}

static int print_text(const struct vm_list *list, const struct vm_kvm *known)
{
	static const struct {
		const char *title;
		enum table_align align;
	} columns[] = {
		{ "PID", TABLE_RIGHT },	   { "FD", TABLE_RIGHT },    { "VMM", TABLE_LEFT },
		{ "NAME", TABLE_LEFT },	   { "VCPUS", TABLE_RIGHT }, { "MAPPED", TABLE_RIGHT },
		{ "THREADS", TABLE_LEFT },
	};
	const unsigned int nr = sizeof(columns) / sizeof(columns[0]);
	struct table *t = list->nr ? table_new(nr) : NULL;
	unsigned int c;
	size_t i;
	int err;

	if (!list->nr) {
		msg_note("no process has a virtual machine of KVM");
		return 0;
	}
	if (!t)
		return -ENOMEM;
	for (c = 0; c < nr; c++)
		table_column(t, c, columns[c].title, columns[c].align);
	for (i = 0; i < list->nr; i++)
		print_row(t, &list->vms[i]);
	err = table_print(t, stdout, 0);
	table_free(t);
	return err ? err : print_known(list, known);
}

static void print_vcpu(struct json *j, const struct vm_vcpu *vcpu, const struct vm_kvm *known)
{
	json_object(j, NULL);
	json_u64(j, "index", vcpu->index);
	if (vcpu->fd >= 0)
		json_u64(j, "fd", (uint64_t)vcpu->fd);
	else
		json_null(j, "fd");
	if (vcpu->tid)
		json_u64(j, "tid", vcpu->tid);
	else
		json_null(j, "tid");
	vms_vcpu_json(j, known, vcpu->index);
	json_end_object(j);
}

static void print_vcpus(struct json *j, const struct vm_info *vm, const struct vm_kvm *known)
{
	size_t i;

	if (!vm->vcpus_known) {
		json_null(j, "vcpus");
		return;
	}
	json_array(j, "vcpus");
	for (i = 0; i < vm->nr_vcpus; i++)
		print_vcpu(j, &vm->vcpus[i], known);
	json_end_array(j);
}

static void print_vm(struct json *j, const struct vm_info *vm, const struct vm_kvm *known)
{
	json_object(j, NULL);
	json_u64(j, "pid", vm->pid);
	json_u64(j, "fd", (uint64_t)vm->fd);
	json_str(j, "vmm", vm->vmm);
	json_str(j, "name", vm->named ? vm->name : NULL);
	json_str(j, "uuid", vm->uuid[0] ? vm->uuid : NULL);
	if (vm->mapped_known)
		json_u64(j, "mapped", vm->mapped);
	else
		json_null(j, "mapped");
	vms_json(j, known);
	print_vcpus(j, vm, known);
	json_end_object(j);
}

static int print_json(const struct vm_list *list, const struct vm_kvm *known)
{
	struct json j;
	size_t i;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "vms");
	for (i = 0; i < list->nr; i++)
		print_vm(&j, &list->vms[i], &known[i]);
	json_end_array(&j);
	json_u64(&j, "hidden_processes", list->hidden);
	json_end_object(&j);
	json_end_line(&j);
	return output_error();
}

/* What is the same for all VMs is said once. */
static void tell_missing(const struct vm_list *list, const struct vm_kvm *known)
{
	const char *what = "memory slots, paging modes and the roots of EPT or NPT are not shown";
	bool told = false;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const int err = known[i].error;

		if (!err || (told && vm_kvm_is_general(err)))
			continue;
		if (vm_kvm_is_general(err))
			msg_note("%s: %s", what, ptremap_vm_strerror(err));
		else
			msg_note("VM of %u: %s: %s", list->vms[i].pid, what,
				 ptremap_vm_strerror(err));
		told = told || vm_kvm_is_general(err);
	}
}

/* Asks KVM about each of @list; an array as long, freed by forget_known(). NULL without memory. */
static struct vm_kvm *ask_kvm(struct vm_list *list)
{
	struct vm_kvm *known = calloc(list->nr + 1, sizeof(*known));
	int device = known && list->nr ? ptremap_open() : -ENOENT;
	size_t i;

	for (i = 0; known && i < list->nr; i++)
		vm_kvm_read(&known[i], device, &list->vms[i]);
	if (device >= 0)
		close(device);
	return known;
}

static void forget_known(struct vm_kvm *known, size_t nr)
{
	size_t i;

	for (i = 0; known && i < nr; i++)
		vm_kvm_free(&known[i]);
	free(known);
}

static int list_vms(const struct vms_opts *o)
{
	struct vm_kvm *known;
	struct vm_list list;
	int err = vm_list_read(&vm_sources_here, &list);

	if (err) {
		msg_error("the list of virtual machines: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (list.hidden)
		msg_note("%zu processes may not be looked into: run as root", list.hidden);
	known = ask_kvm(&list);
	if (known) {
		tell_missing(&list, known);
		err = o->json ? print_json(&list, known) : print_text(&list, known);
	} else {
		err = -ENOMEM;
	}
	forget_known(known, list.nr);
	vm_list_free(&list);
	return output_status(err);
}

int cmd_vms(int argc, char **argv)
{
	struct vms_opts o = { 0 };
	int rest, err;

	err = opts_parse(options, "ptrace-pf vms [OPTIONS]",
			 "Exit status: 0, whether or not there are any.", argc, argv, &o, &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	return list_vms(&o);
}
