// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * guest_translate MEMORY CR0 CR3 CR4 EFER ADDRESS...
 *
 * What a hypervisor does that can only read its guest's physical memory and control registers:
 * virtual addresses to physical ones, or the reason why not. The file MEMORY stands for that
 * memory; all else works the same over any struct pt_mem whose read() is yours.
 *
 *	cc guest_translate.c $(pkg-config --cflags --libs libptw)
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <ptw/ptw.h>

/* A kind of memory begins with struct pt_mem; what else it needs comes after. */
struct guest {
	struct pt_mem mem;
	int fd;
};

static int guest_read(struct pt_mem *mem, pt_u64 gpa, void *buf, pt_u32 len)
{
	struct guest *guest = pt_container_of(mem, struct guest, mem);

	return pread(guest->fd, buf, len, (off_t)gpa) == (ssize_t)len ? 0 : -EFAULT;
}

/* No cmpxchg: this memory is only read. */
static const struct pt_mem_ops guest_ops = { .read = guest_read };

static int guest_open(struct guest *guest, const char *path)
{
	*guest = (struct guest){ .mem.ops = &guest_ops };
	guest->fd = open(path, O_RDONLY);
	return guest->fd < 0 ? -errno : 0;
}

/* The format that the registers select, on a CPU with 52 physical address bits, 1 GiB pages and
 * PSE-36. A real hypervisor takes these three from the guest's CPUID. */
static int guest_format(struct pt_fmt *fmt, const struct pt_cregs *regs)
{
	struct pt_feat feat = { .maxphyaddr = 52, .page1g = 1, .pse36 = 1 };
	enum pt_mode mode = pt_mode_from_cregs(regs, &feat);

	printf("mode %s\n", pt_mode_name(mode));
	return pt_fmt_init(fmt, mode, &feat);
}

static void print_leaf(const struct pt_fmt *fmt, const struct pt_walk *end)
{
	printf(" -> 0x%" PRIx64, (uint64_t)end->pa);
	if (!end->level) {
		printf(", paging is off\n");
		return;
	}
	printf(", page of %" PRIu64 " KiB, r%c%c%s\n",
	       (uint64_t)pt_level_size(fmt, end->level) >> 10, end->perm & PT_PERM_W ? 'w' : '-',
	       end->perm & PT_PERM_X ? 'x' : '-', end->perm & PT_PERM_U ? " user" : "");
}

static void print_failure(const struct pt_fmt *fmt, const struct pt_walk *end)
{
	printf(": %s", pt_why_name((enum pt_why)end->why));
	if (end->why == PT_WHY_UNREADABLE)
		printf(": %s at 0x%" PRIx64, pt_level_name(fmt, end->level),
		       (uint64_t)end->entry_pa);
	else if (end->why != PT_WHY_NONCANONICAL)
		printf(": %s at 0x%" PRIx64 " is 0x%" PRIx64, pt_level_name(fmt, end->level),
		       (uint64_t)end->entry_pa, (uint64_t)end->entry);
	putchar('\n');
}

/* 0 if @address leads somewhere. */
static int translate(const struct pt_space *space, uint64_t address)
{
	struct pt_path path;

	printf("0x%" PRIx64, address);
	if (pt_lookup(space, address, &path) == PT_LEAF) {
		print_leaf(space->fmt, &path.end);
		return 0;
	}
	print_failure(space->fmt, &path.end);
	return 1;
}

int main(int argc, char **argv)
{
	struct pt_cregs regs;
	struct pt_space space;
	struct guest guest;
	struct pt_fmt fmt;
	int i, failed = 0;

	if (argc < 7) {
		fprintf(stderr, "usage: guest_translate MEMORY CR0 CR3 CR4 EFER ADDRESS...\n");
		return 2;
	}
	if (guest_open(&guest, argv[1])) {
		perror(argv[1]);
		return 1;
	}
	regs.cr0 = strtoull(argv[2], NULL, 0);
	regs.cr3 = strtoull(argv[3], NULL, 0);
	regs.cr4 = strtoull(argv[4], NULL, 0);
	regs.efer = strtoull(argv[5], NULL, 0);
	if (guest_format(&fmt, &regs))
		return 1;
	space = (struct pt_space){ .fmt = &fmt, .root = regs.cr3, .mem = &guest.mem };
	for (i = 6; i < argc; i++)
		failed |= translate(&space, strtoull(argv[i], NULL, 0));
	close(guest.fd);
	return failed;
}
