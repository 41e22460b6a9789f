/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/ptremap, the helper module's device: one function per call of its ABI
 * (kmod-helper/uapi/ptremap.h). Nothing else in the program talks to the device. Where a process is
 * named, a descriptor of it will do, if PTREMAP_PIDFD is in @flags, or in the item's.
 */
#ifndef KERNEL_HELPER_H
#define KERNEL_HELPER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmod-helper/uapi/ptremap.h"

/* A file descriptor, close()d by the caller; or -errno. -ENOENT: the module is not loaded. */
int ptremap_open(void);

int ptremap_features(int fd, struct ptremap_features *features);

/*
 * Walks @nr addresses, entries[].va, of process @pid (0: the kernel's half). @flags:
 * PTREMAP_WALK_*. 0 with each entry's own status and *@root, the top table's address.
 */
int ptremap_walk(int fd, pid_t pid, uint32_t flags, struct ptremap_walk_entry *entries, size_t nr,
		 uint64_t *root);

/*
 * Hands each table of process @pid (0: the kernel's half) that translates something of [@start,
 * @last] to @put, top down, with its entries. @put returns 0, or what this function is then to
 * return. *@root is set before the first call of it.
 */
typedef int (*ptremap_put_table)(void *ctx, const struct ptremap_table *table,
				 const uint64_t *entries);
int ptremap_tables(int fd, pid_t pid, uint32_t flags, uint64_t start, uint64_t last, uint64_t *root,
		   ptremap_put_table put, void *ctx);

/*
 * Reads, or with PTREMAP_PHYS_WRITE writes, @len bytes of physical memory at @pa; @width as in
 * struct ptremap_phys. *@done bytes were transferred, also when it fails.
 */
int ptremap_phys(int fd, uint32_t flags, uint32_t width, uint64_t pa, void *buf, uint64_t len,
		 uint64_t *done);

/*
 * The same with memory of process @pid at @va, page by page through its tables, whatever they let
 * the process do: PTREMAP_PHYS_VA. Nothing is faulted in, -ENXIO says where there is no page.
 * Errors are for ptremap_memory_strerror().
 */
int ptremap_memory(int fd, uint32_t flags, pid_t pid, uint64_t va, void *buf, uint64_t len,
		   uint64_t *done);

/*
 * Makes the changes @items, all or none; @flags: PTREMAP_EDIT_*. *@id is the transaction's. When it
 * fails, the item whose ->status is not 0 is the reason, if there is one: ask
 * ptremap_edit_strerror() then, and ptremap_strerror() otherwise. -E2BIG: more than
 * PTREMAP_EDIT_MAX.
 */
int ptremap_edit(int fd, uint32_t flags, struct ptremap_item *items, size_t nr, uint32_t *id);

/*
 * Maps what @map says at a new address of its process; ->size is filled in. ->va is then where it
 * is, and ->id the transaction's. When it fails, ask ptremap_map_strerror().
 */
int ptremap_map(int fd, struct ptremap_map *map);

/* All items of all transactions that were not undone yet, oldest first; free() gives them back. */
int ptremap_list(int fd, struct ptremap_record **records, size_t *nr);

/* Undoes transaction @id (0: all of them). *@restored items were active until now. */
int ptremap_undo(int fd, uint32_t id, uint32_t *restored);

/*
 * A file descriptor that tells what becomes of transactions, close()d by the caller; or -errno.
 * @flags: PTREMAP_WATCH_*; without ALL: of those that are made with @fd. @room: how many events may
 * wait (0: 4096, at most PTREMAP_WATCH_MAX). poll(2) says when there are some.
 */
int ptremap_watch(int fd, uint32_t flags, uint32_t room);
/*
 * Up to @max events: how many. 0: no more will come, since @fd was closed. -EAGAIN: there are none
 * just now (PTREMAP_WATCH_NONBLOCK); -EINTR; or another -errno.
 */
int ptremap_watch_read(int watch, struct ptremap_event *events, size_t max);

/*
 * What KVM knows of the VM behind descriptor @vm_fd (-1: the only one) of process @pid: vm->fd,
 * ->tables and ->owner, the slots, and unless @flags has PTREMAP_VM_NO_VCPUS the vCPUs. How many
 * there are is in vm->nr_slots and vm->nr_vcpus; free() gives the arrays back. A running vCPU
 * leaves its guest for a moment, unless PTREMAP_VM_ROOTS asks for little. On failure, which
 * ptremap_vm_strerror() explains, both are NULL.
 */
int ptremap_vm(int fd, pid_t pid, int vm_fd, uint32_t flags, struct ptremap_vm *vm,
	       struct ptremap_slot **slots, struct ptremap_vcpu **vcpus);

/* What an error of any of these calls means, as the end of a sentence: "no such process". */
const char *ptremap_strerror(int error);
/* The same for the ->status of an item; @what: enum ptremap_what. */
const char *ptremap_edit_strerror(uint32_t what, int error);
/* The same for ptremap_map(); @source: enum ptremap_source. */
const char *ptremap_map_strerror(uint32_t source, int error);
/* The same for ptremap_memory(). */
const char *ptremap_memory_strerror(int error);
/* The same for ptremap_vm(). */
const char *ptremap_vm_strerror(int error);
/* The same for ptremap_undo(). */
const char *ptremap_undo_strerror(int error);

#endif
