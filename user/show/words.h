/* SPDX-License-Identifier: GPL-2.0 */
/* Small pieces of text that entries, walks and ranges have in common. */
#ifndef SHOW_WORDS_H
#define SHOW_WORDS_H

#include <stdint.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/pt/pt_walk.h"

/* "table", "leaf", "hole", "bad". */
const char *kind_name(enum pt_kind kind);

#define SIZE_LEN 24
/* Bytes, exactly: "4K", "2M", "2052K", "17"; 0 stands for 2^64, "16E". The text lies in @buf. */
char *size_text(char *buf, uint64_t bytes);

#define PERM_LEN 8
/*
 * PT_PERM_* as letters, with "-" for what is missing: "rwxu", "r-xs" (u user, s supervisor alone);
 * of EPT "rwx", with mode-based execute control "rwxX" (X user-mode fetches).
 */
char *perm_text(char *buf, const struct pt_fmt *fmt, unsigned int perm);

/* The same as members "read", "write", "exec" and "user", of EPT "exec_user" instead. */
void perm_json(struct json *j, const struct pt_fmt *fmt, unsigned int perm);

#define FORMAT_LEN 16
/* "4level", "ept4", "npt-pae": the names that options take. */
char *format_text(char *buf, const struct pt_fmt *fmt);
/* pt_why_name(); only linear addresses are canonical or not, others are in range or not. */
const char *why_name(const struct pt_fmt *fmt, enum pt_why why);
/* What comes before the name of an entry: "EPT ", "NPT " or "". */
const char *entry_prefix(const struct pt_fmt *fmt);

/* " key=0x12" */
void line_key_hex(struct line *l, const char *key, uint64_t value);
/* "0x12" */
void line_0x(struct line *l, uint64_t value);

/* Bytes that a leaf of @level maps; of level 0, when paging is off, 0. */
uint64_t page_size(const struct pt_fmt *fmt, unsigned int level);

#endif
