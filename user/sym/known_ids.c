// SPDX-License-Identifier: GPL-2.0
#include "user/sym/known_ids.h"

#include <errno.h>
#include <stdlib.h>

#include "user/sym/array.h"

int known_ids_add(struct known_ids *k, const char *name, const struct build_id *id, uint32_t source)
{
	size_t before = k->names.n;
	struct known_id *ids = array_room(k->ids, before, &k->size, sizeof(*ids));
	int64_t number;

	if (!ids)
		return -ENOMEM;
	k->ids = ids;
	number = strings_add(&k->names, name);
	if (number < 0)
		return (int)number;
	if (k->names.n > before)
		ids[number] = (struct known_id){ *id, source };
	else if (ids[number].source == source || !build_id_equal(&ids[number].id, id))
		ids[number].id.size = 0;
	return 0;
}

const struct build_id *known_ids_find(struct known_ids *k, const char *name)
{
	int64_t number = strings_find(&k->names, name);

	return number >= 0 && k->ids[number].id.size ? &k->ids[number].id : NULL;
}

void known_ids_free(struct known_ids *k)
{
	strings_free(&k->names);
	free(k->ids);
	*k = (struct known_ids){ 0 };
}
