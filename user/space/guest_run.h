/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges of a guest's addresses, cut into runs that lie in one piece in the memory of the VM's
 * process, and those that do not lie there at all: what a transfer of guest memory goes along.
 */
#ifndef SPACE_GUEST_RUN_H
#define SPACE_GUEST_RUN_H

#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/pt/pt_space.h"

enum guest_run_kind {
	GUEST_RUN_MEMORY, /* ->slot, from ->hva on */
	GUEST_RUN_HOLE,	  /* the guest's own tables lead to none: ->end says where and why */
	GUEST_RUN_TABLE,  /* the entry at ->gpa of these tables cannot be read; ->slot or NULL */
	GUEST_RUN_SLOT,	  /* no memory slot: device memory that the VM's process plays, or none */
};

/* Whose addresses. All of it must outlive the struct. */
struct guest_map {
	const struct pt_space *space; /* the guest's tables; NULL: addresses are guest-physical */
	const struct ptremap_slot *slots; /* by space, then by address, as guest_slots() */
	uint32_t nr_slots;
};

struct guest_run {
	enum guest_run_kind kind;
	uint64_t len; /* of it, in terms of the addresses asked for */
	uint64_t gpa; /* of the first byte (TABLE: of the entry); not of a HOLE */
	uint64_t hva; /* with ->slot: where ->gpa is */
	const struct ptremap_slot *slot;
	struct pt_walk end; /* HOLE and TABLE: how the walk ended */
};

/*
 * The first run of the @len bytes from @at on; @len is not 0, and at + len - 1 does not wrap. Of
 * memory it is as long as host-virtual addresses go on, whatever pages and slots it is made of.
 */
void guest_run_at(const struct guest_map *map, uint64_t at, uint64_t len, struct guest_run *run);

#endif
