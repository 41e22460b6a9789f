/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page tables that a command line means: of an image, of a guest in it through its EPT, or of
 * this machine.
 */
#ifndef CMD_TARGET_H
#define CMD_TARGET_H

#include "user/cmd/space_opts.h"
#include "user/kernel/live.h"
#include "user/pt/pt_access.h"
#include "user/pt/pt_mem_nested.h"
#include "user/pt/pt_mode.h"
#include "user/space/image.h"
#include "user/space/vm_chain.h"

/* Has pointers to itself: not to be copied or moved while it is open. */
struct target {
	struct image *image; /* or NULL: ->live, or ->vm */
	struct live *live;
	struct guest *vm;
	struct vm_view view;	/* of ->vm */
	const char *name;	/* of the image, or ->live_name */
	char live_name[16];	/* "pid 1234", "kernel" */
	uint64_t start, last;	/* addresses that it is about: of live tables one half */
	uint32_t linux_version; /* of live tables: for pt_linux_decode() */
	struct pt_fmt fmt, under_fmt;
	struct pt_space space;	      /* what addresses are looked up in */
	struct pt_space under_space;  /* with a guest's tables: its EPT or NPT */
	const struct pt_space *under; /* &->under_space, or NULL */
	struct pt_mem_nested guest;   /* then the guest's memory, as its tables see it */
	struct pt_cpu cpu;	      /* WP, SMEP, ... of the registers; 0 without any */
};

/*
 * Can @o be meant, apart from what is in the image? -EINVAL after one line on stderr. @usage: as
 * for msg_usage(). @nr: how many images the command needs.
 */
int target_check(const struct space_opts *o, unsigned int nr, const char *usage);

/*
 * Opens o->sources[@which] and finds the tables. Returns EXIT_DONE, or the exit status after one
 * line on stderr; then there is nothing to close.
 *
 * Control registers that are not given are those of the image's CPU, if it has any; otherwise
 * those of a 64-bit kernel with 4 levels (32-bit, if CR4 is given and has no PAE). A guest's are
 * never in the image.
 *
 * Live tables need the helper module. Where a caller gives @without, a process may be opened
 * without it, too: *@without is -errno then, a line on stderr has told why, and there are no
 * tables; otherwise it is 0.
 */
int target_open(struct target *t, const struct space_opts *o, unsigned int which, int *without,
		const char *usage);
void target_close(struct target *t);

/*
 * Before ->space is looked at: brings what there is now at [@start, @last] into it, if it is live.
 * EXIT_DONE, or EXIT_FAILED after one line on stderr.
 */
int target_load(struct target *t, uint64_t start, uint64_t last);

/* The same for one address, with what the kernel knows of the page; of an image nothing. */
int target_load_page(struct target *t, uint64_t va, struct ptremap_page *page);

#endif
