// SPDX-License-Identifier: GPL-2.0
#include "user/show/mirror_text.h"

#include <stdbool.h>

#include "user/show/words.h"

#define SHOWN 8 /* ranges, in text */

static const char *mode_name(uint32_t mode)
{
	static const char *const names[] = {
		[PTREMAP_MIRROR_NONE] = "none",	    [PTREMAP_MIRROR_32BIT] = "32bit",
		[PTREMAP_MIRROR_PAE] = "pae",	    [PTREMAP_MIRROR_4LEVEL] = "4level",
		[PTREMAP_MIRROR_5LEVEL] = "5level",
	};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

static void put_range(struct line *l, uint64_t start, uint64_t len)
{
	line_0x(l, start);
	line_char(l, '-');
	line_0x(l, start + len - 1);
}

static void put_flags(struct line *l, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *words;
	} all[] = {
		{ PTREMAP_MIRROR_RDONLY, ", read only" },
		{ PTREMAP_MIRROR_EXEC, ", executable" },
		{ PTREMAP_MIRROR_AD, ", A and D kept" },
		{ PTREMAP_MIRROR_SYNC, ", tables watched" },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (flags & all[i].flag)
			line_str(l, all[i].words);
}

static void put_memory(struct line *l, const struct ptremap_mirror_info *m,
		       const struct ptremap_mirror_range *ranges)
{
	uint32_t i;

	for (i = 0; i < m->nr_ranges && i < SHOWN; i++) {
		line_str(l, "  memory ");
		put_range(l, ranges[i].gpa, ranges[i].len);
		line_str(l, " at ");
		line_0x(l, ranges[i].hva);
		if (ranges[i].flags & PTREMAP_MIRROR_RANGE_RO)
			line_str(l, ", read only");
		line_char(l, '\n');
	}
	if (m->nr_ranges > SHOWN) {
		line_str(l, "  memory ... and ");
		line_dec(l, m->nr_ranges - SHOWN);
		line_str(l, " ranges more\n");
	}
}

void mirror_text(struct line *l, const struct ptremap_mirror_info *m,
		 const struct ptremap_mirror_range *ranges)
{
	uint32_t i;

	line_str(l, "mirror ");
	line_dec(l, (uint64_t)m->pid);
	line_char(l, ':');
	put_range(l, m->va, m->len);
	line_str(l, "\n  shows  ");
	put_range(l, m->gva, m->len);
	line_str(l, " of pid ");
	line_dec(l, (uint64_t)m->ram_pid);
	line_str(l, ", ");
	line_str(l, mode_name(m->mode));
	put_flags(l, m->flags);
	line_str(l, ", ");
	line_dec(l, m->held);
	line_str(l, " pages held\n");
	for (i = 0; i < m->nr_roots && i < PTREMAP_MIRROR_TAGS; i++) {
		line_str(l, "  root   ");
		line_0x(l, m->roots[i].root);
		line_str(l, " tag ");
		line_dec(l, m->roots[i].tag);
		line_str(l, m->roots[i].cpu & PTREMAP_MIRROR_USER ? ", as a user" : "");
		line_str(l, i ? "\n" : ", now\n");
	}
	put_memory(l, m, ranges);
}

static void memory_json(struct json *j, const struct ptremap_mirror_info *m,
			const struct ptremap_mirror_range *ranges)
{
	uint32_t i;

	json_array(j, "memory");
	for (i = 0; i < m->nr_ranges; i++) {
		json_object(j, NULL);
		json_hex(j, "gpa", ranges[i].gpa);
		json_u64(j, "length", ranges[i].len);
		json_hex(j, "hva", ranges[i].hva);
		json_bool(j, "read_only", ranges[i].flags & PTREMAP_MIRROR_RANGE_RO);
		json_end_object(j);
	}
	json_end_array(j);
}

static void roots_json(struct json *j, const struct ptremap_mirror_info *m)
{
	uint32_t i;

	json_array(j, "roots");
	for (i = 0; i < m->nr_roots && i < PTREMAP_MIRROR_TAGS; i++) {
		json_object(j, NULL);
		json_hex(j, "root", m->roots[i].root);
		json_u64(j, "tag", m->roots[i].tag);
		json_bool(j, "user", m->roots[i].cpu & PTREMAP_MIRROR_USER);
		json_bool(j, "now", !i);
		json_end_object(j);
	}
	json_end_array(j);
}

void mirror_json(struct json *j, const struct ptremap_mirror_info *m,
		 const struct ptremap_mirror_range *ranges)
{
	json_object(j, NULL);
	json_str(j, "what", "mirror");
	json_u64(j, "pid", (uint64_t)m->pid);
	json_hex(j, "address", m->va);
	json_u64(j, "length", m->len);
	json_hex(j, "gva", m->gva);
	json_u64(j, "memory_pid", (uint64_t)m->ram_pid);
	json_str(j, "mode", mode_name(m->mode));
	json_bool(j, "read_only", m->flags & PTREMAP_MIRROR_RDONLY);
	json_bool(j, "execute", m->flags & PTREMAP_MIRROR_EXEC);
	json_bool(j, "accessed_dirty", m->flags & PTREMAP_MIRROR_AD);
	json_bool(j, "sync", m->flags & PTREMAP_MIRROR_SYNC);
	json_u64(j, "held", m->held);
	roots_json(j, m);
	memory_json(j, m, ranges);
	json_end_object(j);
	json_end_line(j);
}
