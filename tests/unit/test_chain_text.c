// SPDX-License-Identifier: GPL-2.0
/* Walks of one space and of two, over tables made by hand: where they lead, and as text. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_arena.h"
#include "user/pt/pt_mem_nested.h"
#include "user/show/chain_text.h"

#define PAGES 16

/*
 * The guest's tables lie in its pages 1 to 4, its data in page 5. The EPT is in the host's pages 1
 * to 4 and puts guest page n at host page n + 8; guest page 7 is read-only.
 */
static uint64_t memory[PAGES][512] __attribute__((aligned(4096)));

struct world {
	struct pt_arena arena;
	struct pt_fmt guest_fmt, ept_fmt;
	struct pt_space host, guest;
	struct pt_mem_nested nested;
	struct chain chain;
};

static void link_tables(uint64_t (*pages)[512], uint64_t bits)
{
	unsigned int i;

	for (i = 1; i <= 3; i++)
		pages[i][0] = (uint64_t)(i + 1) * 4096 | bits;
}

static void world_init(struct world *w)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1 };
	unsigned int i;

	memset(memory, 0, sizeof(memory));
	cr_assert_eq(pt_arena_init(&w->arena, memory, 0, sizeof(memory), false), 0);
	cr_assert_eq(pt_fmt_init(&w->guest_fmt, PT_MODE_4LEVEL, &feat), 0);
	cr_assert_eq(pt_fmt_init(&w->ept_fmt, PT_MODE_EPT4, &feat), 0);
	w->host = (struct pt_space){ .fmt = &w->ept_fmt, .root = 0x101e, .mem = &w->arena.mem };
	w->guest = (struct pt_space){ .fmt = &w->guest_fmt, .root = 0x1000, .mem = &w->nested.mem };
	cr_assert_eq(pt_mem_nested_init(&w->nested, &w->host), 0);
	link_tables(memory, EPT_R | EPT_W | EPT_X);
	for (i = 1; i <= 7; i++)
		memory[4][i] = (uint64_t)(i + 8) * 4096 | (i == 7 ? 0x31 : 0x37);
	link_tables(memory + 8, PT_P | PT_RW | PT_US);
	memory[12][0] = 0x5007;
	memory[12][1] = 0x7007;
	memory[12][2] = 0x8007; /* not in the EPT */
	memory[12][3] = 0x5005;
}

static enum pt_kind walk(struct world *w, uint64_t gva)
{
	return chain_walk(&w->chain, &w->guest, &w->host, gva);
}

static void expect_end(struct world *w, uint64_t gva, const char *expected)
{
	struct line l = { 0 };

	cr_expect_neq(walk(w, gva), PT_LEAF);
	chain_why_line(&l, &w->chain);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, expected);
	line_free(&l);
}

Test(chain, leads_through_both)
{
	const struct pt_fmt *fmt;
	struct world w;
	unsigned int level;

	world_init(&w);
	cr_assert_eq(walk(&w, 0x123), PT_LEAF);
	cr_expect_eq(w.chain.pa, 0xd123);
	cr_expect_eq(w.chain.path.end.pa, 0x5123);
	for (level = 1; level <= 4; level++)
		cr_expect_eq(w.chain.table[level].end.pa, (uint64_t)(13 - level) * 4096);
	cr_expect_eq(chain_end(&w.chain, &fmt), &w.chain.page);
	cr_expect_eq(fmt, &w.ept_fmt);
}

Test(chain, tells_where_it_stopped)
{
	struct world w;

	world_init(&w);
	expect_end(&w, 0x2000, "not present at EPT PTE");
	expect_end(&w, 0x9000, "not present at PTE");
	expect_end(&w, 0x8000000000000000, "address not canonical");
	memory[4][4] = 0; /* the guest's lowest table */
	expect_end(&w, 0, "not present at EPT PTE");
	cr_expect_eq(w.chain.lowest, 1);
	memory[4][4] = 0x6000037; /* beyond the memory */
	expect_end(&w, 0, "memory unreadable at PTE");
}

static struct chain_verdict judge(struct world *w, uint64_t gva, unsigned int access)
{
	static const struct pt_cpu cpu = { .wp = 1 };
	struct chain_verdict v;

	walk(w, gva);
	chain_check(&w->chain, &cpu, access, &v);
	return v;
}

Test(chain, judges_in_the_order_of_the_cpu)
{
	struct chain_verdict v;
	struct world w;

	world_init(&w);
	v = judge(&w, 0, PT_ACC_WRITE | PT_ACC_USER);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	v = judge(&w, 0x1000, 0);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	v = judge(&w, 0x1000, PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_VIOLATION);
	cr_expect_eq(v.where, CHAIN_PAGE);
	cr_expect_eq(v.check.qualification, 0xa);
	/* The guest's own tables forbid it before its page is looked for. */
	v = judge(&w, 0x3000, PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_FAULT);
	cr_expect_eq(v.where, CHAIN_SPACE);
	cr_expect_eq(v.check.error_code, PT_PF_P | PT_PF_W);
	/* With accessed and dirty flags the guest's entries are written to. */
	memory[4][3] = 0xb031;
	memory[11][0] |= PT_A;
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	w.ept_fmt.feat.ept_ad = 1;
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_VIOLATION);
	cr_expect_eq(v.where, CHAIN_TABLE);
	cr_expect_eq(v.level, 2);
}

/* A, and D by a write, are set by a write to the guest's entry, accessed flags of the EPT or not.
 */
Test(chain, marks_of_the_cpu_are_writes)
{
	struct chain_verdict v;
	struct world w;
	unsigned int i;

	world_init(&w);
	for (i = 8; i < 12; i++) /* all that is used but the last entry has A */
		memory[i + 1][0] |= PT_A;
	memory[12][0] &= ~PT_A;
	memory[4][4] &= ~EPT_W; /* the guest's lowest table */
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_VIOLATION);
	cr_expect_eq(v.where, CHAIN_TABLE);
	cr_expect_eq(v.level, 1);
	cr_expect_eq(v.check.qualification, 0x2a);
	memory[12][0] |= PT_A;
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	v = judge(&w, 0, PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_VIOLATION, "D is clear");
	cr_expect_eq(v.where, CHAIN_TABLE);
	v = judge(&w, 0, PT_ACC_EXEC | PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_ALLOWED, "a fetch sets no D");
	memory[12][0] |= PT_D;
	v = judge(&w, 0, PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	/* The guest's own rights come first. */
	memory[12][0] &= ~(PT_A | PT_RW);
	v = judge(&w, 0, PT_ACC_WRITE);
	cr_expect_eq(v.check.verdict, PT_FAULT);
	cr_expect_eq(v.where, CHAIN_SPACE);
}

/* PAE's PDPTEs have no A. AMD, APM vol. 2, 15.25.5: all walks of the guest are writes to NPT. */
Test(chain, marks_depend_on_the_format)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1 },
			     npt = { .maxphyaddr = 46, .npt = 1 };
	struct chain_verdict v;
	struct world w;

	world_init(&w);
	cr_assert_eq(pt_fmt_init(&w.guest_fmt, PT_MODE_PAE, &feat), 0);
	w.guest.root = 0x2000;
	memory[10][0] = 0x3001;
	memory[11][0] |= PT_A;
	memory[12][0] |= PT_A;
	memory[4][2] &= ~EPT_W; /* the guest's top table */
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_ALLOWED);
	cr_assert_eq(pt_fmt_init(&w.ept_fmt, PT_MODE_4LEVEL, &npt), 0);
	v = judge(&w, 0, 0);
	cr_expect_eq(v.check.verdict, PT_FAULT);
	cr_expect_eq(v.where, CHAIN_TABLE);
	cr_expect_eq(v.level, 3);
	cr_expect_eq(v.check.error_code, PT_NPF_WALK | PT_PF_P | PT_PF_W | PT_PF_U);
}

Test(chain, without_paging_everything_leads_to_itself)
{
	const struct pt_feat feat = { .maxphyaddr = 46 };
	struct world w;

	world_init(&w);
	cr_assert_eq(pt_fmt_init(&w.guest_fmt, PT_MODE_NONE, &feat), 0);
	cr_expect_eq(walk(&w, 0x5678), PT_LEAF);
	cr_expect_eq(w.chain.pa, 0xd678);
	w.guest.mem = &w.arena.mem;
	cr_expect_eq(chain_walk(&w.chain, &w.guest, NULL, 0x5678), PT_LEAF);
	cr_expect_eq(w.chain.pa, 0x5678);
}

static void expect_text(struct world *w, const char *expected)
{
	struct line l = { 0 };

	chain_text(&l, &w->chain, 0);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, expected);
	line_free(&l);
}

Test(chain_text, one_space)
{
	struct world w;

	world_init(&w);
	chain_walk(&w.chain, &w.host, NULL, 0x7123);
	expect_text(&w, "0x7123: ept4, root 0x1000\n"
			"  EPT PML4E[0] at 0x1000: 0x2007  R W X addr=0x2000\n"
			"  EPT PDPTE[0] at 0x2000: 0x3007  R W X addr=0x3000\n"
			"  EPT PDE[0] at 0x3000: 0x4007  R W X addr=0x4000\n"
			"  EPT PTE[7] at 0x4038: 0xf031  R memtype=WB addr=0xf000\n"
			"  = 0xf123, 4K page, r--\n");
	chain_walk(&w.chain, &w.host, NULL, 0x200000);
	expect_text(&w, "0x200000: ept4, root 0x1000\n"
			"  EPT PML4E[0] at 0x1000: 0x2007  R W X addr=0x2000\n"
			"  EPT PDPTE[0] at 0x2000: 0x3007  R W X addr=0x3000\n"
			"  EPT PDE[1] at 0x3008: 0x0  empty\n"
			"  = no page: not present at EPT PDE\n");
}

Test(chain_text, two_spaces)
{
	struct world w;

	world_init(&w);
	memory[8 + 1][0] = 0; /* the guest's top table is at page 1 */
	walk(&w, 0);
	expect_text(&w, "0x0: 4level, root 0x1000, in ept4, root 0x1000\n"
			"    EPT PML4E[0] at 0x1000: 0x2007  R W X addr=0x2000\n"
			"    EPT PDPTE[0] at 0x2000: 0x3007  R W X addr=0x3000\n"
			"    EPT PDE[0] at 0x3000: 0x4007  R W X addr=0x4000\n"
			"    EPT PTE[1] at 0x4008: 0x9037  R W X memtype=WB addr=0x9000\n"
			"    = 0x9000, 4K page, rwx\n"
			"  PML4E[0] at 0x1000: 0x0  empty\n"
			"  = no page: not present at PML4E\n");
}

Test(chain_text, verdicts)
{
	struct chain_verdict v;
	struct line l = { 0 };
	struct world w;

	world_init(&w);
	v = judge(&w, 0x1000, PT_ACC_WRITE);
	verdict_text(&l, &v, PT_ACC_WRITE);
	v = judge(&w, 0x3000, PT_ACC_WRITE | PT_ACC_USER);
	verdict_text(&l, &v, PT_ACC_WRITE | PT_ACC_USER);
	v = judge(&w, 0, PT_ACC_EXEC);
	verdict_text(&l, &v, PT_ACC_EXEC);
	memory[12][0] = 0x6007;
	memory[4][6] = 0x6000037; /* beyond the memory: only its contents cannot be told */
	v = judge(&w, 0, 0);
	verdict_text(&l, &v, 0);
	memory[11][0] = 0x6007;
	v = judge(&w, 0, 0);
	verdict_text(&l, &v, 0);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf,
			 "  write, supervisor: EPT violation, qualification 0xa: forbidden by "
			 "the EPT entry, at EPT PTE\n"
			 "  write, user: #PF, error code 0x7 (P W U): write to a read-only page, "
			 "at PTE\n"
			 "  exec, supervisor: allowed\n"
			 "  read, supervisor: allowed\n"
			 "  read, supervisor: cannot be told: memory unreadable, at PTE\n");
	line_free(&l);
}

Test(chain_text, json)
{
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	struct world w;

	world_init(&w);
	json_init(&j, out);
	chain_walk(&w.chain, &w.host, NULL, 0x8000000000000);
	json_object(&j, NULL);
	chain_json(&j, &w.chain, 0);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text, "{\"address\":\"0x8000000000000\",\"format\":\"ept4\","
			       "\"root\":\"0x1000\",\"levels\":[],\"result\":\"bad\","
			       "\"why\":\"address out of range\",\"stop\":null,\"pa\":null,"
			       "\"nested\":null,\"hpa\":null}");
	free(text);
}

Test(chain_text, access_as_json)
{
	struct chain_verdict v;
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	struct world w;

	world_init(&w);
	json_init(&j, out);
	v = judge(&w, 0, PT_ACC_IMPLICIT);
	json_object(&j, NULL);
	verdict_json(&j, &v, PT_ACC_IMPLICIT | PT_ACC_SHSTK);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text, "{\"access\":{\"write\":false,\"exec\":false,\"user\":false,"
			       "\"implicit\":true,\"shstk\":true,\"verdict\":\"allowed\","
			       "\"rule\":null,\"where\":null,\"level\":null,"
			       "\"error_code\":null,\"error_bits\":null,"
			       "\"qualification\":null}}");
	free(text);
}
