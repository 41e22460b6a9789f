/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the test of calls that fail half-way: edits that are made and undone while a CPU goes and
 * comes, under threads and vCPUs that read.
 */
#ifndef TESTS_FAULTS_CPUS_H
#define TESTS_FAULTS_CPUS_H

#include "tests/system/faults.h"
#include "tests/system/readers.h"

#define HOTPLUGS 6
#define VCPUS	 2
/* Rounds of each vCPU before, during and after an edit. */
#define ROUNDS 40

/* Each time that the CPU comes or goes, edits are made before and after that. */
struct hotplug {
	pthread_t *of_cpu; /* a thread that is bound to it, and is driven away with it */
	unsigned int times;
	bool refused;
	_Atomic unsigned int edits;
	_Atomic bool done, failed;
};

static void bind_to(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static void await_edits(const struct hotplug *h)
{
	unsigned int before = h->edits;

	while (h->edits - before < 2 && !h->failed)
		usleep(100);
}

static void *plug(void *arg)
{
	static const char cpu[] = "/sys/devices/system/cpu/cpu1/online";
	struct hotplug *h = arg;

	while (h->times < HOTPLUGS && !h->refused) {
		h->refused = !write_file(cpu, "0");
		await_edits(h);
		h->refused |= !write_file(cpu, "1");
		bind_to(*h->of_cpu, 1);
		await_edits(h);
		h->times++;
	}
	h->done = true;
	return NULL;
}

/* @once: makes an edit and undoes it, and looks at what is read meanwhile; false: it failed. */
static bool under_hotplug(struct hotplug *h, bool (*once)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, plug, h))
		return false;
	while (!h->done && !h->failed) {
		h->failed = !once(arg);
		h->edits++;
	}
	pthread_join(thread, NULL);
	return !h->failed && !h->refused;
}

/* ---- of a process ---------------------------------------------------------------------------- */

struct edited {
	struct world w;
	struct ptremap_item item;
	char *p;
};

static bool edit_under_readers(void *arg)
{
	struct edited *e = arg;
	uint32_t id;
	bool good;

	unsettle(&e->w);
	if (edit(&e->w.c, &e->item, &id)) {
		settle(&e->w, e->p, 1ull << 32);
		return false;
	}
	settle(&e->w, e->p, 2ull << 32);
	unsettle(&e->w);
	good = undo(&e->w.c, id) == 1;
	settle(&e->w, e->p, 1ull << 32);
	return good;
}

/* @p: two pages of @size bytes, 1 and 2 in their contents. */
static void test_cpus_of_process(struct faults *f, char *p, uint64_t size)
{
	struct edited e = { .p = p,
			    .w.c = f->c,
			    .item = { .pid = getpid(),
				      .va = at(p),
				      .what = PTREMAP_FRAME,
				      .level = size == HUGE ? 2 : 1,
				      .other_pid = getpid(),
				      .other_va = at(p) + size } };
	struct hotplug h = { .of_cpu = &e.w.readers[1].thread };
	struct state before = settled_state(f);
	bool good;

	start_readers(&e.w);
	unsettle(&e.w);
	settle(&e.w, p, 1ull << 32);
	good = under_hotplug(&h, edit_under_readers, &e);
	stop_readers(&e.w);
	check(&f->c, good && !stale_reads(&e.w) && is_as_before(f, &before),
	      "edits of %" PRIu64 " KiB while a CPU went and came %d times: %lu stale reads",
	      size >> 10, HOTPLUGS, stale_reads(&e.w));
}

/* ---- of a guest ------------------------------------------------------------------------------ */

struct edited_guest {
	const struct checks *c;
	struct tiny_vm vm;
};

/* Each has looked at both pages often since. */
static void let_look(const struct tiny_vm *vm)
{
	uint32_t before[VCPUS];
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		before[i] = vm->low->progress[i];
	for (i = 0; i < VCPUS; i++)
		while (vm->low->progress[i] - before[i] < ROUNDS)
			usleep(100);
}

static unsigned int times_alike(const struct tiny_vm *vm)
{
	return vm->low->alike[0] + vm->low->alike[1];
}

static bool swap_under_vcpus(void *arg)
{
	struct edited_guest *g = arg;
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_SWAP, TINY_GPA, TINY_GPA + PAGE, 1);
	uint32_t id, first, second;
	bool good;

	if (ept(g->c, &i, &id))
		return false;
	let_look(&g->vm);
	first = tiny_read(&g->vm, VCPUS, TINY_GPA);
	good = undo(g->c, id) == 2;
	let_look(&g->vm);
	second = tiny_read(&g->vm, VCPUS, TINY_GPA);
	return good && first == 2 && second == 1;
}

/* The vCPUs count how often the pages look alike, as they do to one who sees one half of a swap. */
static void test_cpus_of_guest(struct faults *f)
{
	struct edited_guest g = { .c = &f->c };
	struct hotplug h = { .of_cpu = &g.vm.vcpu[1].thread };
	struct state before = settled_state(f);
	uint32_t *p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i, alike;
	bool good;

	madvise(p, HUGE, MADV_NOHUGEPAGE);
	p[0] = 1;
	p[PAGE / sizeof(*p)] = 2;
	tiny_make(&g.vm, p, HUGE);
	for (i = 0; i < VCPUS; i++) {
		tiny_start(&g.vm, i, tiny_compare_code, TINY_GPA, TINY_GPA + PAGE);
		bind_to(g.vm.vcpu[i].thread, (int)i);
	}
	let_look(&g.vm);
	good = under_hotplug(&h, swap_under_vcpus, &g);
	tiny_stop(&g.vm, VCPUS);
	alike = times_alike(&g.vm);
	tiny_end(&g.vm);
	munmap(p, HUGE);
	check(&f->c, good && !alike && is_as_before(f, &before),
	      "swaps of a guest's pages while a CPU went and came %d times: %u times one half seen",
	      HOTPLUGS, alike);
}

/* ---- the part -------------------------------------------------------------------------------- */

static void test_cpus(struct faults *f)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge;
	int none;

	if (!check(&f->c, sysconf(_SC_NPROCESSORS_ONLN) >= 2, "two CPUs, one of which can go"))
		return;
	fill_page(p, 1);
	fill_page(p + PAGE, 2);
	test_cpus_of_process(f, p, PAGE);
	munmap(p, 2 * PAGE);
	huge = make_huge(HUGE_ANON, 2, &none);
	fill_huge(huge, 1);
	fill_huge(huge + HUGE, 2);
	test_cpus_of_process(f, huge, HUGE);
	munmap(huge, 2 * HUGE);
	if (f->kvm)
		test_cpus_of_guest(f);
}

#endif
