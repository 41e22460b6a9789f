// SPDX-License-Identifier: GPL-2.0
#include "user/show/vms_text.h"

#include "user/kernel/helper.h"
#include "user/pt/pt_mode.h"
#include "user/show/vm_text.h"
#include "user/show/words.h"

/* ---- text ------------------------------------------------------------------------------- */

static void put_slot(struct line *l, const struct ptremap_slot *slot)
{
	line_str(l, "  ");
	vm_slot_line(l, slot);
	if (slot->space)
		line_str(l, ", in system management mode");
	line_str(l, ", is host-virtual ");
	line_0x(l, slot->hva);
	line_char(l, '\n');
}

static void put_registers(struct line *l, const struct ptremap_vcpu *v)
{
	const char *state = vcpu_state_name(v);

	if (state)
		line_str(l, state);
	if (v->how == PTREMAP_VCPU_OUTSIDE)
		line_str(l, " of KVM_RUN");
	line_str(l, " at ");
	line_0x(l, v->rip);
	line_str(l, ", ");
	line_str(l, pt_mode_name(vcpu_mode(v)));
	line_str(l, ", cr0 ");
	line_0x(l, v->cr0);
	line_str(l, " cr3 ");
	line_0x(l, v->cr3);
	line_str(l, " cr4 ");
	line_0x(l, v->cr4);
	line_str(l, " efer ");
	line_0x(l, v->efer);
	line_char(l, '\n');
}

static void put_root(struct line *l, const struct vm_kvm *k, const struct ptremap_vcpu *v)
{
	line_str(l, "    ");
	line_str(l, vm_tables_words(k->vm.tables));
	if (!v->root) {
		line_str(l, ": no root now: KVM makes one when the vCPU runs\n");
		return;
	}
	line_str(l, " root ");
	line_0x(l, v->root);
	line_str(l, ", ");
	line_dec(l, v->level);
	line_str(l, " levels\n");
}

static void put_vcpu(struct line *l, const struct vm_kvm *k, const struct vm_vcpu *vcpu)
{
	const struct ptremap_vcpu *v = vm_kvm_vcpu(k, vcpu->index);
	const char *why = v ? vcpu_why_not(v) : "KVM does not have it now";

	line_str(l, "  vCPU ");
	line_dec(l, vcpu->index);
	if (vcpu->tid) {
		line_str(l, ", thread ");
		line_dec(l, vcpu->tid);
	}
	line_str(l, ": ");
	if (why) {
		line_str(l, why);
		line_char(l, '\n');
	} else {
		put_registers(l, v);
	}
	if (v && k->vm.tables != PTREMAP_VM_SHADOW)
		put_root(l, k, v);
}

void vms_text(struct line *l, const struct vm_info *vm, const struct vm_kvm *k)
{
	size_t i;

	line_str(l, "VM of ");
	line_dec(l, vm->pid);
	line_str(l, ", descriptor ");
	line_dec(l, (uint64_t)vm->fd);
	if (k->vm.nr_vcpus) {
		line_str(l, ": ");
		line_str(l, vm_tables_words(k->vm.tables));
	} else {
		line_str(l, ": no vCPU yet");
	}
	line_char(l, '\n');
	for (i = 0; i < k->vm.nr_slots; i++)
		put_slot(l, &k->slots[i]);
	for (i = 0; i < vm->nr_vcpus; i++)
		put_vcpu(l, k, &vm->vcpus[i]);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void slots_json(struct json *j, const struct vm_kvm *k)
{
	uint32_t i;

	json_array(j, "slots");
	for (i = 0; i < k->vm.nr_slots; i++) {
		json_object(j, NULL);
		vm_slot_members(j, &k->slots[i]);
		json_bool(j, "smm", k->slots[i].space);
		json_end_object(j);
	}
	json_end_array(j);
}

void vms_json(struct json *j, const struct vm_kvm *k)
{
	json_str(j, "kvm_error", k->error ? ptremap_vm_strerror(k->error) : NULL);
	json_str(j, "tables", k->vm.nr_vcpus ? vm_tables_name(k->vm.tables) : NULL);
	if (k->error)
		json_null(j, "slots");
	else
		slots_json(j, k);
}

/* A member for each register; NULL: none of them is known. */
static void registers_json(struct json *j, const struct ptremap_vcpu *v)
{
	const struct ptremap_vcpu none = { 0 }, *at = v ? v : &none;
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{ "rip", at->rip }, { "cr0", at->cr0 },	  { "cr3", at->cr3 },
		{ "cr4", at->cr4 }, { "efer", at->efer },
	};
	size_t i;

	json_str(j, "mode", v ? pt_mode_name(vcpu_mode(v)) : NULL);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (v)
			json_hex(j, members[i].name, members[i].value);
		else
			json_null(j, members[i].name);
	}
}

void vms_vcpu_json(struct json *j, const struct vm_kvm *k, uint32_t index)
{
	const struct ptremap_vcpu *v = vm_kvm_vcpu(k, index);
	const char *why = v ? vcpu_why_not(v) : NULL;

	json_str(j, "state", v ? vcpu_state_name(v) : NULL);
	json_str(j, "why", why);
	registers_json(j, why ? NULL : v);
	if (v && v->root) {
		json_hex(j, "root", v->root);
		json_u64(j, "levels", v->level);
	} else {
		json_null(j, "root");
		json_null(j, "levels");
	}
}
