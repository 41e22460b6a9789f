// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/absent.h"

#include <errno.h>
#include <stdio.h>

#include "user/base/line.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/pt/pt_entry.h"
#include "user/pt/pt_linux.h"
#include "user/show/entry_text.h"

#define PAGE_SIZE 4096
#define WHY_LEN	  ABSENT_WHY_LEN

struct search {
	uint64_t va;
	struct proc_maps_entry *found;
};

static int is_near(void *ctx, const struct proc_maps_entry *e)
{
	struct search *s = ctx;

	if (e->end <= s->va)
		return 0;
	*s->found = *e;
	return 1;
}

/* a->near becomes the first mapping that ends behind @va. False: there is none. */
static bool find_near(struct absent *a, uint64_t va)
{
	struct search s = { va, &a->near };

	if (a->near.start <= va && va < a->near.end)
		return true;
	a->near = (struct proc_maps_entry){ .start = UINT64_MAX, .end = UINT64_MAX };
	return proc_maps_each((uint32_t)live_pid(a->live), is_near, &s) == 1;
}

const struct proc_maps_entry *absent_mapping(struct absent *a, uint64_t va)
{
	return find_near(a, va) && a->near.start <= va ? &a->near : NULL;
}

/* Of an address that is mapped, but has no page. */
static void say_entry(char *why, const struct pt_fmt *fmt, const struct pt_walk *end)
{
	struct entry_view v = { .fmt = fmt,
				.entry = end->entry,
				.level = end->level,
				.linux_version = kinfo_version() };
	struct line l = { 0 };

	if (!end->entry) {
		snprintf(why, WHY_LEN, "mapped, but there is no page yet: nothing at %s",
			 pt_level_name(fmt, end->level));
		return;
	}
	linux_line(&l, &v);
	line_char(&l, '\0');
	snprintf(why, WHY_LEN, "no page: %s at %s", l.failed ? "an entry" : l.buf,
		 pt_level_name(fmt, end->level));
	line_free(&l);
}

/* The page at @va is absent: in @why the reason; returns the first address behind its like. */
static uint64_t say_absent(struct absent *a, uint64_t va, char *why)
{
	const struct pt_space *space = live_space(a->live);
	struct ptremap_page page;
	struct pt_path path;
	uint64_t size = PAGE_SIZE, end;
	int err;

	if (!absent_mapping(a, va)) {
		err = live_walk(a->live, va, &page);
		snprintf(why, WHY_LEN, "%s",
			 err == -ENXIO || err == -ESRCH ? "the process has ended"
							: "nothing is mapped there");
		return a->near.start;
	}
	if (live_walk(a->live, va, &page) || pt_lookup(space, va, &path) == PT_LEAF) {
		snprintf(why, WHY_LEN, "no page was there");
		return (va | (PAGE_SIZE - 1)) + 1;
	}
	say_entry(why, space->fmt, &path.end);
	if (path.end.kind == PT_HOLE && !path.end.entry)
		size = pt_level_size(space->fmt, path.end.level);
	end = (va | (size - 1)) + 1;
	return end < a->near.end ? end : a->near.end;
}

bool absent_is_page(int err)
{
	return err == -ENXIO || err == -EIO || err == -ENODEV || err == -EROFS || err == -EAGAIN;
}

uint64_t absent_why(struct absent *a, uint64_t va, int err, char why[ABSENT_WHY_LEN])
{
	if (err == -ENXIO)
		return say_absent(a, va, why);
	snprintf(why, WHY_LEN, "%s", ptremap_memory_strerror(err));
	return (va | (PAGE_SIZE - 1)) + 1;
}
