// SPDX-License-Identifier: GPL-2.0
#include "user/sym/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/hash.h"
#include "user/sym/array.h"
#include "user/sym/demangle.h"
#include "user/sym/dso.h"
#include "user/sym/kernel_names.h"
#include "user/sym/known_ids.h"
#include "user/sym/sites.h"
#include "user/sym/strings.h"
#include "user/sym/symbol_memo.h"

#define KERNEL_BIT    (1ull << 63)
#define CHUNK	      512
#define MAX_OPEN      64 /* files open at a time */
#define NSEC_PER_SEC  1000000000ull
#define KERNEL_OBJECT UINT32_MAX
#define MADE_OBJECT   (1u << 31) /* plus a number of what the kernel made */

static const char unknown[] = "[unknown]";

/* A file as mappings name it. */
struct object_key {
	const struct procs *procs; /* whose ->name it is */
	uint64_t ino;
	uint32_t maj, min;
	uint32_t name;
};

struct object {
	struct object_key key;
	const char *name;
	struct dso *dso;      /* NULL: closed, or never there */
	bool usable;	      /* could be opened once */
	uint64_t valid_since; /* CLOCK_MONOTONIC: before, another file may have been mapped */
	struct symbol nothing;
};

struct answer {
	struct place place;
	struct symbol symbol;
};

struct symbols {
	struct kernel_names kernel;
	struct known_ids ids;

	struct strings text; /* all names that are given out */
	struct object **objects;
	size_t nobjects, objects_size;
	struct hash_index object_index;
	uint32_t open[MAX_OPEN]; /* ring of the objects that are open, the oldest at opened */
	size_t opened;

	/* In chunks, because answers given out must not move. */
	struct answer **chunks;
	size_t nanswers, nchunks, chunks_size;
	struct hash_index answer_index;
	struct sites sites;

	struct symbol nowhere;
	struct symbol_memo memo;
};

struct symbols *symbols_new(const char *boot_id)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->nowhere = (struct symbol){ .name = unknown, .dso = unknown };
	kernel_names_init(&s->kernel, boot_id);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	while (s->nobjects) {
		dso_close(s->objects[--s->nobjects]->dso);
		free(s->objects[s->nobjects]);
	}
	free(s->objects);
	hash_free(&s->object_index);
	while (s->nchunks)
		free(s->chunks[--s->nchunks]);
	free(s->chunks);
	hash_free(&s->answer_index);
	sites_free(&s->sites);
	strings_free(&s->text);
	known_ids_free(&s->ids);
	kernel_names_free(&s->kernel);
	free(s);
}

const char *symbols_kernel_note(const struct symbols *s)
{
	return *s->kernel.note ? s->kernel.note : NULL;
}

static struct answer *get_answer(const struct symbols *s, size_t slot)
{
	return &s->chunks[slot / CHUNK][slot % CHUNK];
}

static bool same_place(const void *ctx, uint32_t slot, const void *key)
{
	return place_equal(&get_answer(ctx, slot)->place, key);
}

static int add_chunk(struct symbols *s)
{
	struct answer **chunks;

	chunks = array_room(s->chunks, s->nchunks, &s->chunks_size, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	s->chunks = chunks;
	chunks[s->nchunks] = malloc(CHUNK * sizeof(**chunks));
	if (!chunks[s->nchunks])
		return -ENOMEM;
	s->nchunks++;
	return 0;
}

/* Keeps an answer for good. NULL without memory. */
static const struct symbol *keep(struct symbols *s, const struct place *place,
				 const struct symbol *symbol)
{
	struct answer *answer;

	if (s->nanswers == s->nchunks * CHUNK && add_chunk(s))
		return NULL;
	if (hash_add(&s->answer_index, place_hash(place), (uint32_t)s->nanswers))
		return NULL;
	answer = get_answer(s, s->nanswers++);
	*answer = (struct answer){ *place, *symbol };
	return &answer->symbol;
}

/* A copy of @text that stays, the same one for equal texts. */
static const char *intern(struct symbols *s, const char *text)
{
	int64_t number = strings_add(&s->text, text);

	return number < 0 ? unknown : strings_get(&s->text, (uint32_t)number);
}

/* The same, as in the source. */
static const char *intern_function(struct symbols *s, const char *linked)
{
	char *name = demangle(linked);
	const char *kept = intern(s, name ? name : linked);

	free(name);
	return kept;
}

int symbols_feed(struct symbols *s, const struct ptev_ksym *r)
{
	return ksyms_feed(&s->kernel.ksyms, r);
}

int symbols_build_id(struct symbols *s, const char *path, const struct build_id *id,
		     uint32_t source)
{
	return known_ids_add(&s->ids, path, id, source);
}

static bool same_object(const void *ctx, uint32_t slot, const void *key)
{
	const struct symbols *s = ctx;
	const struct object_key *a = &s->objects[slot]->key, *b = key;

	return a->procs == b->procs && a->name == b->name && a->ino == b->ino && a->maj == b->maj &&
	       a->min == b->min;
}

static uint64_t hash_object(const struct object_key *key)
{
	return hash_u64(key->ino ^ hash_u64((uint64_t)key->maj << 32 | key->min) ^
			hash_u64((uintptr_t)key->procs ^ key->name));
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/*
 * A file changed after the fault is not what was mapped, though it may have got the same inode.
 * Only times of this boot compare; a file from the future says that the clock cannot be trusted.
 */
static uint64_t valid_since(const struct symbols *s, const struct dso *dso)
{
	uint64_t now = clock_ns(CLOCK_REALTIME), changed = dso_changed(dso);
	uint64_t age = now - changed, uptime = clock_ns(CLOCK_MONOTONIC);

	if (!s->kernel.same_boot || changed > now || age > uptime)
		return 0;
	return uptime - age;
}

static int open_path(struct object *o, const char *path, const struct build_id *id)
{
	const struct object_key *k = &o->key;

	if (!id)
		return dso_open(&o->dso, path, k->maj, k->min, k->ino);
	return dso_open_by_id(&o->dso, path, id);
}

/*
 * The file as we see it, or as the process does, which may live in a container, or as perf has kept
 * it.
 */
static int open_file(struct symbols *s, struct object *o, uint32_t pid)
{
	const struct build_id *id = known_ids_find(&s->ids, o->name);
	char path[4096 + 32];
	int err;

	err = open_path(o, o->name, id);
	if (!err)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, o->name);
	err = open_path(o, path, id);
	if (!err || !id)
		return err;
	return dso_open_cached(&o->dso, o->name, id);
}

static int open_dso(struct symbols *s, struct object *o, uint32_t pid)
{
	if (!strcmp(o->name, "[vdso]"))
		return s->kernel.same_boot ? dso_open_vdso(&o->dso) : -ESTALE;
	/* //anon, [heap], anon_inode:... */
	if (o->name[0] != '/' || o->name[1] == '/')
		return -ENOENT;
	return open_file(s, o, pid);
}

/* Opens the file unless it is open, and closes the one that has been open for longest. */
static int need_dso(struct symbols *s, uint32_t number, uint32_t pid)
{
	struct object *o = s->objects[number];
	uint32_t *place = &s->open[s->opened % MAX_OPEN];
	int err;

	if (o->dso)
		return 0;
	err = open_dso(s, o, pid);
	if (err)
		return err;
	if (s->opened >= MAX_OPEN) {
		dso_close(s->objects[*place]->dso);
		s->objects[*place]->dso = NULL;
	}
	*place = number;
	s->opened++;
	return 0;
}

static int64_t add_object(struct symbols *s, const struct object_key *key, const char *name)
{
	struct object **objects = s->objects;
	struct object *o;

	objects = array_room(objects, s->nobjects, &s->objects_size, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	s->objects = objects;
	o = calloc(1, sizeof(*o));
	if (!o || hash_add(&s->object_index, hash_object(key), (uint32_t)s->nobjects)) {
		free(o);
		return -ENOMEM;
	}
	o->key = *key;
	o->name = intern(s, name);
	o->nothing = (struct symbol){ .name = unknown, .dso = o->name };
	objects[s->nobjects] = o;
	return (int64_t)s->nobjects++;
}

/* Finds or adds the object of a mapping. Its number, or -ENOMEM. */
static int64_t get_object(struct symbols *s, const struct procs *p, uint32_t pid,
			  const struct proc_map *map)
{
	struct object_key key = { p, map->ino, map->maj, map->min, map->name };
	int64_t number = hash_find(&s->object_index, hash_object(&key), same_object, s, &key);
	struct object *o;

	if (number >= 0)
		return number;
	number = add_object(s, &key, procs_map_name(p, map));
	if (number < 0)
		return number;
	o = s->objects[number];
	o->usable = !need_dso(s, (uint32_t)number, pid);
	/* Where a build ID decides, no time has to. */
	if (o->usable && !known_ids_find(&s->ids, o->name))
		o->valid_since = valid_since(s, o->dso);
	return number;
}

static struct symbol resolve_user(struct symbols *s, const struct place *place, uint32_t pid)
{
	const struct object *o = s->objects[place->object];
	const char *name;
	uint64_t into;

	if (need_dso(s, place->object, pid) || dso_find(o->dso, place->offset, &name, &into))
		return o->nothing;
	return (struct symbol){ .name = intern_function(s, name), .dso = o->name, .offset = into };
}

static const struct symbol *find_answer(const struct symbols *s, const struct place *place)
{
	int64_t slot = hash_find(&s->answer_index, place_hash(place), same_place, s, place);

	return slot < 0 ? NULL : &get_answer(s, (size_t)slot)->symbol;
}

static const struct symbol *find_kernel(struct symbols *s, uint64_t ip, uint64_t time)
{
	struct place place = { KERNEL_OBJECT, ip };
	const struct symbol *known;
	struct symbol symbol;
	uint32_t number;
	bool made = !kernel_names_made(&s->kernel, ip, time, &symbol, &number);

	if (made)
		place.object = MADE_OBJECT | number;
	known = find_answer(s, &place);
	if (known)
		return known;
	if (!made)
		symbol = kernel_names_find(&s->kernel, ip);
	known = keep(s, &place, &symbol);
	return known ? known : &s->nowhere;
}

static const struct symbol *find_user(struct symbols *s, uint32_t number, uint32_t pid,
				      uint64_t offset)
{
	struct place place = { number, offset };
	const struct symbol *known = find_answer(s, &place);
	struct symbol symbol;

	if (known)
		return known;
	symbol = resolve_user(s, &place, pid);
	known = keep(s, &place, &symbol);
	return known ? known : &s->objects[number]->nothing;
}

/* Offset in the file. The vDSO has no file, only an image that starts with the mapping. */
static uint64_t file_offset(const struct object *o, const struct proc_map *map, uint64_t ip)
{
	return ip - map->start + (*o->name == '[' ? 0 : map->pgoff);
}

/* Is the object what was mapped there and then? The vDSO of 32-bit processes is not ours. */
static bool is_same(const struct object *o, const struct proc_map *map, uint64_t time)
{
	return o->usable && time >= o->valid_since && (*o->name != '[' || map->start > UINT32_MAX);
}

/*
 * Where @ip is in a file. False: in none whose contents are known; *@unnamed is then what stands
 * for its symbol.
 */
static bool find_place(struct symbols *s, struct procs *p, uint32_t pid, uint64_t ip, uint64_t time,
		       struct place *place, const struct symbol **unnamed)
{
	const struct proc_map *map = procs_map(p, pid, ip, time);
	int64_t number = map ? get_object(s, p, pid, map) : -ENOENT;
	const struct object *o;

	*unnamed = &s->nowhere;
	if (number < 0)
		return false;
	o = s->objects[number];
	*unnamed = &o->nothing;
	*place = (struct place){ (uint32_t)number, file_offset(o, map, ip) };
	return is_same(o, map, time);
}

static const struct symbol *find_symbol(struct symbols *s, struct procs *p, uint32_t pid,
					uint64_t ip, uint64_t time)
{
	const struct symbol *unnamed;
	struct place place;

	if (ip & KERNEL_BIT)
		return find_kernel(s, ip, time);
	if (!find_place(s, p, pid, ip, time, &place, &unnamed))
		return unnamed;
	return find_user(s, place.object, pid, place.offset);
}

static const char *base_of(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* A site in names of our own; @inlined has room for all of them. */
static void take_site(struct symbols *s, const struct dso_site *from, struct symbol_site *site,
		      const char **inlined)
{
	unsigned int i;

	for (i = 0; i < from->nr; i++)
		inlined[i] = intern_function(s, from->inlined[i]);
	*site = (struct symbol_site){
		.file = from->file ? intern(s, base_of(from->file)) : NULL,
		.line = from->line > 0 ? (uint32_t)from->line : 0,
		.nr_inlined = from->nr,
		.inlined = inlined,
	};
}

const struct symbol_site *symbols_site(struct symbols *s, struct procs *p, uint32_t pid,
				       uint64_t ip, uint64_t time)
{
	const char *inlined[DSO_INLINED_MAX];
	const struct symbol *unnamed;
	struct symbol_site site;
	struct dso_site found;
	struct place place;
	int64_t slot;

	if (ip & KERNEL_BIT || !find_place(s, p, pid, ip, time, &place, &unnamed))
		return NULL;
	slot = sites_find(&s->sites, &place);
	if (slot >= 0)
		return sites_get(&s->sites, slot);
	if (need_dso(s, place.object, pid) ||
	    dso_site(s->objects[place.object]->dso, place.offset, &found))
		found = (struct dso_site){ 0 };
	take_site(s, &found, &site, inlined);
	return sites_add(&s->sites, &place, &site);
}

const struct symbol *symbols_find(struct symbols *s, struct procs *p, uint32_t pid, uint64_t ip,
				  uint64_t time)
{
	const struct proc_map *map = ip & KERNEL_BIT ? NULL : procs_map(p, pid, ip, time);
	struct symbol_memo_entry *e;
	const struct symbol *symbol;

	if (!map)
		return find_symbol(s, p, pid, ip, time);
	e = symbol_memo_at(&s->memo, ip);
	if (symbol_memo_is(e, p, map, ip, time))
		return e->symbol;
	symbol = find_symbol(s, p, pid, ip, time);
	/* What has no name yet may have one later: of a file that was written since it began. */
	if (symbol->name != unknown)
		*e = (struct symbol_memo_entry){ ip, time, symbol, p, *map };
	return symbol;
}
