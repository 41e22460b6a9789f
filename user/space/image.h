/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical memory in a file: a raw image, an ELF core (QEMU's dump-guest-memory, /proc/vmcore), or
 * a device that is read by physical address (/dev/mem, /dev/ptremap). Untrusted: every size and
 * offset in it is checked.
 */
#ifndef SPACE_IMAGE_H
#define SPACE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "user/pt/pt_mem.h"
#include "user/pt/pt_mode.h"

struct image;

/*
 * Opens @path. An ELF core is one that has the ELF magic and e_type ET_CORE; another regular file
 * is raw, with its first byte at physical address @base; a character device is read with pread().
 * Another @base than 0 is refused where the image is not raw.
 * In a core only what it holds bytes of is there (p_filesz of a segment); where segments overlap,
 * the one that begins at the lower address counts. Regular files are mapped, if they can be; one
 * that is cut while it is open ends the program with SIGBUS. Returns 0, or -errno with one line on
 * stderr (msg_error).
 */
int image_open(struct image **image, const char *path, uint64_t base);
void image_close(struct image *image);

/*
 * For pt_space. Read only, and by any number of threads at once. Holes between segments are
 * -EFAULT. The window is the largest segment of a mapped file.
 */
struct pt_mem *image_mem(struct image *image);

/*
 * One range of physical addresses that the image has; @i from 0; false: no more. They ascend and
 * do not overlap. A device has one, which says nothing about what can be read.
 */
bool image_range(const struct image *image, unsigned int i, uint64_t *start, uint64_t *last);

/*
 * The control registers of virtual CPU @cpu, if the image has them (QEMU's note). -ENOENT: it has
 * not. EFER is not in the note: with PAE tables in use NXE is taken for granted, and LMA is what
 * the machine type says (EM_X86_64).
 */
int image_cregs(const struct image *image, unsigned int cpu, struct pt_cregs *regs);

#endif
