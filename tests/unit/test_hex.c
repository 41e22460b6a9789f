// SPDX-License-Identifier: GPL-2.0
/* Bytes as digits, both ways. */
#include <criterion/criterion.h>
#include <string.h>

#include "user/base/hex.h"

Test(hex, rows)
{
	struct line l = { 0 };

	hex_rows(&l, 0x1000, "ABCDEFGHIJKLMNOP\x01z", 18);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, "0000000000001000  41 42 43 44 45 46 47 48  "
				"49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|\n"
				"0000000000001010  01 7a                    "
				"                         |.z|\n");
	line_free(&l);
}

Test(hex, parsed)
{
	char buf[4];

	cr_expect_eq(hex_parse("de ad BE,ef", buf, 4), 4u);
	cr_expect_eq(memcmp(buf, "\xde\xad\xbe\xef", 4), 0);
	cr_expect_eq(hex_parse("00:01\n", buf, 4), 2u);
	cr_expect_eq(hex_parse("deadbeef", NULL, 4), 4u);
}

Test(hex, refused)
{
	static const char *const bad[] = { "", "  ", "d", "de a", "xx", "0x12", "de ad be ef 00" };
	char buf[4];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(hex_parse(bad[i], buf, 4), 0u, "'%s'", bad[i]);
}
