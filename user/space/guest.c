// SPDX-License-Identifier: GPL-2.0
#include "user/space/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/kvm_here.h"
#include "user/pt/pt_mode.h"
#include "user/space/phys_mem.h"

struct guest {
	struct pt_mem mem; /* first: guest-physical memory */
	struct phys_mem phys;
	struct live *host;
	struct ptremap_vm vm;
	struct ptremap_slot *slots; /* by space, then by address */
	struct ptremap_vcpu *vcpus;
};

/* ---- its memory ------------------------------------------------------------------------- */

const struct ptremap_slot *guest_slot(const struct guest *g, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < g->vm.nr_slots && !g->slots[i].space; i++)
		if (gpa - g->slots[i].gpa < g->slots[i].len)
			return &g->slots[i];
	return NULL;
}

/* As memory of the process: the module has a reference to the page while it is read. */
static int read_guest(struct pt_mem *mem, pt_u64 gpa, void *buf, pt_u32 len)
{
	struct guest *g = (struct guest *)mem;
	const struct ptremap_slot *slot = guest_slot(g, gpa);
	uint64_t done;
	int err;

	if (!slot)
		return -EFAULT;
	err = ptremap_memory(live_fd(g->host), 0, live_pid(g->host), slot->hva + (gpa - slot->gpa),
			     buf, len, &done);
	return err ? err : (done == len ? 0 : -EFAULT);
}

static const struct pt_mem_ops guest_ops = { .read = read_guest };

struct pt_mem *guest_mem(struct guest *g)
{
	return &g->mem;
}

/* ---- opening ---------------------------------------------------------------------------- */

int guest_open(struct guest **guest, pid_t pid, int vm_fd)
{
	struct guest *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->mem.ops = &guest_ops;
	err = live_open(&g->host, pid, 0);
	if (!err)
		err = live_error(g->host);
	if (err == -ENOENT) /* without the device there is no ptremap_kvm either */
		err = -EPROTONOSUPPORT;
	if (!err) {
		phys_mem_init(&g->phys, live_fd(g->host));
		err = ptremap_vm(live_fd(g->host), pid, vm_fd, 0, &g->vm, &g->slots, &g->vcpus);
	}
	if (err) {
		guest_close(g);
		return err;
	}
	*guest = g;
	return 0;
}

static bool slots_differ(const struct guest *g, const struct ptremap_vm *vm,
			 const struct ptremap_slot *slots)
{
	return g->vm.nr_slots != vm->nr_slots ||
	       memcmp(g->slots, slots, vm->nr_slots * sizeof(*slots)) != 0;
}

/* Takes over the roots of those vCPUs that were there before; true: one is another. */
static bool take_roots(struct guest *g, const struct ptremap_vm *vm,
		       const struct ptremap_vcpu *vcpus)
{
	bool changed = false;
	uint32_t i, k;

	for (i = 0; i < g->vm.nr_vcpus; i++)
		for (k = 0; k < vm->nr_vcpus; k++) {
			struct ptremap_vcpu *v = &g->vcpus[i];

			if (vcpus[k].id != v->id)
				continue;
			changed = changed || v->root != vcpus[k].root || v->level != vcpus[k].level;
			v->root = vcpus[k].root;
			v->level = vcpus[k].level;
		}
	return changed;
}

int guest_refresh(struct guest *g)
{
	struct ptremap_slot *slots;
	struct ptremap_vcpu *vcpus;
	struct ptremap_vm vm;
	bool changed;
	int err = ptremap_vm(live_fd(g->host), live_pid(g->host), g->vm.fd, PTREMAP_VM_ROOTS, &vm,
			     &slots, &vcpus);

	if (err)
		return err;
	changed = take_roots(g, &vm, vcpus);
	free(vcpus);
	if (!slots_differ(g, &vm, slots)) {
		free(slots);
		return changed;
	}
	free(g->slots);
	g->slots = slots;
	g->vm.nr_slots = vm.nr_slots;
	return 1;
}

void guest_close(struct guest *g)
{
	if (!g)
		return;
	free(g->slots);
	free(g->vcpus);
	live_close(g->host);
	free(g);
}

const struct ptremap_vm *guest_vm(const struct guest *g)
{
	return &g->vm;
}

const struct ptremap_slot *guest_slots(const struct guest *g)
{
	return g->slots;
}

const struct ptremap_vcpu *guest_vcpus(const struct guest *g)
{
	return g->vcpus;
}

const struct ptremap_vcpu *guest_vcpu(const struct guest *g, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < g->vm.nr_vcpus; i++)
		if (g->vcpus[i].id == id)
			return &g->vcpus[i];
	return NULL;
}

struct live *guest_host(const struct guest *g)
{
	return g->host;
}

/* ---- tables ----------------------------------------------------------------------------- */

/* What a CPU without an address width in its CPUID has (SDM vol. 3, 4.1.4). */
#define DEFAULT_MAXPHYADDR 36

int guest_space(struct guest *g, const struct ptremap_vcpu *vcpu, struct pt_fmt *fmt,
		struct pt_space *space, struct pt_cpu *cpu)
{
	struct pt_cregs regs = {
		.cr0 = vcpu->cr0, .cr3 = vcpu->cr3, .cr4 = vcpu->cr4, .efer = vcpu->efer
	};
	struct pt_feat feat;
	enum pt_mode mode;

	if (vcpu->status || vcpu->flags & PTREMAP_VCPU_NESTED)
		return -EOPNOTSUPP;
	kinfo_cpu_features(&feat);
	feat.maxphyaddr = vcpu->maxphyaddr >= 32 ? vcpu->maxphyaddr : DEFAULT_MAXPHYADDR;
	feat.pse36 = 1;
	feat.amd = g->vm.tables == PTREMAP_VM_NPT;
	feat.pdpte_a = 1; /* they are looked at when CR3 is loaded, not now */
	mode = pt_mode_from_cregs(&regs, &feat);
	if (pt_fmt_init(fmt, mode, &feat))
		return -EPROTO;
	*space = (struct pt_space){ .fmt = fmt, .mem = &g->mem, .root = regs.cr3 };
	pt_cpu_from_cregs(cpu, &regs);
	return 0;
}

int guest_nested(struct guest *g, const struct ptremap_vcpu *vcpu, struct pt_fmt *fmt,
		 struct pt_space *space)
{
	struct pt_feat feat;

	if (g->vm.tables == PTREMAP_VM_SHADOW)
		return -EOPNOTSUPP;
	if (!vcpu->root)
		return -ENODATA;
	if (vcpu->level != 4 && vcpu->level != 5)
		return -EPROTO;
	kinfo_cpu_features(&feat);
	*fmt = kvm_fmt(g->vm.tables == PTREMAP_VM_EPT ? KVM_INTEL : KVM_AMD, &feat, vcpu->level);
	*space = (struct pt_space){ .fmt = fmt, .mem = &g->phys.mem, .root = vcpu->root };
	return 0;
}
