// SPDX-License-Identifier: GPL-2.0
/*
 * vcpus: registers of a vCPU that runs belong together.
 *
 *	vcpus LOOKS
 *
 * A guest in real mode gives CR3 one of two values and stays for some time in the code that is that
 * value's, none of which makes it leave for KVM. Each look at it must see rip in the code of the
 * value that CR3 has. It needs ptremap and ptremap_kvm.
 */
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/system/edits.h"

#define CR3_ONE 0x10000
#define CR3_TWO 0x20000
#define BASE	0x1000

/* mov eax, imm; mov cr3, eax; mov ecx, imm; 1: dec ecx; jnz 1b: and the same again, for ever. */
static const uint8_t code[] = {
	0x66, 0xb8, 0x00, 0x00, 0x01, 0x00, 0x0f, 0x22, 0xd8,	    /* 0: CR3_ONE */
	0x66, 0xb9, 0x00, 0x00, 0x02, 0x00, 0x66, 0x49, 0x75, 0xfc, /* 9 */
	0x66, 0xb8, 0x00, 0x00, 0x02, 0x00, 0x0f, 0x22, 0xd8,	    /* 19: CR3_TWO */
	0x66, 0xb9, 0x00, 0x00, 0x02, 0x00, 0x66, 0x49, 0x75, 0xfc, /* 28 */
	0xeb, 0xd8,						    /* 38: jmp 0 */
};

#define ONE_FROM 9  /* what the first mov to CR3 is followed by */
#define TWO_FROM 28 /* ... and the second one */

static int must(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

/* The VM's and its only vCPU's descriptors. */
static int make_vm(int *vcpu)
{
	int kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	uint8_t *ram =
		mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = { .memory_size = 0x10000,
						    .userspace_addr = at(ram) };
	struct kvm_regs regs = { .rip = BASE, .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(ram + BASE, code, sizeof(code));
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	*vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	must(ioctl(*vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	must(ioctl(*vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(*vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	return vm;
}

static void *run(void *vcpu)
{
	for (;;)
		ioctl(*(int *)vcpu, KVM_RUN, 0);
	return NULL;
}

/* Before the first value CR3 is 0. */
static bool fits(const struct ptremap_vcpu *v)
{
	uint64_t at_code = v->rip - BASE;

	if (at_code >= ONE_FROM && at_code < TWO_FROM)
		return v->cr3 == CR3_ONE;
	return at_code < sizeof(code) && v->cr3 == CR3_TWO;
}

int main(int argc, char **argv)
{
	int vcpu, vm = make_vm(&vcpu), i, ran = 0, wrong = 0, err = 0;
	const int looks = argc > 1 ? atoi(argv[1]) : 200;
	struct checks c = { .dev = open_device() };
	struct ptremap_vcpu seen = { 0 };
	pthread_t thread;

	pthread_create(&thread, NULL, run, &vcpu);
	usleep(100000);
	for (i = 0; i < looks && !err; i++) {
		struct ptremap_vm q = { .size = sizeof(q),
					.pid = getpid(),
					.fd = vm,
					.vcpus = at(&seen),
					.nr_vcpus = 1 };

		err = call(&c, PTREMAP_VM, &q);
		ran += !err && !seen.status && seen.how == PTREMAP_VCPU_EXIT;
		wrong += !err && !fits(&seen);
		usleep(500);
	}
	check(&c, !err && ran > looks / 2 && !wrong,
	      "a vCPU that runs: %d looks (%d), %d while it ran, %d with CR3 of another moment", i,
	      err, ran, wrong);
	return c.failed > 0;
}
