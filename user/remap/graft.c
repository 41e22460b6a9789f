// SPDX-License-Identifier: GPL-2.0
#include "user/remap/graft.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/kernel/helper.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE     4096u

static const struct source {
	const char *key, *name;
	uint32_t source, cache;
} sources[] = {
	{ "frames-of", "frames", PTREMAP_MAP_FRAMES, PTREMAP_CACHE_WB },
	{ "fresh", "fresh", PTREMAP_MAP_FRESH, PTREMAP_CACHE_WB },
	{ "phys", "phys", PTREMAP_MAP_PHYS, PTREMAP_CACHE_WB },
	{ "mmio", "mmio", PTREMAP_MAP_MMIO, PTREMAP_CACHE_UC },
};

static const char *const caches[] = {
	[PTREMAP_CACHE_WB] = "wb",
	[PTREMAP_CACHE_UC] = "uc",
	[PTREMAP_CACHE_WC] = "wc",
};

static const struct {
	const char *name;
	uint32_t prot;
} prots[] = {
	{ "r", PTREMAP_MAP_READ },
	{ "rw", PTREMAP_MAP_READ | PTREMAP_MAP_WRITE },
	{ "rx", PTREMAP_MAP_READ | PTREMAP_MAP_EXEC },
	{ "rwx", PTREMAP_MAP_READ | PTREMAP_MAP_WRITE | PTREMAP_MAP_EXEC },
};

void graft_init(struct ptremap_map *m)
{
	*m = (struct ptremap_map){ .len = PAGE_SIZE, .prot = PTREMAP_MAP_READ };
}

/* ---- each word ---------------------------------------------------------------------------- */

static int parse_pa(struct ptremap_map *m, const char *value, char *why)
{
	uint64_t pa;

	if (units_parse_u64(value, &pa)) {
		snprintf(why, CHANGE_WHY_LEN, "'%.32s' is not a physical address", value);
		return -EINVAL;
	}
	if (pa % PAGE_SIZE) {
		snprintf(why, CHANGE_WHY_LEN, "'%.32s' is no multiple of 4096", value);
		return -EINVAL;
	}
	m->from = pa;
	return 0;
}

static int parse_source(struct ptremap_map *m, const struct source *s, const char *value, char *why)
{
	if (m->source && m->source != s->source) {
		snprintf(why, CHANGE_WHY_LEN, "there is another source already; one is enough");
		return -EINVAL;
	}
	m->source = s->source;
	m->cache = s->cache;
	if (s->source == PTREMAP_MAP_FRAMES)
		return change_place(value, 0, &m->other_pid, &m->from, why);
	return s->source == PTREMAP_MAP_FRESH ? 0 : parse_pa(m, value, why);
}

static int parse_len(struct ptremap_map *m, const char *value, char *why)
{
	uint64_t len;

	if (units_parse_size(value, &len))
		snprintf(why, CHANGE_WHY_LEN, "'%.32s' is not a size", value);
	else if (!len || len % PAGE_SIZE)
		snprintf(why, CHANGE_WHY_LEN, "'%.32s' is no multiple of 4096", value);
	else if (len > PTREMAP_MAP_MAX)
		snprintf(why, CHANGE_WHY_LEN, "'%.32s' is longer than 1 GiB", value);
	else {
		m->len = len;
		return 0;
	}
	return -EINVAL;
}

static int parse_prot(struct ptremap_map *m, const char *value, char *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prots); i++)
		if (!strcmp(value, prots[i].name)) {
			m->prot = prots[i].prot;
			return 0;
		}
	snprintf(why, CHANGE_WHY_LEN, "'%.32s' is not one of r, rw, rx, rwx", value);
	return -EINVAL;
}

static int parse_cache(struct ptremap_map *m, const char *value, char *why)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(caches); i++)
		if (!strcmp(value, caches[i])) {
			m->cache = i;
			return 0;
		}
	snprintf(why, CHANGE_WHY_LEN, "'%.32s' is not one of wb, uc, wc", value);
	return -EINVAL;
}

int graft_key(struct ptremap_map *m, const char *key, const char *value, char *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sources); i++)
		if (!strcmp(key, sources[i].key))
			return parse_source(m, &sources[i], value, why);
	if (!strcmp(key, "len"))
		return parse_len(m, value, why);
	if (!strcmp(key, "prot"))
		return parse_prot(m, value, why);
	if (!strcmp(key, "cache"))
		return parse_cache(m, value, why);
	snprintf(why, CHANGE_WHY_LEN, "'%.32s' is not known", key);
	return -EINVAL;
}

/* ---- all of it ---------------------------------------------------------------------------- */

int graft_place(struct ptremap_map *m, const char *text, int32_t pid, char *why)
{
	const char *wrong = NULL;

	m->pid = pid;
	if (text && change_place(text, pid, &m->pid, &m->va, why))
		return -EINVAL;
	if (!m->pid)
		wrong = "the process is missing: --pid, or an address as PID:VA";
	else if (text && !m->va)
		wrong = "nothing can be mapped at address 0";
	else if (text && m->flags & PTREMAP_MAP_LOW)
		wrong = "an address, and --low, exclude each other";
	if (wrong)
		snprintf(why, CHANGE_WHY_LEN, "%s", wrong);
	return wrong ? -EINVAL : 0;
}

int graft_check(const struct ptremap_map *m, char *why)
{
	const char *wrong = NULL;

	if (!m->source)
		wrong = "of what? --frames-of, --fresh, --phys or --mmio is missing";
	else if (m->source == PTREMAP_MAP_MMIO && m->cache == PTREMAP_CACHE_WB)
		wrong = "device memory is never cached as wb, but uc or wc";
	if (wrong)
		snprintf(why, CHANGE_WHY_LEN, "%s", wrong);
	return wrong ? -EINVAL : 0;
}

int graft_make(struct ptremap_map *m, int fd)
{
	int err = ptremap_map(fd, m);
	struct line l = { 0 };
	const char *why;

	if (!err)
		return 0;
	why = ptremap_map_strerror(m->source, err);
	graft_words(&l, m);
	line_str(&l, ": ");
	line_str(&l, why);
	line_char(&l, '\0');
	msg_error("%s", l.failed ? why : l.buf);
	line_free(&l);
	return err;
}

/* ---- text --------------------------------------------------------------------------------- */

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

static void put_place(struct line *l, int32_t pid, uint64_t va)
{
	line_dec(l, (uint64_t)pid);
	line_char(l, ':');
	put_hex(l, va);
}

static void put_source(struct line *l, const struct ptremap_map *m)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sources) && sources[i].source != m->source; i++)
		;
	line_char(l, ' ');
	line_str(l, i < ARRAY_SIZE(sources) ? sources[i].key : "?");
	if (m->source == PTREMAP_MAP_FRESH)
		return;
	line_char(l, '=');
	if (m->source == PTREMAP_MAP_FRAMES)
		put_place(l, m->other_pid, m->from);
	else
		put_hex(l, m->from);
}

void graft_words(struct line *l, const struct ptremap_map *m)
{
	char prot[GRAFT_PROT_LEN];

	line_str(l, "graft ");
	if (m->va)
		put_place(l, m->pid, m->va);
	else
		line_dec(l, (uint64_t)m->pid);
	put_source(l, m);
	line_str(l, " len=");
	line_dec(l, m->len >> 10);
	line_str(l, "K prot=");
	line_str(l, graft_prot_text(prot, m->prot));
	line_str(l, " cache=");
	line_str(l, graft_cache_name(m->cache));
}

const char *graft_prot_text(char buf[GRAFT_PROT_LEN], uint32_t prot)
{
	size_t n = 0;

	if (prot & PTREMAP_MAP_READ)
		buf[n++] = 'r';
	if (prot & PTREMAP_MAP_WRITE)
		buf[n++] = 'w';
	if (prot & PTREMAP_MAP_EXEC)
		buf[n++] = 'x';
	buf[n] = 0;
	return buf;
}

const char *graft_source_name(uint32_t source)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i].source == source)
			return sources[i].name;
	return "?";
}

const char *graft_cache_name(uint32_t cache)
{
	return cache < ARRAY_SIZE(caches) ? caches[cache] : "?";
}
