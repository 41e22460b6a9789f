// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/fake_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS	    0x000ffffffffff000ULL
#define NR_CALLS    32
#define MAX_RECORDS 64

#define ROOT	 0x1000ULL
#define NPT_ROOT 0x5000ULL

struct fake {
	int fd;
	uint8_t *memory; /* mapped, so that it is a slot of the VM, too */
	int errors[NR_CALLS];
	struct ptremap_record records[MAX_RECORDS];
	unsigned int nr_records, last_id;
	uint64_t fresh;
};

/* Criterion runs each test in a process of its own. */
static struct fake fake = { .fd = -1 };

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static uint64_t *word(uint64_t pa)
{
	return pa < FAKE_MEMORY ? (uint64_t *)(void *)(fake.memory + (pa & ~7ULL)) : NULL;
}

static void put(uint64_t table, unsigned int index, uint64_t entry)
{
	*word(table + index * 8ULL) = entry;
}

void fake_device_plug(void)
{
	unsigned int i;

	fake.memory = mmap((void *)FAKE_HVA, FAKE_MEMORY, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (fake.memory == MAP_FAILED ||
	    mmap((void *)FAKE_VA, FAKE_PAGES * 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		abort();
	put(ROOT, 0, 0x2067);
	put(ROOT, 256, 0x2063);
	put(0x2000, 0, 0x3067);
	put(0x3000, FAKE_VA >> 21, 0x4067);
	for (i = 0; i < FAKE_PAGES; i++)
		put(0x4000, i, FAKE_FRAME + i * 4096ULL + 0x867);
	put(NPT_ROOT, 0, 0x6067);
	put(0x6000, 0, 0x7067);
	put(0x7000, 0, 0x8067);
	put(0x3000, FAKE_HVA >> 21, 0x9067);
	for (i = 0; i < FAKE_MEMORY / 4096; i++) {
		put(0x8000, i, i * 4096ULL + 0x67);
		put(0x9000, i, i * 4096ULL + 0x867);
	}
	fake.fresh = FAKE_FRESH;
	fake.fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);
}

void fake_device_fail(unsigned int nr, int error)
{
	fake.errors[nr] = error;
}

unsigned int fake_device_active(void)
{
	return fake.nr_records;
}

static int walk(struct ptremap_walk_entry *w)
{
	uint64_t table = ROOT;
	unsigned int level;

	w->top = 4;
	w->page = (struct ptremap_page){ 0 };
	for (level = 4; level; level--) {
		uint64_t *entry = word(table + (w->va >> (3 + 9 * level) & 511) * 8);

		if (!entry)
			return -EFAULT;
		w->level = (uint8_t)level;
		w->entry[level - 1] = *entry;
		if (!(*entry & 1))
			return 0;
		table = *entry & ADDRESS;
	}
	w->page = (struct ptremap_page){ .pfn = table >> 12, .valid = 1, .refcount = 1 };
	return 0;
}

uint64_t *fake_device_entry(uint64_t va)
{
	struct ptremap_walk_entry w = { .va = va };

	if (walk(&w) || w.level != 1)
		return NULL;
	return word((w.entry[1] & ADDRESS) + (va >> 12 & 511) * 8);
}

static int do_features(struct ptremap_features *f)
{
	f->version = PTREMAP_VERSION;
	f->calls = (1U << 13) - 1;
	f->levels = 4;
	f->page_offset = 0xffff888000000000ULL;
	f->vmalloc_base = 0xffffc90000000000ULL;
	f->vmemmap_base = 0xffffea0000000000ULL;
	f->physical_mask = (1ULL << 46) - 1;
	return 0;
}

static int do_walk(struct ptremap_walk *req)
{
	struct ptremap_walk_entry *w = (void *)(uintptr_t)req->entries;
	uint32_t i;

	for (i = 0; i < req->nr; i++)
		w[i].status = walk(&w[i]);
	req->root = ROOT;
	return 0;
}

static int do_tables(struct ptremap_tables *req)
{
	static const uint64_t pas[] = { ROOT, 0x2000, 0x3000, 0x4000, 0x9000 };
	static const uint64_t vas[] = { 0, 0, 0, FAKE_VA, FAKE_HVA };
	static const uint8_t levels[] = { 4, 3, 2, 1, 1 };
	const uint64_t half = req->pid ? 0 : FAKE_KERNEL_VA - FAKE_VA;
	char *at = (void *)(uintptr_t)req->buf;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		struct ptremap_table t = { .pa = pas[i], .va = vas[i] + half, .nr = 512 };

		t.level = levels[i];
		if (!i) {
			t.nr = 256;
			t.first = req->pid ? 0 : 256;
		}
		memcpy(at, &t, sizeof(t));
		memcpy(at + sizeof(t), word(pas[i] + t.first * 8ULL), t.nr * 8ULL);
		at += sizeof(t) + t.nr * 8ULL;
	}
	req->used = (uintptr_t)at - req->buf;
	req->next = 0;
	req->root = ROOT;
	return 0;
}

static int do_phys(struct ptremap_phys *req)
{
	char *buf = (void *)(uintptr_t)req->buf;
	uint64_t pa = req->pa, *entry;

	for (; req->done < req->len; req->done++) {
		if (req->flags & PTREMAP_PHYS_VA) {
			entry = fake_device_entry(req->pa + req->done);
			if (!entry || !(*entry & 1))
				return -ENXIO;
			pa = (*entry & ADDRESS) + ((req->pa + req->done) & 4095);
		} else {
			pa = req->pa + req->done;
		}
		if (pa >= FAKE_MEMORY)
			return -ENXIO;
		if (req->flags & PTREMAP_PHYS_CHECK)
			continue;
		if (req->flags & PTREMAP_PHYS_WRITE)
			fake.memory[pa] = (uint8_t)buf[req->done];
		else
			buf[req->done] = (char)fake.memory[pa];
	}
	return 0;
}

/* ---- changes ------------------------------------------------------------------------------ */

static struct ptremap_record *record(uint32_t id)
{
	struct ptremap_record *r;

	if (fake.nr_records == MAX_RECORDS)
		abort();
	r = &fake.records[fake.nr_records++];
	*r = (struct ptremap_record){ .id = id, .state = PTREMAP_ACTIVE, .level = 1 };
	return r;
}

static uint64_t changed(const struct ptremap_item *item, const uint64_t *other)
{
	const uint64_t flags = item->old & ~ADDRESS;

	switch (item->what) {
	case PTREMAP_PROTECT:
		return (item->old & ~item->clear) | item->set;
	case PTREMAP_FRAME:
	case PTREMAP_SWAP:
		return flags | (*other & ADDRESS);
	case PTREMAP_FRESH:
		return flags | fake.fresh;
	case PTREMAP_TRAP:
		return item->old & ~1ULL;
	default:
		return flags | item->other_va;
	}
}

static int change(const struct ptremap_edit *req, struct ptremap_item *item)
{
	uint64_t *entry = fake_device_entry(item->va);
	uint64_t *other = fake_device_entry(item->other_va);
	struct ptremap_record *r;
	bool two = item->what == PTREMAP_FRAME || item->what == PTREMAP_SWAP;

	if (!entry || !(*entry & 1) || (two && !other))
		return item->status = -ENXIO;
	item->old = *entry;
	if (item->flags & PTREMAP_ITEM_EXPECT && (item->expected ^ item->old) & ~0x60ULL)
		return item->status = -ESTALE;
	item->new = changed(item, other);
	if (req->flags & PTREMAP_EDIT_DRY_RUN)
		return 0;
	if (item->what == PTREMAP_SWAP)
		*other = (*other & ~ADDRESS) | (item->old & ADDRESS);
	*entry = item->new;
	r = record(fake.last_id);
	r->what = item->what;
	r->pid = item->pid;
	r->keep = !!(req->flags & PTREMAP_EDIT_KEEP);
	r->va = item->va;
	r->old = item->old;
	r->new = item->new;
	return 0;
}

static int do_edit(struct ptremap_edit *req)
{
	struct ptremap_item *items = (void *)(uintptr_t)req->items;
	uint32_t i;
	int err = 0;

	fake.last_id++;
	for (i = 0; i < req->nr && !err; i++)
		err = change(req, &items[i]);
	if (!err && !(req->flags & PTREMAP_EDIT_DRY_RUN))
		req->id = fake.last_id;
	return err;
}

static int do_map(struct ptremap_map *req)
{
	struct ptremap_record *r;

	if (!req->va)
		req->va = 0x38000000;
	if (req->flags & PTREMAP_MAP_DRY_RUN)
		return 0;
	req->id = ++fake.last_id;
	r = record(req->id);
	r->what = PTREMAP_MAPPED;
	r->pid = req->pid;
	r->level = 0;
	r->va = req->va;
	r->old = req->len;
	r->new = req->from;
	return 0;
}

static int do_ept(struct ptremap_ept *req)
{
	struct ptremap_ept_item *items = (void *)(uintptr_t)req->items;
	struct ptremap_record *r;
	uint32_t i;

	req->fd = 7;
	req->id = ++fake.last_id;
	for (i = 0; i < req->nr; i++) {
		if (items[i].gpa >= FAKE_MEMORY)
			return items[i].status = -ENXIO;
		items[i].old = items[i].gpa | 0x67;
		items[i].new = items[i].gpa | 0x65;
		if (req->flags & PTREMAP_EPT_DRY_RUN)
			continue;
		r = record(req->id);
		r->what = items[i].what;
		r->pid = req->pid;
		r->gpa = items[i].gpa;
		r->vm_fd = req->fd;
		r->flags = PTREMAP_RECORD_VM;
		r->old = items[i].old;
		r->new = items[i].new;
	}
	return 0;
}

static int do_list(struct ptremap_list *req)
{
	struct ptremap_record *records = (void *)(uintptr_t)req->records;
	uint32_t room = req->nr;

	if (req->record_size != sizeof(*records))
		return -EINVAL;
	req->nr = fake.nr_records;
	memcpy(records, fake.records, (room < req->nr ? room : req->nr) * sizeof(*records));
	return 0;
}

static int do_undo(struct ptremap_undo *req)
{
	unsigned int i, kept = 0;

	for (i = 0; i < fake.nr_records; i++) {
		const struct ptremap_record r = fake.records[i];
		uint64_t *entry = fake_device_entry(r.va);

		if (req->id && r.id != req->id) {
			fake.records[kept++] = r;
			continue;
		}
		if (entry && r.what < PTREMAP_EPT_PROTECT)
			*entry = r.old;
		req->restored++;
	}
	fake.nr_records = kept;
	return req->id && !req->restored ? -ENOENT : 0;
}

/* ---- what is told ------------------------------------------------------------------------- */

/* A descriptor that has @len bytes of @data to read, and then the end; of nothing no end. */
static int told(const void *data, size_t len)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
	    write(fds[1], data, len) != (ssize_t)len)
		return -EIO;
	if (len)
		close(fds[1]);
	return fds[0];
}

static int do_watch(struct ptremap_watch *req)
{
	struct ptremap_event events[] = {
		{ .time = 1000, .type = PTREMAP_EVENT_MADE },
		{ .time = 2000, .type = PTREMAP_EVENT_GONE },
		{ .time = 3000, .type = PTREMAP_EVENT_LOST, .lost = 5 },
	};
	struct ptremap_record r = { .id = 1, .what = PTREMAP_PROTECT, .level = 1 };

	r.pid = getpid();
	r.state = PTREMAP_ACTIVE;
	r.va = FAKE_VA;
	r.old = 0x10867;
	r.new = 0x10865;
	events[0].record = r;
	r.state = PTREMAP_TAKEN;
	r.cause = PTREMAP_CAUSE_UNMAP;
	events[1].record = r;
	/* Of one file's own changes there is nothing to tell. */
	req->fd = told(events, req->flags & PTREMAP_WATCH_ALL ? sizeof(events) : 0);
	return req->fd < 0 ? req->fd : 0;
}

static int do_access(struct ptremap_access_watch *req)
{
	const struct ptremap_access accesses[] = {
		{ .time = 1000,
		  .gpa = 0x1008,
		  .gva = 0x2008,
		  .rip = 0x9000,
		  .value = 0x1234,
		  .type = PTREMAP_ACCESS_DONE,
		  .flags = PTREMAP_ACCESS_GVA | PTREMAP_ACCESS_VALUE,
		  .access = PTREMAP_EPT_WRITE,
		  .size = 8 },
		{ .time = 2000, .gpa = 0x1000, .type = PTREMAP_ACCESS_OPENED },
		{ .time = 3000, .gpa = 0x1000, .type = PTREMAP_ACCESS_CLOSED },
		{ .time = 4000, .type = PTREMAP_ACCESS_LOST, .lost = 3 },
	};

	req->vm_fd = 7;
	req->fd = told(accesses, sizeof(accesses));
	return req->fd < 0 ? req->fd : 0;
}

static int do_vm(struct ptremap_vm *req)
{
	struct ptremap_slot *slots = (void *)(uintptr_t)req->slots;
	struct ptremap_vcpu *vcpus = (void *)(uintptr_t)req->vcpus;

	req->fd = 7;
	req->owner = req->pid;
	req->tables = PTREMAP_VM_NPT;
	if (req->nr_slots)
		slots[0] =
			(struct ptremap_slot){ .len = FAKE_MEMORY, .hva = (uintptr_t)fake.memory };
	if (req->nr_vcpus && !(req->flags & PTREMAP_VM_NO_VCPUS))
		vcpus[0] = (struct ptremap_vcpu){ .rip = 0x10000010,
						  .cr0 = 0x80010031,
						  .cr3 = ROOT,
						  .cr4 = 0x20,
						  .efer = 0xd00,
						  .flags = PTREMAP_VCPU_CS_L,
						  .how = PTREMAP_VCPU_HALTED,
						  .level = 4,
						  .maxphyaddr = 40,
						  .root = NPT_ROOT };
	req->nr_slots = 1;
	req->nr_vcpus = 1;
	return 0;
}

static int do_rule(struct ptremap_rules *req)
{
	struct ptremap_rule *rules = (void *)(uintptr_t)req->rules;

	if (req->op == PTREMAP_RULE_LIST) {
		rules[0] = (struct ptremap_rule){ .id = 1,
						  .pid = getpid(),
						  .fd = 7,
						  .on = PTREMAP_ON_HYPERCALL,
						  .act = PTREMAP_DO_TRACE,
						  .nr = 3,
						  .level = 1 };
		rules[0].page.reg = PTREMAP_REG_NONE;
		rules[0].other.reg = PTREMAP_REG_NONE;
		req->nr = 1;
	}
	req->restored = 2;
	return 0;
}

/* ---- the wrapped calls -------------------------------------------------------------------- */

#define CALL(name, type)                       \
	static int call_##name(void *arg)      \
	{                                      \
		return do_##name((type *)arg); \
	}
CALL(features, struct ptremap_features)
CALL(walk, struct ptremap_walk)
CALL(tables, struct ptremap_tables)
CALL(phys, struct ptremap_phys)
CALL(edit, struct ptremap_edit)
CALL(list, struct ptremap_list)
CALL(undo, struct ptremap_undo)
CALL(map, struct ptremap_map)
CALL(watch, struct ptremap_watch)
CALL(vm, struct ptremap_vm)
CALL(ept, struct ptremap_ept)
CALL(rule, struct ptremap_rules)
CALL(access, struct ptremap_access_watch)

static const struct fake_call {
	int (*call)(void *arg);
	uint32_t size; /* that the request has to say */
} calls[] = {
	{ call_features, sizeof(struct ptremap_features) },
	{ call_walk, sizeof(struct ptremap_walk) },
	{ call_tables, sizeof(struct ptremap_tables) },
	{ call_phys, sizeof(struct ptremap_phys) },
	{ call_edit, sizeof(struct ptremap_edit) },
	{ call_list, sizeof(struct ptremap_list) },
	{ call_undo, sizeof(struct ptremap_undo) },
	{ call_map, sizeof(struct ptremap_map) },
	{ call_watch, sizeof(struct ptremap_watch) },
	{ call_vm, sizeof(struct ptremap_vm) },
	{ call_ept, sizeof(struct ptremap_ept) },
	{ call_rule, sizeof(struct ptremap_rules) },
	{ call_access, sizeof(struct ptremap_access_watch) },
};

static int answer(unsigned int nr, void *arg)
{
	uint32_t size;

	if (nr >= sizeof(calls) / sizeof(calls[0]))
		return -ENOTTY;
	memcpy(&size, arg, sizeof(size));
	if (size != calls[nr].size)
		return -EINVAL;
	return fake.errors[nr] ? -fake.errors[nr] : calls[nr].call(arg);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int err;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != PTREMAP_TYPE || fake.fd < 0)
		return __real_ioctl(fd, request, arg);
	err = answer(_IOC_NR(request), arg);
	if (!err)
		return 0;
	errno = -err;
	return -1;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, int) : 0;
	va_end(args);
	if (fake.fd >= 0 && !strcmp(path, PTREMAP_DEVICE))
		return fcntl(fake.fd, F_DUPFD_CLOEXEC, 0);
	return __real_open(path, flags, mode);
}
