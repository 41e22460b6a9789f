// SPDX-License-Identifier: GPL-2.0
/* Lines about what a guest did in watched pages. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "user/show/access_text.h"

static struct ptremap_access access_event(void)
{
	return (struct ptremap_access){ .time = 12000000034ull,
					.type = PTREMAP_ACCESS_DONE,
					.gpa = 0x40001010,
					.rip = 0x40000013,
					.vcpu = 2,
					.access = PTREMAP_EPT_WRITE,
					.size = 4,
					.value = 5,
					.flags = PTREMAP_ACCESS_VALUE };
}

static void expect_line(const struct ptremap_access *a, const char *want)
{
	struct line l = { 0 };

	access_line(&l, a);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

static void expect_json(const struct ptremap_access *a, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	cr_assert(f);
	json_init(&j, f);
	access_json(&j, a);
	fclose(f);
	cr_expect_str_eq(text, want);
	free(text);
}

Test(access_text, done)
{
	struct ptremap_access a = access_event();

	expect_line(&a,
		    "12.000000034 vcpu 2 write gpa=0x40001010 size=4 value=0x5 rip=0x40000013\n");
	expect_json(&a, "{\"time\":12000000034,\"event\":\"access\",\"vcpu\":2,\"access\":\"w\","
			"\"gpa\":\"0x40001010\",\"gva\":null,\"rip\":\"0x40000013\",\"size\":4,"
			"\"value\":\"0x5\",\"by\":\"instruction\"}\n");
}

Test(access_text, unknown_is_left_out)
{
	struct ptremap_access a = access_event();

	a.size = 0;
	a.flags = PTREMAP_ACCESS_GVA | PTREMAP_ACCESS_WALK;
	a.gva = 0x7000;
	a.access = PTREMAP_EPT_READ | PTREMAP_EPT_WRITE;
	expect_line(&a, "12.000000034 vcpu 2 read,write gpa=0x40001010 rip=0x40000013 gva=0x7000 "
			"by=walk\n");
	expect_json(&a, "{\"time\":12000000034,\"event\":\"access\",\"vcpu\":2,\"access\":\"rw\","
			"\"gpa\":\"0x40001010\",\"gva\":\"0x7000\",\"rip\":\"0x40000013\","
			"\"size\":null,\"value\":null,\"by\":\"walk\"}\n");
}

Test(access_text, opened_and_closed)
{
	struct ptremap_access a = access_event();

	a.type = PTREMAP_ACCESS_OPENED;
	a.size = 0;
	a.flags = PTREMAP_ACCESS_EVENT;
	expect_line(&a, "12.000000034 vcpu 2 opened for write gpa=0x40001010 rip=0x40000013 "
			"by=delivery: KVM cannot do this one; what else is done there until "
			"'closed' is not seen\n");
	a.type = PTREMAP_ACCESS_CLOSED;
	expect_line(&a, "12.000000034 closed gpa=0x40001010\n");
	expect_json(&a, "{\"time\":12000000034,\"event\":\"closed\",\"gpa\":\"0x40001010\"}\n");
}

Test(access_text, missed)
{
	struct ptremap_access a = access_event();

	a.lost = 7;
	a.type = PTREMAP_ACCESS_LOST;
	expect_line(&a, "12.000000034 missed 7 events, for which there was no room\n");
	expect_json(&a, "{\"time\":12000000034,\"event\":\"missed\",\"count\":7}\n");
	a.type = PTREMAP_ACCESS_DONE;
	expect_line(&a,
		    "12.000000034 missed 7 events, for which there was no room\n"
		    "12.000000034 vcpu 2 write gpa=0x40001010 size=4 value=0x5 rip=0x40000013\n");
}
