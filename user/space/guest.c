// SPDX-License-Identifier: GPL-2.0
#include "user/space/guest.h"

#include <errno.h>
#include <stdlib.h>

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

/* Where @hva is now. The entries are those of one moment: the module made the walk. */
static int host_pa(const struct guest *g, uint64_t hva, uint64_t *pa)
{
	struct ptremap_walk_entry e = { .va = hva };
	const struct pt_fmt *fmt = live_space(g->host)->fmt;
	struct pt_walk w;
	uint64_t root;
	int err = ptremap_walk(live_fd(g->host), live_pid(g->host), 0, &e, 1, &root);

	if (err || e.status)
		return err ? err : e.status;
	pt_walk_start(&w, fmt, root, hva);
	while (w.kind == PT_TABLE && w.level >= e.level)
		pt_walk_feed(&w, fmt, e.entry[w.level - 1]);
	if (w.kind != PT_LEAF)
		return -EFAULT;
	*pa = w.pa;
	return 0;
}

/* The core asks for what lies within one page. */
static int read_guest(struct pt_mem *mem, pt_u64 gpa, void *buf, pt_u32 len)
{
	struct guest *g = (struct guest *)mem;
	const struct ptremap_slot *slot = guest_slot(g, gpa);
	uint64_t pa;
	int err;

	if (!slot)
		return -EFAULT;
	err = host_pa(g, slot->hva + (gpa - slot->gpa), &pa);
	return err ? err : pt_mem_read(&g->phys.mem, pa, buf, len);
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
