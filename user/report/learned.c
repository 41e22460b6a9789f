// SPDX-License-Identifier: GPL-2.0
#include "user/report/learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(uint32_t vm, uint64_t number)
{
	return hash_u64(hash_u64(number) ^ vm);
}

static bool same(const void *ctx, uint32_t slot, const void *key)
{
	const struct learned *l = ctx;
	const struct learned_number *a = &l->numbers[slot], *b = key;

	return a->vm == b->vm && a->number == b->number;
}

static int64_t find(const struct learned *l, uint32_t vm, uint64_t number)
{
	const struct learned_number key = { .number = number, .vm = vm };

	return hash_find(&l->index, hash_of(vm, number), same, l, &key);
}

const char *learned_name(const struct learned *l, uint32_t vm, uint64_t number)
{
	int64_t slot = find(l, vm, number);

	return slot < 0 ? NULL : strings_get(&l->names, l->numbers[slot].name);
}

static int add_number(struct learned *l, const struct learned_number *n)
{
	uint32_t room = l->room ? l->room * 2 : 16;
	struct learned_number *more;
	int err;

	if (l->nr == l->room) {
		more = reallocarray(l->numbers, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->numbers = more;
		l->room = room;
	}
	err = hash_add(&l->index, hash_of(n->vm, n->number), l->nr);
	if (!err)
		l->numbers[l->nr++] = *n;
	return err;
}

int learned_add(struct learned *l, uint32_t vm, uint64_t number, const char *name)
{
	const char *now = learned_name(l, vm, number);
	int64_t slot = find(l, vm, number), id;

	if ((now && !strcmp(now, name)) || l->names.n >= LEARNED_MAX)
		return 0;
	if (slot < 0 && l->nr >= LEARNED_MAX)
		return 0;
	id = strings_add(&l->names, name);
	if (id < 0)
		return (int)id;
	if (slot < 0)
		return add_number(l, &(struct learned_number){ number, vm, (uint32_t)id });
	l->numbers[slot].name = (uint32_t)id;
	return 0;
}

void learned_free(struct learned *l)
{
	strings_free(&l->names);
	hash_free(&l->index);
	free(l->numbers);
	memset(l, 0, sizeof(*l));
}
