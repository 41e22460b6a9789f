// SPDX-License-Identifier: GPL-2.0
#include "user/report/intern.h"

#include <string.h>

int64_t intern_id(struct intern *in, const char *text)
{
	size_t place = hash_u64((uintptr_t)text) & (INTERN_MEMO - 1);
	int64_t id;

	if (in->memo[place].text == text && !strcmp(intern_text(in, in->memo[place].id), text))
		return in->memo[place].id;
	id = strings_add(&in->strings, text);
	if (id >= 0) {
		in->memo[place].text = text;
		in->memo[place].id = (uint32_t)id;
	}
	return id;
}

int64_t intern_shared(struct intern *in, const char *text)
{
	/* The upper bits of the product depend on all of the pointer's. */
	size_t place = ((uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (INTERN_MEMO - 1);
	int64_t id;

	if (in->shared[place].text == text)
		return in->shared[place].id;
	id = strings_add(&in->strings, text);
	if (id >= 0) {
		in->shared[place].text = text;
		in->shared[place].id = (uint32_t)id;
	}
	return id;
}

const char *intern_text(const struct intern *in, uint32_t id)
{
	return strings_get(&in->strings, id);
}

void intern_free(struct intern *in)
{
	strings_free(&in->strings);
}
