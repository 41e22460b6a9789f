// SPDX-License-Identifier: GPL-2.0
#include "user/trace/pidset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool equal(const void *ctx, uint32_t slot, const void *key)
{
	return ((const struct pidset *)ctx)->pids[slot] == *(const uint32_t *)key;
}

bool pidset_has(const struct pidset *s, uint32_t pid)
{
	return hash_find(&s->index, hash_u64(pid), equal, s, &pid) >= 0;
}

int pidset_add(struct pidset *s, uint32_t pid)
{
	if (pidset_has(s, pid))
		return 0;
	if (s->nr == s->room) {
		uint32_t room = s->room ? 2 * s->room : 64;
		uint32_t *pids = realloc(s->pids, room * sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		s->pids = pids;
		s->room = room;
	}
	if (hash_add(&s->index, hash_u64(pid), s->nr))
		return -ENOMEM;
	s->pids[s->nr++] = pid;
	return 0;
}

void pidset_free(struct pidset *s)
{
	hash_free(&s->index);
	free(s->pids);
	memset(s, 0, sizeof(*s));
}
