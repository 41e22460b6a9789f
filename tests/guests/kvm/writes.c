// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for others to write to, and what came of it: by the guest's own reads, by KVM's dirty log,
 * and by a child that has the monitor's memory as it was (copy-on-write).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

#define MEMORY_GPA   0x40000000ULL
#define READONLY_GPA 0x50000000ULL
#define NOWHERE_GPA  0x60000000ULL
#define MEMORY_GVA   0x20000000ULL
#define PAGES	     64u
/* What the guest's page with this number leads to, instead of a page of MEMORY_GPA. */
#define ABSENT	  48u
#define READONLY  50u
#define NOWHERE	  52u
#define PROTECTED 54u /* of MEMORY_GPA, but the monitor may only read there itself */

static pid_t child;
static int ask_child;

/* Neighbours for the guest are none for the monitor. */
static u64 gpa_of(u64 page)
{
	if (page == READONLY)
		return READONLY_GPA;
	if (page == NOWHERE)
		return NOWHERE_GPA;
	return MEMORY_GPA + page * 37 % PAGES * PAGE;
}

static void fill(const struct vm *vm)
{
	u64 gpa, word;

	for (gpa = MEMORY_GPA; gpa < MEMORY_GPA + PAGES * PAGE; gpa += 8) {
		word = pattern(vm->o->seed, gpa);
		memcpy(vm_hva(vm, gpa), &word, 8);
	}
}

static bool is_filled(const struct vm *vm)
{
	u64 gpa, word;

	for (gpa = MEMORY_GPA; gpa < MEMORY_GPA + PAGES * PAGE; gpa += 8) {
		word = pattern(vm->o->seed, gpa);
		if (memcmp(vm_hva(vm, gpa), &word, 8))
			return false;
	}
	return true;
}

/* Waits until it is asked, or its parent is gone. */
static void fork_child(const struct vm *vm)
{
	int ends[2];
	char c;

	if (pipe(ends))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(ends[1]);
		if (read(ends[0], &c, 1) < 0)
			_exit(2);
		_exit(!is_filled(vm));
	}
	close(ends[0]);
	ask_child = ends[1];
}

/*
 * The first word of each page is read by the guest afterwards; but not before ABSENT, where a write
 * is refused after the page was copied for it: KVM lets a guest that reads such a page write to it,
 * too, and puts it into the log.
 */
void writes_prepare(struct vm *vm)
{
	struct op *ops = vcpu_ops(&vm->vcpus[0], PAGES);
	u64 i, n = 0;

	vm_slot(vm, SLOT_FIRST, MEMORY_GPA, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES, BACKED_4K);
	vm_slot(vm, SLOT_FIRST + 1, READONLY_GPA, PAGE, KVM_MEM_READONLY, BACKED_4K);
	fill(vm);
	for (i = 0; i < PAGES; i++) {
		if (i != ABSENT)
			tables_map(vm, MEMORY_GVA + i * PAGE, gpa_of(i), 1, ENTRY_RW);
		if (i + 1 == ABSENT || i == ABSENT || i == NOWHERE)
			continue;
		ops[n++] = (struct op){ .kind = OP_READ, .size = 8, .addr = MEMORY_GVA + i * PAGE };
	}
	vm->vcpus[0].nr = n;
	if (mprotect(vm_hva(vm, gpa_of(PROTECTED)), PAGE, PROT_READ))
		die("mprotect");
	fork_child(vm);
	printf("memory gva=0x%llx pages=%u absent=%u readonly=%u nowhere=%u protected=%u\n",
	       MEMORY_GVA, PAGES, ABSENT, READONLY, NOWHERE, PROTECTED);
}

/* Pages by the guest's number, as the log has them. */
static u64 dirty_pages(const struct vm *vm)
{
	u64 bitmap = 0, pages = 0, i;
	struct kvm_dirty_log log = { .slot = SLOT_FIRST, .dirty_bitmap = &bitmap };

	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
		die("KVM_GET_DIRTY_LOG");
	for (i = 0; i < PAGES; i++)
		if (bitmap >> (i * 37 % PAGES) & 1)
			pages |= 1ULL << i;
	return pages;
}

void writes_report(struct vm *vm)
{
	const struct vcpu *c = &vm->vcpus[0];
	int status = -1;
	u64 i;

	for (i = 0; i < c->nr; i++)
		printf("word page=%llu value=0x%016" PRIx64 "\n",
		       (c->ops[i].addr - MEMORY_GVA) / PAGE, c->ops[i].result);
	printf("log dirty=0x%" PRIx64 "\n", dirty_pages(vm));
	close(ask_child);
	waitpid(child, &status, 0);
	printf("child same=%d\n", status == 0);
}
