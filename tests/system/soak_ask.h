/* SPDX-License-Identifier: GPL-2.0 */
/* What a controller of the soak has, and the parts that its calls are made of. */
#ifndef TESTS_SOAK_ASK_H
#define TESTS_SOAK_ASK_H

#include "tests/system/soak.h"
#include "tests/system/ept.h"

#define IDS	    16 /* transactions that a controller has at a time */
#define ITEMS	    3  /* at most, in a call */
#define WALKS	    16
#define READ	    (4 * PAGE)
#define TABLES_ROOM PTREMAP_TABLES_MIN_BUF

/* A target as it was a moment ago; it may have ended since. */
struct seen {
	pid_t pid;
	char *base;
	bool has_vm;
};

struct control {
	struct soak *s;
	struct log *log;
	struct checks c;
	uint32_t state;
	uint32_t ids[IDS];
	unsigned int nr;
	int watch, access, mirror; /* descriptors, or -1 */
	uint32_t rule;		   /* or 0 */
	struct seen shown;	   /* by ->mirror */
	uint64_t window;	   /* 0: it is another's */
	struct ptremap_walk_entry walks[WALKS];
	char buffer[TABLES_ROOM];
};

/* What says that the call was wrong, or the kernel has no room, must not come. */
static bool is_fine(int err)
{
	static const int wrong[] = { EPERM, EFAULT, EINVAL, ENOTTY, EACCES, E2BIG, EDOM, ENOMEM };
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (err == -wrong[i])
			return false;
	return true;
}

static void note_answer(struct soak *s, const char *of, int err)
{
	s->n.answers[err < 0 && err > -ERRNOS ? -err : 0]++;
	if (is_fine(err))
		return;
	if (s->n.refused++ < 8)
		printf("# %s: %s\n", of, strerror(-err));
	fflush(stdout);
}

static void note(const struct control *c, const char *of, int err)
{
	note_answer(c->s, of, err);
}

static bool see(struct control *c, bool vm, struct seen *t)
{
	unsigned int i = vm ? TARGETS + random_of(&c->state, VMS)
			    : random_of(&c->state, c->s->kvm ? ALL_TARGETS : TARGETS);
	const struct target *there = &c->s->targets[i];

	*t = (struct seen){ there->pid, there->base, there->has_vm };
	return t->pid && t->base;
}

static uint64_t small_offset(struct control *c)
{
	uint32_t n = random_of(&c->state, ANON_PAGES + SHARED_PAGES + FILE_PAGES);

	if (n < ANON_PAGES)
		return (uint64_t)n * PAGE;
	n -= ANON_PAGES;
	if (n < SHARED_PAGES)
		return SHARED_AT + (uint64_t)n * PAGE;
	return FILE_AT + (uint64_t)(n - SHARED_PAGES) * PAGE;
}

static uint64_t any_offset(struct control *c)
{
	if (random_of(&c->state, 4))
		return small_offset(c);
	return HUGE_AT + (uint64_t)random_of(&c->state, HUGE_NR * HUGE / PAGE) * PAGE;
}

static uint64_t huge_offset(struct control *c)
{
	return HUGE_AT + (uint64_t)random_of(&c->state, HUGE_NR) * HUGE;
}

static void have(struct control *c, uint32_t id)
{
	c->ids[c->nr++] = id;
}

/* A page of a huge one may have to be split for. The memory begins at a multiple of 2 MiB. */
static struct log_entry *begin_call(struct control *c, const struct seen *t, uint64_t va)
{
	bool huge = va >= at(t->base) + HUGE_AT;

	if (huge)
		va &= ~(uint64_t)(HUGE - 1);
	return log_begin(c->log, DEED_CALL, t->pid, (void *)(uintptr_t)va, huge ? HUGE : PAGE);
}

#endif
