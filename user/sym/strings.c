// SPDX-License-Identifier: GPL-2.0
#include "user/sym/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"

static bool same_text(const void *ctx, uint32_t slot, const void *key)
{
	const struct strings *s = ctx;

	return !strcmp(s->text[slot], key);
}

static int64_t append(struct strings *s, uint64_t hash, const char *text)
{
	char **array = array_room(s->text, s->n, &s->size, sizeof(*array));
	char *copy;

	if (!array)
		return -ENOMEM;
	s->text = array;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	if (hash_add(&s->index, hash, (uint32_t)s->n)) {
		free(copy);
		return -ENOMEM;
	}
	s->text[s->n] = copy;
	return (int64_t)s->n++;
}

int64_t strings_add(struct strings *s, const char *text)
{
	uint64_t hash = hash_bytes(text, strlen(text));
	int64_t found = hash_find(&s->index, hash, same_text, s, text);

	return found >= 0 ? found : append(s, hash, text);
}

int64_t strings_find(const struct strings *s, const char *text)
{
	return hash_find(&s->index, hash_bytes(text, strlen(text)), same_text, s, text);
}

const char *strings_get(const struct strings *s, uint32_t number)
{
	return s->text[number];
}

void strings_free(struct strings *s)
{
	while (s->n)
		free(s->text[--s->n]);
	free(s->text);
	hash_free(&s->index);
	*s = (struct strings){ 0 };
}
