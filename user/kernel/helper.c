// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TABLES_BUF (4U << 20)
#define LIST_SPARE 64
#define LIST_TRIES 16 /* each with room for more than there was */

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int ptremap_open(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	/* From the module it is CAP_SYS_RAWIO, but others do not come as far as that. */
	if (errno == EACCES && faccessat(AT_FDCWD, PTREMAP_DEVICE, R_OK | W_OK, AT_EACCESS))
		return -EPERM;
	return -errno;
}

int ptremap_features(int fd, struct ptremap_features *features)
{
	*features = (struct ptremap_features){ .size = sizeof(*features) };
	return call(fd, PTREMAP_FEATURES, features);
}

int ptremap_walk(int fd, pid_t pid, uint32_t flags, struct ptremap_walk_entry *entries, size_t nr,
		 uint64_t *root)
{
	struct ptremap_walk req = { .size = sizeof(req), .flags = flags, .pid = pid };
	int err = 0;

	while (nr && !err) {
		req.nr = nr < PTREMAP_WALK_MAX ? (uint32_t)nr : PTREMAP_WALK_MAX;
		req.entries = (uintptr_t)entries;
		err = call(fd, PTREMAP_WALK, &req);
		entries += req.nr;
		nr -= req.nr;
	}
	*root = req.root;
	return err;
}

/* The records of one call. The module wrote them, but a wrong size must not lead out of @buf. */
static int put_tables(const struct ptremap_tables *req, const char *buf, ptremap_put_table put,
		      void *ctx)
{
	const struct ptremap_table *t;
	uint64_t at = 0;
	int err = 0;

	while (!err && req->used - at >= sizeof(*t)) {
		t = (const void *)(buf + at);
		at += sizeof(*t);
		if (t->nr > (req->used - at) / sizeof(uint64_t))
			return -EPROTO;
		err = put(ctx, t, (const void *)(buf + at));
		at += t->nr * sizeof(uint64_t);
	}
	return err;
}

int ptremap_tables(int fd, pid_t pid, uint32_t flags, uint64_t start, uint64_t last, uint64_t *root,
		   ptremap_put_table put, void *ctx)
{
	struct ptremap_tables req = {
		.size = sizeof(req),
		.flags = flags,
		.pid = pid,
		.start = start,
		.last = last,
		.buf_len = TABLES_BUF,
	};
	char *buf = aligned_alloc(4096, TABLES_BUF);
	int err;

	if (!buf)
		return -ENOMEM;
	req.buf = (uintptr_t)buf;
	do {
		err = call(fd, PTREMAP_TABLES, &req);
		if (err || req.used > TABLES_BUF)
			break;
		*root = req.root;
		err = put_tables(&req, buf, put, ctx);
		req.start = req.next;
	} while (!err && req.next);
	free(buf);
	return err;
}

/* As many calls of @req as it needs. */
static int transfer(int fd, struct ptremap_phys *req, uint64_t at, void *buf, uint64_t len,
		    uint64_t *done)
{
	int err = 0;

	*done = 0;
	while (*done < len && !err) {
		req->pa = at + *done;
		req->len = len - *done < PTREMAP_PHYS_MAX ? len - *done : PTREMAP_PHYS_MAX;
		req->buf = (uintptr_t)buf + *done;
		req->done = 0;
		err = call(fd, PTREMAP_PHYS, req);
		*done += req->done;
	}
	return err;
}

int ptremap_phys(int fd, uint32_t flags, uint32_t width, uint64_t pa, void *buf, uint64_t len,
		 uint64_t *done)
{
	struct ptremap_phys req = { .size = sizeof(req), .flags = flags, .width = width };

	return transfer(fd, &req, pa, buf, len, done);
}

int ptremap_memory(int fd, uint32_t flags, pid_t pid, uint64_t va, void *buf, uint64_t len,
		   uint64_t *done)
{
	struct ptremap_phys req = {
		.size = sizeof(req),
		.flags = flags | PTREMAP_PHYS_VA,
		.pid = pid,
	};

	return transfer(fd, &req, va, buf, len, done);
}

int ptremap_guest_write(int fd, uint32_t flags, pid_t pid, int vm_fd, uint64_t gpa, const void *buf,
			uint64_t len, uint64_t *done)
{
	struct ptremap_phys req = {
		.size = sizeof(req),
		.flags = flags | PTREMAP_PHYS_WRITE | PTREMAP_PHYS_GPA,
		.pid = pid,
		.fd = vm_fd,
	};

	return transfer(fd, &req, gpa, (void *)(uintptr_t)buf, len, done);
}

int ptremap_edit(int fd, uint32_t flags, struct ptremap_item *items, size_t nr, uint32_t *id)
{
	struct ptremap_edit req = { .size = sizeof(req), .flags = flags };
	int err;

	if (nr > PTREMAP_EDIT_MAX)
		return -E2BIG;
	req.items = (uintptr_t)items;
	req.nr = (uint32_t)nr;
	err = call(fd, PTREMAP_EDIT, &req);
	*id = req.id;
	return err;
}

int ptremap_map(int fd, struct ptremap_map *map)
{
	map->size = sizeof(*map);
	return call(fd, PTREMAP_MAP, map);
}

int ptremap_ept(int fd, pid_t pid, int *vm_fd, uint32_t flags, struct ptremap_ept_item *items,
		size_t nr, uint32_t *id)
{
	struct ptremap_ept req = { .size = sizeof(req), .flags = flags, .pid = pid, .fd = *vm_fd };
	int err;

	if (nr > PTREMAP_EPT_MAX)
		return -E2BIG;
	req.items = (uintptr_t)items;
	req.nr = (uint32_t)nr;
	err = call(fd, PTREMAP_EPT, &req);
	*vm_fd = req.fd;
	*id = req.id;
	return err;
}

/* One try, with room for *@room; when that is too small, *@room is enough for what there is now. */
static int try_list(int fd, struct ptremap_record *records, size_t *room, size_t *nr)
{
	struct ptremap_list req = { .size = sizeof(req),
				    .nr = (uint32_t)*room,
				    .record_size = sizeof(*records) };
	int err;

	req.records = (uintptr_t)records;
	err = call(fd, PTREMAP_LIST, &req);
	if (err)
		return err;
	if (req.nr > *room) {
		*room = req.nr + LIST_SPARE;
		return -EAGAIN;
	}
	/* Those that were made during the call are counted, but not there. */
	for (*nr = req.nr; *nr && !records[*nr - 1].id; --*nr)
		;
	return 0;
}

int ptremap_list(int fd, struct ptremap_record **records, size_t *nr)
{
	size_t room = LIST_SPARE;
	int err, tries = 0;

	*nr = 0;
	do {
		*records = calloc(room, sizeof(**records));
		if (!*records)
			return -ENOMEM;
		err = try_list(fd, *records, &room, nr);
		if (!err)
			return 0;
		free(*records);
		*records = NULL;
	} while (err == -EAGAIN && ++tries < LIST_TRIES);
	return err;
}

int ptremap_undo(int fd, uint32_t id, uint32_t *restored)
{
	struct ptremap_undo req = { .size = sizeof(req), .id = id };
	int err = call(fd, PTREMAP_UNDO, &req);

	*restored = req.restored;
	return err;
}

int ptremap_watch(int fd, uint32_t flags, uint32_t room)
{
	struct ptremap_watch req = { .size = sizeof(req),
				     .flags = flags,
				     .nr = room,
				     .record_size = sizeof(struct ptremap_record) };
	int err = call(fd, PTREMAP_WATCH, &req);

	return err ? err : req.fd;
}

int ptremap_watch_read(int watch, struct ptremap_event *events, size_t max)
{
	ssize_t n;

	if (max > PTREMAP_WATCH_MAX)
		max = PTREMAP_WATCH_MAX;
	n = read(watch, events, max * sizeof(*events));
	return n < 0 ? -errno : (int)((size_t)n / sizeof(*events));
}

int ptremap_access(int fd, pid_t pid, int vm_fd, const struct ptremap_access_range *ranges,
		   size_t nr)
{
	struct ptremap_access_watch req = { .size = sizeof(req),
					    .flags = PTREMAP_ACCESS_NONBLOCK,
					    .pid = pid,
					    .vm_fd = vm_fd,
					    .ranges = (uintptr_t)ranges,
					    .nr = (uint32_t)nr,
					    .room = PTREMAP_ACCESS_ROOM / 4 };
	int err = nr > PTREMAP_ACCESS_RANGES ? -E2BIG : call(fd, PTREMAP_ACCESS, &req);

	return err ? err : req.fd;
}

int ptremap_access_read(int watch, struct ptremap_access *accesses, size_t max)
{
	ssize_t n;

	if (max > PTREMAP_ACCESS_ROOM)
		max = PTREMAP_ACCESS_ROOM;
	n = read(watch, accesses, max * sizeof(*accesses));
	return n < 0 ? -errno : (int)((size_t)n / sizeof(*accesses));
}

/* With room for @vm->nr_slots and ->nr_vcpus; -EAGAIN: there are more, as many as these say now. */
static int try_vm(int fd, struct ptremap_vm *vm, struct ptremap_slot **slots,
		  struct ptremap_vcpu **vcpus)
{
	uint32_t room_slots = vm->nr_slots, room_vcpus = vm->nr_vcpus;
	int err = -ENOMEM;

	*slots = calloc(room_slots, sizeof(**slots));
	*vcpus = calloc(room_vcpus, sizeof(**vcpus));
	if (*slots && *vcpus) {
		vm->slots = (uintptr_t)*slots;
		vm->vcpus = (uintptr_t)*vcpus;
		err = call(fd, PTREMAP_VM, vm);
		if (!err && (vm->nr_slots > room_slots || vm->nr_vcpus > room_vcpus))
			err = -EAGAIN;
	}
	if (!err)
		return 0;
	free(*slots);
	free(*vcpus);
	*slots = NULL;
	*vcpus = NULL;
	return err;
}

static uint32_t more(uint32_t nr, uint32_t max)
{
	return nr < max - LIST_SPARE ? nr + LIST_SPARE : max;
}

int ptremap_vm(int fd, pid_t pid, int vm_fd, uint32_t flags, struct ptremap_vm *vm,
	       struct ptremap_slot **slots, struct ptremap_vcpu **vcpus)
{
	int err, tries = 0;

	*vm = (struct ptremap_vm){ .size = sizeof(*vm), .flags = flags, .pid = pid, .fd = vm_fd };
	do {
		vm->nr_slots = more(vm->nr_slots, PTREMAP_VM_SLOTS_MAX);
		vm->nr_vcpus = more(vm->nr_vcpus, PTREMAP_VM_VCPUS_MAX);
		err = try_vm(fd, vm, slots, vcpus);
	} while (err == -EAGAIN && ++tries < LIST_TRIES);
	return err;
}

int ptremap_rule_add(int fd, struct ptremap_rule *rules, size_t nr, size_t *wrong)
{
	struct ptremap_rules req = {
		.size = sizeof(req),
		.op = PTREMAP_RULE_ADD,
		.rules = (uintptr_t)rules,
		.nr = (uint32_t)nr,
		.rule_size = sizeof(*rules),
	};

	int err = nr > PTREMAP_RULES_MAX ? -ENOSPC : call(fd, PTREMAP_RULE, &req);

	*wrong = err && req.id ? req.id - 1 : nr;
	return err;
}

int ptremap_rule_remove(int fd, uint32_t id, uint32_t *restored)
{
	struct ptremap_rules req = { .size = sizeof(req), .op = PTREMAP_RULE_REMOVE, .id = id };
	int err = call(fd, PTREMAP_RULE, &req);

	*restored = req.restored;
	return err;
}

int ptremap_rule_list(int fd, struct ptremap_rule rules[PTREMAP_RULES_MAX])
{
	struct ptremap_rules req = {
		.size = sizeof(req),
		.op = PTREMAP_RULE_LIST,
		.rules = (uintptr_t)rules,
		.nr = PTREMAP_RULES_MAX,
		.rule_size = sizeof(*rules),
	};
	int err = call(fd, PTREMAP_RULE, &req);

	return err ? err : (int)req.nr;
}

/* ---- what errors mean ------------------------------------------------------------------- */

struct sentence {
	int error;
	uint32_t what; /* enum ptremap_what, of mappings enum ptremap_source; 0: any */
	const char *text;
};

static const struct sentence of_calls[] = {
	{ ENOENT, 0,
	  "the helper module is not loaded; build it (make kmod) and load it with insmod" },
	{ EPERM, 0, "CAP_SYS_ADMIN is needed; run as root" },
	{ EACCES, 0, "CAP_SYS_RAWIO is needed; run as root" },
	{ EKEYREJECTED, 0, "the kernel is locked down, which forbids access to raw memory" },
	{ ENOTTY, 0,
	  "the helper module is older than this program; load the one that came with it" },
	{ E2BIG, 0,
	  "the helper module is older than this program; load the one that came with it" },
	{ EINVAL, 0, "the helper module did not take the request" },
	{ ESRCH, 0, "no such process" },
	{ ENXIO, 0, "nothing is there" },
	{ EBADF, 0, "not a descriptor of a process (pidfd)" },
	{ EDOM, 0, "the address is not canonical" },
	{ EIO, 0, "the page is poisoned, or not in the kernel's direct map" },
	{ EROFS, 0, "the kernel maps this memory read-only" },
	{ ERANGE, 0, "beyond the physical address width of this processor" },
	{ EINTR, 0, "interrupted" },
	{ EAGAIN, 0, "the tables changed under each try" },
	{ 0 },
};

/* Those of one kind of change come before those of all. */
static const struct sentence of_edits[] = {
	{ EDOM, 0,
	  "an address that is not in user space, or no multiple of 4096 (level 2: of 2 MiB); whole "
	  "pages are changed" },
	{ ENOENT, 0,
	  "nothing is mapped there, or its page cannot be had; 'ptremap walk' shows what there is" },
	{ ENOTBLK, 0,
	  "no 2 MiB page of the process' own is mapped there, or where its frame is to come from; "
	  "'ptremap walk' shows what there is" },
	{ EOPNOTSUPP, PTREMAP_TRAP,
	  "memory of a device, of hugetlb, a shadow stack or, at level 2, a file outside of tmpfs, "
	  "which is not changed; or a kernel without CONFIG_NUMA_BALANCING, which cannot let the "
	  "access through" },
	{ EOPNOTSUPP, PTREMAP_RAM,
	  "memory of a device, of hugetlb or a shadow stack, which is not changed; or the physical "
	  "page is one of hugetlb or of secret memory, which is not lent; or the memory is shared and "
	  "userfaultfd write-protects it" },
	{ EOPNOTSUPP, PTREMAP_MMIO,
	  "memory of a device, of hugetlb or a shadow stack, which is not changed; or the kernel "
	  "manages this device's memory as pages; or the memory is shared and userfaultfd "
	  "write-protects it" },
	{ EOPNOTSUPP, 0,
	  "memory of a device, a shadow stack, hugetlb (at level 2: as far as the manual says) or, "
	  "at level 2, a file outside of tmpfs, which is not changed" },
	{ ESTALE, 0,
	  "the entry is not the expected one, or was replaced meanwhile; see 'ptremap walk'" },
	{ EBUSY, 0,
	  "a change of this page is in force (or of one that overlaps it), or twice in this "
	  "transaction; see 'ptremap list'" },
	{ EROFS, PTREMAP_PROTECT,
	  "RW would let the process write to memory that is shared and read-only, or D say that "
	  "it wrote to a read-only page" },
	{ EROFS, PTREMAP_RAM,
	  "the process could write to a page of a file, or one that processes share until they "
	  "write (copy-on-write, KSM); memory that it may only read can lead there" },
	{ EROFS, 0,
	  "the process could write to a page that its owner may only read, or of which a file "
	  "system wants to hear each write; take one that is writable there" },
	{ ERANGE, 0, "the physical address is beyond the address width of this processor" },
	{ ENODEV, PTREMAP_RAM,
	  "there is no RAM at this physical address; of a device it is --mmio" },
	{ ENODEV, PTREMAP_MMIO,
	  "there is no device memory at this physical address; of RAM it is --phys" },
	{ EMEDIUMTYPE, 0, "others have this device memory mapped with another cache type" },
	{ ENODATA, 0,
	  "the physical page is free, and may become anybody's; --force-frame free maps it all the "
	  "same" },
	{ ELOOP, 0, "the physical page is a page table; --force-frame table maps it all the same" },
	{ ENOTEMPTY, 0,
	  "the physical page has kernel objects in it (slab); --force-frame slab maps it all the "
	  "same" },
	{ ENOTUNIQ, 0,
	  "the physical page is reserved: the kernel's image, or firmware's; --force-frame reserved "
	  "maps it all the same" },
	{ EADDRINUSE, 0,
	  "the physical page is the kernel's own; --force-frame kernel maps it all the same" },
	{ EHWPOISON, 0, "the physical page is broken (hardware poison)" },
	{ EXDEV, 0,
	  "a KVM guest has frames of this process, and would go on with the old one; with the module "
	  "ptremap_kvm it does not, but RAM and devices by their address are not for it" },
	{ EAGAIN, 0, "the kernel kept changing the page under each try; try again" },
	{ ENXIO, 0, "a process without memory: a kernel thread, or one that has ended" },
	{ EINVAL, 0, "the helper module does not know this change" },
	{ 0 },
};

/* The same: those of one source come first. */
static const struct sentence of_maps[] = {
	{ ESRCH, PTREMAP_MAP_FRAMES, "one of the two processes is not there" },
	{ ENXIO, PTREMAP_MAP_FRAMES,
	  "one of the two is without memory: a kernel thread, or a process that has ended" },
	{ ENXIO, 0, "a process without memory: a kernel thread, or one that has ended" },
	{ EDOM, 0, "an address that is not in user space, or no multiple of 4096" },
	{ EADDRNOTAVAIL, 0, "lower than vm.mmap_min_addr allows; see sysctl vm.mmap_min_addr" },
	{ EEXIST, 0, "something is mapped there already; /proc/PID/maps shows free places" },
	{ ENOMEM, 0, "there is no free place of that length, or no memory" },
	{ EMSGSIZE, 0, "longer than 1 GiB" },
	{ ENOEXEC, 0,
	  "the process has forbidden itself memory that is writable and executable (PR_SET_MDWE)" },
	{ EMEDIUMTYPE, PTREMAP_MAP_MMIO,
	  "device memory is uc or wc, and only one of them while the kernel, or another mapping, "
	  "uses it" },
	{ EMEDIUMTYPE, PTREMAP_MAP_FRESH, "this machine has no write-combining memory (no PAT)" },
	{ EMEDIUMTYPE, 0,
	  "memory that others have mapped is wb there, and can be nothing else here" },
	{ EROFS, PTREMAP_MAP_FRAMES,
	  "the process could write to memory that its owner may only read, or of which a file "
	  "system wants to hear each write; readable (r, rx) it can be" },
	{ EROFS, 0,
	  "the process could write to a page of a file, or to one that KSM shares; readable "
	  "(r, rx) it can be" },
	{ ENOENT, 0,
	  "the other process has nothing mapped there, or its page cannot be had; 'ptremap walk' "
	  "shows what there is" },
	{ EOPNOTSUPP, 0, "memory of a device or of hugetlb, which is not lent" },
	{ EAGAIN, 0, "the kernel kept changing the page under each try; try again" },
	{ ENODEV, PTREMAP_MAP_MMIO, "not all of it is device memory; see /proc/iomem" },
	{ ENODEV, 0, "not all of it is RAM; see /proc/iomem" },
	{ ENODATA, 0, "a page of it is free: nobody's yet, but soon anybody's" },
	{ ELOOP, 0, "a page of it is a page table" },
	{ ENOTEMPTY, 0, "a page of it has kernel objects (slab)" },
	{ ENOTUNIQ, 0, "a page of it is reserved: the kernel's image, or firmware's" },
	{ EADDRINUSE, 0, "a page of it is the kernel's own, for another purpose" },
	{ EHWPOISON, 0, "a page of it is broken (hardware poison)" },
	{ EINVAL, 0, "the helper module does not know this kind of mapping" },
	{ 0 },
};

static const struct sentence of_memory[] = {
	{ ENXIO, 0, "no page is there" },
	{ ENODEV, 0, "a device's memory, no RAM" },
	{ EROFS, 0, "the process may only read there: others may have the same page" },
	{ EDOM, 0, "not all of it is in user space" },
	{ EAGAIN, 0, "the kernel kept changing the page under each try" },
	{ 0 },
};

static const struct sentence of_guests[] = {
	{ ENXIO, 0, "no memory slot: a device that the VM's process plays, or nothing" },
	{ EROFS, 0, "a memory slot that is read-only for the guest" },
	{ ENODATA, 0, "the VM's process has no memory there that it may write to" },
	{ EAGAIN, 0, "the memory slot is being changed; try again" },
	{ ESRCH, 0, "the VM's process has ended" },
	{ EOPNOTSUPP, 0,
	  "the VM logs dirty pages in rings, which only its vCPUs can fill (in QEMU "
	  "dirty-ring-size)" },
	{ ENOKEY, 0, "the guest's memory is encrypted" },
	{ 0 },
};

/* Those of one kind of change come before those of all. */
static const struct sentence of_accesses[] = {
	{ EDOM, 0, "a range is not of whole pages" },
	{ E2BIG, 0, "more ranges than can be watched at a time: 65536" },
	{ EPROTOTYPE, 0,
	  "the VM has neither EPT nor NPT, or no vCPU yet: there is nothing to watch it by" },
	{ EMULTIHOP, 0,
	  "the guest runs a guest of its own, on tables that KVM shadows; this VM cannot be watched "
	  "meanwhile" },
	{ ENOKEY, 0, "the guest's memory is encrypted: nobody can do its accesses in its place" },
	{ EXDEV, 0,
	  "this process has a descriptor of the VM, but its memory is another process'; name that "
	  "one ('ptrace-pf vms')" },
	{ ENOTTY, 0,
	  "the helper module is too old to watch accesses; load the one of this version" },
	{ 0 },
};

static const struct sentence of_epts[] = {
	{ EDOM, 0,
	  "no multiple of 4096 (level 2: of 2 MiB), or at level 2 the VMM has this page at another "
	  "place of its 2 MiB than the guest" },
	{ EADDRNOTAVAIL, 0,
	  "no memory slot of the VM has this guest-physical address: it is a device's, or nothing "
	  "is there" },
	{ EUCLEAN, 0,
	  "the VMM has writes to this memory logged, as for a migration, and would miss the change" },
	{ EPROTOTYPE, 0,
	  "the VM has neither EPT nor NPT: KVM shadows the guest's own tables, which cannot be "
	  "changed so" },
	{ EMULTIHOP, 0,
	  "the guest runs a guest of its own, on tables that KVM shadows; this VM cannot be changed "
	  "meanwhile" },
	{ ENOKEY, 0, "the guest's memory is encrypted, and means nothing at another place" },
	{ EXDEV, 0,
	  "this process has a descriptor of the VM, but its memory is another process'; name that "
	  "one ('ptrace-pf vms')" },
	{ EBADF, 0, "that file descriptor of the process is no VM" },
	{ ENODEV, 0, "the other process has no VM; an address of its own is PID:VA" },
	{ ENOTUNIQ, 0, "the other process has several VMs; name one: vm=PID/FD:GPA" },
	{ EISDIR, 0, "a 2 MiB page is mapped there; --split makes small ones, --level 2 takes it" },
	{ EROFS, PTREMAP_EPT_PROTECT,
	  "the guest may not write to this memory: its slot is read-only, or the page is not the "
	  "VMM's own" },
	{ EROFS, 0,
	  "the slot is read-only, or the guest could write to a page that its owner may only read, "
	  "or of which a file system wants to hear each write" },
	{ EOPNOTSUPP, PTREMAP_EPT_PROTECT,
	  "this machine cannot take or give that access alone: on AMD's, w and x can be, and all "
	  "three together" },
	{ EOPNOTSUPP, PTREMAP_EPT_CACHE, "this machine's nested tables have no such memory type" },
	{ EOPNOTSUPP, 0,
	  "memory of a kind that is not changed (a device, hugetlb at level 1, at level 2 a file "
	  "outside of tmpfs; for a rehearsal also what userfaultfd write-protects), or a kernel that "
	  "does not tell of changes of memory slots (PREEMPT_RT, or no kprobes)" },
	{ ENOENT, 0,
	  "the VMM has nothing mapped there, or its page cannot be had; 'ptremap ept show' shows "
	  "what there is" },
	{ EINVAL, 0, "the helper module does not know this change" },
	{ 0 },
};

static const struct sentence of_undo[] = {
	{ ENOENT, 0, "there is no such transaction; 'ptremap list' shows those there are" },
	{ 0 },
};

static const struct sentence of_vms[] = {
	{ EPROTONOSUPPORT, 0,
	  "the module ptremap_kvm is not loaded; it comes with ptremap and needs kvm" },
	{ ENOENT, 0, "this process has no VM" },
	{ EBADF, 0, "that file descriptor of the process is no VM" },
	{ ENOTUNIQ, 0, "this process has several VMs; name one of them with --vm-fd" },
	{ EAGAIN, 0, "its memory slots and vCPUs became more under each try" },
	{ 0 },
};

/* Those of VMs behind them. */
static const struct sentence of_rules[] = {
	{ ENOSPC, 0, "there are 32 rules already, which is all there can be" },
	{ EEXIST, 0, "another rule does something with the same page at the same event" },
	{ EPROTOTYPE, 0, "the VM has neither EPT nor NPT: there are no violations" },
	{ EOPNOTSUPP, 0, "this kernel does not let the helper module see such events" },
	{ EINVAL, 0, "the helper module does not know such a rule" },
	{ 0 },
};

static const char *find(const struct sentence *s, uint32_t what, int error)
{
	for (; s->text; s++)
		if (s->error == error && (!s->what || s->what == what))
			return s->text;
	return NULL;
}

static const char *explain(const struct sentence *first, uint32_t what, int error)
{
	const char *text;

	if (error < 0)
		error = -error;
	text = find(first, what, error);
	if (!text)
		text = find(of_calls, 0, error);
	return text ? text : strerror(error);
}

const char *ptremap_strerror(int error)
{
	return explain(of_calls, 0, error);
}

const char *ptremap_edit_strerror(uint32_t what, int error)
{
	return explain(of_edits, what, error);
}

const char *ptremap_map_strerror(uint32_t source, int error)
{
	return explain(of_maps, source, error);
}

const char *ptremap_memory_strerror(int error)
{
	return explain(of_memory, 0, error);
}

const char *ptremap_guest_strerror(int error)
{
	return find(of_guests, 0, -error) ?: explain(of_vms, 0, error);
}

/* What it has in common with changes of the VMM's own memory is said there. */
const char *ptremap_ept_strerror(uint32_t what, int error)
{
	const char *text = find(of_epts, what, error < 0 ? -error : error);

	return text ? text : explain(of_edits, 0, error);
}

const char *ptremap_vm_strerror(int error)
{
	return explain(of_vms, 0, error);
}

const char *ptremap_rule_strerror(int error)
{
	return find(of_rules, 0, -error) ?: explain(of_vms, 0, error);
}

const char *ptremap_access_strerror(int error)
{
	const char *text = find(of_accesses, 0, error < 0 ? -error : error);

	return text ? text : explain(of_vms, 0, error);
}

const char *ptremap_undo_strerror(int error)
{
	return explain(of_undo, 0, error);
}
