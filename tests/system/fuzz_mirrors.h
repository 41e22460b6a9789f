/* SPDX-License-Identifier: GPL-2.0 */
/* The fuzzer's mirrors. */
#ifndef TESTS_FUZZ_MIRRORS_H
#define TESTS_FUZZ_MIRRORS_H

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "tests/system/fuzz_worker.h"

#define MIRROR_PAGES 16 /* of the guest that a mirror shows */

/*
 * The guest of a mirror is in the caller's memory, w->guest: its tables are what the bytes there
 * happen to be. Or it is a target, whose memory is written to by the window: that which may be.
 */
static inline void choose_guest(struct worker *w, struct ptremap_mirror *a)
{
	struct ptremap_mirror_range *r = (void *)w->room;
	const uint64_t half = MIRROR_PAGES / 2 * PAGE;
	uint64_t hva = mix(&w->c, at(w->guest));

	if (seldom(&w->c, 3)) {
		a->ram_pid = any_pid(w, &a->flags, PTREMAP_OTHER_PIDFD);
		hva = fuzz_va(FUZZ_POKE, 0);
	}
	r[0] = (struct ptremap_mirror_range){ .gpa = mix(&w->c, 0),
					      .len = mix(&w->c, half),
					      .hva = hva };
	r[1] = (struct ptremap_mirror_range){
		.gpa = half, .len = half, .hva = hva + half, .flags = choose(&w->c, 2)
	};
}

static inline int fuzz_mirror(struct worker *w)
{
	struct ptremap_mirror a = { .va = choose(&w->c, 2) ? 0 : mix(&w->c, FUZZ_BASE * 2),
				    .fd = -1 };
	int err;

	if (seldom(&w->c, 4))
		a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
	choose_guest(w, &a);
	a.len = mix(&w->c, (uint64_t)(1 + choose(&w->c, 2048)) * PAGE);
	a.gva = choose(&w->c, 2) ? 0 : mix(&w->c, choose_bytes(&w->c, 2) * PAGE);
	a.ranges = fuzz_pointer(w);
	a.nr_ranges = mix32(&w->c, 2);
	a.mode = mix32(&w->c, choose(&w->c, 5));
	a.features = choose_flags(w, 63);
	a.maxphyaddr = mix32(&w->c, 40);
	a.root = mix(&w->c, choose(&w->c, 4) * PAGE);
	a.cpu = choose_flags(w, 15);
	a.tag = choose(&w->c, 17);
	a.flags |= choose_flags(w, PTREMAP_MIRROR_EXEC | PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC |
					   PTREMAP_MIRROR_RDONLY);
	err = fuzz_issue(w, PTREMAP_MIRROR, &a, sizeof(a));
	note_fd(w, err, a.fd, FORM_MIRROR_PAGE);
	note_form(w, err || !a.ram_pid, FORM_MIRROR_OF_OTHER);
	note_form(w, err || !a.pid, FORM_MIRROR_IN_OTHER);
	if (!err && !a.pid)
		w->window = a.va, w->window_len = a.len;
	return err;
}

static inline int fuzz_mirrors(struct worker *w)
{
	const uint32_t room = FUZZ_ROOM / 2;
	struct ptremap_mirror_list a = {
		.mirrors = fuzz_pointer(w),
		.ranges = choose(&w->c, 8) ? at(w->room) + room : fuzz_pointer(w),
		.nr = mix32(&w->c, choose(&w->c, room / sizeof(struct ptremap_mirror_info))),
		.nr_ranges = mix32(&w->c, room / sizeof(struct ptremap_mirror_range)),
		.info_size = mix32(&w->c, sizeof(struct ptremap_mirror_info)),
	};
	int err = fuzz_issue(w, PTREMAP_MIRROR_LIST, &a, sizeof(a));

	note_form(w, err || !a.nr || !a.nr_ranges, FORM_MIRROR_RANGES);
	return err;
}

static inline void fuzz_mirror_call(struct worker *w)
{
	struct ptremap_mirror_invalidate i = { .gva = mix(&w->c, choose_bytes(&w->c, 3)),
					       .len = mix(&w->c, choose_bytes(&w->c, 2)),
					       .tag = choose(&w->c, 17),
					       .flags = choose_flags(w, PTREMAP_MIRROR_ALL_TAGS) };
	struct ptremap_mirror_switch s = { .root = mix(&w->c, choose(&w->c, 4) * PAGE),
					   .tag = choose(&w->c, 17),
					   .cpu = choose_flags(w, 15),
					   .flags = choose_flags(w, PTREMAP_MIRROR_FORGET) };
	int fd = w->fds[choose(&w->c, FUZZ_FDS)];

	if (fd < 0)
		return;
	if (choose(&w->c, 2))
		fuzz_issue_on(w, fd, PTREMAP_MIRROR_INVALIDATE, &i, sizeof(i));
	else
		fuzz_issue_on(w, fd, PTREMAP_MIRROR_SWITCH, &s, sizeof(s));
}

#endif
