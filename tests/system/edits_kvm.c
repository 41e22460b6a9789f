// SPDX-License-Identifier: GPL-2.0
/*
 * edits_kvm: edits of memory that a KVM guest uses.
 *
 * KVM keeps frame numbers of its own. A process that has a guest is refused edits of frames; one
 * that gets a guest while it has such an edit must not leave that guest with the page it led to.
 */
#include <linux/kvm.h>

#include <sys/wait.h>

#include "tests/system/huge.h"

/* Where the guest's data is in a huge page. */
#define INSIDE (300 * PAGE)

/* In real mode: mov al, [0x1000]; out 0x10, al; jmp back. */
static const unsigned char code[] = { 0xa0, 0x00, 0x10, 0xe6, 0x10, 0xeb, 0xf9 };

struct guest {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	char *code, *data; /* a page of each */
};

static void give_page(const struct guest *g, uint32_t slot, uint64_t gpa, const char *page)
{
	struct kvm_userspace_memory_region m = { .slot = slot,
						 .guest_phys_addr = gpa,
						 .memory_size = PAGE,
						 .userspace_addr = at(page) };

	if (ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &m))
		die("KVM_SET_USER_MEMORY_REGION");
}

static void make_guest(struct guest *g)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };

	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	if (g->kvm < 0 || g->vm < 0)
		die("/dev/kvm");
	give_page(g, 0, 0, g->code);
	give_page(g, 1, PAGE, g->data);
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	g->run = mmap(NULL, (size_t)ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		      PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	if (g->run == MAP_FAILED || ioctl(g->vcpu, KVM_GET_SREGS, &sregs))
		die("vcpu");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(g->vcpu, KVM_SET_SREGS, &sregs) || ioctl(g->vcpu, KVM_SET_REGS, &regs))
		die("registers");
}

/* The byte that the guest reads; -1: it did something else. */
static int guest_reads(struct guest *g)
{
	do {
		if (ioctl(g->vcpu, KVM_RUN, 0) && errno != EINTR)
			die("KVM_RUN");
	} while (g->run->exit_reason == KVM_EXIT_INTR);
	if (g->run->exit_reason != KVM_EXIT_IO || g->run->io.port != 0x10)
		return -1;
	return *((unsigned char *)g->run + g->run->io.data_offset);
}

static char *map_pages(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, 2 * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static void test_late_guest(struct checks *c, struct guest *g, const char *name, uint32_t level,
			    char *edited, char *lent)
{
	struct ptremap_item i = { .pid = getpid(),
				  .va = at(edited),
				  .what = PTREMAP_FRAME,
				  .other_pid = getpid(),
				  .other_va = at(lent),
				  .level = level };
	uint32_t id;
	int err = edit(c, &i, &id), with, without;

	make_guest(g);
	with = guest_reads(g);
	undo(c, id);
	without = guest_reads(g);
	check(c, !err && with == 'l' && without == 'o',
	      "%s: a guest that came after the edit (%d): reads %c, after the undo %c", name, err,
	      with, without);
}

static void test_refused(struct checks *c, const struct guest *g)
{
	struct ptremap_item i = { .pid = getpid(), .va = at(g->data) };
	int fresh, mmio, trap;
	uint32_t id;

	i.what = PTREMAP_FRESH;
	fresh = edit(c, &i, NULL);
	i.what = PTREMAP_MMIO;
	i.other_va = timer_pa();
	mmio = edit(c, &i, NULL);
	i.what = PTREMAP_TRAP;
	i.other_va = 0;
	trap = edit(c, &i, &id);
	check(c, fresh == -EXDEV && mmio == -EXDEV && !trap && undo(c, id) == 1,
	      "a process that has a guest: FRESH and MMIO are refused (%d, %d), TRAP is not (%d)",
	      fresh, mmio, trap);
}

/* In a process of its own, which has no guest before. */
static void test_huge(struct checks *c, const char *code_page, enum huge_memory kind)
{
	int fd, status;
	pid_t pid = fork();

	if (!pid) {
		char *p = make_huge(kind, 2, &fd);
		struct guest g = { .code = (char *)(uintptr_t)code_page, .data = p + INSIDE };
		struct checks own = { .dev = c->dev };

		memset(p + INSIDE, 'o', PAGE);
		memset(p + HUGE + INSIDE, 'l', PAGE);
		test_late_guest(&own, &g, HUGE_NAMES[kind], 2, p, p + HUGE);
		_exit(own.failed > 0);
	}
	waitpid(pid, &status, 0);
	c->failed += status != 0;
}

int main(void)
{
	struct checks c = { .dev = open_device() };
	char *p = map_pages(), *lent = map_pages();
	struct guest g = { .code = p, .data = p + PAGE };
	enum huge_memory kind;

	memcpy(g.code, code, sizeof(code));
	memset(g.data, 'o', PAGE);
	memset(lent, 'l', PAGE);
	allow_huge(4);
	for (kind = 0; kind < HUGE_MEMORIES; kind++)
		test_huge(&c, g.code, kind);
	write_file("/proc/sys/vm/nr_hugepages", "0");
	test_late_guest(&c, &g, "4 KiB", 1, g.data, lent);
	test_refused(&c, &g);
	check(&c, guest_reads(&g) == 'o', "the guest still reads its memory");
	return c.failed > 0;
}
