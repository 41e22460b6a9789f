/* SPDX-License-Identifier: GPL-2.0 */
/* Mappings at new addresses: VMAs of processes that are ours. */
#ifndef MAP_H
#define MAP_H

#include <linux/types.h>

#include "uapi/ptremap.h"
#include "watch.h"

struct mapping;

/*
 * Makes the mapping of @req and puts its address there. It is for map_undo(). With
 * PTREMAP_MAP_DRY_RUN only the address is there: *@m stays as it is.
 */
int map_make(struct mapping **m, struct ptremap_map *req);
/*
 * Takes it out of its process, if it is still there, and gives up @m. True: it was there. Nobody
 * else may know of it. Sleeps.
 */
bool map_undo(struct mapping *m);
/* What is known of it, at this moment. */
void map_record(struct mapping *m, struct ptremap_record *r);
/* Tells watches that it was made, and of which transaction it is. */
void map_tell_made(struct mapping *m, const struct watched *by);

#endif
