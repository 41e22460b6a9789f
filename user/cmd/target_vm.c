// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/target_vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/vm_kvm.h"

static bool has_vm(const struct space_opts *o)
{
	uint32_t i;

	for (i = 0; i < o->nr_sources; i++)
		if (o->sources[i].vm)
			return true;
	return false;
}

const char *target_vm_contradiction(const struct space_opts *o)
{
	if (!has_vm(o))
		return o->vm.gva || o->vm.gpa || o->vm.fd.given || o->vm.vcpu.given
			       ? "--gva, --gpa, --vm-fd and --vcpu are for --vm"
			       : NULL;
	if (o->nr_sources > 1)
		return "--vm stands alone";
	if (o->user_root)
		return "--user-root is for --pid and --kernel";
	if (o->vm.gva == o->vm.gpa)
		return "--vm needs --gva or --gpa: which addresses are meant?";
	if (o->vm.fd.value > INT32_MAX || o->vm.vcpu.value > UINT32_MAX)
		return "--vm-fd or --vcpu is too large";
	return NULL;
}

static int failed(const struct target *t, int err)
{
	msg_error("%s: %s", t->name, ptremap_vm_strerror(err));
	return EXIT_FAILED;
}

static int no_vcpu(const struct target *t, uint32_t id)
{
	const struct ptremap_vm *vm = guest_vm(t->vm);

	if (vm->nr_vcpus)
		msg_error("%s has no vCPU %" PRIu32 "; the first one is %" PRIu32, t->name, id,
			  guest_vcpus(t->vm)->id);
	else
		msg_error("%s has no vCPU yet", t->name);
	return EXIT_FAILED;
}

/* Why the guest's own tables are not known. */
static int no_guest(const struct target *t)
{
	const struct ptremap_vcpu *v = t->view.vcpu;
	const char *why = vcpu_why_not(v);

	msg_error("%s, vCPU %" PRIu32 ": %s", t->name, v->id, why ? why : "KVM does not say");
	return EXIT_FAILED;
}

static int no_nested(const struct target *t)
{
	msg_error(
		"%s, vCPU %" PRIu32 ": %s", t->name, t->view.vcpu->id,
		t->view.nested_error == -ENODATA
			? "KVM has dropped its table, and makes another when it runs on; try again"
			: "shadow paging: there is neither EPT nor NPT");
	return EXIT_FAILED;
}

static int open_view(struct target *t, const struct space_opts *o)
{
	const struct ptremap_vcpu *v;

	if (o->vm.gpa && o->vm.memory && !o->vm.vcpu.given)
		return EXIT_DONE;
	v = o->vm.vcpu.given ? guest_vcpu(t->vm, (uint32_t)o->vm.vcpu.value)
			     : (guest_vm(t->vm)->nr_vcpus ? guest_vcpus(t->vm) : NULL);
	if (!v)
		return no_vcpu(t, (uint32_t)o->vm.vcpu.value);
	vm_view_init(&t->view, t->vm, v);
	if (o->vm.gva && t->view.guest_error)
		return no_guest(t);
	if (o->vm.gpa && t->view.nested_error && !o->vm.chain)
		return no_nested(t);
	t->space = o->vm.gva ? t->view.guest_space : t->view.nested_space;
	t->cpu = t->view.cpu;
	return EXIT_DONE;
}

int target_open_vm(struct target *t, const struct space_opts *o, uint32_t pid)
{
	int status, err;

	snprintf(t->live_name, sizeof(t->live_name), "VM of %" PRIu32, pid);
	t->name = t->live_name;
	t->last = UINT64_MAX;
	t->linux_version = kinfo_version();
	err = guest_open(&t->vm, (pid_t)pid, o->vm.fd.given ? (int)o->vm.fd.value : -1);
	if (err)
		return failed(t, err);
	status = open_view(t, o);
	if (status)
		target_close(t);
	return status;
}
