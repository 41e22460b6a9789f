/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the soak finds out from outside: why each edit was taken, references of pages, objects of
 * the kernel's.
 */
#ifndef TESTS_SOAK_COUNT_H
#define TESTS_SOAK_COUNT_H

#include <dirent.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "tests/system/soak.h"

/* ---- restores by what was done --------------------------------------------------------------- */

#define REMEMBERED 64
#define CAUSES	   (PTREMAP_CAUSE_VM + 1)

/* A swap's other half goes with the first, in whatever process it is. */
struct reasons {
	unsigned int of[DEEDS];
	unsigned int of_huge[DEEDS], of_guests[DEEDS]; /* of these: 2 MiB; PTREMAP_EPT's */
	unsigned int other[CAUSES];		       /* DEED_OTHER */
	unsigned int events, lost, next;
	struct {
		uint32_t id;
		enum deed deed;
	} last[REMEMBERED];
};

static bool entry_fits(const struct log_entry *e, const struct ptremap_event *v)
{
	uint64_t va = v->record.va, len = v->record.level == 2 ? HUGE : PAGE;

	return DEED[e->deed].causes & 1u << v->record.cause &&
	       (!e->pid || e->pid == v->record.pid) && va + len > e->first && va <= e->last &&
	       v->time >= e->begin && (!e->end || v->time <= e->end);
}

/* *@found: NONE, or what was found before. */
static void look_in_log(const struct log *l, const struct ptremap_event *v, enum deed *found)
{
	unsigned int i;

	for (i = 0; i < LOG_ROOM; i++) {
		const struct log_entry *e = &l->entries[i];

		if (e->deed && e->deed != *found && entry_fits(e, v))
			*found = *found ? DEED_UNCLEAR : (enum deed)e->deed;
	}
}

static enum deed of_same_id(const struct reasons *r, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < REMEMBERED; i++)
		if (r->last[i].id == id)
			return r->last[i].deed;
	return DEED_OTHER;
}

static enum deed explain(const struct soak *s, const struct reasons *r,
			 const struct ptremap_event *v)
{
	enum deed found = DEED_NONE;
	unsigned int i;

	if (v->record.cause == PTREMAP_CAUSE_UNDO)
		return DEED_UNDO;
	if (v->record.cause == PTREMAP_CAUSE_ACCESS)
		return DEED_GUEST;
	for (i = 0; i < ALL_TARGETS; i++)
		look_in_log(&s->target_logs[i], v, &found);
	for (i = 0; i < CONTROLLERS; i++)
		look_in_log(&s->controller_logs[i], v, &found);
	look_in_log(&s->outside_log, v, &found);
	look_in_log(&s->main_log, v, &found);
	if (found)
		return found;
	return DEED[DEED_GUEST].causes & 1u << v->record.cause ? DEED_GUEST
							       : of_same_id(r, v->record.id);
}

static void count_event(const struct soak *s, struct reasons *r, const struct ptremap_event *v)
{
	enum deed deed;

	r->lost += v->lost;
	if (v->type == PTREMAP_EVENT_LOST)
		return;
	r->events++;
	if (v->type != PTREMAP_EVENT_GONE)
		return;
	deed = explain(s, r, v);
	r->of[deed]++;
	r->of_huge[deed] += v->record.level == 2;
	r->of_guests[deed] += !!(v->record.flags & PTREMAP_RECORD_VM);
	r->other[v->record.cause < CAUSES ? v->record.cause : 0] += deed == DEED_OTHER;
	r->last[r->next].id = v->record.id;
	r->last[r->next].deed = deed;
	r->next = (r->next + 1) % REMEMBERED;
}

/* All that there is by now. */
static void count_events(const struct soak *s, struct reasons *r, int watch)
{
	static struct ptremap_event some[64];
	ssize_t got;
	size_t i;

	do {
		got = read(watch, some, sizeof(some));
		for (i = 0; got > 0 && i < (size_t)got / sizeof(*some); i++)
			count_event(s, r, &some[i]);
	} while (got == (ssize_t)sizeof(some));
}

/* ---- references ------------------------------------------------------------------------------ */

/* Of /proc/kpageflags: part of a page that is larger. */
static bool is_compound(uint64_t pfn)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t flags = 0;

	if (fd < 0 || pread(fd, &flags, sizeof(flags), (off_t)(pfn * 8)) != sizeof(flags))
		die("/proc/kpageflags");
	close(fd);
	return flags & (1u << 15 | 1u << 16);
}

/* References of the pages at [@va, + @nr pages) that nothing explains, if @cached also the page
 * cache's. */
static long extra_of_range(const struct checks *c, pid_t pid, uint64_t va, unsigned int nr,
			   bool cached)
{
	long extra = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct ptremap_walk_entry e = walk(c, pid, va + (uint64_t)i * PAGE);

		if (!e.status && e.page.valid)
			extra += labs((long)(e.page.refcount - mapcount(e.page.pfn) - cached));
	}
	return extra;
}

/* The same of 2 MiB, which may be one page, or parts of it that are mapped alone. */
static long extra_of_huge(const struct checks *c, pid_t pid, uint64_t va, bool cached)
{
	struct ptremap_walk_entry e = walk(c, pid, va);
	long extra = 0, mapped = 0, references = 0;
	unsigned int i;

	if (e.level == 2 && e.page.valid)
		return labs(e.page.refcount - 1l - (cached ? HUGE / PAGE : 0));
	for (i = 0; i < HUGE / PAGE; i++) {
		e = walk(c, pid, va + (uint64_t)i * PAGE);
		if (e.status || !e.page.valid)
			continue;
		if (!is_compound(e.page.pfn)) {
			extra += labs((long)(e.page.refcount - mapcount(e.page.pfn) - cached));
			continue;
		}
		mapped += mapcount(e.page.pfn);
		references = e.page.refcount;
	}
	if (references && cached)
		mapped += HUGE / PAGE;
	return extra + labs(references - mapped);
}

static long extra_references(const struct soak *s, const struct checks *c)
{
	long extra = 0;
	unsigned int i, k;

	drain_lru();
	for (i = 0; i < ALL_TARGETS; i++) {
		const struct target *t = &s->targets[i];

		if (!t->pid)
			continue;
		extra += extra_of_range(c, t->pid, at(t->base), ANON_PAGES, false);
		extra += extra_of_range(c, t->pid, at(t->base) + SHARED_AT, SHARED_PAGES, true);
		for (k = 0; k < HUGE_NR; k++)
			extra += extra_of_huge(c, t->pid, at(t->base) + HUGE_AT + k * HUGE,
					       k == HUGE_SHARED);
	}
	return extra;
}

/* The kernel's own references come and go. */
static long settled_references(const struct soak *s, const struct checks *c)
{
	long extra = extra_references(s, c);
	int tries;

	for (tries = 0; extra && tries < 40; tries++) {
		usleep(25000);
		extra = extra_references(s, c);
	}
	return extra;
}

/*
 * Pages of processes (of /proc/kpageflags, by its bits) that are in no page table and no swap: a
 * reference keeps them that nobody will give back.
 */
static long lost_pages(void)
{
	enum { ON_LRU = 5, ANON_PAGE = 12, SWAPCACHE = 13, ROOM = 8192 };
	static uint64_t flags[ROOM], counts[ROOM];
	int f = open("/proc/kpageflags", O_RDONLY), c = open("/proc/kpagecount", O_RDONLY);
	ssize_t got;
	long lost = 0;
	size_t i;

	if (f < 0 || c < 0)
		die("/proc/kpageflags");
	while ((got = read(f, flags, sizeof(flags))) > 0 && read(c, counts, (size_t)got) == got)
		for (i = 0; i < (size_t)got / sizeof(*flags); i++)
			lost += flags[i] & 1u << ANON_PAGE && flags[i] & 1u << ON_LRU &&
				!(flags[i] & 1u << SWAPCACHE) && !counts[i];
	close(f);
	close(c);
	return lost;
}

/* ---- objects of the kernel's ----------------------------------------------------------------- */

static const char *const CACHES[] = { "mm_struct", "kvm_vcpu" };
#define NR_CACHES (sizeof(CACHES) / sizeof(*CACHES))

static long first_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* In use, exactly: the CPUs' own lists of free ones are emptied first. -1: no such cache. */
static long objects(const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	write_file(path, "1");
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return first_number(path);
}

/* A CPU that is idle keeps the address space of the process before, whose it is no more. */
static void visit_cpus(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	cpu_set_t set, all;

	sched_getaffinity(0, sizeof(all), &all);
	for (i = 0; i < cpus; i++) {
		CPU_ZERO(&set);
		CPU_SET(i, &set);
		sched_setaffinity(0, sizeof(set), &set);
		usleep(1000);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

/* Processes that have memory of their own: those with a program. */
static long processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[300];
	long n = 0;

	while (d && (e = readdir(d)) != NULL) {
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%s/exe", e->d_name);
		n += *e->d_name >= '1' && *e->d_name <= '9' && !stat(path, &st);
	}
	if (d)
		closedir(d);
	return n;
}

/* The first are those of address spaces, of which each process has one. */
static void count_objects(long *n)
{
	size_t i;

	visit_cpus();
	for (i = 0; i < NR_CACHES; i++)
		n[i] = objects(CACHES[i]);
	n[0] -= processes();
}

#endif
