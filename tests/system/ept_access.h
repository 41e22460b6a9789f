/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs share that test what guests may do, and who sees it. */
#ifndef TESTS_EPT_ACCESS_H
#define TESTS_EPT_ACCESS_H

#include "tests/system/ept.h"

#define R   PTREMAP_EPT_READ
#define W   PTREMAP_EPT_WRITE
#define X   PTREMAP_EPT_EXEC
#define RWX (R | W | X)

/* Where a guest with 512 pages or so has what: its code first. */
#define ACCESS_CODE TINY_GPA

static inline bool is_amd(void)
{
	unsigned int a = 0, b, c, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x68747541; /* "Auth" */
}

/* A descriptor, or -errno. */
static inline int watch_ranges(const struct checks *c, pid_t pid, int vm,
			       const struct ptremap_access_range *r, uint32_t nr, uint32_t room)
{
	struct ptremap_access_watch w = { .size = sizeof(w),
					  .flags = PTREMAP_ACCESS_NONBLOCK,
					  .pid = pid,
					  .vm_fd = vm,
					  .ranges = at(r),
					  .nr = nr,
					  .room = room };
	int err = call(c, PTREMAP_ACCESS, &w);

	return err ? err : w.fd;
}

static inline int watch_range(const struct checks *c, uint64_t gpa, uint64_t len, uint32_t on)
{
	struct ptremap_access_range r = { .gpa = gpa, .len = len, .on = on };

	return watch_ranges(c, getpid(), -1, &r, 1, 0);
}

/* Up to @max events: how many; 0: there are none, or no more will come. */
static inline size_t take_events(int fd, struct ptremap_access *a, size_t max)
{
	size_t n = 0;
	ssize_t got;

	while (n < max && (got = read(fd, a + n, (max - n) * sizeof(*a))) > 0)
		n += (size_t)got / sizeof(*a);
	return n;
}

/* A counter of KVM's own, of vCPU @i (KVM_GET_STATS_FD). */
static inline uint64_t vcpu_stat(const struct tiny_vm *vm, unsigned int i, const char *name)
{
	struct kvm_stats_header h;
	union {
		struct kvm_stats_desc d;
		char bytes[sizeof(struct kvm_stats_desc) + 64];
	} one; /* its name ends it */
	uint64_t value = ~0ull;
	uint32_t n;
	int fd = ioctl(vm->vcpu[i].fd, KVM_GET_STATS_FD, 0);

	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != sizeof(h) || h.name_size > 64)
		die("KVM_GET_STATS_FD");
	for (n = 0; n < h.num_desc; n++) {
		size_t size = sizeof(one.d) + h.name_size;

		if (pread(fd, &one, size, (off_t)(h.desc_offset + n * size)) != (ssize_t)size)
			die("statistics");
		if (!strcmp(one.d.name, name) &&
		    pread(fd, &value, 8, (off_t)(h.data_offset + one.d.offset)) != 8)
			die("statistics");
	}
	close(fd);
	return value;
}

/* SSE, and AVX where there is AVX, for vCPU @i. */
static inline void use_vectors(const struct tiny_vm *vm, unsigned int i)
{
	static union {
		struct kvm_cpuid2 head;
		char bytes[sizeof(struct kvm_cpuid2) + 256 * sizeof(struct kvm_cpuid_entry2)];
	} ids;
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs = { { .value = 7 } } };
	struct kvm_sregs s;

	ids.head.nent = 256;
	if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, &ids) ||
	    ioctl(vm->vcpu[i].fd, KVM_SET_CPUID2, &ids) || ioctl(vm->vcpu[i].fd, KVM_GET_SREGS, &s))
		die("CPUID");
	s.cr4 |= 1u << 9 | 1u << 18; /* OSFXSR, OSXSAVE */
	if (ioctl(vm->vcpu[i].fd, KVM_SET_SREGS, &s) || ioctl(vm->vcpu[i].fd, KVM_SET_XCRS, &x))
		die("CR4, XCR0");
}

/* vCPU @i runs from @rip with these registers until it writes to the port; false: it does not. */
static inline bool run_code(struct tiny_vm *vm, unsigned int i, uint64_t rip, struct kvm_regs *r)
{
	r->rip = rip;
	r->rflags = 2;
	return !ioctl(vm->vcpu[i].fd, KVM_SET_REGS, r) && tiny_run(&vm->vcpu[i]) &&
	       !ioctl(vm->vcpu[i].fd, KVM_GET_REGS, r);
}

#endif
