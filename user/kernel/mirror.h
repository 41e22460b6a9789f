/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors (kmod-helper/uapi/ptremap_mirror.h): windows of a process' own addresses that show a
 * guest's virtual address space, translated by the CPU.
 *
 *	struct ptremap_mirror req = { .va = 1UL << 32, .len = 1UL << 32, ... };
 *	ptremap_mirror_create(fd, &req, &mirror);	CR3 is in req.root
 *	*(uint32_t *)(1UL << 32 | gva)			a load of the guest
 *	ptremap_mirror_invalidate(&mirror, gva, 4096);	INVLPG
 *	ptremap_mirror_switch(&mirror, root, tag, cpu, 0);	MOV to CR3 with a PCID
 *
 * What the guest may not do, and what is no memory, is a SIGSEGV, whose handler asks
 * ptremap_mirror_why(). Functions return 0 or -errno, for ptremap_mirror_strerror(). All but create
 * and destroy may be called by several threads at once.
 */
#ifndef KERNEL_MIRROR_H
#define KERNEL_MIRROR_H

#include <stddef.h>
#include <stdint.h>

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "user/kernel/helper.h"

struct ptremap_mirror_window {
	int fd;
	const struct ptremap_mirror_page *page; /* records and counters, as they change */
	uint64_t va, len, gva;
	uint32_t flags;
};

/*
 * Makes the mirror of @req on the device @fd (ptremap_open(), which may be closed afterwards).
 * ->size is filled in, ->va is where the window is then. @w is for ptremap_mirror_destroy().
 */
int ptremap_mirror_create(int fd, struct ptremap_mirror *req, struct ptremap_mirror_window *w);
/* The window is gone when this returns, unless somebody else has a duplicate of ->fd. */
void ptremap_mirror_destroy(struct ptremap_mirror_window *w);

/* Forgets what @len bytes from @gva on led to, of all tags; @len 0: all of it. */
int ptremap_mirror_invalidate(const struct ptremap_mirror_window *w, uint64_t gva, uint64_t len);
/*
 * Goes to the tables at @root, as @cpu (PTREMAP_MIRROR_USER ...) sees them. What @tag holds is used
 * again, if it was for the same, and @flags has no PTREMAP_MIRROR_FORGET.
 */
int ptremap_mirror_switch(const struct ptremap_mirror_window *w, uint64_t root, uint32_t tag,
			  uint32_t cpu, uint32_t flags);

/*
 * In a SIGSEGV handler, with si_addr and si_code: why the access failed. It makes no system call
 * and takes no lock. -ENOENT: the address is not in the window. -EAGAIN: so many other accesses
 * failed meanwhile that the record is gone; to return from the handler tries again. @tid: the
 * thread's, gettid(); 0: any that failed there.
 */
int ptremap_mirror_why(const struct ptremap_mirror_window *w, const void *addr, int code,
		       uint32_t tid, struct ptremap_mirror_record *why);

/*
 * The mirrors of this machine on device @fd, oldest first, and the ranges of their guests' memory,
 * those of one behind those of the other; both for free(), whatever @nr is. -EMSGSIZE: there are
 * more than one call lists; -ENOTTY: the module cannot tell.
 */
int ptremap_mirror_list(int fd, struct ptremap_mirror_info **mirrors, size_t *nr,
			struct ptremap_mirror_range **ranges);

/* "not present", ...: one phrase per enum ptremap_mirror_why. */
const char *ptremap_mirror_why_name(uint32_t why);
/* What an error of these functions means, as the end of a sentence. */
const char *ptremap_mirror_strerror(int error);

#endif
