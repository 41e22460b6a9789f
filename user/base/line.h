/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line of text, put together by hand and written at once: much faster than printf, and never
 * torn when several processes share a terminal. Without memory the line is dropped and
 * line_write() says -ENOMEM.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct line {
	char *buf;
	size_t len, size;
	bool failed;
};

void line_char(struct line *l, char c);
void line_bytes(struct line *l, const char *s, size_t len);
void line_spaces(struct line *l, size_t n);
/* Text from outside: what may not be shown (printable.h) becomes '?': a name cannot break the line.
 */
void line_text(struct line *l, const char *s);
/* Spaces up to @width, then @s as line_text() does. */
void line_text_right(struct line *l, const char *s, size_t width);
void line_dec(struct line *l, uint64_t v);
void line_dec_zero(struct line *l, uint64_t v, unsigned int width); /* leading zeros */
void line_hex(struct line *l, uint64_t v);			    /* without "0x" */
void line_hex_zero(struct line *l, uint64_t v, unsigned int width); /* leading zeros */
/* In the header, so that the length of a literal is known when it is compiled. */
static inline void line_str(struct line *l, const char *s)
{
	line_bytes(l, s, strlen(s));
}

/* Writes what there is and empties the line. 0 or -errno. */
int line_write(struct line *l, FILE *out);
void line_free(struct line *l);

#endif
