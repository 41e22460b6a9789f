// SPDX-License-Identifier: GPL-2.0
/*
 * guest_words SEED GPA - reads memory of a guest of tests/guests/kvm, from GPA on, and compares it
 * with what the monitor fills pages with. Prints how many pages have it, how many are all zeros,
 * and how many are neither, or cut short. Exit status: 1 when there are such.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 512

/* The finalizer of splitmix64, as the monitor's help has it. */
static uint64_t pattern(uint64_t seed, uint64_t gpa)
{
	uint64_t x = seed ^ gpa;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static int is_filled(const uint64_t *page, uint64_t seed, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		if (page[i] != pattern(seed, gpa + 8 * i))
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	static const uint64_t zeros[WORDS];
	uint64_t page[WORDS], seed, gpa;
	unsigned int filled = 0, empty = 0, wrong = 0;
	size_t n;

	if (argc != 3)
		return 2;
	seed = strtoull(argv[1], NULL, 0);
	gpa = strtoull(argv[2], NULL, 0);
	for (; (n = fread(page, 1, sizeof(page), stdin)); gpa += sizeof(page)) {
		if (n == sizeof(page) && is_filled(page, seed, gpa))
			filled++;
		else if (n == sizeof(page) && !memcmp(page, zeros, sizeof(page)))
			empty++;
		else
			wrong++;
	}
	printf("filled=%u empty=%u wrong=%u\n", filled, empty, wrong);
	return wrong != 0;
}
