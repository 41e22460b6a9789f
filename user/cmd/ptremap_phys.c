// SPDX-License-Identifier: GPL-2.0
/*
 * ptremap read, write: physical memory, by way of the helper module; of a process' see memory.c, of
 * a VM's vm_memory.c and vm_write.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/hex.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/base/units.h"
#include "user/cmd/cmd.h"
#include "user/cmd/memory.h"
#include "user/cmd/readout.h"
#include "user/cmd/vm_memory.h"
#include "user/cmd/whole_file.h"
#include "user/kernel/helper.h"

#define READ_USAGE                                                   \
	"ptremap read [OPTIONS] (--pa ADDR | --pid PID --va ADDR | " \
	"--vm PID (--gva ADDR | --gpa ADDR)) LEN"
#define WRITE_USAGE                                                   \
	"ptremap write [OPTIONS] (--pa ADDR | --pid PID --va ADDR | " \
	"--vm PID (--gva ADDR | --gpa ADDR)) (--hex BYTES | --file FILE)"

#define NO_PA	  UINT64_MAX
#define PAGE_SIZE 4096
#define PIECE	  (1U << 20) /* bytes that are transferred at once */

struct phys_opts {
	uint64_t pa;
	uint32_t mmio; /* width; 0: RAM */
	bool raw;
	const char *hex, *file;
	struct opt_number va; /* of process ->pid, in the place of ->pa */
	uint32_t pid;
	bool force, partial;
	struct vm_memory_opts vm;
};

#define PHYS_ROWS                                                                                 \
	{ 0,	   "pa",                                                                          \
	  "ADDR",  "physical address of the first byte",                                          \
	  OPT_U64, offsetof(struct phys_opts, pa),                                                \
	  NULL },                                                                                 \
	{                                                                                         \
		0, "mmio", "WIDTH",                                                               \
			"device memory, in accesses of so many bytes: 1, 2, 4 or 8; it may have " \
			"side effects",                                                           \
			OPT_U32, offsetof(struct phys_opts, mmio), NULL                           \
	}
#define MEMORY_ROWS                                                                              \
	{ 0,	   "pid",                                                                        \
	  "PID",   "the process that --va is an address of",                                     \
	  OPT_U32, offsetof(struct phys_opts, pid),                                              \
	  NULL },                                                                                \
	{                                                                                        \
		0, "va", "ADDR",                                                                 \
			"virtual address of the first byte; what the process may do there does " \
			"not count for reading",                                                 \
			OPT_NUMBER, offsetof(struct phys_opts, va), NULL                         \
	}

static const struct opt read_options[] = {
	PHYS_ROWS,
	MEMORY_ROWS,
	VM_MEMORY_ROWS(struct phys_opts, vm),
	{ 0, "fault-in", NULL,
	  "with --vm: pages that the VM's process does not have now are fetched: as if it had read "
	  "there itself",
	  OPT_FLAG, offsetof(struct phys_opts, vm.fault_in), NULL },
	{ 0, "raw", NULL, "the bytes themselves; zeros for those that are not there", OPT_FLAG,
	  offsetof(struct phys_opts, raw), NULL },
	{ 0 },
};

static const struct opt write_options[] = {
	PHYS_ROWS,
	MEMORY_ROWS,
	VM_MEMORY_ROWS(struct phys_opts, vm),
	{ 0, "force", NULL,
	  "with --va: also pages that the process may only read, which others may have, too",
	  OPT_FLAG, offsetof(struct phys_opts, force), NULL },
	{ 0, "partial", NULL, "with --va and --vm: what can be written, where not all can",
	  OPT_FLAG, offsetof(struct phys_opts, partial), NULL },
	{ 0, "hex", "BYTES", "what to write: \"de ad be ef\", in the order of addresses", OPT_STR,
	  offsetof(struct phys_opts, hex), NULL },
	{ 0, "file", "FILE", "what to write: all of this file", OPT_STR,
	  offsetof(struct phys_opts, file), NULL },
	{ 0 },
};

struct transfer {
	const struct phys_opts *opts;
	int fd; /* of the device */
	char buf[PIECE];
};

static uint32_t phys_flags(const struct phys_opts *o, uint32_t flags)
{
	return flags | (o->mmio ? PTREMAP_PHYS_MMIO : 0);
}

static const char *why_not(const struct phys_opts *o, int err)
{
	if (err == -ENXIO)
		return o->mmio ? "RAM, no device memory" : "no RAM (--mmio is for device memory)";
	return ptremap_strerror(err);
}

static int check_width(const struct phys_opts *o, uint64_t len)
{
	if (!o->mmio)
		return 0;
	if (o->mmio != 1 && o->mmio != 2 && o->mmio != 4 && o->mmio != 8)
		return -EINVAL;
	return (o->pa | len) % o->mmio ? -EINVAL : 0;
}

/* Why the options cannot stand together, or NULL. */
static const char *contradiction(const struct phys_opts *o)
{
	bool va = o->va.given, vm = o->vm.pid;

	if (vm && (va || o->pid || o->pa != NO_PA || o->mmio))
		return "--vm, --pid and --pa exclude each other, and --mmio is for --pa";
	if (vm && o->force)
		return "--force is for --va";
	if (vm || vm_memory_contradiction(&o->vm))
		return vm_memory_contradiction(&o->vm);
	if (va == (o->pa != NO_PA))
		return va ? "--pa and --va exclude each other"
			  : "--pa is missing, or --pid and --va, or --vm";
	if (va != !!o->pid)
		return "--pid and --va go together";
	if (va && o->mmio)
		return "--mmio is for --pa";
	if (!va && (o->force || o->partial))
		return "--force is for --va, --partial for --va and --vm";
	return o->pid > INT32_MAX ? "--pid is no process id" : NULL;
}

static uint64_t first_byte(const struct phys_opts *o)
{
	if (o->vm.pid)
		return vm_memory_first(&o->vm);
	return o->va.given ? o->va.value : o->pa;
}

static int check(const struct phys_opts *o, uint64_t len, const char *usage)
{
	const char *wrong = contradiction(o);

	if (wrong)
		msg_usage(usage, "%s", wrong);
	else if (!len)
		msg_usage(usage, "there is nothing to do");
	else if (len - 1 > UINT64_MAX - first_byte(o))
		msg_usage(usage, "the range is beyond all addresses");
	else if (check_width(o, len))
		msg_usage(usage,
			  "--mmio is 1, 2, 4 or 8; address and length must be multiples of it");
	else
		return 0;
	return -EINVAL;
}

static int open_device(struct transfer *x)
{
	x->fd = ptremap_open();
	if (x->fd >= 0)
		return EXIT_DONE;
	msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(x->fd));
	return EXIT_FAILED;
}

/* ---- read ------------------------------------------------------------------------------- */

/* Errors of one page, behind which others may be readable. */
static bool is_page_error(const struct transfer *x, int err)
{
	return !x->opts->mmio && (err == -ENXIO || err == -EIO);
}

static int read_all(struct transfer *x, uint64_t len)
{
	struct readout out = READOUT_INIT(x->opts->raw);
	uint64_t pa = x->opts->pa, done, n;
	int err, put = 0;

	for (; len && !put; pa += done, len -= done) {
		err = ptremap_phys(x->fd, phys_flags(x->opts, 0), x->opts->mmio, pa, x->buf,
				   len < PIECE ? len : PIECE, &done);
		put = readout_bytes(&out, pa, x->buf, done);
		if (!err || put)
			continue;
		if (!is_page_error(x, err)) {
			gaps_add(&out.gaps, pa + done, len - done, why_not(x->opts, err));
			break;
		}
		n = PAGE_SIZE - (pa + done) % PAGE_SIZE;
		if (n > len - done)
			n = len - done;
		put = readout_gap(&out, pa + done, n, why_not(x->opts, err));
		done += n;
	}
	return readout_end(&out, put);
}

static int parse_read(int argc, char **argv, int rest, const struct phys_opts *o, uint64_t *len)
{
	if (rest == argc) {
		msg_usage(READ_USAGE, "a length is missing");
		return -EINVAL;
	}
	if (units_parse_size(argv[rest], len) && units_parse_u64(argv[rest], len)) {
		msg_usage(READ_USAGE, "'%s' is not a length", argv[rest]);
		return -EINVAL;
	}
	if (opts_no_more(argc, argv, rest + 1))
		return -EINVAL;
	return check(o, *len, READ_USAGE);
}

static int run(const struct phys_opts *o, int (*transfer)(struct transfer *x, uint64_t len),
	       uint64_t len)
{
	struct transfer *x = calloc(1, sizeof(*x));
	int status = EXIT_FAILED;

	if (!x) {
		msg_error("%s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	x->opts = o;
	if (!open_device(x)) {
		status = transfer(x, len);
		close(x->fd);
	}
	free(x);
	return status;
}

static int run_read(const struct phys_opts *o, uint64_t len)
{
	const struct memory_opts m = {
		.pid = o->pid, .va = o->va.value, .len = len, .raw = o->raw
	};

	if (o->vm.pid)
		return vm_memory_read(&o->vm, len, o->raw);
	return o->va.given ? memory_read(&m) : run(o, read_all, len);
}

int cmd_read(int argc, char **argv)
{
	struct phys_opts o = { .pa = NO_PA };
	uint64_t len = 0;
	int rest, err;

	err = opts_parse(read_options, READ_USAGE,
			 "LEN is in bytes, or with K, M, G.\n"
			 "Exit status: 1 also when a part of it could not be read.",
			 argc, argv, &o, &rest);
	if (!err)
		err = parse_read(argc, argv, rest, &o, &len);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	return run_read(&o, len);
}

/* ---- write ------------------------------------------------------------------------------ */

/* x->buf, @len bytes, to @pa. */
static int put_piece(struct transfer *x, uint64_t pa, uint64_t len)
{
	uint64_t done, total;
	int err;

	err = ptremap_phys(x->fd, phys_flags(x->opts, PTREMAP_PHYS_WRITE), x->opts->mmio, pa,
			   x->buf, len, &done);
	if (!err)
		return EXIT_DONE;
	total = pa + done - x->opts->pa;
	msg_error("0x%" PRIx64 ": %s; %" PRIu64 " bytes were written before", pa + done,
		  why_not(x->opts, err), total);
	return EXIT_FAILED;
}

static int write_hex(struct transfer *x, uint64_t len)
{
	hex_parse(x->opts->hex, x->buf, PIECE);
	return put_piece(x, x->opts->pa, len);
}

static int copy_file(struct transfer *x, FILE *in)
{
	uint64_t pa = x->opts->pa;
	int status = EXIT_DONE;
	size_t n;

	while (!status && (n = fread(x->buf, 1, sizeof(x->buf), in))) {
		if (check(x->opts, pa - x->opts->pa + n, WRITE_USAGE))
			return EXIT_USAGE;
		status = put_piece(x, pa, n);
		pa += n;
	}
	if (!status && ferror(in)) {
		msg_error("%s: %s; %" PRIu64 " bytes were written before", x->opts->file,
			  strerror(errno), pa - x->opts->pa);
		return EXIT_FAILED;
	}
	return status;
}

static int write_file(struct transfer *x, uint64_t len)
{
	FILE *in = fopen(x->opts->file, "re");
	int status;

	(void)len;
	if (!in) {
		msg_error("%s: %s", x->opts->file, strerror(errno));
		return EXIT_FAILED;
	}
	status = copy_file(x, in);
	fclose(in);
	return status;
}

static int check_write(const struct phys_opts *o, uint64_t *len)
{
	*len = o->mmio ? o->mmio : 1; /* of a file it is not known yet */
	if (!o->hex == !o->file) {
		msg_usage(WRITE_USAGE, "--hex or --file, one of them");
		return -EINVAL;
	}
	if (o->hex)
		*len = hex_parse(o->hex, NULL, PIECE);
	if (!*len) {
		msg_usage(WRITE_USAGE, "--hex wants pairs of digits, up to 1 MiB");
		return -EINVAL;
	}
	return check(o, *len, WRITE_USAGE);
}

static int write_memory(const struct phys_opts *o, uint64_t len)
{
	struct memory_opts m = {
		.pid = o->pid,
		.va = o->va.value,
		.len = len,
		.force = o->force,
		.partial = o->partial,
	};
	char *bytes = o->hex ? malloc(len) : whole_file(o->file, &m.len);
	int status = EXIT_FAILED;

	if (!bytes)
		return EXIT_FAILED;
	if (o->hex)
		hex_parse(o->hex, bytes, len);
	m.bytes = bytes;
	if (check(o, m.len, WRITE_USAGE))
		status = EXIT_USAGE;
	else if (o->vm.pid)
		status = vm_memory_write(&o->vm, bytes, m.len, o->partial);
	else
		status = memory_write(&m);
	free(bytes);
	return status;
}

int cmd_write(int argc, char **argv)
{
	struct phys_opts o = { .pa = NO_PA };
	uint64_t len;
	int rest, err;

	err = opts_parse(write_options, WRITE_USAGE,
			 "Nothing protects the kernel from what is written over it.", argc, argv,
			 &o, &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (!err)
		err = check_write(&o, &len);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (o.va.given || o.vm.pid)
		return write_memory(&o, len);
	return run(&o, o.hex ? write_hex : write_file, len);
}
