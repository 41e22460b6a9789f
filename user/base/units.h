/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people write and read them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define UNITS_LEN 32

/* Whole string, decimal or 0x hex, no sign. 0 or -EINVAL (also on overflow). */
int units_parse_u64(const char *s, uint64_t *value);
/* Bytes: number with an optional K, M, G, T (powers of 1024; "KiB", "MB" forms too). */
int units_parse_size(const char *s, uint64_t *bytes);
/* Nanoseconds: number (decimals allowed) with ns (default), us, ms, s, m. */
int units_parse_time(const char *s, uint64_t *ns);
/* CPU or number list "0,2-3" into a bitmap of @nbits; 0, -EINVAL, -ERANGE. */
int units_parse_list(const char *s, uint64_t *bitmap, unsigned int nbits);

/* Each formats into @buf (UNITS_LEN bytes) and returns it. */
char *units_time(char *buf, uint64_t ns);    /* 850ns 12.3us 4.56ms 1.20s */
char *units_size(char *buf, uint64_t bytes); /* 512 B, 4.0 KiB, 19.5 MiB */
char *units_count(char *buf, uint64_t n);    /* 200,000 */

#endif
