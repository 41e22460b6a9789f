/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an emulator does for an access without a mirror: a walk through the guest's tables in its
 * physical memory, which is found through slots, and a software TLB in front of that.
 */
#ifndef BENCH_MIRROR_SOFT_H
#define BENCH_MIRROR_SOFT_H

#include "tests/system/mirror.h"

#define RAM_GPA MIB
#define ENTRIES 1024u

struct soft_entry {
	uint64_t page; /* address | 1 */
	uint8_t *at;
	bool write;
};

/* Guest-physical memory, as a PC has it: low memory, ROMs, the rest, tables, firmware. */
struct slot {
	uint64_t gpa, len;
	uint8_t *at;
};
#define SLOTS 6

struct soft {
	const struct guest *guest;
	struct soft_entry tlb[ENTRIES];
	struct slot slot[SLOTS];
	struct pt_mem mem; /* of the slots */
	struct pt_space space;
};

static inline uint8_t *soft_find(const struct soft *s, uint64_t gpa)
{
	uint32_t low = 0, high = SLOTS, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (gpa < s->slot[mid].gpa)
			high = mid;
		else if (gpa - s->slot[mid].gpa >= s->slot[mid].len)
			low = mid + 1;
		else
			return s->slot[mid].at + (gpa - s->slot[mid].gpa);
	}
	return NULL;
}

static int soft_read(struct pt_mem *mem, pt_u64 gpa, void *buf, pt_u32 len)
{
	const uint8_t *from = soft_find(pt_container_of(mem, struct soft, mem), gpa);

	if (!from)
		return -EFAULT;
	memcpy(buf, from, len);
	return 0;
}

static const struct pt_mem_ops soft_ops = { .read = soft_read };

static inline void soft_init(struct soft *s, const struct guest *g)
{
	uint8_t *ram = g->ram; /* what is not accessed may be anywhere */

	s->guest = g;
	s->slot[0] = (struct slot){ 0, 0xa0000, ram };
	s->slot[1] = (struct slot){ 0xc0000, 0x20000, ram };
	s->slot[2] = (struct slot){ 0xe0000, 0x20000, ram };
	s->slot[3] = (struct slot){ RAM_GPA, g->len, ram };
	s->slot[4] = (struct slot){ TABLES, TABLES_LEN, g->tables };
	s->slot[5] = (struct slot){ 0xfffc0000, 0x40000, ram };
	s->mem.ops = &soft_ops;
	s->space = g->space;
	s->space.mem = &s->mem;
}

static const struct pt_cpu soft_cpu = { .wp = 1 };

/* The least that a walk can be: the tables are in one piece of memory, and A and D are left alone.
 */
static inline uint8_t *soft_by_plain_walk(struct soft *s, uint64_t gva, unsigned int access)
{
	struct pt_check check;
	struct pt_path path;

	pt_lookup(&s->guest->space, gva, &path);
	pt_check_access(&s->guest->fmt, &soft_cpu, &path, access | PT_ACC_USER, &check);
	return check.verdict == PT_ALLOWED ? s->guest->ram + (path.end.pa - RAM_GPA) : NULL;
}

/* A of each entry on the way and D of the leaf, where they are not set. */
static inline void soft_mark(struct soft *s, const struct pt_path *path, unsigned int access)
{
	unsigned int level;
	uint64_t entry;

	for (level = path->top; level >= path->end.level && level; level--) {
		entry = path->at[level].entry | PT_A;
		if (access & PT_ACC_WRITE && level == path->end.level)
			entry |= PT_D;
		if (entry != path->at[level].entry)
			memcpy(soft_find(s, path->at[level].addr), &entry, 8);
	}
}

/* What a CPU does, by a program: entries are found through slots, checked and marked. */
static inline uint8_t *soft_by_walk(struct soft *s, uint64_t gva, unsigned int access)
{
	struct pt_check check;
	struct pt_path path;

	pt_lookup(&s->space, gva, &path);
	pt_check_access(&s->guest->fmt, &soft_cpu, &path, access | PT_ACC_USER, &check);
	if (check.verdict != PT_ALLOWED)
		return NULL;
	soft_mark(s, &path, access);
	return soft_find(s, path.end.pa);
}

static inline uint8_t *soft_by_tlb(struct soft *s, uint64_t gva, unsigned int access)
{
	struct soft_entry *e = &s->tlb[gva / PAGE % ENTRIES];
	uint64_t page = (gva & ~(uint64_t)(PAGE - 1)) | 1;
	bool write = access & PT_ACC_WRITE;

	if (__builtin_expect(e->page != page || (write && !e->write), 0)) {
		e->at = soft_by_walk(s, gva & ~(uint64_t)(PAGE - 1), access);
		e->page = page;
		e->write = write;
	}
	return e->at + (gva & (PAGE - 1));
}

#endif
