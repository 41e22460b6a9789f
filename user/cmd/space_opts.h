/* SPDX-License-Identifier: GPL-2.0 */
/* The options that name a format, and tables: in an image, or of this machine. */
#ifndef CMD_SPACE_OPTS_H
#define CMD_SPACE_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/opts.h"
#include "user/pt/pt_fmt.h"

#define SPACE_MAX_SOURCES 2

/* A name for --format. */
struct format_name {
	const char *name;
	enum pt_mode mode;
	uint8_t pse, pse36, npt;
};

/* --format and what the CPU can do. Starts as FORMAT_OPTS_INIT. */
struct format_opts {
	const struct format_name *format; /* NULL: not given */
	uint32_t maxphyaddr, enc_bit;
	bool no_nx, no_1g, amd, exec_only, mbec;
	bool pdpte_a; /* no option: set for images */
};

/* Where tables are: in an image, or in this machine's memory. */
struct space_source {
	const char *path; /* of the image; NULL: none */
	uint32_t pid;	  /* without an image: the process; 0: the kernel's half */
	bool vm;	  /* ->pid is that of a VM, whose tables are meant */
};

/* What of a VM. */
struct vm_opts {
	struct opt_number fd, vcpu;
	bool gva, gpa;
	bool chain;  /* no option: the command follows gpas by all ways, and needs no EPT or NPT */
	bool memory; /* no option: of gpas the memory is meant alone, which needs no vCPU */
};

/* Starts as SPACE_OPTS_INIT. */
struct space_opts {
	struct format_opts format;
	struct space_source sources[SPACE_MAX_SOURCES];
	uint32_t nr_sources;
	bool user_root;
	struct vm_opts vm;
	struct opt_number base, cpu;
	struct opt_number root, cr0, cr3, cr4, efer, eptp, ncr3, host_cr0, host_cr4, host_efer;
};

/* 52 bits: nothing is reserved by mistake. */
#define FORMAT_OPTS_INIT         \
	{                        \
		.maxphyaddr = 52 \
	}

#define SPACE_OPTS_INIT                    \
	{                                  \
		.format = FORMAT_OPTS_INIT \
	}

/* Rows for a command's own table: offsets are into @type, whose member @field is the above. */
#define SPACE_ROW(kind, name, arg, help, type, field, part, member)                              \
	{                                                                                        \
		0, name, arg, help, kind, offsetof(type, field) + offsetof(struct part, member), \
			NULL                                                                     \
	}
#define SPACE_CALL(parse, name, arg, help, type, field)                    \
	{                                                                  \
		0, name, arg, help, OPT_CALL, offsetof(type, field), parse \
	}

#define FORMAT_OPT_ROWS(type, field)                                                              \
	SPACE_CALL(format_opt_format, "format", "FORMAT",                                         \
		   "none, 32bit, 32bit-pse, 32bit-pse36, pae, 4level, 5level, ept4, ept5, or of " \
		   "nested paging npt-32bit, npt-32bit-pse, npt-32bit-pse36, npt-pae, "           \
		   "npt-4level, npt-5level",                                                      \
		   type, field),                                                                  \
		SPACE_ROW(OPT_U32, "maxphyaddr", "BITS",                                          \
			  "width of physical addresses, 32 to 52 (default 52)", type, field,      \
			  format_opts, maxphyaddr),                                               \
		SPACE_ROW(OPT_U32, "enc-bit", "BIT",                                              \
			  "place of the memory encryption bit (default none)", type, field,       \
			  format_opts, enc_bit),                                                  \
		SPACE_ROW(OPT_FLAG, "no-nx", NULL, "bit 63 is reserved: EFER.NXE is clear", type, \
			  field, format_opts, no_nx),                                             \
		SPACE_ROW(OPT_FLAG, "no-1g", NULL, "the CPU has no 1 GiB pages", type, field,     \
			  format_opts, no_1g),                                                    \
		SPACE_ROW(OPT_FLAG, "amd", NULL, "AMD: bit 8 of PML4Es and PML5Es is reserved",   \
			  type, field, format_opts, amd),                                         \
		SPACE_ROW(OPT_FLAG, "exec-only", NULL,                                            \
			  "EPT: execution without reading is allowed", type, field, format_opts,  \
			  exec_only),                                                             \
		SPACE_ROW(OPT_FLAG, "mbec", NULL, "EPT: mode-based execute control is on", type,  \
			  field, format_opts, mbec)

#define LIVE_OPT_ROWS(type, field)                                                                 \
	SPACE_CALL(space_opt_pid, "pid", "PID", "the tables of this process", type, field),        \
		SPACE_CALL(space_opt_kernel, "kernel", NULL, "the kernel's half", type, field),    \
		SPACE_ROW(OPT_FLAG, "user-root", NULL,                                             \
			  "with page-table isolation: the top table that user mode runs on", type, \
			  field, space_opts, user_root)

#define VM_ROW(kind, name, arg, help, type, field, member)                        \
	{                                                                         \
		0, name, arg, help, kind,                                         \
			offsetof(type, field) + offsetof(struct space_opts, vm) + \
				offsetof(struct vm_opts, member),                 \
			NULL                                                      \
	}

#define VM_OPT_ROWS(type, field)                                                                 \
	SPACE_CALL(space_opt_vm, "vm", "PID", "the VM of this process", type, field),            \
		VM_ROW(OPT_FLAG, "gva", NULL,                                                    \
		       "of a VM: addresses are guest-virtual, the tables are the guest's own",   \
		       type, field, gva),                                                        \
		VM_ROW(OPT_FLAG, "gpa", NULL,                                                    \
		       "of a VM: addresses are guest-physical, the tables are EPT or NPT", type, \
		       field, gpa),                                                              \
		VM_ROW(OPT_NUMBER, "vcpu", "N",                                                  \
		       "of a VM: as this vCPU has it (default: the first)", type, field, vcpu),  \
		VM_ROW(OPT_NUMBER, "vm-fd", "FD",                                                \
		       "of several VMs of a process the one behind this file descriptor", type,  \
		       field, fd)

#define SPACE_OPT_ROWS(type, field)                                                                 \
	LIVE_OPT_ROWS(type, field), VM_OPT_ROWS(type, field),                                       \
		SPACE_CALL(space_opt_image, "image", "FILE",                                        \
			   "raw memory image, ELF core (QEMU's dump-guest-memory) or device",       \
			   type, field),                                                            \
		SPACE_ROW(OPT_NUMBER, "base", "ADDR",                                               \
			  "address of a raw image's first byte (default 0)", type, field,           \
			  space_opts, base),                                                        \
		SPACE_ROW(                                                                          \
			OPT_NUMBER, "cpu", "N",                                                     \
			"take the control registers that are not given from this CPU of the image " \
			"(default 0)",                                                              \
			type, field, space_opts, cpu),                                              \
		SPACE_ROW(OPT_NUMBER, "cr0", "VALUE", "CR0", type, field, space_opts, cr0),         \
		SPACE_ROW(OPT_NUMBER, "cr3", "VALUE", "CR3", type, field, space_opts, cr3),         \
		SPACE_ROW(OPT_NUMBER, "cr4", "VALUE", "CR4", type, field, space_opts, cr4),         \
		SPACE_ROW(OPT_NUMBER, "efer", "VALUE", "EFER", type, field, space_opts, efer),      \
		SPACE_ROW(OPT_NUMBER, "eptp", "VALUE",                                              \
			  "EPT pointer; with --cr3 the guest's tables are read through that EPT",   \
			  type, field, space_opts, eptp),                                           \
		SPACE_ROW(OPT_NUMBER, "ncr3", "VALUE", "nested CR3 (AMD); --cr3 as with --eptp",    \
			  type, field, space_opts, ncr3),                                           \
		SPACE_ROW(OPT_NUMBER, "host-cr0", "VALUE", "the host's CR0 with --ncr3", type,      \
			  field, space_opts, host_cr0),                                             \
		SPACE_ROW(OPT_NUMBER, "host-cr4", "VALUE", "the host's CR4 with --ncr3", type,      \
			  field, space_opts, host_cr4),                                             \
		SPACE_ROW(OPT_NUMBER, "host-efer", "VALUE", "the host's EFER with --ncr3", type,    \
			  field, space_opts, host_efer),                                            \
		SPACE_ROW(OPT_NUMBER, "root", "ADDR", "the top table's address, with --format",     \
			  type, field, space_opts, root)

int format_opt_format(void *target, const char *arg);
int space_opt_image(void *target, const char *arg);
int space_opt_pid(void *target, const char *arg);
int space_opt_kernel(void *target, const char *arg);
int space_opt_vm(void *target, const char *arg);

/* The features that the options name; NX and 1 GiB pages are on otherwise. */
void format_feat(const struct format_opts *o, struct pt_feat *feat);

/*
 * @fmt of @mode with @feat. -EINVAL after a line on stderr: a width is out of range. @usage: as
 * for msg_usage().
 */
int format_init(struct pt_fmt *fmt, enum pt_mode mode, const struct pt_feat *feat,
		const char *usage);

/* @fmt of o->format, or of @mode and no more when that is NULL. As format_init(). */
int format_of_opts(struct pt_fmt *fmt, const struct format_opts *o, enum pt_mode mode,
		   const char *usage);

#endif
