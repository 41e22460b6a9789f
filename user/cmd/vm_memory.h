/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a KVM guest by its addresses: what "ptremap read" and "write" do
 * with --vm. */
#ifndef CMD_VM_MEMORY_H
#define CMD_VM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/opts.h"

/* Starts as zeros. */
struct vm_memory_opts {
	uint32_t pid;		    /* 0: --vm was not given */
	struct opt_number gva, gpa; /* of the first byte */
	struct opt_number vcpu, fd;
	bool fault_in;
};

/* Rows for a command's own table: offsets are into @type, whose member @field is the above. */
#define VM_MEMORY_ROW(kind, name, arg, help, type, field, member)                             \
	{                                                                                     \
		0, name, arg, help, kind,                                                     \
			offsetof(type, field) + offsetof(struct vm_memory_opts, member), NULL \
	}
#define VM_MEMORY_ROWS(type, field)                                                                \
	VM_MEMORY_ROW(OPT_U32, "vm", "PID", "memory of the VM of this process", type, field, pid), \
		VM_MEMORY_ROW(OPT_NUMBER, "gva", "ADDR",                                           \
			      "of a VM: guest-virtual address of the first byte", type, field,     \
			      gva),                                                                \
		VM_MEMORY_ROW(OPT_NUMBER, "gpa", "ADDR",                                           \
			      "of a VM: guest-physical address of the first byte", type, field,    \
			      gpa),                                                                \
		VM_MEMORY_ROW(OPT_NUMBER, "vcpu", "N",                                             \
			      "of a VM: by the tables of this vCPU (default: the first)", type,    \
			      field, vcpu),                                                        \
		VM_MEMORY_ROW(OPT_NUMBER, "vm-fd", "FD",                                           \
			      "of several VMs of a process the one behind this file "              \
			      "descriptor",                                                        \
			      type, field, fd)

/* Why the options cannot stand together, or NULL. */
const char *vm_memory_contradiction(const struct vm_memory_opts *o);

/* The address that was given. */
uint64_t vm_memory_first(const struct vm_memory_opts *o);

/*
 * Prints @len bytes from there on, which must not wrap. Returns the exit status, after a line on
 * stderr for each range that was left out, and why.
 */
int vm_memory_read(const struct vm_memory_opts *o, uint64_t len, bool raw);

/*
 * Writes @bytes, @len of them, from there on: all, or with @partial what can be written. Returns
 * the exit status, after a line on stderr for each range that cannot be, and why.
 */
int vm_memory_write(const struct vm_memory_opts *o, const char *bytes, uint64_t len, bool partial);

#endif
