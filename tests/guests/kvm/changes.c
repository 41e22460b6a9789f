// SPDX-License-Identifier: GPL-2.0
/* Memory slots that change while the guest runs, and the log of what it wrote. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

#define HERE  0x40000000ULL
#define THERE 0x48000000ULL
#define PAGES 64u
/* Between two changes. */
#define PAUSE_US 1000

/* Where a slot has just gone there is nobody to answer but the monitor. */
static void on_hole(struct vcpu *c, struct access *a)
{
	(void)c;
	if (!a->write)
		a->value = 0;
}

/* Reads and writes, here and there, without end. */
void slots_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops;
	unsigned int v;
	u64 i;

	vm_slot(vm, SLOT_FIRST, HERE, PAGES * PAGE, 0, BACKED_4K);
	vm_map_self(vm, HERE, PAGES * PAGE);
	vm_map_self(vm, THERE, PAGES * PAGE);
	vm->on_access = on_hole;
	for (v = 0; v < o->vcpus; v++) {
		ops = vcpu_ops(&vm->vcpus[v], 2 * PAGES);
		vm->vcpus[v].repeat = true;
		for (i = 0; i < 2 * PAGES; i++) {
			ops[i].kind = number(o->seed, i, 0) & 1 ? OP_READ : OP_WRITE;
			ops[i].size = 4;
			ops[i].addr = (i % 2 ? HERE : THERE) + i / 2 * PAGE;
		}
	}
}

/* Deleted, made anew, moved there and back; each change after the guest had some time. */
static void change(struct vm *vm, u64 i)
{
	static const char *const names[] = { "delete", "create", "move", "move" };
	struct slot *s = &vm->slots[SLOT_FIRST];

	s->exists = i % 4 != 0;
	if (i % 4 >= 2)
		s->gpa = i % 4 == 2 ? THERE : HERE;
	vm_slot_set(vm, SLOT_FIRST);
	printf("change i=%" PRIu64 " ns=%" PRIu64 " what=%s id=%u gpa=0x%" PRIx64 "\n", i, now_ns(),
	       names[i % 4], SLOT_FIRST, s->gpa);
	usleep(PAUSE_US);
}

void slots_meanwhile(struct vm *vm)
{
	u64 i;

	for (i = 0; i < vm->o->n; i++)
		change(vm, i);
	vm_stop(vm);
}

void dirty_prepare(struct vm *vm)
{
	vm_slot(vm, SLOT_FIRST, HERE, PAGES * PAGE, 0, BACKED_4K);
	vm_map_self(vm, HERE, PAGES * PAGE);
}

/* Half of the pages, more or less; returns which, as the log would say it. */
static u64 write_some(struct vm *vm, u64 round)
{
	struct vcpu *c = &vm->vcpus[0];
	u64 pages = number(vm->o->seed, round, 0), i;

	free(c->ops);
	vcpu_ops(c, PAGES);
	c->next = 0;
	for (i = 0; i < PAGES; i++)
		c->ops[i] = (struct op){ .kind = pages >> i & 1 ? OP_WRITE : OP_READ,
					 .size = 4,
					 .addr = HERE + i * PAGE,
					 .value = round };
	vm_run(vm);
	return pages;
}

static u64 dirty_pages(const struct vm *vm)
{
	u64 bitmap = 0;
	struct kvm_dirty_log log = { .slot = SLOT_FIRST, .dirty_bitmap = &bitmap };

	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
		die("KVM_GET_DIRTY_LOG");
	return bitmap;
}

/* Rounds with the log on and off in turn; KVM's log must be what the guest did. */
void dirty_report(struct vm *vm)
{
	u64 i, wrote, dirty;

	for (i = 0; i < vm->o->n; i++) {
		bool on = i % 2 == 0;

		vm->slots[SLOT_FIRST].flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0;
		vm_slot_set(vm, SLOT_FIRST);
		wrote = write_some(vm, i);
		dirty = on ? dirty_pages(vm) : 0;
		vm->failed += on && dirty != wrote;
		printf("dirty round=%" PRIu64 " log=%s wrote=0x%" PRIx64 " dirty=0x%" PRIx64 "\n",
		       i, on ? "on" : "off", wrote, dirty);
	}
}
