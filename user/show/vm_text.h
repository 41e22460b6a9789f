/* SPDX-License-Identifier: GPL-2.0 */
/* The way from an address of a VM's guest to this machine's memory, as text and as JSON. */
#ifndef SHOW_VM_TEXT_H
#define SHOW_VM_TEXT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/kernel/facts.h"
#include "user/space/vm_chain.h"

/*
 * The stages one after the other, each as chain_text() has it, and where it ends:
 *
 *	guest-virtual 0x400000: 4level, root 0x1000
 *	  PML4E[0] at 0x1000: 0x2023  P RW A addr=0x2000
 *	  ...
 *	  = 0x5000, 4K page, rwxs
 *	guest-physical 0x5000: slot 0, 0x0-0x1ffffff, is host-virtual 0x7f0000005000
 *	host-virtual 0x7f0000005000: 4level, root 0x2c000
 *	  ...
 *	guest-physical 0x5000: npt-4level, root 0x31000
 *	  ...
 *	= 0x1a2b3000, 4K, rwxs: by the process' tables and by NPT
 *
 * @facts: of the host's page and mapping; NULL: they are not shown. @linux_version: of the host.
 */
void vm_chain_text(struct line *l, const struct vm_chain *c, const struct facts *facts,
		   unsigned int linux_version);

/*
 * Members of the open object: "vm":{"pid","fd","tables":"ept|npt|shadow"}, "vcpu":{"id","state",
 * "rip","cr0","cr3","cr4","efer"}, "gva" (or null), "guest" (as chain_json(), or null), "gpa",
 * "slot":{"id","start","last","hva","flags":[...]}, "hva", "host" (as chain_json(), with the page's
 * facts), "nested" (as chain_json()), "end":"page|guest|slot|host|nested|apart|
 * changed", "hpa",
 * "page_size", "read", "write", "exec", "user". What is not there is null.
 */
void vm_chain_json(struct json *j, const struct vm_chain *c, const struct facts *facts,
		   unsigned int linux_version);

/*
 * Addresses alone, "-" for what is not known: guest-virtual (if it began with one), guest-physical,
 * host-virtual, physical; and why the way ends early, if it does:
 *
 *	0x400000 0x5000 0x7f0000005000 0x1a2b3000
 *	0x401000 0x6000 0x7f0000006000 0x1a2b4000 not in NPT yet
 *	0x402000 - - - not present at PTE
 */
void vm_chain_addresses(struct line *l, const struct vm_chain *c);

/* "slot 0, 0x0-0x1ffffff" */
void vm_slot_line(struct line *l, const struct ptremap_slot *slot);
/* The members of the object "slot" above. */
void vm_slot_members(struct json *j, const struct ptremap_slot *slot);

/* "EPT", "NPT" or "shadow paging"; and as a JSON value "ept", "npt", "shadow" (NULL: unknown). */
const char *vm_tables_words(uint32_t tables);
const char *vm_tables_name(uint32_t tables);
/* "running", "halted" or "outside" (of KVM_RUN); NULL: it was not looked at. */
const char *vcpu_state_name(const struct ptremap_vcpu *v);

#endif
