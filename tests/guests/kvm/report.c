// SPDX-License-Identifier: GPL-2.0
/* What is printed. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

static const char *const reg_names[NR_REGS] = { "rax", "rbx", "rcx", "rdx", "rsi",
						"rdi", "r8",  "r9",  "r10", "r11" };
static const char *const backings[] = { "4k", "thp", "hugetlb" };

u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

u64 pfn_of(const void *hva)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)hva / PAGE * 8)) != 8)
		die("/proc/self/pagemap");
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

void report_start(const struct vm *vm)
{
	const struct options *o = vm->o;

	printf("guest scenario=%s n=%" PRIu64 " seed=0x%" PRIx64 " mode=%s cpl=%u leaf_level=%u "
	       "backing=%s vcpus=%u pid=%d vm_fd=%d instruction=%s\n",
	       o->scenario, o->n, o->seed, o->mode->name, o->cpl, o->mode->top ? o->level : 0,
	       backings[o->backing], o->vcpus, getpid(), vm->fd, vm->amd ? "vmmcall" : "vmcall");
}

/* As it is in the guest: 32-bit code has 32 bits of each register, and no r8 to r11. */
void report_call(const struct vcpu *c, u64 i, const struct op *op)
{
	const struct options *o = c->vm->o;
	u64 mask = o->mode->bits == 64 ? ~0ULL : ~0u;
	unsigned int r;

	printf("call i=%" PRIu64 " vcpu=%u rip=0x%" PRIx64, i, c->index, op->addr);
	for (r = 0; r < NR_REGS; r++)
		printf(" %s=0x%" PRIx64, reg_names[r], op->regs[r] & mask);
	printf(" ret=0x%" PRIx64 " cpl=%u mode=%s%s\n", op->result & mask, o->cpl, o->mode->name,
	       op->failed ? " wrong" : "");
}

void report_page(const struct vm *vm, u64 i, const struct op *op, u64 gpa)
{
	static const char *const kinds[] = {
		[OP_READ] = "read", [OP_WRITE] = "write", [OP_EXEC] = "exec"
	};
	const char *hva = vm_hva(vm, gpa);

	printf("page i=%" PRIu64 " gpa=0x%" PRIx64 " access=%s hva=%p pfn=0x%" PRIx64
	       " gva=0x%" PRIx64 "\n",
	       i, gpa, kinds[op->kind], hva, pfn_of(hva), op->addr);
}

/* A read of @len bytes of a file of statistics, which must have them. */
static void *stats_read(int fd, size_t len, u64 offset)
{
	void *data = malloc(len);

	if (!data || pread(fd, data, len, (off_t)offset) != (ssize_t)len)
		die("statistics");
	return data;
}

static void print_stats(int fd)
{
	struct kvm_stats_header *h = stats_read(fd, sizeof(*h), 0);
	size_t step = sizeof(struct kvm_stats_desc) + h->name_size;
	char *descs = stats_read(fd, step * h->num_desc, h->desc_offset);
	u64 value;
	u32 i;

	for (i = 0; i < h->num_desc; i++) {
		const struct kvm_stats_desc *d = (void *)(descs + i * step);

		if (d->size != 1 || pread(fd, &value, 8, h->data_offset + d->offset) != 8)
			continue;
		if (value)
			printf(" %s=%" PRIu64, d->name, value);
	}
	putchar('\n');
	free(descs);
	free(h);
}

/* Of a VM or a vCPU. */
static void report_stats_of(int owner)
{
	int fd = ioctl(owner, KVM_GET_STATS_FD, NULL);

	if (fd < 0)
		die("KVM_GET_STATS_FD");
	print_stats(fd);
	close(fd);
}

static void report_stats(const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		printf("stats vcpu=%u", i);
		report_stats_of(vm->vcpus[i].fd);
	}
	printf("stats vm");
	report_stats_of(vm->fd);
}

/* As KVM has them. */
static void print_registers(const struct vcpu *c)
{
	struct kvm_sregs s;

	if (ioctl(c->fd, KVM_GET_SREGS, &s))
		die("KVM_GET_SREGS");
	printf("cpu vcpu=%u cr0=0x%llx cr3=0x%llx cr4=0x%llx efer=0x%llx\n", c->index, s.cr0, s.cr3,
	       s.cr4, s.efer);
}

int report_end(struct vm *vm)
{
	u64 failed = vm->failed;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *c = &vm->vcpus[i];

		print_registers(c);
		printf("exits vcpu=%u io=%" PRIu64 " mmio=%" PRIu64 " batches=%" PRIu64 "\n", i,
		       c->io_exits, c->mmio_exits, c->batches);
		failed += c->batch->failed;
	}
	report_stats(vm);
	printf("end wrong=%" PRIu64 "\n", failed);
	fflush(stdout);
	return failed > 0;
}
