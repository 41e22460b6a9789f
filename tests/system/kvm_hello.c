// SPDX-License-Identifier: GPL-2.0
/*
 * What /dev/kvm says, and the smallest guest that proves it works: real mode, a byte to a port,
 * the sum of two numbers that the caller chose, HLT. Prints "api N", "out N" and "hlt".
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_GPA 0x1000
#define PORT	 0x10
#define FIRST	 40
#define SECOND	 2

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* make_memory - one page of code at CODE_GPA: add %bl,%al; out %al,$PORT; hlt */
static int make_memory(int vm)
{
	static const unsigned char code[] = { 0x00, 0xd8, 0xe6, PORT, 0xf4 };
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = CODE_GPA,
		.memory_size = 4096,
	};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return fail("mmap");
	memcpy(page, code, sizeof(code));
	region.userspace_addr = (unsigned long)page;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? fail("KVM_SET_USER_MEMORY_REGION")
							      : 0;
}

static int set_registers(int vcpu)
{
	struct kvm_regs regs = { .rip = CODE_GPA, .rax = FIRST, .rbx = SECOND, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return fail("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		return fail("KVM_SET_REGS");
	return 0;
}

static int run(int vcpu, const struct kvm_run *state)
{
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0))
			return fail("KVM_RUN");
		switch (state->exit_reason) {
		case KVM_EXIT_IO:
			printf("out %u\n", *((const unsigned char *)state + state->io.data_offset));
			break;
		case KVM_EXIT_HLT:
			printf("hlt\n");
			return 0;
		default:
			fprintf(stderr, "kvm_hello: exit reason %u\n", state->exit_reason);
			return 1;
		}
	}
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu, size;
	struct kvm_run *state;

	if (kvm < 0)
		return fail("/dev/kvm");
	printf("api %d\n", ioctl(kvm, KVM_GET_API_VERSION, 0));
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return fail("KVM_CREATE_VM");
	if (make_memory(vm))
		return 1;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vcpu < 0 || size < 0)
		return fail("KVM_CREATE_VCPU");
	state = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (state == MAP_FAILED)
		return fail("mmap");
	return set_registers(vcpu) || run(vcpu, state);
}
