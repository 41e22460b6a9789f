// SPDX-License-Identifier: GPL-2.0
/* The files beside this one, as they are: a browser's tools and checkers can read them, too. */
#include "user/html/assets.h"

#define FILE_OF(name) ".incbin \"user/html/" name "\"\n"
#define EMBED(symbol, files)                                                   \
	__asm__(".pushsection .rodata\n"                                       \
		".global " #symbol "\n"                                        \
		".type " #symbol ", @object\n" #symbol ":\n" files ".byte 0\n" \
		".size " #symbol ", . - " #symbol "\n"                         \
		".popsection\n")

EMBED(page_style, FILE_OF("page.css"));
EMBED(page_body, FILE_OF("page.html"));
EMBED(page_code, FILE_OF("words.js") FILE_OF("map.js") FILE_OF("flame.js") FILE_OF("views.js")
			 FILE_OF("page.js"));
