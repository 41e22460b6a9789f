/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the fuzzer's choices come from. Each is made by bytes of an input; what reads beyond its
 * end makes it longer at random. An input that reached something new is kept, and others are made
 * of it. New is what kcov has not seen before (code of the module's, in a kernel with KCOV), or an
 * answer that a call has not given before.
 */
#ifndef TESTS_FUZZ_CHOICE_H
#define TESTS_FUZZ_CHOICE_H

#include <linux/kcov.h>
#include <stdatomic.h>

#include "tests/system/edits.h"

#define FUZZ_INPUT  512	 /* bytes at most */
#define FUZZ_CORPUS 4096 /* inputs that are kept */
#define FUZZ_SEEN   65536
#define KCOV_WORDS  65536

struct fuzz_input {
	uint16_t nr;
	uint8_t bytes[FUZZ_INPUT];
};

/* Shared by all processes of the fuzzer: one that is killed leaves nothing locked. */
struct fuzz_corpus {
	_Atomic uint32_t nr;  /* may be more than there is room for */
	_Atomic uint32_t hit; /* how many of ->seen are set */
	_Atomic uint8_t seen[FUZZ_SEEN];
	struct fuzz_input inputs[FUZZ_CORPUS];
};

struct choice {
	struct fuzz_input input;
	size_t next;
	uint32_t random;
	bool found; /* something new */
};

static inline uint32_t fuzz_random(struct choice *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 17;
	c->random ^= c->random << 5;
	return c->random;
}

static inline uint8_t choose_byte(struct choice *c)
{
	if (c->next == FUZZ_INPUT)
		return (uint8_t)(fuzz_random(c) >> 8);
	if (c->next == c->input.nr)
		c->input.bytes[c->input.nr++] = (uint8_t)(fuzz_random(c) >> 8);
	return c->input.bytes[c->next++];
}

static inline uint64_t choose_bytes(struct choice *c, unsigned int nr)
{
	uint64_t value = 0;

	while (nr--)
		value = value << 8 | choose_byte(c);
	return value;
}

/* Below @n. */
static inline uint32_t choose(struct choice *c, uint32_t n)
{
	return (uint32_t)(n <= 256 ? choose_byte(c) : choose_bytes(c, 4)) % n;
}

/* True once in @n times. */
static inline bool seldom(struct choice *c, uint32_t n)
{
	return !choose(c, n);
}

/* Mostly @good, else something at the edge of what is allowed, or far from it. */
static inline uint64_t mix(struct choice *c, uint64_t good)
{
	static const uint64_t edges[] = {
		0,
		1,
		~0ull,
		0xfff,
		0x1000,
		1ull << 31,
		1ull << 32,
		(1ull << 47) - 4096,
		1ull << 47,
		1ull << 52,
		1ull << 63,
		0xffff888000000000,
		0xffffffff81000000,
	};

	switch (choose(c, 128)) {
	case 0:
		return edges[choose(c, sizeof(edges) / sizeof(*edges))];
	case 1:
		return good + 1;
	case 2:
		return good - 1;
	case 3:
		return good ^ 1ull << choose(c, 64);
	default:
		return good;
	}
}

static inline uint32_t mix32(struct choice *c, uint32_t good)
{
	return (uint32_t)mix(c, good);
}

/* ---- what was found ------------------------------------------------------------------------- */

static inline void fuzz_found(struct fuzz_corpus *f, struct choice *c, uint64_t what)
{
	uint32_t at = (uint32_t)(what * 0x9e3779b97f4a7c15ull >> 48) % FUZZ_SEEN;

	if (atomic_exchange(&f->seen[at], 1))
		return;
	f->hit++;
	c->found = true;
}

/* The coverage of this thread; NULL: the kernel has no KCOV. */
static inline uint64_t *kcov_start(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	uint64_t *cover;

	if (fd < 0)
		return NULL;
	if (ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS))
		die("KCOV_INIT_TRACE");
	cover = mmap(NULL, KCOV_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		die("KCOV_ENABLE");
	return cover; /* and the descriptor stays open */
}

static inline void kcov_collect(struct fuzz_corpus *f, struct choice *c, uint64_t *cover)
{
	uint64_t nr = __atomic_load_n(cover, __ATOMIC_RELAXED), i;

	for (i = 0; i < nr && i < KCOV_WORDS - 1; i++)
		fuzz_found(f, c, cover[i + 1]);
	__atomic_store_n(cover, 0, __ATOMIC_RELAXED);
}

/* ---- inputs --------------------------------------------------------------------------------- */

static inline void fuzz_change(struct choice *c, const struct fuzz_corpus *f, uint32_t kept)
{
	struct fuzz_input *in = &c->input;
	const struct fuzz_input *other = &f->inputs[fuzz_random(c) % kept];
	uint32_t where;

	if (!in->nr)
		return;
	where = fuzz_random(c) % in->nr;
	switch (fuzz_random(c) % 4) {
	case 0:
		in->bytes[where] = (uint8_t)fuzz_random(c);
		break;
	case 1:
		in->bytes[where] ^= (uint8_t)(1u << fuzz_random(c) % 8);
		break;
	case 2: /* the rest is chosen anew */
		in->nr = (uint16_t)where;
		break;
	default: /* the rest is another's; what is shared may change while it is read */
		memcpy(in->bytes + where, other->bytes + where, FUZZ_INPUT - where);
		in->nr = other->nr > where && other->nr <= FUZZ_INPUT ? other->nr : (uint16_t)where;
	}
}

/* The next input: one of those that were kept, changed, or a new one. */
static inline void fuzz_next(struct choice *c, const struct fuzz_corpus *f)
{
	uint32_t kept = f->nr < FUZZ_CORPUS ? f->nr : FUZZ_CORPUS, i;

	c->next = 0;
	c->found = false;
	c->input.nr = 0;
	if (!kept || !(fuzz_random(c) % 5))
		return;
	c->input = f->inputs[fuzz_random(c) % kept];
	if (c->input.nr > FUZZ_INPUT)
		c->input.nr = FUZZ_INPUT;
	for (i = fuzz_random(c) % 4; i < 4; i++)
		fuzz_change(c, f, kept);
}

static inline void fuzz_keep(struct choice *c, struct fuzz_corpus *f)
{
	uint32_t at;

	if (!c->found)
		return;
	at = atomic_fetch_add(&f->nr, 1);
	if (at >= FUZZ_CORPUS)
		at = fuzz_random(c) % FUZZ_CORPUS;
	c->input.nr = (uint16_t)c->next;
	f->inputs[at] = c->input;
}

#endif
