/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small memory full of random tables, good ones and broken ones that refer to each other, to
 * themselves and to nowhere; seen by the library and by the reference walker at once.
 */
#ifndef TESTS_UNIT_PT_WORLD_H
#define TESTS_UNIT_PT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/pt_reference.h"
#include "user/pt/pt_space.h"

#define WORLD_PAGES 16

struct world_format {
	const char *name;
	ref_walker walk;
	enum pt_mode mode;
	struct pt_feat feat; /* what this format insists on; the rest is random */
	unsigned int width;  /* of its addresses */
};

enum {
	WORLD_NONE,
	WORLD_32BIT,
	WORLD_32BIT_PSE,
	WORLD_PSE36,
	WORLD_PAE,
	WORLD_4LEVEL,
	WORLD_5LEVEL,
	WORLD_NPT_PAE,
	WORLD_NPT4,
	WORLD_NPT5,
	WORLD_EPT4,
	WORLD_EPT5,
	WORLD_NR_FORMATS,
};

extern const struct world_format world_formats[WORLD_NR_FORMATS];

struct world {
	const struct world_format *format;
	uint64_t random; /* state of the generator */
	unsigned int seed;
	struct ref_machine machine;
	struct pt_fmt fmt;
	struct pt_mem mem;
	struct pt_space space;
	unsigned int reads; /* that were calls */
	uint64_t pages[WORLD_PAGES][512];
};

/* From PTSCOPE_SEED in the environment, else the time; tells it on stderr. */
unsigned int world_seed(void);
void world_init(struct world *w, unsigned int format, unsigned int seed);
/* Other features, other tables, another root, another end of the memory. */
void world_refresh(struct world *w);

uint64_t world_random(struct world *w);
/* An address, mostly one that the format can walk. */
uint64_t world_address(struct world *w);

struct ref_result world_reference(const struct world *w, uint64_t addr);
/* Does a walk or an item that ended so agree? The level is of no interest without an entry. */
bool world_agrees(const struct ref_result *r, enum pt_kind kind, enum pt_why why, uint8_t perm);

#endif
