// SPDX-License-Identifier: GPL-2.0
#include "user/sym/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/hash.h"
#include "user/sym/array.h"
#include "user/sym/dso.h"
#include "user/sym/kallsyms.h"
#include "user/sym/strings.h"
#include "user/sym/symbol_memo.h"

#define KERNEL_BIT    (1ull << 63)
#define CHUNK	      512
#define MAX_OPEN      64 /* files open at a time */
#define NSEC_PER_SEC  1000000000ull
#define KERNEL_OBJECT UINT32_MAX

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

/* An address that was asked for: offset in the file, or address in the kernel. */
struct place {
	uint32_t object;
	uint64_t offset;
};

struct answer {
	struct place place;
	struct symbol symbol;
};

struct symbols {
	bool same_boot;
	struct kallsyms *kallsyms;
	int kernel_err; /* 0: loaded or not tried yet */
	char note[128];

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

	struct symbol nowhere;
	struct symbol_memo memo;
};

static bool is_this_boot(const char *boot_id)
{
	char line[64] = "";
	FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool read = in && fgets(line, sizeof(line), in);

	if (in)
		fclose(in);
	line[strcspn(line, "\n")] = '\0';
	return read && *line && !strcmp(line, boot_id);
}

static void note(struct symbols *s, const char *text)
{
	snprintf(s->note, sizeof(s->note), "%s", text);
}

struct symbols *symbols_new(const char *boot_id)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->nowhere = (struct symbol){ .name = unknown, .dso = unknown };
	s->same_boot = is_this_boot(boot_id);
	if (!s->same_boot)
		note(s, "kernel symbols: the recording is of another boot or machine");
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
	strings_free(&s->text);
	kallsyms_free(s->kallsyms);
	free(s);
}

const char *symbols_kernel_note(const struct symbols *s)
{
	return *s->note ? s->note : NULL;
}

static struct answer *get_answer(const struct symbols *s, size_t slot)
{
	return &s->chunks[slot / CHUNK][slot % CHUNK];
}

static bool same_place(const void *ctx, uint32_t slot, const void *key)
{
	const struct place *a = &get_answer(ctx, slot)->place, *b = key;

	return a->offset == b->offset && a->object == b->object;
}

static uint64_t hash_place(const struct place *place)
{
	return hash_u64(place->offset ^ hash_u64(place->object));
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
	if (hash_add(&s->answer_index, hash_place(place), (uint32_t)s->nanswers))
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

static void load_kernel(struct symbols *s)
{
	s->kernel_err = kallsyms_load(&s->kallsyms, "/proc/kallsyms");
	if (s->kernel_err == -EPERM)
		note(s, "kernel symbols: addresses are hidden (kernel.kptr_restrict)");
	else if (s->kernel_err)
		snprintf(s->note, sizeof(s->note), "kernel symbols: /proc/kallsyms: %s",
			 strerror(-s->kernel_err));
}

static struct symbol resolve_kernel(struct symbols *s, uint64_t ip)
{
	struct symbol symbol = { .name = unknown, .dso = "[kernel]" };
	const char *name, *module;
	uint64_t start;

	if (s->same_boot && !s->kallsyms && !s->kernel_err)
		load_kernel(s);
	if (!s->kallsyms || kallsyms_find(s->kallsyms, ip, &name, &module, &start))
		return symbol;
	/* Both stay for as long as the table does, and are the same for all of a function. */
	return (struct symbol){ .name = name, .dso = module, .offset = ip - start };
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

	if (!s->same_boot || changed > now || age > uptime)
		return 0;
	return uptime - age;
}

/* The file as the process sees it, which may live in a container, if not as we do. */
static int open_file(struct object *o, uint32_t pid)
{
	const struct object_key *k = &o->key;
	char path[4096 + 32];
	int err;

	err = dso_open(&o->dso, o->name, k->maj, k->min, k->ino);
	if (!err)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, o->name);
	return dso_open(&o->dso, path, k->maj, k->min, k->ino);
}

static int open_dso(const struct symbols *s, struct object *o, uint32_t pid)
{
	if (!strcmp(o->name, "[vdso]"))
		return s->same_boot ? dso_open_vdso(&o->dso) : -ESTALE;
	/* //anon, [heap], anon_inode:... */
	if (o->name[0] != '/' || o->name[1] == '/')
		return -ENOENT;
	return open_file(o, pid);
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
	if (o->usable)
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
	return (struct symbol){ .name = intern(s, name), .dso = o->name, .offset = into };
}

static const struct symbol *find_answer(const struct symbols *s, const struct place *place)
{
	int64_t slot = hash_find(&s->answer_index, hash_place(place), same_place, s, place);

	return slot < 0 ? NULL : &get_answer(s, (size_t)slot)->symbol;
}

static const struct symbol *find_kernel(struct symbols *s, uint64_t ip)
{
	struct place place = { KERNEL_OBJECT, ip };
	const struct symbol *known = find_answer(s, &place);
	struct symbol symbol;

	if (known)
		return known;
	symbol = resolve_kernel(s, ip);
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

static const struct symbol *find_symbol(struct symbols *s, struct procs *p, uint32_t pid,
					uint64_t ip, uint64_t time)
{
	const struct proc_map *map;
	const struct object *o;
	int64_t number;

	if (ip & KERNEL_BIT)
		return find_kernel(s, ip);
	map = procs_map(p, pid, ip, time);
	if (!map)
		return &s->nowhere;
	number = get_object(s, p, pid, map);
	if (number < 0)
		return &s->nowhere;
	o = s->objects[number];
	if (!is_same(o, map, time))
		return &o->nothing;
	return find_user(s, (uint32_t)number, pid, file_offset(o, map, ip));
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
