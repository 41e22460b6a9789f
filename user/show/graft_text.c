// SPDX-License-Identifier: GPL-2.0
#include "user/show/graft_text.h"

#include "user/base/units.h"
#include "user/remap/graft.h"
#include "user/show/words.h"

static bool is_dry(const struct ptremap_map *m)
{
	return m->flags & PTREMAP_MAP_DRY_RUN;
}

static void put_range(struct line *l, uint64_t start, uint64_t len)
{
	line_0x(l, start);
	line_char(l, '-');
	line_0x(l, start + len - 1);
}

static void put_source(struct line *l, const struct ptremap_map *m)
{
	switch (m->source) {
	case PTREMAP_MAP_FRAMES:
		line_str(l, "frames of pid ");
		line_dec(l, (uint64_t)m->other_pid);
		line_str(l, " at ");
		break;
	case PTREMAP_MAP_FRESH:
		line_str(l, "new pages of zeros");
		return;
	case PTREMAP_MAP_PHYS:
		line_str(l, "RAM at ");
		break;
	default:
		line_str(l, "device memory at ");
	}
	put_range(l, m->from, m->len);
}

void graft_text(struct line *l, const struct ptremap_map *m)
{
	char size[UNITS_LEN];

	if (is_dry(m)) {
		line_str(l, "dry run");
	} else {
		line_str(l, "transaction ");
		line_dec(l, m->id);
	}
	line_char(l, '\n');
	graft_words(l, m);
	line_str(l, "\n  mapped ");
	put_range(l, m->va, m->len);
	line_str(l, ", ");
	line_str(l, units_size(size, m->len));
	line_str(l, "\n  of     ");
	put_source(l, m);
	line_char(l, '\n');
}

static void put_source_json(struct json *j, const struct ptremap_map *m)
{
	json_str(j, "source", graft_source_name(m->source));
	if (m->source == PTREMAP_MAP_FRAMES) {
		json_u64(j, "other_pid", (uint64_t)m->other_pid);
		json_hex(j, "other_address", m->from);
	} else {
		json_null(j, "other_pid");
		json_null(j, "other_address");
	}
	if (m->source == PTREMAP_MAP_PHYS || m->source == PTREMAP_MAP_MMIO)
		json_hex(j, "pa", m->from);
	else
		json_null(j, "pa");
}

void graft_json(struct json *j, const struct ptremap_map *m)
{
	json_object(j, NULL);
	if (is_dry(m))
		json_null(j, "id");
	else
		json_u64(j, "id", m->id);
	json_bool(j, "keep", m->flags & PTREMAP_MAP_KEEP);
	json_str(j, "what", "graft");
	json_u64(j, "pid", (uint64_t)m->pid);
	json_hex(j, "address", m->va);
	json_hex(j, "last", m->va + m->len - 1);
	json_u64(j, "length", m->len);
	put_source_json(j, m);
	json_bool(j, "read", m->prot & PTREMAP_MAP_READ);
	json_bool(j, "write", m->prot & PTREMAP_MAP_WRITE);
	json_bool(j, "exec", m->prot & PTREMAP_MAP_EXEC);
	json_str(j, "cache", graft_cache_name(m->cache));
	json_end_object(j);
	json_end_line(j);
}
