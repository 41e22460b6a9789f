// SPDX-License-Identifier: GPL-2.0
/*
 * maps_refused: requests that are wrong in one way each get the answer that says so, random ones
 * any answer; none of them leaves anything behind.
 */
#include "tests/system/puppet.h"

#define VA	    0x50000000ull
#define RANDOM	    20000
#define PR_MDWE	    65 /* PR_SET_MDWE, and its PR_MDWE_REFUSE_EXEC_GAIN */
#define REFUSE_EXEC 1

struct wrong {
	const char *what;
	int want;
	struct ptremap_map change; /* what is not 0 replaces what is right */
};

static const struct wrong wrongs[] = {
	{ "an unknown flag", -EINVAL, { .flags = 1u << 29 } },
	{ "no pidfd", -EBADF, { .flags = PTREMAP_PIDFD, .pid = 1000000 } },
	{ "no such process", -ESRCH, { .pid = 0x3ffffffe } },
	{ "a negative pid", -ESRCH, { .pid = -1 } },
	{ "a kernel thread", -ENXIO, { .pid = 2 } },
	{ "no such lender", -ESRCH, { .other_pid = 0x3ffffffe } },
	{ "a kernel thread as lender", -ENXIO, { .other_pid = 2 } },
	{ "an address within a page", -EDOM, { .va = VA + 8 } },
	{ "an address of the kernel", -EDOM, { .va = 0xffff800000000000 } },
	{ "a length within a page", -EINVAL, { .len = PAGE + 8 } },
	{ "a length without bounds", -EMSGSIZE, { .len = 1ull << 62 } },
	{ "a lender's address within a page", -EDOM, { .from = VA + 8 } },
	{ "a lender's address where nothing is", -ENOENT, { .from = VA } },
	{ "an unknown source", -EINVAL, { .source = 9 } },
	{ "no right to read", -EINVAL, { .prot = PTREMAP_MAP_WRITE } },
	{ "an unknown right", -EINVAL, { .prot = 9 } },
	{ "an unknown cache type", -EINVAL, { .cache = 3 } },
	{ "an address, and any low one", -EINVAL, { .flags = PTREMAP_MAP_LOW } },
	{ "a size that is too small", -EINVAL, { .size = 8 } },
};

static struct ptremap_map good(const struct puppet *p)
{
	return (struct ptremap_map){
		.size = sizeof(struct ptremap_map),
		.pid = p->pid,
		.other_pid = p->pid,
		.va = VA,
		.len = PAGE,
		.from = p->pages,
		.source = PTREMAP_MAP_FRAMES,
		.prot = PTREMAP_MAP_READ,
	};
}

/* What is not 0 in @change instead of what is right. */
static struct ptremap_map changed(const struct puppet *p, const struct ptremap_map *change)
{
	struct ptremap_map m = good(p);

	m.va = change->va ? change->va : m.va;
	m.len = change->len ? change->len : m.len;
	m.from = change->from ? change->from : m.from;
	m.size = change->size ? change->size : m.size;
	m.flags = change->flags;
	m.pid = change->pid ? change->pid : m.pid;
	m.other_pid = change->other_pid ? change->other_pid : m.other_pid;
	m.source = change->source ? change->source : m.source;
	m.prot = change->prot ? change->prot : m.prot;
	m.cache = change->cache;
	return m;
}

static void each_wrong(struct checks *c, const struct puppet *p)
{
	struct ptremap_map m = good(p);
	size_t i;
	int err = call(c, PTREMAP_MAP, &m);

	check(c, !err && undo(c, m.id) == 1, "what is changed is right: %s", strerror(-err));
	for (i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		m = changed(p, &wrongs[i].change);
		err = call(c, PTREMAP_MAP, &m);
		check(c, err == wrongs[i].want, "%s: %s", wrongs[i].what, strerror(-err));
	}
	err = call(c, PTREMAP_MAP, NULL);
	check(c, err == -EFAULT, "no structure: %s", strerror(-err));
}

/* From 6.3 on a process can forbid itself memory that is writable and executable. */
static void forbidden(struct checks *c, const struct puppet *p)
{
	struct ptremap_map m = good(p);
	int err = (int)puppet_call(p, SYS_prctl, PR_MDWE, REFUSE_EXEC, 0, 0, 0), got;

	m.prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE | PTREMAP_MAP_EXEC;
	got = call(c, PTREMAP_MAP, &m);
	check(c, got == (err ? 0 : -ENOEXEC), "writable and executable (prctl: %s): %s",
	      strerror(-err), strerror(-got));
	if (!got)
		undo(c, m.id);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Mostly right, so that it gets far; never device memory, which reads may change. */
static struct ptremap_map random_map(const struct puppet *p, uint64_t *state)
{
	const uint64_t rams = 1ull << 30;
	struct ptremap_map m = good(p);
	uint64_t r = next_random(state);

	m.flags = r & 7 ? r >> 8 & PTREMAP_MAP_KEEP : (uint32_t)r;
	m.flags |= r >> 32 & PTREMAP_MAP_DRY_RUN;
	m.va = r >> 3 & 3 ? VA + (next_random(state) & 0xff000) : next_random(state);
	m.len = r >> 9 & 7 ? PAGE * (1 + (next_random(state) & 15)) : next_random(state);
	m.source = 1 + (uint32_t)(r >> 12 & 3) % 3;
	m.prot = r >> 14 & 15 ? 1 + (uint32_t)(r >> 18 & 6) : (uint32_t)(r >> 18);
	m.cache = r >> 24 & 3 ? 0 : (uint32_t)(r >> 26 & 3);
	if (m.source == PTREMAP_MAP_FRAMES)
		m.from += PAGE * (r >> 28 & 7);
	else
		m.other_pid = 0;
	if (m.source == PTREMAP_MAP_PHYS)
		m.from = next_random(state) % rams & ~4095ull;
	if (m.source == PTREMAP_MAP_FRESH)
		m.from = 0;
	return m;
}

static void at_random(struct checks *c, const struct puppet *p)
{
	const char *text = getenv("PTSCOPE_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 0x9e3779b97f4a7c15ull, state = seed;
	unsigned int i, made = 0;
	int err;

	for (i = 0; i < RANDOM; i++) {
		struct ptremap_map m = random_map(p, &state);

		made += !call(c, PTREMAP_MAP, &m);
		if (!(next_random(&state) & 15))
			puppet_read(p, m.va, &err);
		if (!(next_random(&state) & 31))
			undo(c, 0);
	}
	undo(c, 0);
	check(c, made && !list(c, NULL, 0),
	      "%u of %u random ones made and undone (seed 0x%" PRIx64 ")", made, i, seed);
}

int main(void)
{
	struct checks c = { .dev = open_device() };
	struct puppet p;
	int32_t before;

	puppet_start(&p);
	before = fewest_refs(&c, p.pid, p.pages);
	each_wrong(&c, &p);
	at_random(&c, &p);
	forbidden(&c, &p);
	check(&c, fewest_refs(&c, p.pid, p.pages) == before, "%d references again", before);
	puppet_end(&p);
	return c.failed > 0;
}
