// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/table.h"

static void check_print(struct table *t, unsigned int indent, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(table_print(t, out, indent), 0);
	fclose(out);
	cr_assert_str_eq(text, expected);
	free(text);
	table_free(t);
}

Test(table, columns_are_aligned)
{
	struct table *t = table_new(3);

	table_column(t, 0, "name", TABLE_LEFT);
	table_column(t, 1, "faults", TABLE_RIGHT);
	table_column(t, 2, "where", TABLE_LEFT);
	table_cell(t, "sleep");
	table_cell(t, "%d", 7);
	table_cell(t, "libc.so.6");
	table_cell(t, "a longer name");
	table_cell(t, "%d", 1234567);
	table_cell(t, "x");
	check_print(t, 2,
		    "  name            faults  where\n"
		    "  sleep                7  libc.so.6\n"
		    "  a longer name  1234567  x\n");
}

Test(table, no_line_ends_in_spaces)
{
	struct table *t = table_new(3);

	table_column(t, 1, NULL, TABLE_RIGHT);
	table_cell(t, "a");
	table_cell(t, "1");
	table_cell(t, "long text");
	table_cell(t, "bb");
	table_cell(t, "%s", "");
	table_cell(t, "%s", "");
	table_cell(t, "%s", "");
	table_cell(t, "22");
	table_cell(t, "c");
	table_cell(t, "only one");
	check_print(t, 0,
		    "a          1  long text\n"
		    "bb\n"
		    "          22  c\n"
		    "only one\n");
}

Test(table, titles_alone)
{
	struct table *t = table_new(2);

	table_column(t, 0, "a", TABLE_RIGHT);
	table_column(t, 1, "b", TABLE_LEFT);
	check_print(t, 1, " a  b\n");
}

Test(table, empty)
{
	check_print(table_new(2), 0, "");
	table_free(NULL);
}

Test(table, controls_are_blunted_and_utf8_has_its_width)
{
	struct table *t = table_new(2);

	table_cell(t, "%s", "\x1b[2Jx\n\x7f");
	table_cell(t, "end");
	table_cell(t, "%s",
		   "csi\xc2\x9b"
		   "2J"); /* C1 in UTF-8 */
	table_cell(t, "end");
	table_cell(t, "%s", "p\xc3\xa4ge"); /* four characters */
	table_cell(t, "end");
	check_print(t, 0,
		    "?[2Jx??  end\n"
		    "csi?2J   end\n"
		    "p\xc3\xa4ge     end\n");
}

Test(table, many_rows)
{
	struct table *t = table_new(1);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int i;

	for (i = 0; i < 1000; i++)
		table_cell(t, "%03d", i);
	cr_assert_eq(table_print(t, out, 0), 0);
	fclose(out);
	cr_assert_eq(size, 4000);
	cr_assert_str_eq(text + size - 4, "999\n");
	free(text);
	table_free(t);
}
