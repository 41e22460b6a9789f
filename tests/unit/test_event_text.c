// SPDX-License-Identifier: GPL-2.0
/* Lines about what became of changes. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_linux.h"
#include "user/show/event_text.h"

#define OLD 0x8000000012345867ull
#define NEW 0x8000000012345865ull

static struct ptremap_event event(uint32_t type, uint8_t state, uint8_t cause)
{
	return (struct ptremap_event){
		.time = 12000000034ull,
		.type = type,
		.record = { .id = 3,
			    .what = PTREMAP_PROTECT,
			    .pid = 42,
			    .state = state,
			    .cause = cause,
			    .level = 1,
			    .va = 0x7f0000001000,
			    .old = OLD,
			    .new = NEW },
	};
}

static void expect_line(const struct ptremap_event *e, const char *want)
{
	struct line l = { 0 };

	event_line(&l, e);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

Test(event_text, made)
{
	struct ptremap_event e = event(PTREMAP_EVENT_MADE, PTREMAP_ACTIVE, PTREMAP_CAUSE_NONE);

	expect_line(&e, "12.000000034 made 3 protect 42:0x7f0000001000 0x8000000012345867 -> "
			"0x8000000012345865\n");
}

Test(event_text, gone)
{
	struct ptremap_event e = event(PTREMAP_EVENT_GONE, PTREMAP_TAKEN, PTREMAP_CAUSE_UNMAP);

	expect_line(&e, "12.000000034 taken 3 protect 42:0x7f0000001000 0x8000000012345865 -> "
			"0x8000000012345867 before unmap: the kernel unmapped the page (munmap, "
			"mremap)\n");
	e.record.cause = PTREMAP_CAUSE_UNDO;
	expect_line(&e, "12.000000034 undone 3 protect 42:0x7f0000001000 0x8000000012345865 -> "
			"0x8000000012345867\n");
	e.record.state = PTREMAP_LOST;
	expect_line(&e, "12.000000034 lost 3 protect 42:0x7f0000001000 0x8000000012345865 -> ?\n");
}

Test(event_text, a_mapping)
{
	struct ptremap_event e = event(PTREMAP_EVENT_MADE, PTREMAP_ACTIVE, PTREMAP_CAUSE_NONE);

	e.record.what = PTREMAP_MAPPED;
	e.record.old = 8192;
	e.record.new = 0x1000;
	expect_line(&e, "12.000000034 made 3 mapped 42:0x7f0000001000 8K of 0x1000\n");
}

Test(event_text, missed)
{
	struct ptremap_event e = event(PTREMAP_EVENT_GONE, PTREMAP_TAKEN, PTREMAP_CAUSE_UNDO);

	e.lost = 7;
	expect_line(&e, "12.000000034 missed 7 events, for which there was no room\n"
			"12.000000034 undone 3 protect 42:0x7f0000001000 0x8000000012345865 -> "
			"0x8000000012345867\n");
	e.type = PTREMAP_EVENT_LOST;
	expect_line(&e, "12.000000034 missed 7 events, for which there was no room\n");
}

/* A module's answer is not trusted to be one of those that are known. */
Test(event_text, unknown_values)
{
	struct ptremap_event e = event(9, 9, 99);

	e.record.what = 77;
	e.record.pid = -1;
	expect_line(&e, "12.000000034 taken 3 ? 0:0x7f0000001000 0x8000000012345867 -> "
			"0x8000000012345865 before ?: of an unknown cause\n");
}

static void expect_json(const struct ptremap_event *e, const char *want)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1 };
	struct entry_view style = { .linux_version = PT_LINUX_VERSION(6, 1) };
	struct pt_fmt fmt;
	struct json j;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat), 0);
	style.fmt = &fmt;
	json_init(&j, out);
	event_json(&j, e, &style);
	fclose(out);
	cr_expect_eq(strncmp(text, want, strlen(want)), 0, "%s", text);
	free(text);
}

Test(event_text, as_json)
{
	struct ptremap_event e = event(PTREMAP_EVENT_GONE, PTREMAP_TAKEN, PTREMAP_CAUSE_EXIT);

	expect_json(&e, "{\"time\":12000000034,\"event\":\"taken\",\"id\":3,\"keep\":false,"
			"\"state\":\"taken\",\"cause\":\"exit\",\"what\":\"protect\",\"pid\":42,"
			"\"address\":\"0x7f0000001000\",\"level\":1,\"before\":{\"value\":"
			"\"0x8000000012345867\"");
	e.type = PTREMAP_EVENT_LOST;
	e.lost = 3;
	expect_json(&e, "{\"time\":12000000034,\"event\":\"missed\",\"count\":3}\n");
}
