// SPDX-License-Identifier: GPL-2.0
#include "user/show/words.h"

#include "user/pt/pt_entry.h"
#include "user/pt/pt_mode.h"

const char *kind_name(enum pt_kind kind)
{
	static const char *const names[] = {
		[PT_TABLE] = "table",
		[PT_LEAF] = "leaf",
		[PT_HOLE] = "hole",
		[PT_BAD] = "bad",
	};

	return names[kind];
}

/* By hand: millions of lines have one. */
char *size_text(char *buf, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	char *p = &buf[SIZE_LEN - 1];
	unsigned int unit;

	*p = 0;
	if (bytes) {
		unit = (unsigned int)__builtin_ctzll(bytes) / 10;
		bytes >>= 10 * unit;
	} else {
		unit = 6;
		bytes = 16;
	}
	if (unit)
		*--p = units[unit - 1];
	do {
		*--p = (char)('0' + bytes % 10);
		bytes /= 10;
	} while (bytes);
	return p;
}

char *perm_text(char *buf, const struct pt_fmt *fmt, unsigned int perm)
{
	char *p = buf;

	*p++ = perm & PT_PERM_R ? 'r' : '-';
	*p++ = perm & PT_PERM_W ? 'w' : '-';
	*p++ = perm & PT_PERM_X ? 'x' : '-';
	if (!fmt->ept)
		*p++ = perm & PT_PERM_U ? 'u' : 's';
	else if (fmt->feat.ept_mbec)
		*p++ = perm & PT_PERM_XU ? 'X' : '-';
	*p = 0;
	return buf;
}

void perm_json(struct json *j, const struct pt_fmt *fmt, unsigned int perm)
{
	json_bool(j, "read", perm & PT_PERM_R);
	json_bool(j, "write", perm & PT_PERM_W);
	json_bool(j, "exec", perm & PT_PERM_X);
	if (fmt->ept)
		json_bool(j, "exec_user", perm & PT_PERM_XU);
	else
		json_bool(j, "user", perm & PT_PERM_U);
}

char *format_text(char *buf, const struct pt_fmt *fmt)
{
	snprintf(buf, FORMAT_LEN, "%s%s", fmt->feat.npt ? "npt-" : "", pt_mode_name(fmt->mode));
	return buf;
}

const char *why_name(const struct pt_fmt *fmt, enum pt_why why)
{
	if (why == PT_WHY_NONCANONICAL && !fmt->va_signed)
		return "address out of range";
	return pt_why_name(why);
}

const char *entry_prefix(const struct pt_fmt *fmt)
{
	return fmt->ept ? "EPT " : fmt->feat.npt ? "NPT " : "";
}

void line_0x(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

void line_key_hex(struct line *l, const char *key, uint64_t value)
{
	line_char(l, ' ');
	line_str(l, key);
	line_char(l, '=');
	line_0x(l, value);
}

uint64_t page_size(const struct pt_fmt *fmt, unsigned int level)
{
	return level ? pt_level_size(fmt, level) : 0;
}
