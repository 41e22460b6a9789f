/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that test mirrors share: a guest, a window, and accesses that may fail. */
#ifndef TESTS_MIRROR_H
#define TESTS_MIRROR_H

#include <setjmp.h>
#include <signal.h>

#include "tests/system/edits.h"
#include "user/kernel/mirror.h"
#include "user/pt/ptw.h"

#define MIB	   (1ull << 20)
#define GIB	   (1ull << 30)
#define VA	   (4 * GIB)   /* of the window, unless it is said */
#define TABLES	   (256 * MIB) /* gpa of the guest's tables */
#define TABLES_LEN (32 * MIB)
#define RW_U	   (PT_PERM_R | PT_PERM_W | PT_PERM_U)

/* A guest with 4-level tables; its memory begins at gpa 0. */
struct guest {
	uint8_t *ram, *tables;
	uint64_t len;
	struct pt_fmt fmt;
	struct pt_arena arena;
	struct pt_space space;
};

/* What page @page holds; never 0. */
static inline uint64_t content(uint64_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t *word(void *at, uint64_t offset)
{
	return (uint64_t *)(void *)((uint8_t *)at + offset);
}

static inline void *reserve(uint64_t len, uint64_t align)
{
	uint64_t va = at(mmap(NULL, len + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	va = (va + align - 1) & ~(align - 1);
	return mmap((void *)(uintptr_t)va, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static inline void fill_ram(struct guest *g)
{
	uint64_t page;

	for (page = 0; page < g->len / PAGE; page++)
		*word(g->ram, page * PAGE) = content(page);
}

static inline void new_root(struct guest *g)
{
	if (pt_root_alloc(&g->space, &g->arena.alloc))
		die("root");
}

static inline void guest_init(struct guest *g, uint64_t len)
{
	const struct pt_feat feat = { .maxphyaddr = 40, .nx = 1, .page1g = 1 };

	*g = (struct guest){ .len = len };
	g->ram = reserve(len, 2 * MIB);
	g->tables = reserve(TABLES_LEN, PAGE);
	if (g->ram == MAP_FAILED || g->tables == MAP_FAILED)
		die("mmap");
	pt_fmt_init(&g->fmt, PT_MODE_4LEVEL, &feat);
	pt_arena_init(&g->arena, g->tables, TABLES, TABLES_LEN, true);
	g->space.fmt = &g->fmt;
	g->space.mem = &g->arena.mem;
	new_root(g);
}

static inline void guest_exit(struct guest *g)
{
	munmap(g->ram, g->len);
	munmap(g->tables, TABLES_LEN);
}

static inline void guest_map(struct guest *g, uint64_t gva, uint64_t gpa, uint64_t len,
			     unsigned int perm, unsigned int max_level)
{
	const struct pt_prot prot = { .perm = (pt_u8)perm, .max_level = (pt_u8)max_level };

	if (pt_map(&g->space, gva, gva + len - 1, gpa, &prot, &g->arena.alloc))
		die("pt_map");
}

/* The entry of @gva at level 1, in the guest's memory. */
static inline uint64_t *guest_leaf(const struct guest *g, uint64_t gva)
{
	struct pt_path path;

	if (pt_lookup(&g->space, gva, &path) != PT_LEAF || path.end.level != 1)
		die("no leaf");
	return word(g->tables, path.at[1].addr - TABLES);
}

/* ---- windows -------------------------------------------------------------------------------- */

static inline void guest_ranges(const struct guest *g, struct ptremap_mirror_range ranges[2])
{
	ranges[0] = (struct ptremap_mirror_range){ .len = g->len, .hva = at(g->ram) };
	ranges[1] = (struct ptremap_mirror_range){
		.gpa = TABLES,
		.len = TABLES_LEN,
		.hva = at(g->tables),
	};
}

/* All but ->ranges. */
static inline struct ptremap_mirror mirror_request(const struct guest *g, uint64_t gva,
						   uint64_t len)
{
	return (struct ptremap_mirror){
		.va = VA,
		.len = len,
		.gva = gva,
		.mode = PTREMAP_MIRROR_4LEVEL,
		.features = PTREMAP_MIRROR_NX | PTREMAP_MIRROR_PAGE1G,
		.maxphyaddr = 40,
		.root = g->space.root,
		.cpu = PTREMAP_MIRROR_WP | PTREMAP_MIRROR_USER,
	};
}

static inline int make_mirror(const struct checks *c, const struct guest *g,
			      struct ptremap_mirror *req, struct ptremap_mirror_window *w)
{
	struct ptremap_mirror_range ranges[2];

	guest_ranges(g, ranges);
	req->ranges = at(ranges);
	req->nr_ranges = 2;
	return ptremap_mirror_create(c->dev, req, w);
}

static inline void mirror_guest(const struct checks *c, const struct guest *g, uint64_t gva,
				uint64_t len, uint32_t flags, struct ptremap_mirror_window *w)
{
	struct ptremap_mirror req = mirror_request(g, gva, len);
	int err;

	req.flags = flags;
	err = make_mirror(c, g, &req, w);
	errno = -err;
	if (err)
		die("mirror");
}

static inline uint64_t *in_window(const struct ptremap_mirror_window *w, uint64_t gva)
{
	return (uint64_t *)(uintptr_t)(w->va + (gva - w->gva));
}

/* ---- accesses that may fail ----------------------------------------------------------------- */

static __thread sigjmp_buf out;
static __thread volatile int got_signal, got_code;

static inline void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = signal;
	got_code = info->si_code;
	siglongjmp(out, 1);
}

static inline void catch_faults(void)
{
	const struct sigaction action = { .sa_sigaction = on_fault,
					  .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* 0, or the signal. No mask is saved: none changes. */
static inline int load(const volatile uint64_t *from, uint64_t *value)
{
	if (sigsetjmp(out, 0))
		return got_signal;
	*value = *from;
	return 0;
}

static inline int store(volatile uint64_t *to, uint64_t value)
{
	if (sigsetjmp(out, 0))
		return got_signal;
	*to = value;
	return 0;
}

/* Why the last access of this thread failed; 0: nobody knows. */
static inline unsigned int why(const struct ptremap_mirror_window *w, const void *addr)
{
	struct ptremap_mirror_record r;

	return ptremap_mirror_why(w, addr, got_code, 0, &r) ? 0 : r.why;
}

/* ---- a guest and its window -------------------------------------------------------------- */

#define GVA 0x40000000ull
#define LEN (16 * MIB)
#define RAM (32 * MIB)

/* A guest whose pages from GVA on are its memory from 0 on, and a window over them. */
struct fixture {
	struct guest guest;
	struct ptremap_mirror_window window;
};

static inline void setup(struct checks *c, struct fixture *f, unsigned int max_level,
			 uint32_t flags)
{
	guest_init(&f->guest, RAM);
	fill_ram(&f->guest);
	guest_map(&f->guest, GVA, 0, LEN, RW_U, max_level);
	mirror_guest(c, &f->guest, GVA, LEN, flags, &f->window);
}

static inline void teardown(struct fixture *f)
{
	ptremap_mirror_destroy(&f->window);
	guest_exit(&f->guest);
}

/* What page @page shows; 0: a signal. */
static inline uint64_t shown(const struct fixture *f, uint64_t page)
{
	uint64_t value = 0;

	return load(in_window(&f->window, GVA + page * PAGE), &value) ? 0 : value;
}

static inline unsigned int why_page(const struct fixture *f, uint64_t page)
{
	return why(&f->window, in_window(&f->window, GVA + page * PAGE));
}

#endif
