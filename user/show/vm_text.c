// SPDX-License-Identifier: GPL-2.0
#include "user/show/vm_text.h"

#include <errno.h>
#include <linux/kvm.h>

#include "user/show/chain_text.h"
#include "user/show/facts_text.h"
#include "user/show/words.h"

static bool has_nested(const struct vm_chain *c)
{
	return c->has_gpa && !c->view->nested_error;
}

static bool has_host(const struct vm_chain *c)
{
	return c->slot && !c->host_error;
}

const char *vm_tables_words(uint32_t tables)
{
	switch (tables) {
	case PTREMAP_VM_EPT:
		return "EPT";
	case PTREMAP_VM_NPT:
		return "NPT";
	default:
		return "shadow paging";
	}
}

static const char *tables_name(const struct vm_chain *c)
{
	return vm_tables_words(guest_vm(c->view->guest)->tables);
}

/* ---- text ------------------------------------------------------------------------------- */

void vm_slot_line(struct line *l, const struct ptremap_slot *slot)
{
	line_str(l, "slot ");
	line_dec(l, slot->id);
	line_str(l, ", ");
	line_0x(l, slot->gpa);
	line_char(l, '-');
	line_0x(l, slot->gpa + slot->len - 1);
	if (slot->flags & KVM_MEM_READONLY)
		line_str(l, ", read-only");
	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		line_str(l, ", writes are logged");
}

static void put_slot(struct line *l, const struct vm_chain *c)
{
	line_str(l, "guest-physical ");
	line_0x(l, c->gpa);
	line_str(l, ": ");
	if (c->slot) {
		vm_slot_line(l, c->slot);
		line_str(l, ", is host-virtual ");
		line_0x(l, c->hva);
	} else {
		line_str(l, "in no memory slot");
	}
	line_char(l, '\n');
}

static void put_nested(struct line *l, const struct vm_chain *c)
{
	line_str(l, "guest-physical ");
	if (has_nested(c)) {
		chain_text(l, &c->nested, 0);
		return;
	}
	line_0x(l, c->gpa);
	line_str(l, ": ");
	line_str(l, c->view->nested_error == -ENODATA
			    ? "KVM has dropped the vCPU's table, and makes another when it runs on"
			    : "shadow paging: there is neither EPT nor NPT");
	line_char(l, '\n');
}

static void put_page(struct line *l, const struct vm_chain *c)
{
	const struct pt_fmt *fmt = c->has_guest ? &c->view->guest_fmt : &c->view->nested_fmt;
	char size[SIZE_LEN], perm[PERM_LEN];

	line_0x(l, c->hpa);
	line_str(l, ", ");
	line_str(l, size_text(size, c->page_size));
	line_str(l, ", ");
	if (has_nested(c) || c->has_guest)
		line_str(l, perm_text(perm, fmt, c->perm));
	line_str(l, ": by the process' tables");
	if (has_nested(c)) {
		line_str(l, " and by ");
		line_str(l, tables_name(c));
	}
}

static void put_apart(struct line *l, const struct vm_chain *c)
{
	line_str(l, "two answers: ");
	line_str(l, tables_name(c));
	line_str(l, " leads to ");
	line_0x(l, c->nested.pa);
	line_str(l, ", the process' tables to ");
	if (has_host(c) && c->host.path.end.kind == PT_LEAF)
		line_0x(l, c->host.pa);
	else
		line_str(l, "no page");
	line_str(l, "; it is being changed, or KVM was not told of a change");
}

/* What KVM puts there so that it need not look for a slot again. */
static bool is_mmio_mark(const struct vm_chain *c)
{
	return has_nested(c) && c->nested.path.end.kind == PT_BAD;
}

static void put_guest_end(struct line *l, const struct vm_chain *c)
{
	if (!c->table) {
		line_str(l, "no page: the guest's tables lead to none");
		return;
	}
	line_str(l, "no page: the guest's entry at ");
	line_0x(l, c->gpa);
	line_str(l, c->slot ? " has no page behind it now" : " is in no memory slot");
}

static void put_end(struct line *l, const struct vm_chain *c)
{
	line_str(l, "= ");
	switch (c->end) {
	case VM_END_PAGE:
		put_page(l, c);
		break;
	case VM_END_GUEST:
		put_guest_end(l, c);
		break;
	case VM_END_SLOT:
		line_str(l, "no memory: an access goes to the VM's process, as MMIO");
		if (is_mmio_mark(c))
			line_str(l, "; KVM has marked it so");
		break;
	case VM_END_HOST:
		line_str(l,
			 "no page: the VM's process has none there now; the next access gets one");
		break;
	case VM_END_NESTED:
		line_str(l, "no page in ");
		line_str(l, tables_name(c));
		line_str(l, " yet: the next access is a violation, after which it leads to ");
		line_0x(l, c->host.pa);
		break;
	case VM_END_CHANGED:
		line_str(l,
			 "no answer: memory slots or KVM's tables were others after each try, or "
			 "the VM has gone");
		break;
	case VM_END_APART:
		put_apart(l, c);
		break;
	}
	line_char(l, '\n');
}

static void put_host(struct line *l, const struct vm_chain *c, const struct facts *facts,
		     unsigned int linux_version)
{
	line_str(l, "host-virtual ");
	if (!has_host(c)) {
		line_0x(l, c->hva);
		line_str(l, ": cannot be walked\n");
		return;
	}
	chain_text(l, &c->host, linux_version);
	if (facts)
		facts_text(l, facts);
}

void vm_chain_text(struct line *l, const struct vm_chain *c, const struct facts *facts,
		   unsigned int linux_version)
{
	if (c->has_guest) {
		line_str(l, "guest-virtual ");
		chain_text(l, &c->guest, 0);
	}
	if (c->has_gpa) {
		put_slot(l, c);
		if (c->slot)
			put_host(l, c, facts, linux_version);
		put_nested(l, c);
	}
	put_end(l, c);
}

/* ---- addresses -------------------------------------------------------------------------- */

static void put_address(struct line *l, bool known, uint64_t address)
{
	if (known)
		line_0x(l, address);
	else
		line_char(l, '-');
}

static void put_short_end(struct line *l, const struct vm_chain *c)
{
	line_char(l, ' ');
	switch (c->end) {
	case VM_END_GUEST:
		chain_why_line(l, &c->guest);
		break;
	case VM_END_SLOT:
		line_str(l, "in no memory slot");
		break;
	case VM_END_HOST:
		line_str(l, "no page in the VM's process");
		break;
	case VM_END_NESTED:
		line_str(l, "not in ");
		line_str(l, tables_name(c));
		line_str(l, " yet");
		break;
	case VM_END_CHANGED:
		line_str(l, "changed under each try");
		break;
	default:
		line_str(l, tables_name(c));
		line_str(l, " leads to ");
		line_0x(l, c->nested.pa);
	}
}

/* What is known of an entry of the guest's that cannot be read is not about the address. */
void vm_chain_addresses(struct line *l, const struct vm_chain *c)
{
	bool gpa = c->has_gpa && !c->table;
	bool page = gpa && has_host(c) && c->host.path.end.kind == PT_LEAF;

	if (c->has_guest) {
		line_0x(l, c->guest.path.end.ia);
		line_char(l, ' ');
	}
	put_address(l, gpa, c->gpa);
	line_char(l, ' ');
	put_address(l, gpa && c->slot, c->hva);
	line_char(l, ' ');
	put_address(l, page, c->host.pa);
	if (c->end != VM_END_PAGE)
		put_short_end(l, c);
	line_char(l, '\n');
}

/* ---- JSON ------------------------------------------------------------------------------- */

static const char *end_name(enum vm_end end)
{
	static const char *const names[] = {
		[VM_END_PAGE] = "page",	      [VM_END_GUEST] = "guest",	  [VM_END_SLOT] = "slot",
		[VM_END_HOST] = "host",	      [VM_END_NESTED] = "nested", [VM_END_APART] = "apart",
		[VM_END_CHANGED] = "changed",
	};

	return names[end];
}

const char *vcpu_state_name(const struct ptremap_vcpu *v)
{
	static const char *const names[] = { [PTREMAP_VCPU_OUTSIDE] = "outside",
					     [PTREMAP_VCPU_EXIT] = "running",
					     [PTREMAP_VCPU_HALTED] = "halted" };

	return v->how < sizeof(names) / sizeof(names[0]) ? names[v->how] : NULL;
}

const char *vm_tables_name(uint32_t tables)
{
	static const char *const names[] = {
		[PTREMAP_VM_SHADOW] = "shadow", [PTREMAP_VM_EPT] = "ept", [PTREMAP_VM_NPT] = "npt"
	};

	return tables < sizeof(names) / sizeof(names[0]) ? names[tables] : NULL;
}

static void vm_json(struct json *j, const struct vm_view *view)
{
	const struct ptremap_vm *vm = guest_vm(view->guest);
	const struct ptremap_vcpu *v = view->vcpu;

	json_object(j, "vm");
	json_u64(j, "pid", (uint64_t)vm->pid);
	json_u64(j, "fd", (uint64_t)vm->fd);
	json_str(j, "tables", vm_tables_name(vm->tables));
	json_end_object(j);
	json_object(j, "vcpu");
	json_u64(j, "id", v->id);
	json_str(j, "state", vcpu_state_name(v));
	json_hex(j, "rip", v->rip);
	json_hex(j, "cr0", v->cr0);
	json_hex(j, "cr3", v->cr3);
	json_hex(j, "cr4", v->cr4);
	json_hex(j, "efer", v->efer);
	json_end_object(j);
}

void vm_slot_members(struct json *j, const struct ptremap_slot *slot)
{
	json_u64(j, "id", slot->id);
	json_hex(j, "start", slot->gpa);
	json_hex(j, "last", slot->gpa + slot->len - 1);
	json_hex(j, "hva", slot->hva);
	json_bool(j, "read_only", slot->flags & KVM_MEM_READONLY);
	json_bool(j, "log_dirty", slot->flags & KVM_MEM_LOG_DIRTY_PAGES);
}

static void slot_json(struct json *j, const struct ptremap_slot *slot)
{
	json_object(j, "slot");
	vm_slot_members(j, slot);
	json_end_object(j);
}

/* @chain as an object of its own, or null where @there says that it was not walked. */
static void stage_json(struct json *j, const char *name, bool there, const struct chain *chain,
		       const struct facts *facts, unsigned int linux_version)
{
	if (!there) {
		json_null(j, name);
		return;
	}
	json_object(j, name);
	chain_json(j, chain, linux_version);
	if (facts)
		facts_json(j, facts);
	json_end_object(j);
}

static void hex_or_null(struct json *j, const char *name, bool there, uint64_t value)
{
	if (there)
		json_hex(j, name, value);
	else
		json_null(j, name);
}

static void end_json(struct json *j, const struct vm_chain *c)
{
	bool page = c->end == VM_END_PAGE;

	json_str(j, "end", end_name(c->end));
	hex_or_null(j, "hpa", page, c->hpa);
	if (page)
		json_u64(j, "page_size", c->page_size);
	else
		json_null(j, "page_size");
	perm_json(j, c->has_guest ? &c->view->guest_fmt : &c->view->nested_fmt, page ? c->perm : 0);
}

void vm_chain_json(struct json *j, const struct vm_chain *c, const struct facts *facts,
		   unsigned int linux_version)
{
	vm_json(j, c->view);
	hex_or_null(j, "gva", c->has_guest, c->guest.path.end.ia);
	stage_json(j, "guest", c->has_guest, &c->guest, NULL, 0);
	hex_or_null(j, "gpa", c->has_gpa, c->gpa);
	if (c->slot)
		slot_json(j, c->slot);
	else
		json_null(j, "slot");
	hex_or_null(j, "hva", c->slot, c->hva);
	stage_json(j, "host", has_host(c), &c->host, facts, linux_version);
	stage_json(j, "nested", has_nested(c), &c->nested, NULL, 0);
	end_json(j, c);
}
