/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine of a few lines, in the process that uses it: its vCPUs, in protected mode
 * without paging, read or write what they are told, or go on reading or writing until they are
 * stopped.
 */
#ifndef TESTS_TINY_VM_H
#define TESTS_TINY_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>

#include "tests/system/edits.h"

#define TINY_VCPUS 4
/* Where slot 1 is, in the guest; slot 0 has the code and the words of struct tiny_low. */
#define TINY_GPA      0x40000000ull
#define TINY_LOW_CODE 0x800u
#define TINY_CALL     0x5050u /* the hypercall of tiny_call_code */
#ifndef TINY_REST_US
#define TINY_REST_US 300
#endif

/* Begins the guest's memory. ->stop: the endless ones come to an end. */
struct tiny_low {
	volatile uint32_t stop;
	volatile uint32_t progress[TINY_VCPUS];
	volatile uint32_t alike[TINY_VCPUS]; /* of compare: how often */
};

struct tiny_vm {
	int kvm, vm;
	struct tiny_low *low;
	struct tiny_vcpu {
		struct tiny_vm *vm;
		int fd;
		struct kvm_run *run;
		pthread_t thread;
	} vcpu[TINY_VCPUS];
};

/*
 * read: eax from (ebx). write: eax to (ebx). look: reads (ebx) and (ebp), rests, and so on. call:
 * so, too, and makes hypercall TINY_CALL before it rests. count: counts in ecx, and writes that to
 * (ebx), then to (ebp), then to (esi). rest_count: so, too, and rests now and then. compare: counts
 * to (esi), and counts how often (ebx), (ebp), and (ebx) again are alike; it rests, too. All end
 * with an access to a port. Where CPUs are emulated by one thread, PAUSE lets the next one run.
 */
__asm__(".pushsection .rodata\n"
	".code32\n"
	"tiny_code:\n"
	"tiny_read_code: mov (%ebx), %eax; out %eax, $0x10\n"
	"tiny_write_code: mov %eax, (%ebx); out %eax, $0x10\n"
	"tiny_look_code: mov (%ebx), %eax; mov (%ebp), %eax; out %eax, $0x11; jmp tiny_look_code\n"
	"tiny_call_code: mov (%ebx), %eax; mov (%ebp), %eax; mov $0x5050, %eax; vmmcall\n"
	"	out %eax, $0x11; jmp tiny_call_code\n"
	"tiny_count_code: inc %ecx; mov %ecx, (%ebx); mov %ecx, (%ebp); mov %ecx, (%esi)\n"
	"	test $15, %cl; jnz 1f; pause\n"
	"1:	cmpl $0, (%edi); je tiny_count_code; out %eax, $0x10\n"
	"tiny_rest_count_code: inc %ecx; mov %ecx, (%ebx); mov %ecx, (%ebp); mov %ecx, (%esi)\n"
	"	test $15, %cl; jnz 1f; out %eax, $0x11\n"
	"1:	cmpl $0, (%edi); je tiny_rest_count_code; out %eax, $0x10\n"
	"tiny_compare_code: mov (%ebx), %eax; cmp (%ebp), %eax; jne 1f\n"
	"	cmp (%ebx), %eax; jne 1f; incl 16(%esi)\n"
	"1:	inc %ecx; mov %ecx, (%esi); test $15, %cl; jnz 1f; out %eax, $0x11\n"
	"1:	cmpl $0, (%edi); je tiny_compare_code; out %eax, $0x10\n"
	"tiny_code_end:\n"
	".code64\n"
	".popsection\n");
extern const char tiny_code[], tiny_read_code[], tiny_write_code[], tiny_look_code[],
	tiny_call_code[], tiny_count_code[], tiny_rest_count_code[], tiny_compare_code[],
	tiny_code_end[];
_Static_assert(offsetof(struct tiny_low, alike) - offsetof(struct tiny_low, progress) == 16,
	       "tiny_compare_code");

/* 0 or -errno; @size 0: the slot goes. */
static inline int tiny_slot(const struct tiny_vm *vm, uint32_t id, uint64_t gpa, const void *p,
			    uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region m = { .slot = id,
						 .flags = flags,
						 .guest_phys_addr = gpa,
						 .memory_size = size,
						 .userspace_addr = at(p) };

	return ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &m) ? -errno : 0;
}

static inline struct kvm_segment tiny_segment(uint8_t type)
{
	return (struct kvm_segment){ .limit = ~0u,
				     .selector = type & 8 ? 8 : 16,
				     .type = type,
				     .present = 1,
				     .db = 1,
				     .s = 1,
				     .g = 1 };
}

static inline void tiny_vcpu(struct tiny_vm *vm, unsigned int i)
{
	struct tiny_vcpu *v = &vm->vcpu[i];
	struct kvm_sregs s;

	v->vm = vm;
	v->fd = ioctl(vm->vm, KVM_CREATE_VCPU, i);
	v->run = mmap(NULL, (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		      PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED || ioctl(v->fd, KVM_GET_SREGS, &s))
		die("vcpu");
	s.cs = tiny_segment(0xb);
	s.ds = s.es = s.fs = s.gs = s.ss = tiny_segment(0x3);
	s.cr0 |= 1;
	if (ioctl(v->fd, KVM_SET_SREGS, &s))
		die("KVM_SET_SREGS");
}

/* PAUSE leaves the guest where it is. Older kernels may not have it; then it just takes longer. */
static inline void tiny_keep_pause(const struct tiny_vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_DISABLE_EXITS,
				      .args = { KVM_X86_DISABLE_EXITS_PAUSE } };

	ioctl(vm->vm, KVM_ENABLE_CAP, &cap);
}

/* @p, of @size bytes, is the guest's memory at TINY_GPA. */
static inline void tiny_make(struct tiny_vm *vm, const void *p, uint64_t size)
{
	unsigned int i;

	vm->low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->low == MAP_FAILED || vm->kvm < 0 || vm->vm < 0)
		die("/dev/kvm");
	memcpy((char *)vm->low + TINY_LOW_CODE, tiny_code, (size_t)(tiny_code_end - tiny_code));
	if (tiny_slot(vm, 0, 0, vm->low, PAGE, 0) || tiny_slot(vm, 1, TINY_GPA, p, size, 0))
		die("KVM_SET_USER_MEMORY_REGION");
	tiny_keep_pause(vm);
	for (i = 0; i < TINY_VCPUS; i++)
		tiny_vcpu(vm, i);
}

static inline void tiny_end(struct tiny_vm *vm)
{
	unsigned int i;

	for (i = 0; i < TINY_VCPUS; i++) {
		munmap(vm->vcpu[i].run, (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
		close(vm->vcpu[i].fd);
	}
	close(vm->vm);
	close(vm->kvm);
	munmap(vm->low, PAGE);
}

static inline uint64_t tiny_address(const char *code)
{
	return TINY_LOW_CODE + (uint64_t)(code - tiny_code);
}

static inline bool tiny_left_by(const struct tiny_vcpu *v, uint16_t port)
{
	return v->run->exit_reason == KVM_EXIT_IO && v->run->io.port == port;
}

static inline bool tiny_rests(const struct tiny_vcpu *v)
{
	if (!tiny_left_by(v, 0x11) || v->vm->low->stop)
		return false;
	usleep(TINY_REST_US);
	return true;
}

/* Until the guest is done: true; false: KVM_RUN failed (errno), or something else happened. */
static inline bool tiny_run(const struct tiny_vcpu *v)
{
	do {
		if (ioctl(v->fd, KVM_RUN, 0) && errno != EINTR && errno != EAGAIN)
			return false;
	} while (v->run->exit_reason == KVM_EXIT_INTR || tiny_rests(v));
	return tiny_left_by(v, 0x10) || tiny_left_by(v, 0x11);
}

static inline bool tiny_do(struct tiny_vm *vm, unsigned int i, const char *code, uint64_t gpa,
			   uint32_t *value)
{
	struct tiny_vcpu *v = &vm->vcpu[i];
	struct kvm_regs r = { .rip = tiny_address(code), .rflags = 2, .rbx = gpa, .rax = *value };

	if (ioctl(v->fd, KVM_SET_REGS, &r) || !tiny_run(v) || ioctl(v->fd, KVM_GET_REGS, &r))
		return false;
	*value = (uint32_t)r.rax;
	return true;
}

/* What vCPU @i reads at @gpa; ~0: it could not. */
static inline uint32_t tiny_read(struct tiny_vm *vm, unsigned int i, uint64_t gpa)
{
	uint32_t value = 0;

	return tiny_do(vm, i, tiny_read_code, gpa, &value) ? value : ~0u;
}

static inline bool tiny_write(struct tiny_vm *vm, unsigned int i, uint64_t gpa, uint32_t value)
{
	return tiny_do(vm, i, tiny_write_code, gpa, &value);
}

/* What it cannot reach now it may reach later: memory that is gone, or forbidden for a while. */
static inline void *tiny_thread(void *arg)
{
	struct tiny_vcpu *v = arg;

	while (!tiny_run(v) && !v->vm->low->stop)
		usleep(1000);
	return NULL;
}

/* vCPU @i runs one of the endless codes on @one and @two until tiny_stop(). */
static inline void tiny_start(struct tiny_vm *vm, unsigned int i, const char *code, uint64_t one,
			      uint64_t two)
{
	struct tiny_vcpu *v = &vm->vcpu[i];
	struct kvm_regs r = { .rip = tiny_address(code),
			      .rflags = 2,
			      .rbx = one,
			      .rbp = two,
			      .rcx = vm->low->progress[i],
			      .rsi = offsetof(struct tiny_low, progress) + 4 * i,
			      .rdi = offsetof(struct tiny_low, stop) };

	vm->low->stop = 0;
	if (ioctl(v->fd, KVM_SET_REGS, &r) || pthread_create(&v->thread, NULL, tiny_thread, v))
		die("vCPU");
}

static inline void tiny_stop(struct tiny_vm *vm, unsigned int nr)
{
	unsigned int i;

	vm->low->stop = 1;
	for (i = 0; i < nr; i++)
		pthread_join(vm->vcpu[i].thread, NULL);
}

#endif
