/* SPDX-License-Identifier: GPL-2.0 */
/* Build IDs of ELF files, and perf's cache of files by them. */
#ifndef SYM_BUILD_ID_H
#define SYM_BUILD_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 20 /* as perf's records have room for */

struct build_id {
	uint8_t size; /* 0: none */
	uint8_t bytes[BUILD_ID_MAX];
};

/* 0, or -EINVAL: of a size that no build ID has. */
int build_id_set(struct build_id *id, const void *bytes, size_t size);
/* That of the ELF file @fd. 0 or -ENOENT. */
int build_id_read(struct build_id *id, int fd);
static inline bool build_id_equal(const struct build_id *a, const struct build_id *b)
{
	return a->size == b->size && !__builtin_memcmp(a->bytes, b->bytes, a->size);
}
/*
 * Opens what perf's cache (~/.debug/.build-id) has as @part, "elf" or "debug", of this build ID, if
 * it really has it. A descriptor or -errno.
 */
int build_id_open(const struct build_id *id, const char *part);

#endif
