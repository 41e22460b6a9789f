/* SPDX-License-Identifier: GPL-2.0 */
/* Guest-physical pages that lead to other frames. */
#ifndef EPT_FRAMES_H
#define EPT_FRAMES_H

#include "ptremap.h"
#include "txn.h"
#include "vm.h"

/*
 * Makes the items of @req, all FRAME, SWAP or FRESH, checked and in kernel memory, of @kvm, whose
 * process is @target. Their answers go there. *@made is for the journal or txn_undo(); it stays as
 * it is with PTREMAP_EPT_DRY_RUN or PTREMAP_EPT_REHEARSE and on failure. From within vm_get_calls()
 * and vm_put_calls().
 */
int ept_frames(const struct vm_calls *calls, struct kvm *kvm, const struct target *target,
	       const struct ptremap_ept *req, struct ptremap_ept_item *items, struct txn **made);

#endif
