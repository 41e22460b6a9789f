// SPDX-License-Identifier: GPL-2.0
#include "user/space/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/space/image_file.h"

int image_no_memory(const struct image *image)
{
	msg_error("%s: %s", image->path, strerror(ENOMEM));
	return -ENOMEM;
}

int image_fetch(const struct image *image, uint64_t offset, void *buf, size_t len)
{
	uint8_t *to = buf;
	ssize_t n;

	if (len > image->size || offset > image->size - len)
		return -EFAULT;
	if (image->map) {
		memcpy(buf, image->map + offset, len);
		return 0;
	}
	for (; len; offset += (size_t)n, to += n, len -= (size_t)n) {
		n = pread(image->fd, to, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EFAULT;
	}
	return 0;
}

/* The segment that has @addr, or NULL. */
static const struct image_segment *find(const struct image *image, uint64_t addr)
{
	const struct image_segment *segs = image->segs;
	size_t low = 0, high = image->nr_segs, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (segs[middle].last < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < image->nr_segs && segs[low].start <= addr ? &segs[low] : NULL;
}

static int image_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	const struct image *image = pt_container_of(mem, struct image, mem);
	const struct image_segment *seg;
	uint8_t *to = buf;
	uint64_t room;
	pt_u32 n;
	int err;

	if (len && addr + (len - 1) < addr)
		return -EFAULT;
	for (; len; addr += n, to += n, len -= n) {
		seg = find(image, addr);
		if (!seg)
			return -EFAULT;
		room = seg->last - addr; /* not counting the byte at @addr */
		n = room < len ? (pt_u32)room + 1 : len;
		err = image_fetch(image, seg->offset + (addr - seg->start), to, n);
		if (err)
			return err;
	}
	return 0;
}

static const struct pt_mem_ops image_ops = { .read = image_read };

/* A regular file that the kernel does not map (some in /proc) is read like a device. */
static int set_size(struct image *image, const struct stat *st)
{
	void *map;

	if (S_ISCHR(st->st_mode)) {
		image->size = INT64_MAX;
		return 0;
	}
	if (!S_ISREG(st->st_mode)) {
		msg_error("%s: %s, not an image of memory", image->path,
			  S_ISDIR(st->st_mode) ? "a directory"
					       : "neither a regular file nor a character device");
		return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
	}
	if (!st->st_size) {
		msg_error("%s: empty, not an image of memory", image->path);
		return -EINVAL;
	}
	image->size = (uint64_t)st->st_size;
	/* Shared: the image may be the memory of a guest that runs. */
	map = mmap(NULL, image->size, PROT_READ, MAP_SHARED, image->fd, 0);
	image->map = map == MAP_FAILED ? NULL : map;
	return 0;
}

static int open_file(struct image *image, struct stat *st)
{
	int err;

	/* Nonblocking: a fifo is to be refused, not to be waited for. */
	image->fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (image->fd < 0 || fstat(image->fd, st)) {
		err = -errno;
		msg_error("%s: cannot open: %s", image->path, strerror(-err));
		return err;
	}
	return set_size(image, st);
}

/* All of the file as one segment. */
static int load_raw(struct image *image, uint64_t base)
{
	if (base + (image->size - 1) < base) {
		msg_error("%s: %" PRIu64 " bytes at 0x%" PRIx64
			  " reach beyond 64 bits; use a lower "
			  "base address",
			  image->path, image->size, base);
		return -EINVAL;
	}
	image->segs = malloc(sizeof(*image->segs));
	if (!image->segs)
		return image_no_memory(image);
	image->segs[0] = (struct image_segment){ base, base + (image->size - 1), 0 };
	image->nr_segs = 1;
	return 0;
}

static int refuse_base(const struct image *image, const char *what)
{
	msg_error("%s: %s, which has addresses of its own; a base address is for raw images",
		  image->path, what);
	return -EINVAL;
}

static int load(struct image *image, uint64_t base)
{
	const char *unsupported;
	struct stat st = { 0 };
	bool core;
	int err;

	err = open_file(image, &st);
	if (err)
		return err;
	core = S_ISREG(st.st_mode) && image_is_core(image);
	if (base && (core || S_ISCHR(st.st_mode)))
		return refuse_base(image, core ? "an ELF core" : "a device");
	if (S_ISCHR(st.st_mode))
		return load_raw(image, 0);
	unsupported = image_unsupported(image);
	if (unsupported) {
		msg_error("%s: a %s, which is not read; make an ELF core (QEMU: dump-guest-memory "
			  "without -z, -l, -s, -w; makedumpfile: -E)",
			  image->path, unsupported);
		return -EINVAL;
	}
	return core ? image_load_core(image) : load_raw(image, base);
}

/* One segment can be read without a call; the largest is where most tables will be. */
static void set_window(struct image *image)
{
	const struct image_segment *seg = image->segs, *end = seg + image->nr_segs;

	for (; image->map && seg < end; seg++) {
		if (seg->last - seg->start < image->mem.window_len)
			continue;
		image->mem.window = image->map + seg->offset;
		image->mem.window_start = seg->start;
		image->mem.window_len = seg->last - seg->start + 1;
	}
}

int image_open(struct image **image, const char *path, uint64_t base)
{
	struct image *new = calloc(1, sizeof(*new));
	int err;

	*image = NULL;
	if (!new) {
		msg_error("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	new->mem.ops = &image_ops;
	new->path = path;
	new->fd = -1;
	err = load(new, base);
	if (err) {
		image_close(new);
		return err;
	}
	set_window(new);
	new->path = NULL;
	*image = new;
	return 0;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	if (image->map)
		munmap((void *)image->map, image->size);
	if (image->fd >= 0)
		close(image->fd);
	free(image->segs);
	free(image->cpus);
	free(image);
}

struct pt_mem *image_mem(struct image *image)
{
	return &image->mem;
}

bool image_range(const struct image *image, unsigned int i, uint64_t *start, uint64_t *last)
{
	if (i >= image->nr_segs)
		return false;
	*start = image->segs[i].start;
	*last = image->segs[i].last;
	return true;
}

int image_cregs(const struct image *image, unsigned int cpu, struct pt_cregs *regs)
{
	if (cpu >= image->nr_cpus)
		return -ENOENT;
	*regs = image->cpus[cpu];
	return 0;
}
