// SPDX-License-Identifier: GPL-2.0
#include "user/show/chain_text.h"

#include "user/show/entry_text.h"
#include "user/show/words.h"

/* One walk of the chain, and how it is to be shown. */
struct walk_view {
	const struct pt_space *space;
	const struct pt_path *path;
	const struct chain *chain; /* whose second space has more to say; NULL: nothing has */
	uint64_t ia;
	unsigned int linux_version;
	unsigned int indent;
};

/* Level of the last entry that was asked for; above the top level when none was. */
static unsigned int lowest(const struct pt_path *path)
{
	if (path->end.why == PT_WHY_NONCANONICAL || !path->top)
		return path->top + 1U;
	return path->end.level;
}

static bool was_read(const struct pt_path *path, unsigned int level)
{
	return level > path->end.level || path->end.why != PT_WHY_UNREADABLE;
}

static struct walk_view nested_view(const struct walk_view *v, const struct pt_path *path,
				    uint64_t ia)
{
	return (struct walk_view){
		.space = v->chain->under, .path = path, .ia = ia, .indent = v->indent + 2
	};
}

static struct entry_view entry_of(const struct walk_view *v, unsigned int level)
{
	return (struct entry_view){ .fmt = v->space->fmt,
				    .level = level,
				    .entry = v->path->at[level].entry,
				    .linux_version = v->linux_version };
}

/* ---- text ------------------------------------------------------------------------------- */

static void put_entry(struct line *l, const struct walk_view *v, unsigned int level)
{
	struct entry_view e = entry_of(v, level);

	line_spaces(l, v->indent);
	line_str(l, entry_prefix(v->space->fmt));
	line_str(l, pt_level_name(v->space->fmt, level));
	line_char(l, '[');
	line_dec(l, pt_index(v->space->fmt, v->ia, level));
	line_str(l, "] at ");
	line_0x(l, v->path->at[level].addr);
	line_str(l, ": ");
	if (was_read(v->path, level)) {
		line_0x(l, e.entry);
		line_str(l, "  ");
		entry_fields_line(l, &e);
		if (linux_adds(&e)) {
			line_str(l, ", Linux: ");
			linux_line(l, &e);
		}
	} else {
		line_str(l, pt_why_name(PT_WHY_UNREADABLE));
	}
	line_char(l, '\n');
}

static void put_why(struct line *l, const struct pt_fmt *fmt, const struct pt_path *path)
{
	line_str(l, why_name(fmt, path->end.why));
	if (lowest(path) > path->top)
		return;
	line_str(l, " at ");
	line_str(l, entry_prefix(fmt));
	line_str(l, pt_level_name(fmt, path->end.level));
}

static void put_end(struct line *l, const struct walk_view *v)
{
	const struct pt_walk *end = &v->path->end;
	char size[SIZE_LEN], perm[PERM_LEN];

	line_spaces(l, v->indent);
	if (end->kind != PT_LEAF) {
		line_str(l, "= no page: ");
		put_why(l, v->space->fmt, v->path);
	} else {
		line_str(l, v->chain && v->chain->under ? "= guest-physical " : "= ");
		line_0x(l, end->pa);
		if (end->level) {
			line_str(l, ", ");
			line_str(l, size_text(size, page_size(v->space->fmt, end->level)));
			line_str(l, " page, ");
			line_str(l, perm_text(perm, v->space->fmt, end->perm));
		}
	}
	line_char(l, '\n');
}

/* A walk of the second space, whose memory is the image. */
static void put_nested(struct line *l, const struct walk_view *v)
{
	unsigned int level;

	for (level = v->path->top; level >= lowest(v->path); level--)
		put_entry(l, v, level);
	put_end(l, v);
}

static void put_walk(struct line *l, const struct walk_view *v)
{
	const struct chain *c = v->chain;
	struct walk_view nested;
	unsigned int level;

	for (level = v->path->top; level >= lowest(v->path); level--) {
		if (c->under) {
			nested = nested_view(v, &c->table[level], v->path->at[level].addr);
			put_nested(l, &nested);
		}
		put_entry(l, v, level);
	}
	put_end(l, v);
	if (c->under && c->has_page) {
		nested = nested_view(v, &c->page, v->path->end.pa);
		put_nested(l, &nested);
	}
}

static void put_space(struct line *l, const struct pt_space *s)
{
	char name[FORMAT_LEN];

	line_str(l, format_text(name, s->fmt));
	if (!s->fmt->top)
		return;
	line_str(l, ", root ");
	line_0x(l, s->root & s->fmt->root_mask);
}

void chain_text(struct line *l, const struct chain *c, unsigned int linux_version)
{
	struct walk_view v = { .space = c->space,
			       .path = &c->path,
			       .chain = c,
			       .ia = c->path.end.ia,
			       .linux_version = linux_version,
			       .indent = 2 };

	line_0x(l, v.ia);
	line_str(l, ": ");
	put_space(l, c->space);
	if (c->under) {
		line_str(l, ", in ");
		put_space(l, c->under);
	}
	line_char(l, '\n');
	put_walk(l, &v);
}

void chain_why_line(struct line *l, const struct chain *c)
{
	const struct pt_fmt *fmt;
	const struct pt_path *path = chain_end(c, &fmt);

	put_why(l, fmt, path);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void walk_json(struct json *j, const struct walk_view *v);

static void nested_json(struct json *j, const struct walk_view *v, const struct pt_path *path,
			uint64_t ia)
{
	struct walk_view nested;

	if (!path) {
		json_null(j, "nested");
		return;
	}
	nested = nested_view(v, path, ia);
	json_object(j, "nested");
	walk_json(j, &nested);
	json_end_object(j);
}

static void level_json(struct json *j, const struct walk_view *v, unsigned int level)
{
	bool two = v->chain && v->chain->under;
	struct entry_view e = entry_of(v, level);

	json_object(j, NULL);
	json_u64(j, "index", pt_index(v->space->fmt, v->ia, level));
	json_hex(j, "at", v->path->at[level].addr);
	if (was_read(v->path, level)) {
		json_hex(j, "value", e.entry);
		entry_json(j, &e);
	} else {
		json_null(j, "value");
		json_u64(j, "level", level);
		json_str(j, "name", pt_level_name(v->space->fmt, level));
	}
	if (v->chain)
		nested_json(j, v, two ? &v->chain->table[level] : NULL, v->path->at[level].addr);
	json_end_object(j);
}

static void end_json(struct json *j, const struct walk_view *v)
{
	const struct pt_walk *end = &v->path->end;
	bool leaf = end->kind == PT_LEAF;

	json_str(j, "result", kind_name(end->kind));
	json_str(j, "why", end->why ? why_name(v->space->fmt, end->why) : NULL);
	json_str(j, "stop",
		 lowest(v->path) > v->path->top ? NULL : pt_level_name(v->space->fmt, end->level));
	if (!leaf) {
		json_null(j, "pa");
		return;
	}
	json_hex(j, "pa", end->pa);
	if (end->level)
		json_u64(j, "page_size", page_size(v->space->fmt, end->level));
	else
		json_null(j, "page_size");
	perm_json(j, v->space->fmt, end->perm);
}

static void walk_json(struct json *j, const struct walk_view *v)
{
	char name[FORMAT_LEN];
	unsigned int level;

	json_str(j, "format", format_text(name, v->space->fmt));
	json_hex(j, "root", v->space->root & v->space->fmt->root_mask);
	json_array(j, "levels");
	for (level = v->path->top; level >= lowest(v->path); level--)
		level_json(j, v, level);
	json_end_array(j);
	end_json(j, v);
}

void chain_json(struct json *j, const struct chain *c, unsigned int linux_version)
{
	struct walk_view v = { .space = c->space,
			       .path = &c->path,
			       .chain = c,
			       .ia = c->path.end.ia,
			       .linux_version = linux_version };
	const struct pt_fmt *fmt;

	json_hex(j, "address", v.ia);
	walk_json(j, &v);
	nested_json(j, &v, c->under && c->has_page ? &c->page : NULL, c->path.end.pa);
	if (chain_end(c, &fmt)->end.kind == PT_LEAF)
		json_hex(j, "hpa", c->pa);
	else
		json_null(j, "hpa");
}
