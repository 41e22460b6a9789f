/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers whose seed can be given, so that a failure can be repeated. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "user/pt/pt_fmt.h"

/* The seed comes from PTSCOPE_SEED or from the clock; it is told on stderr. */
static inline unsigned int random_seed(const char *test)
{
	const char *given = getenv("PTSCOPE_SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "%s: seed %u\n", test, seed);
	srandom(seed);
	return seed;
}

static inline uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

/* An address that can be walked. */
static inline uint64_t random_ia(const struct pt_fmt *fmt)
{
	unsigned int unused = 64 - fmt->va_bits;

	if (fmt->va_signed)
		return (uint64_t)((int64_t)(random64() << unused) >> unused);
	return random64() >> unused;
}

#endif
