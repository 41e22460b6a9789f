// SPDX-License-Identifier: GPL-2.0
/* The VM: memory slots, the payload, and vCPUs that begin in the mode that was asked for. */
#include <cpuid.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/guests/kvm/vmm.h"

#define CR0_PE 1u
#define CR0_ET 0x10u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_PG 0x80000000u

extern const u8 payload_16[], payload_16_end[];
extern const u8 payload_32[], payload_32_end[];
extern const u8 payload_64[], payload_64_end[];

static const struct payload {
	u8 bits;
	const u8 *start, *end;
} payloads[] = {
	{ 16, payload_16, payload_16_end },
	{ 32, payload_32, payload_32_end },
	{ 64, payload_64, payload_64_end },
};

/* KVM rewrites the other vendor's instruction when it is executed; this one it leaves alone. */
static bool cpu_is_amd(void)
{
	unsigned int max, b, c, d;

	if (!__get_cpuid(0, &max, &b, &c, &d))
		return false;
	return b == signature_AMD_ebx || b == 0x6f677948; /* "Hygo" */
}

char *vm_memory(u64 size, enum backing backing)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	u64 room = size + 2 * MIB;
	char *p;

	if (backing == BACKED_HUGETLB) {
		p = mmap(NULL, (size + 2 * MIB - 1) & -(2 * MIB), PROT_READ | PROT_WRITE,
			 (flags & ~MAP_NORESERVE) | MAP_HUGETLB, -1, 0);
		if (p == MAP_FAILED)
			die("huge pages for the guest (/proc/sys/vm/nr_hugepages)");
		return p;
	}
	p = mmap(NULL, room, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		die("memory for the guest");
	p += -(uintptr_t)p & (2 * MIB - 1);
	if (madvise(p, size, backing == BACKED_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("madvise");
	return p;
}

void vm_slot_set(struct vm *vm, unsigned int id)
{
	const struct slot *s = &vm->slots[id];
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = s->flags,
		.guest_phys_addr = s->gpa,
		.memory_size = s->exists ? s->size : 0,
		.userspace_addr = (uintptr_t)s->hva,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION");
}

void vm_slot(struct vm *vm, unsigned int id, u64 gpa, u64 size, u32 flags, enum backing backing)
{
	vm->slots[id] = (struct slot){ gpa, size, vm_memory(size, backing), flags, true };
	vm_slot_set(vm, id);
	printf("slot id=%u gpa=0x%" PRIx64 " size=0x%" PRIx64 " hva=%p flags=0x%x\n", id, gpa, size,
	       vm->slots[id].hva, flags);
}

int vm_slot_of(const struct vm *vm, u64 gpa)
{
	int i;

	for (i = 0; i < MAX_SLOTS; i++) {
		const struct slot *s = &vm->slots[i];

		if (s->exists && gpa >= s->gpa && gpa - s->gpa < s->size)
			return i;
	}
	return -1;
}

char *vm_hva(const struct vm *vm, u64 gpa)
{
	int i = vm_slot_of(vm, gpa);

	return i < 0 ? NULL : vm->slots[i].hva + (gpa - vm->slots[i].gpa);
}

u64 frame_in_order(struct vm *vm)
{
	if (vm->frames == TABLES_SIZE / PAGE)
		usage_error("too much memory to be mapped with such small pages");
	return TABLES_GPA + PAGE * vm->frames++;
}

void vm_map_self(struct vm *vm, u64 gpa, u64 size)
{
	const struct mode *m = vm->tables.mode;
	unsigned int level = vm->o->level;
	u64 at, page;

	if (!m->top)
		return;
	page = 1ULL << level_shift(m, level);
	for (at = gpa & -page; at < gpa + size; at += page)
		tables_map(vm, at, at, level, ENTRY_RW | (vm->o->cpl == 3 ? ENTRY_US : 0));
}

void vm_create(struct vm *vm, const struct options *o)
{
	vm->o = o;
	vm->amd = cpu_is_amd();
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die("KVM_CREATE_VM");
	if (o->hold == THEN_HALT && ioctl(vm->fd, KVM_CREATE_IRQCHIP))
		die("KVM_CREATE_IRQCHIP");
	report_start(vm);
	vm_slot(vm, SLOT_LOW, 0, LOW_SIZE, 0, BACKED_4K);
	vm_slot(vm, SLOT_TABLES, TABLES_GPA, TABLES_SIZE, 0, BACKED_4K);
}

/* 0f 01 c1: vmcall; 0f 01 d9: vmmcall; then a return, in 16-bit code a 32-bit one. */
static void write_sites(const struct vm *vm)
{
	const u8 call[] = { 0x0f, 0x01, vm->amd ? 0xd9 : 0xc1 };
	char *site = vm_hva(vm, SITES);
	unsigned int i;

	for (i = 0; i < NR_SITES; i++, site += SITE_SIZE) {
		memcpy(site, call, sizeof(call));
		memcpy(site + sizeof(call), "\x66\xc3", 2);
		if (vm->o->mode->bits != 16)
			site[sizeof(call)] = (char)0xc3;
	}
}

u64 vm_site(u64 i)
{
	return SITES + i % NR_SITES * SITE_SIZE;
}

static void load_payload(const struct vm *vm)
{
	size_t i;

	for (i = 0; i < LENGTH(payloads); i++) {
		if (payloads[i].bits == vm->o->mode->bits)
			memcpy(vm_hva(vm, PAYLOAD), payloads[i].start,
			       (size_t)(payloads[i].end - payloads[i].start));
	}
	write_sites(vm);
}

/* The CPU that the host can give: without it there are no 1 GiB pages, no NX, no LA57. */
static void set_cpuid(const struct vm *vm, int vcpu)
{
	const u32 nr = 256;
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + nr * sizeof(c->entries[0]));

	if (!c)
		die("memory");
	c->nent = nr;
	if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, c) || ioctl(vcpu, KVM_SET_CPUID2, c))
		die("CPUID");
	free(c);
}

static struct kvm_segment flat(u8 type, const struct options *o)
{
	bool code = type & 8, real = o->mode->bits == 16;

	return (struct kvm_segment){
		.limit = code && real ? 0xffff : ~0u,
		.selector = real ? 0 : (u16)((code ? 8 : 16) | o->cpl),
		.type = type,
		.present = 1,
		.dpl = (u8)o->cpl,
		.db = o->mode->bits == 32 || (!code && o->mode->bits == 64),
		.s = 1,
		.l = code && o->mode->bits == 64,
		.g = !(code && real),
	};
}

static void set_system_registers(const struct vm *vm, int vcpu)
{
	const struct options *o = vm->o;
	struct kvm_sregs s;

	if (ioctl(vcpu, KVM_GET_SREGS, &s))
		die("KVM_GET_SREGS");
	s.cs = flat(0xb, o);
	s.ds = s.es = s.fs = s.gs = s.ss = flat(0x3, o);
	s.cr0 = CR0_ET | CR0_NE;
	if (o->mode->bits > 16)
		s.cr0 |= CR0_PE | CR0_WP;
	if (o->mode->top) {
		s.cr0 |= CR0_PG;
		s.cr3 = vm->tables.table[0].gpa;
	}
	s.cr4 = o->mode->cr4;
	s.efer = o->mode->efer;
	if (ioctl(vcpu, KVM_SET_SREGS, &s))
		die("KVM_SET_SREGS: no such mode on this CPU");
}

/* At CPL 3 with IOPL 3, so that the payload may use its ports. */
static void set_registers(const struct vcpu *c)
{
	struct kvm_regs regs = {
		.rip = PAYLOAD,
		.rsp = STACKS + PAGE * (c->index + 1),
		.rdi = BATCHES + sizeof(struct batch) * c->index,
		.rflags = 2 | (c->vm->o->cpl == 3 ? 3 << 12 : 0),
	};

	if (ioctl(c->fd, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
}

static void start_vcpu(struct vm *vm, unsigned int index)
{
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *c = &vm->vcpus[index];
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	c->vm = vm;
	c->index = index;
	c->batch = (struct batch *)vm_hva(vm, BATCHES + sizeof(struct batch) * index);
	c->fd = ioctl(vm->fd, KVM_CREATE_VCPU, index);
	if (c->fd < 0 || size < 0)
		die("KVM_CREATE_VCPU");
	c->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->run == MAP_FAILED)
		die("kvm_run");
	set_cpuid(vm, c->fd);
	set_system_registers(vm, c->fd);
	set_registers(c);
	if (vm->o->hold == THEN_HALT && ioctl(c->fd, KVM_SET_MP_STATE, &runs))
		die("KVM_SET_MP_STATE");
}

void vm_start_vcpus(struct vm *vm)
{
	unsigned int i;

	load_payload(vm);
	for (i = 0; i < (vm->one_by_one ? 1 : vm->o->vcpus); i++)
		start_vcpu(vm, vm->nr_vcpus++);
}

void vm_add_vcpu(struct vm *vm)
{
	start_vcpu(vm, vm->nr_vcpus);
	vcpu_run_start(vm, vm->nr_vcpus++);
}
