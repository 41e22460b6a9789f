// SPDX-License-Identifier: GPL-2.0
/* Raw images and devices, what is neither, and what an image shows of the segments of a core. */
#include "tests/unit/image_files.h"

#include <sys/stat.h>

TestSuite(image, .init = enter, .fini = leave);

/* What @path is refused with: @err and a line. */
static void not_opened(const char *path, int err, const char *words)
{
	struct image *image;

	cr_assert_eq(image_open(&image, path, 0), err, "%s", path);
	cr_assert_null(image);
	check_message(words);
}

Test(image, files_that_are_no_images)
{
	capture_stderr();
	not_opened("nothing", -ENOENT, "nothing: cannot open: No such file");
	not_opened(dir, -EISDIR, "a directory");
	store(PATH, "", 0);
	not_opened(PATH, -EINVAL, "core: empty");
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	not_opened("fifo", -EINVAL, "fifo: neither a regular file nor a character device");
	not_opened("/proc/version", -EINVAL, "empty");
	store("secret", "x", 1);
	cr_assert_eq(chmod("secret", 0), 0);
	cr_assert_eq(chmod(dir, 0755), 0);
	cr_assert_eq(seteuid(65534), 0);
	not_opened("secret", -EACCES, "secret: cannot open: Permission denied");
	cr_assert_eq(seteuid(0), 0);
}

Test(image, raw_files_have_a_base)
{
	const uint64_t bases[] = { 0, 0x100000, 0xfff, UINT64_MAX - sizeof(bytes) + 1 };
	struct image *image;
	struct pt_cregs regs;
	unsigned int i;

	new_core(0);
	size = sizeof(bytes) - DATA_AT;
	memmove(bytes, bytes + DATA_AT, size);
	store(PATH, bytes, size);
	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		cr_assert_eq(image_open(&image, PATH, bases[i]), 0);
		range_is(image, 0, bases[i], bases[i] + size - 1);
		no_range(image, 1);
		shows(image, bases[i], 0, 200);
		shows(image, bases[i] + size - 200, size - 200, 200);
		lacks(image, bases[i] + size - 200, 201);
		lacks(image, bases[i] - 1, 1);
		lacks(image, bases[i] + size, 1);
		cr_assert_eq(image_mem(image)->window_len, size);
		cr_assert_eq(image_cregs(image, 0, &regs), -ENOENT);
		image_close(image);
	}
	image_close(NULL);
}

Test(image, raw_files_end_where_addresses_end)
{
	struct image *image;
	uint8_t got[8];

	store(PATH, "12345678", 8);
	cr_assert_eq(image_open(&image, PATH, UINT64_MAX - 7), 0);
	cr_assert_eq(pt_mem_read(image_mem(image), UINT64_MAX - 7, got, 8), 0);
	lacks(image, UINT64_MAX - 6, 8);
	image_close(image);
	capture_stderr();
	cr_assert_eq(image_open(&image, PATH, UINT64_MAX - 6), -EINVAL);
	check_message("8 bytes at 0xfffffffffffffff9 reach beyond 64 bits");
}

Test(image, base_is_for_raw_files)
{
	struct image *image;

	capture_stderr();
	new_core(0);
	store(PATH, bytes, size);
	cr_assert_eq(image_open(&image, PATH, 0x1000), -EINVAL);
	check_message("core: an ELF core, which has addresses of its own");
	cr_assert_eq(image_open(&image, "/dev/zero", 0x1000), -EINVAL);
	check_message("/dev/zero: a device, which has addresses of its own");
}

/* The ELF magic alone makes no core: it may be memory that begins with a program. */
Test(image, other_elf_files_are_raw)
{
	struct image *image;

	new_core(0)->e_type = ET_EXEC;
	image = open_image();
	range_is(image, 0, 0, sizeof(bytes) - 1);
	image_close(image);
	size = 5;
	image = open_image();
	range_is(image, 0, 0, 4);
	image_close(image);
}

Test(image, dumps_that_are_not_read)
{
	static const char *const magic[] = { "KDUMP   ", "DISKDUMP", "makedumpfile\0\0\0",
					     "PAGEDU64", "PAGEDUMP" };
	unsigned int i;

	capture_stderr();
	new_core(0);
	for (i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
		memset(bytes, 0, 32);
		strcpy((char *)bytes, magic[i]);
		refused("make an ELF core (QEMU: dump-guest-memory without -z");
	}
	strcpy((char *)bytes, "makedumpfile and more");
	image_close(open_image());
}

Test(image, devices_are_read_by_address)
{
	struct image *image;
	uint64_t value = 1;

	cr_assert_eq(image_open(&image, "/dev/zero", 0), 0);
	cr_assert_eq(pt_mem_read(image_mem(image), 0x123456789000, &value, 8), 0);
	cr_assert_eq(value, 0);
	cr_assert_null(image_mem(image)->window);
	lacks(image, UINT64_MAX - 7, 8);
	lacks(image, INT64_MAX - 7, 8);
	image_close(image);
	cr_assert_eq(image_open(&image, "/dev/null", 0), 0);
	lacks(image, 0, 8);
	image_close(image);
}

/* Larger than any address space: read with pread() instead. */
Test(image, files_that_cannot_be_mapped)
{
	const uint64_t huge = UINT64_C(1) << 47;
	int fd = memfd_create("huge", 0);
	struct image *image;
	uint64_t value = 0;
	char path[32];

	cr_assert_eq(ftruncate(fd, (off_t)huge), 0);
	cr_assert_eq(pwrite(fd, "ABCDEFGH", 8, (off_t)(huge - 8)), 8);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(image_open(&image, path, 0x1000), 0);
	cr_assert_null(image_mem(image)->window);
	range_is(image, 0, 0x1000, 0x1000 + huge - 1);
	cr_assert_eq(pt_mem_read(image_mem(image), 0x1000 + huge - 8, &value, 8), 0);
	cr_assert_eq(value, 0x4847464544434241);
	lacks(image, 0x1000 + huge - 7, 8);
	/* Cut while it is open. */
	cr_assert_eq(ftruncate(fd, 4096), 0);
	lacks(image, 0x1000 + huge - 8, 8);
	image_close(image);
	close(fd);
}

Test(image, segments_and_holes)
{
	struct image *image;

	new_core(4);
	segment(0, 0x100000, DATA_AT, 0x4000);
	segment(1, 0, DATA_AT + 0x4000, 0xa0);
	segment(2, 0xfffffffffffff000, DATA_AT + 0x5000, 0x1000);
	segment(3, 0x200000, DATA_AT + 0x6000, 0)->p_offset = UINT64_MAX; /* filtered out */
	image = open_image();
	range_is(image, 0, 0, 0x9f);
	range_is(image, 1, 0x100000, 0x103fff);
	range_is(image, 2, 0xfffffffffffff000, UINT64_MAX);
	no_range(image, 3);
	no_range(image, UINT32_MAX);
	shows(image, 0, DATA_AT + 0x4000, 0xa0);
	shows(image, 0x103fff, DATA_AT + 0x3fff, 1);
	shows(image, UINT64_MAX - 9, DATA_AT + 0x5ff6, 10);
	lacks(image, 0x9f, 2);
	lacks(image, 0xfffff, 2);
	lacks(image, 0x103fff, 2);
	lacks(image, UINT64_MAX - 9, 11);
	lacks(image, 0x200000, 1);
	cr_assert_eq(image_mem(image)->window_start, 0x100000, "the largest segment");
	cr_assert_eq(image_mem(image)->window_len, 0x4000);
	cr_assert_null(image_mem(image)->ops->cmpxchg);
	image_close(image);
}

/* Neighbours in memory are read in one piece, wherever they lie in the file. */
Test(image, reads_over_segments)
{
	struct image *image;
	uint8_t got[300];

	new_core(3);
	segment(0, 0x1000, DATA_AT + 0x3000, 100);
	segment(1, 0x1000 + 100, DATA_AT, 100);
	segment(2, 0x1000 + 200, DATA_AT + 100, 100);
	image = open_image();
	cr_assert_eq(pt_mem_read(image_mem(image), 0x1000, got, 300), 0);
	cr_assert_arr_eq(got, bytes + DATA_AT + 0x3000, 100);
	cr_assert_arr_eq(got + 100, bytes + DATA_AT, 200);
	range_is(image, 1, 0x1000 + 100, 0x1000 + 299); /* neighbours in the file, too: one */
	no_range(image, 2);
	image_close(image);
}

/* The lower start counts, then the longer one. */
Test(image, overlapping_segments)
{
	struct image *image;

	new_core(5);
	segment(0, 0x3000, DATA_AT, 0x2000);
	segment(1, 0x2000, DATA_AT + 0x2000, 0x1800);
	segment(2, 0x2800, DATA_AT + 0x4000, 0x100);
	segment(3, 0x2000, DATA_AT + 0x5000, 0x100);
	segment(4, 0x3000, DATA_AT + 0x5000, 0x1000);
	image = open_image();
	range_is(image, 0, 0x2000, 0x37ff);
	range_is(image, 1, 0x3800, 0x4fff);
	no_range(image, 2);
	shows(image, 0x2000, DATA_AT + 0x2000, 200);
	shows(image, 0x2800, DATA_AT + 0x2800, 200);
	shows(image, 0x3000, DATA_AT + 0x3000, 200);
	shows(image, 0x3800, DATA_AT + 0x800, 200);
	shows(image, 0x4fff, DATA_AT + 0x1fff, 1);
	image_close(image);
}

Test(image, many_segments)
{
	const uint32_t n = 800;
	struct image *image;
	unsigned int i;

	new_core((uint16_t)n);
	((Elf64_Ehdr *)bytes)->e_phoff = 0x4000;
	for (i = 0; i < n; i++) {
		put(0x4000 + i * sizeof(Elf64_Phdr),
		    segment(0, (n - i) * 0x1000ULL, DATA_AT + i * 8ULL, 8), sizeof(Elf64_Phdr));
	}
	image = open_image();
	for (i = 0; i < n; i++) {
		range_is(image, n - 1 - i, (n - i) * 0x1000ULL, (n - i) * 0x1000ULL + 7);
		shows(image, (n - i) * 0x1000ULL, DATA_AT + i * 8ULL, 8);
		lacks(image, (n - i) * 0x1000ULL + 4, 8);
	}
	lacks(image, 0, 1);
	lacks(image, (n + 1) * 0x1000ULL, 1);
	image_close(image);
}
