// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/hash.h"

static bool u64_equal(const void *ctx, uint32_t slot, const void *key)
{
	const uint64_t *values = ctx;

	return values[slot] == *(const uint64_t *)key;
}

Test(hash, empty_finds_nothing_and_can_be_freed)
{
	struct hash_index h = { 0 };
	uint64_t key = 1;

	cr_assert_eq(hash_find(&h, hash_u64(key), u64_equal, NULL, &key), -1);
	hash_free(&h);
	hash_free(&h);
}

Test(hash, random_keys_are_found)
{
	enum { N = 50000 };
	unsigned int seed = (unsigned int)time(NULL);
	uint64_t *values = calloc(N, sizeof(*values));
	struct hash_index h = { 0 };
	uint64_t other;
	uint32_t i;

	fprintf(stderr, "random_keys_are_found: seed %u\n", seed);
	srandom(seed);
	cr_assert_not_null(values);
	for (i = 0; i < N; i++) {
		values[i] = (uint64_t)random() << 32 | i; /* the low half makes them differ */
		cr_assert_eq(hash_add(&h, hash_u64(values[i]), i), 0);
	}
	cr_assert_eq(h.used, N);
	for (i = 0; i < N; i++) {
		cr_assert_eq(hash_find(&h, hash_u64(values[i]), u64_equal, values, &values[i]), i);
		other = values[i] ^ UINT64_C(1) << 63;
		cr_assert_eq(hash_find(&h, hash_u64(other), u64_equal, values, &other), -1);
	}
	hash_free(&h);
	free(values);
}

Test(hash, equal_hashes_are_told_apart_by_key)
{
	uint64_t values[300];
	struct hash_index h = { 0 };
	uint32_t i;

	for (i = 0; i < 300; i++) {
		values[i] = i;
		cr_assert_eq(hash_add(&h, 7, i), 0);
	}
	for (i = 0; i < 300; i++)
		cr_assert_eq(hash_find(&h, 7, u64_equal, values, &values[i]), i);
	hash_free(&h);
}

/* Page addresses differ in the middle bits only; places are chosen by the low ones. */
Test(hash, page_addresses_spread)
{
	unsigned int filled[1024] = { 0 }, worst = 0;
	uint64_t i, place;

	for (i = 0; i < 10240; i++) {
		place = hash_u64(UINT64_C(0x7f0000000000) + i * 4096) % 1024;
		filled[place]++;
		if (filled[place] > worst)
			worst = filled[place];
	}
	cr_assert_lt(worst, 40, "%u of 10240 in one of 1024 places", worst);
}

Test(hash, bytes)
{
	char a[] = "xabcdefghijklmnop", b[] = "abcdefghijklmnop";
	size_t len, i;

	/* Where the bytes lie does not matter, every byte and the length do. */
	for (len = 0; len <= 16; len++) {
		cr_assert_eq(hash_bytes(a + 1, len), hash_bytes(b, len));
		cr_assert_neq(hash_bytes(b, len), hash_bytes(b, len + 1));
		for (i = 0; i < len; i++) {
			b[i] ^= 0x20;
			cr_assert_neq(hash_bytes(a + 1, len), hash_bytes(b, len));
			b[i] ^= 0x20;
		}
	}
	cr_assert_neq(hash_bytes("\0", 1), hash_bytes("\0\0", 2));
}
