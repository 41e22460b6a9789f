// SPDX-License-Identifier: GPL-2.0
/*
 * A slot that is now here and now there, now of this memory and now of that, or not there at all,
 * while the guest runs and vCPUs are added: what was true when, for those who look meanwhile. The
 * memories never change, so that an address, a frame and words tell which state an answer is of.
 */
#include <inttypes.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

#define MEMORIES 3u
#define PLACES	 3u
#define PAGES	 8u
#define PLACE(i) (0x40000000ULL + (i)*0x1000000ULL)
/* Between two changes: from this on, up to four times as long. */
#define PAUSE_US 6000
/* So many changes, and there is another vCPU. */
#define VCPU_EACH  30
#define NOWHERE_US 5000

static u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

/* How far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC, in us: what was read most at once says it. */
static int64_t realtime_ahead(void)
{
	u64 before, real, took, best = ~0ULL;
	int64_t ahead = 0;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		before = now_ns();
		real = now_us();
		took = now_ns() - before;
		if (took < best) {
			best = took;
			ahead = (int64_t)(real - before / 1000);
		}
	}
	return ahead;
}

/* All of its words are the same; nothing moves or takes away its pages. */
static void make_memory(const struct vm *vm, unsigned int m, char **memory)
{
	u64 page, i, word;

	memory[m] = vm_memory(PAGES * PAGE, BACKED_4K);
	if (mlock(memory[m], PAGES * PAGE))
		die("mlock");
	for (page = 0; page < PAGES; page++) {
		char *hva = memory[m] + page * PAGE;

		word = number(vm->o->seed, m * PAGES + page, 0);
		for (i = 0; i < PAGE / 8; i++)
			((u64 *)hva)[i] = word;
		printf("frame memory=%u page=%" PRIu64 " hva=%p pfn=0x%" PRIx64 " decimal=%" PRIu64
		       " word=%016" PRIx64 "\n",
		       m, page, hva, pfn_of(hva), pfn_of(hva), word);
	}
}

/* A place that has no memory just now. Others want the CPU, too. */
static void on_nowhere(struct vcpu *c, struct access *a)
{
	(void)c;
	a->value = 0;
	usleep(NOWHERE_US);
}

/* Reads all over the places, without end. */
static void fill_ops(struct vm *vm, struct vcpu *c, u64 seed)
{
	struct op *ops = vcpu_ops(c, BATCH_OPS);
	u64 i, n;

	c->repeat = true;
	for (i = 0; i < BATCH_OPS; i++) {
		n = number(vm->o->seed, seed * BATCH_OPS + i, 1);
		ops[i] = (struct op){ .kind = OP_READ,
				      .size = 4,
				      .addr = PLACE(n % PLACES) + n / PLACES % PAGES * PAGE };
	}
}

void moves_prepare(struct vm *vm)
{
	unsigned int i;

	vm->one_by_one = true;
	vm->on_access = on_nowhere;
	for (i = 0; i < PLACES; i++)
		vm_map_self(vm, PLACE(i), PAGES * PAGE);
	for (i = 0; i < vm->o->vcpus; i++)
		fill_ops(vm, &vm->vcpus[i], i + 1);
}

/* The slot as ->slots has it, after one change of KVM's. */
static void set(struct vm *vm, unsigned int memory)
{
	const struct slot *s = &vm->slots[SLOT_FIRST];
	u64 begun = now_us();

	vm_slot_set(vm, SLOT_FIRST);
	printf("state begun=%" PRIu64 " ended=%" PRIu64, begun, now_us());
	if (s->exists)
		printf(" gpa=0x%" PRIx64 " memory=%u\n", s->gpa, memory);
	else
		printf(" gpa=none memory=none\n");
	fflush(stdout);
}

/* KVM moves a slot, but does not give it another memory: that is another slot. */
static void change(struct vm *vm, u64 i, char *const *memory)
{
	struct slot *s = &vm->slots[SLOT_FIRST];
	const u64 n = number(vm->o->seed, i, 2);
	const unsigned int m = (unsigned int)(n >> 8) % MEMORIES;

	if (s->exists && (s->hva != memory[m] || n % 4 == 0)) {
		s->exists = false;
		set(vm, 0);
	}
	if (n % 4 == 0)
		return;
	s->gpa = PLACE((n >> 16) % PLACES);
	s->size = PAGES * PAGE;
	s->hva = memory[m];
	s->exists = true;
	set(vm, m);
}

/* Somebody has written a line on stdin, or left. */
static bool enough(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, 0) > 0;
}

static void add_vcpu(struct vm *vm)
{
	u64 begun = now_us();

	vm_add_vcpu(vm);
	printf("vcpu id=%u begun=%" PRIu64 " ended=%" PRIu64 "\n", vm->nr_vcpus - 1, begun,
	       now_us());
}

void moves_meanwhile(struct vm *vm)
{
	char *memory[MEMORIES];
	unsigned int m;
	u64 i, n = vm->o->n;

	for (m = 0; m < MEMORIES; m++)
		make_memory(vm, m, memory);
	printf("moving pid=%d ahead=%" PRId64 "\n", getpid(), realtime_ahead());
	fflush(stdout);
	for (i = 0; i < n && !enough(); i++) {
		if (vm->nr_vcpus < vm->o->vcpus && i >= VCPU_EACH * vm->nr_vcpus)
			add_vcpu(vm);
		change(vm, i, memory);
		usleep(PAUSE_US * (1 + (unsigned int)(number(vm->o->seed, i, 3) % 4)));
	}
	vm_stop(vm);
}
