// SPDX-License-Identifier: GPL-2.0
#include "user/sym/ksyms.h"

#include <errno.h>
#include <linux/perf_event.h>

#define NUMBER_MAX INT32_MAX

/*
 * A mapping stands for the code: ->ino is its number, ->flags the type. One that ended is covered
 * by a mapping without ->prot.
 */
int ksyms_feed(struct ksyms *k, const struct ptev_ksym *r)
{
	struct proc_map map = {
		.start = r->addr,
		.last = r->addr + r->len - 1,
		.ino = k->seen,
		.prot = !(r->flags & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER),
		.flags = r->ksym_type,
	};
	int64_t name;

	if (!r->len || map.last < map.start || k->seen == NUMBER_MAX)
		return 0;
	name = strings_add(&k->names, r->name);
	if (name < 0)
		return (int)name;
	map.name = (uint32_t)name;
	if (!k->seen || map.start < k->first)
		k->first = map.start;
	if (map.last > k->last)
		k->last = map.last;
	k->seen++;
	return map_log_add(&k->log, r->time, &map);
}

int ksyms_find(struct ksyms *k, uint64_t address, uint64_t time, struct ksym *found)
{
	struct map_probe probe = { address, 0, UINT64_MAX };
	const struct proc_map *map;

	if (!k->seen || address < k->first || address > k->last)
		return -ENOENT;
	map = map_log_find(&k->log, map_log_count(&k->log, time), &probe);
	if (!map || !map->prot)
		return -ENOENT;
	*found = (struct ksym){
		.name = strings_get(&k->names, map->name),
		.start = map->start,
		.number = (uint32_t)map->ino,
		.type = (uint16_t)map->flags,
	};
	return 0;
}

void ksyms_free(struct ksyms *k)
{
	map_log_free(&k->log);
	strings_free(&k->names);
	*k = (struct ksyms){ 0 };
}
