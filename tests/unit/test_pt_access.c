// SPDX-License-Identifier: GPL-2.0
/*
 * Access checks, row by row as the manuals have them. What a CPU says to the whole matrix of x86
 * accesses is tests/system/lab_access.sh; here are the levels, and what that CPU does not have:
 * shadow stacks, EPT, nested tables.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "user/pt/pt_access.h"

#define ALL   (PT_P | PT_RW | PT_US)
#define RO    (PT_P | PT_US)
#define SUP   (PT_P | PT_RW)
#define U     PT_ACC_USER
#define W     PT_ACC_WRITE
#define X     PT_ACC_EXEC
#define IMP   PT_ACC_IMPLICIT
#define SS    PT_ACC_SHSTK
#define WALK  PT_ACC_WALK
#define FINAL PT_NPF_FINAL
#define ROOT  0x10000

/* Tables for address 0: that of level L lies at ROOT + L pages; all levels say @normal. */
struct tables {
	struct pt_fmt fmt;
	struct pt_mem mem;
	pt_u64 page[PT_MAX_LEVEL + 1][512];
};

static struct tables tables;

static int read_nothing(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	(void)mem;
	(void)addr;
	(void)buf;
	(void)len;
	return -EFAULT;
}

static const struct pt_mem_ops no_ops = { .read = read_nothing };

static struct tables *make(enum pt_mode mode, struct pt_feat feat, pt_u64 normal)
{
	struct tables *t = &tables;
	pt_u32 *words, level;

	memset(t, 0, sizeof(*t));
	feat.maxphyaddr = 46;
	cr_assert_eq(pt_fmt_init(&t->fmt, mode, &feat), 0);
	for (level = 1; level <= t->fmt.top; level++) {
		words = (pt_u32 *)t->page[level];
		if (t->fmt.entry_shift == 2)
			words[0] = (pt_u32)(ROOT + (level - 1) * 4096 + normal);
		else
			t->page[level][0] = ROOT + (level - 1) * 4096 + normal;
	}
	if (mode == PT_MODE_PAE)
		t->page[3][0] &= ~(PT_RW | PT_US);
	t->mem.ops = &no_ops;
	t->mem.window = (pt_u8 *)t->page;
	t->mem.window_start = ROOT;
	t->mem.window_len = sizeof(t->page);
	return t;
}

static struct pt_check judge_at(struct tables *t, const struct pt_cpu *cpu, pt_u64 ia,
				unsigned int access)
{
	const struct pt_space space = { .fmt = &t->fmt,
					.root = ROOT + t->fmt.top * 4096U,
					.mem = &t->mem };
	struct pt_check check;
	struct pt_path path;

	pt_lookup(&space, ia, &path);
	pt_check_access(&t->fmt, cpu, &path, access, &check);
	return check;
}

static struct pt_check judge(struct tables *t, const struct pt_cpu *cpu, unsigned int access)
{
	return judge_at(t, cpu, 0, access);
}

static void expect(const char *what, struct pt_check got, enum pt_verdict verdict,
		   enum pt_rule rule, unsigned int level, pt_u64 code)
{
	pt_u64 number = verdict == PT_VIOLATION ? got.qualification : got.error_code;

	cr_expect_eq(got.verdict, verdict, "%s: verdict %u, not %u", what, got.verdict, verdict);
	cr_expect_eq(got.rule, rule, "%s: %s, not %s", what, pt_rule_name(got.rule),
		     pt_rule_name(rule));
	cr_expect_eq(got.level, level, "%s: level %u, not %u", what, got.level, level);
	cr_expect_eq(number, code, "%s: %#llx, not %#llx", what, (unsigned long long)number,
		     (unsigned long long)code);
}

/* What a row's access must come to; the entry of ->at has the flags ->flags. */
struct row {
	const char *what;
	unsigned int at;
	pt_u64 flags;
	unsigned int access;
	enum pt_verdict verdict;
	enum pt_rule rule;
	unsigned int level;
	pt_u64 code;
};

static void expect_row(struct tables *t, const struct pt_cpu *cpu, const struct row *row)
{
	pt_u64 *entry = &t->page[row->at][0], kept = *entry;

	*entry = (*entry & t->fmt.addr_mask) | row->flags;
	expect(row->what, judge(t, cpu, row->access), row->verdict, row->rule, row->level,
	       row->code);
	*entry = kept;
}

#define EXPECT_ROWS(t, cpu, rows)                                       \
	do {                                                            \
		size_t i_;                                              \
		for (i_ = 0; i_ < sizeof(rows) / sizeof(*(rows)); i_++) \
			expect_row(t, cpu, &(rows)[i_]);                \
	} while (0)

static const struct pt_cpu linux_cpu = { .wp = 1, .smep = 1, .smap = 1 };

Test(pt_access, levels_that_decide)
{
	static const struct row rows[] = {
		{ "all", 1, ALL, U | W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "PML4E not present", 4, ALL & ~PT_P, U, PT_FAULT, PT_RULE_PRESENT, 4, 0x4 },
		{ "PTE not present", 1, ~PT_P, U | W, PT_FAULT, PT_RULE_PRESENT, 1, 0x6 },
		{ "PDPTE reserved", 3, ALL | PT_BIT(50), U, PT_FAULT, PT_RULE_RESERVED, 3, 0xd },
		{ "PML4E large", 4, ALL | PT_PS, U | X, PT_FAULT, PT_RULE_RESERVED, 4, 0x1d },
		{ "PDPTE supervisor", 3, SUP, U, PT_FAULT, PT_RULE_USER, 3, 0x5 },
		{ "PDE read-only", 2, RO, U | W, PT_FAULT, PT_RULE_WRITE, 2, 0x7 },
		{ "PDE read-only, read", 2, RO, U, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "PML4E NX", 4, ALL | PT_NX, U | X, PT_FAULT, PT_RULE_NX, 4, 0x15 },
		{ "PTE NX", 1, ALL | PT_NX, U | X, PT_FAULT, PT_RULE_NX, 1, 0x15 },
		{ "exec overrules write", 1, RO, U | X | W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "supervisor, user page", 1, ALL, 0, PT_FAULT, PT_RULE_SMAP, 1, 0x1 },
		{ "supervisor, exec", 1, ALL, X, PT_FAULT, PT_RULE_SMEP, 1, 0x11 },
		{ "supervisor's by its PDE", 2, SUP, W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "implicit from ring 3", 1, ALL, U | IMP, PT_FAULT, PT_RULE_SMAP, 1, 0x1 },
		{ "implicit, its own page", 1, SUP, U | IMP, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
	};
	struct tables *t = make(PT_MODE_4LEVEL, (struct pt_feat){ .nx = 1 }, ALL);

	EXPECT_ROWS(t, &linux_cpu, rows);
	t->page[2][0] &= ~PT_RW;
	t->page[4][0] &= ~PT_RW;
	expect("two of them", judge(t, &linux_cpu, U | W), PT_FAULT, PT_RULE_WRITE, 4, 7);
	t->page[3][0] &= ~PT_US;
	expect("U/S first", judge(t, &linux_cpu, U | W), PT_FAULT, PT_RULE_USER, 3, 7);
}

Test(pt_access, control_bits)
{
	struct tables *t = make(PT_MODE_4LEVEL, (struct pt_feat){ .nx = 0 }, RO);
	struct pt_cpu cpu = { 0 };

	expect("WP off", judge(t, &cpu, W), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	cpu.wp = 1;
	expect("WP on", judge(t, &cpu, W), PT_FAULT, PT_RULE_WRITE, 4, 3);
	cpu.smap = 1;
	expect("SMAP", judge(t, &cpu, 0), PT_FAULT, PT_RULE_SMAP, 1, 1);
	cpu.ac = 1;
	expect("SMAP, AC", judge(t, &cpu, 0), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	expect("SMAP, AC, implicit", judge(t, &cpu, IMP), PT_FAULT, PT_RULE_SMAP, 1, 1);
	expect("SMAP is no SMEP", judge(t, &cpu, X), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	t->page[1][0] = 0;
	expect("no I/D", judge(t, &cpu, U | X), PT_FAULT, PT_RULE_PRESENT, 1, 4);
	cpu.smep = 1;
	expect("I/D by SMEP", judge(t, &cpu, U | X), PT_FAULT, PT_RULE_PRESENT, 1, 0x14);
	t->page[2][0] |= PT_NX;
	expect("NX without NXE", judge(t, &cpu, U | X), PT_FAULT, PT_RULE_RESERVED, 2, 0x1d);
}

Test(pt_access, protection_keys)
{
	const pt_u64 key = (pt_u64)3 << 59;
	struct tables *t = make(PT_MODE_5LEVEL, (struct pt_feat){ .nx = 1 }, ALL);
	struct pt_cpu cpu = { .wp = 1, .pkru = 2 << 6, .pkrs = 1 << 6 };

	t->page[1][0] |= key;
	expect("PKE off", judge(t, &cpu, U | W), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	cpu.pke = 1;
	cpu.pks = 1;
	expect("WD, read", judge(t, &cpu, U), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	expect("WD, write", judge(t, &cpu, U | W), PT_FAULT, PT_RULE_PKEY, 1, 0x27);
	expect("WD, supervisor", judge(t, &cpu, W), PT_FAULT, PT_RULE_PKEY, 1, 0x23);
	cpu.wp = 0;
	expect("WD, no WP", judge(t, &cpu, W), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	expect("WD, no WP, user", judge(t, &cpu, U | W), PT_FAULT, PT_RULE_PKEY, 1, 0x27);
	cpu.pkru = 1 << 6;
	expect("AD", judge(t, &cpu, U), PT_FAULT, PT_RULE_PKEY, 1, 0x25);
	expect("AD, fetch", judge(t, &cpu, U | X), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	t->page[4][0] &= ~PT_RW;
	expect("AD and read-only", judge(t, &cpu, U | W), PT_FAULT, PT_RULE_PKEY, 1, 0x27);
	cpu.pke = 0;
	t->page[2][0] &= ~PT_US;
	expect("PKRS", judge(t, &cpu, 0), PT_FAULT, PT_RULE_PKEY, 1, 0x21);
	expect("user, supervisor's key", judge(t, &cpu, U), PT_FAULT, PT_RULE_USER, 2, 5);
	cpu.pks = 0;
	expect("PKS off", judge(t, &cpu, 0), PT_ALLOWED, PT_RULE_NONE, 0, 0);
}

Test(pt_access, shadow_stacks)
{
	const pt_u64 user = PT_P | PT_US | PT_D, own = PT_P | PT_D;
	const struct row rows[] = {
		{ "shadow stack", 1, user, U | SS | W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "read of one", 1, user, U | SS, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "plain read", 1, user, U, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "plain write", 1, user, U | W, PT_FAULT, PT_RULE_WRITE, 1, 0x7 },
		{ "plain page", 1, ALL | PT_D, U | SS, PT_FAULT, PT_RULE_SHSTK, 1, 0x45 },
		{ "not dirty", 1, RO, U | SS | W, PT_FAULT, PT_RULE_SHSTK, 1, 0x47 },
		{ "supervisor's, user", 1, own, U | SS, PT_FAULT, PT_RULE_USER, 1, 0x45 },
		{ "supervisor's", 1, own, SS | W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "user's, supervisor", 1, user, SS | W, PT_FAULT, PT_RULE_SHSTK, 1, 0x43 },
		{ "absent", 1, 0, U | SS | W, PT_FAULT, PT_RULE_PRESENT, 1, 0x46 },
	};
	struct tables *t = make(PT_MODE_4LEVEL, (struct pt_feat){ .nx = 1 }, ALL);

	EXPECT_ROWS(t, &linux_cpu, rows);
	t->page[1][0] = (t->page[1][0] & t->fmt.addr_mask) | user;
	t->page[3][0] &= ~PT_RW;
	expect("table read-only", judge(t, &linux_cpu, U | SS), PT_FAULT, PT_RULE_SHSTK, 3, 0x45);
}

Test(pt_access, narrow_modes)
{
	struct tables *t = make(PT_MODE_32BIT, (struct pt_feat){ .pse = 1, .nx = 1 }, RO);
	const struct pt_cpu keys = { .wp = 1, .pke = 1, .pkru = ~0U };

	expect("no I/D in 32-bit tables", judge_at(t, &keys, 0x400000, U | X), PT_FAULT,
	       PT_RULE_PRESENT, 2, 4);
	expect("no keys there", judge(t, &keys, U), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	expect("read-only", judge(t, &keys, W), PT_FAULT, PT_RULE_WRITE, 2, 3);

	t = make(PT_MODE_PAE, (struct pt_feat){ .nx = 1 }, ALL);
	expect("PDPTEs restrict nothing", judge(t, &keys, U | W), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	t->page[3][0] |= PT_RW;
	expect("PDPTE reserved", judge(t, &keys, U), PT_FAULT, PT_RULE_RESERVED, 3, 0xd);

	t = make(PT_MODE_NONE, (struct pt_feat){ .nx = 1 }, ALL);
	expect("no paging", judge(t, &linux_cpu, W), PT_ALLOWED, PT_RULE_NONE, 0, 0);
	expect("no paging, fetch", judge(t, &linux_cpu, X), PT_ALLOWED, PT_RULE_NONE, 0, 0);
}

Test(pt_access, no_walk)
{
	struct tables *t = make(PT_MODE_4LEVEL, (struct pt_feat){ .nx = 1 }, ALL);

	expect("hole between the halves", judge_at(t, &linux_cpu, PT_BIT(47), U), PT_GP,
	       PT_RULE_CANONICAL, 0, 0);
	t->page[3][0] = PT_BIT(40) | ALL;
	expect("unreadable", judge(t, &linux_cpu, U), PT_UNKNOWN, PT_RULE_NONE, 2, 0);
}

Test(pt_access, nested)
{
	const struct row rows[] = {
		{ "read", 1, ALL, 0, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "all are user accesses", 2, SUP, 0, PT_FAULT, PT_RULE_USER, 2, FINAL | 5 },
		{ "absent", 3, 0, W, PT_FAULT, PT_RULE_PRESENT, 3, FINAL | 6 },
		{ "fetch", 1, ALL | PT_NX, X, PT_FAULT, PT_RULE_NX, 1, FINAL | 0x15 },
		{ "reserved", 4, ALL | PT_PS, 0, PT_FAULT, PT_RULE_RESERVED, 4, FINAL | 0xd },
		{ "a walk writes", 1, RO, WALK, PT_FAULT, PT_RULE_WRITE, 1, PT_NPF_WALK | 7 },
		{ "a fetch's walk, too", 1, RO, WALK | X, PT_FAULT, PT_RULE_WRITE, 1,
		  PT_NPF_WALK | 7 },
		{ "no SMAP, no SMEP", 1, ALL, X, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
	};
	struct tables *t = make(PT_MODE_4LEVEL, (struct pt_feat){ .nx = 1, .npt = 1 }, ALL);
	struct pt_cpu cpu = linux_cpu;

	cpu.pke = 1;
	cpu.pkru = ~0U;
	cpu.wp = 0;
	EXPECT_ROWS(t, &cpu, rows);
	expect("beyond the tables", judge_at(t, &cpu, PT_BIT(48), W), PT_FAULT, PT_RULE_CANONICAL,
	       0, FINAL | 6);
}

Test(pt_access, ept)
{
	static const struct row rows[] = {
		{ "read", 1, 7, 0, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "absent", 3, 0, 0, PT_VIOLATION, PT_RULE_PRESENT, 3, 0x1 },
		{ "absent, write", 1, 0, W, PT_VIOLATION, PT_RULE_PRESENT, 1, 0x2 },
		{ "absent, fetch", 1, 0, X, PT_VIOLATION, PT_RULE_PRESENT, 1, 0x4 },
		{ "read-only", 1, 1, W, PT_VIOLATION, PT_RULE_EPT, 1, 0xa },
		{ "R and X", 2, 5, W, PT_VIOLATION, PT_RULE_EPT, 2, 0x2a },
		{ "no X", 4, 3, X, PT_VIOLATION, PT_RULE_EPT, 4, 0x1c },
		{ "X alone", 1, 4, 0, PT_VIOLATION, PT_RULE_EPT, 1, 0x21 },
		{ "X alone, fetch", 1, 4, X | U, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "W alone", 2, 2, 0, PT_MISCONFIG, PT_RULE_EPT, 2, 0 },
		{ "memory type 7", 1, 7 | 7 << 3, 0, PT_MISCONFIG, PT_RULE_EPT, 1, 0 },
		{ "reserved", 3, 7 | PT_BIT(50), W, PT_MISCONFIG, PT_RULE_RESERVED, 3, 0 },
		{ "a walk reads", 1, 1, WALK, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "also a fetch's", 1, 4, WALK | X, PT_VIOLATION, PT_RULE_EPT, 1, 0x21 },
		{ "a walk sets A", 1, 1, WALK | W, PT_VIOLATION, PT_RULE_EPT, 1, 0xa },
	};
	static const struct row with_ad[] = {
		{ "a walk writes", 1, 1, WALK, PT_VIOLATION, PT_RULE_EPT, 1, 0xb },
		{ "absent", 1, 0, WALK, PT_VIOLATION, PT_RULE_PRESENT, 1, 0x3 },
		{ "final", 1, 1, 0, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
	};
	struct pt_feat feat = { .ept_exec_only = 1 };
	struct tables *t = make(PT_MODE_EPT4, feat, 7);

	EXPECT_ROWS(t, NULL, rows);
	expect("beyond", judge_at(t, NULL, PT_BIT(48), X), PT_VIOLATION, PT_RULE_CANONICAL, 0, 4);
	feat.ept_ad = 1;
	t = make(PT_MODE_EPT4, feat, 7);
	EXPECT_ROWS(t, NULL, with_ad);
}

Test(pt_access, ept_mode_based_execute)
{
	static const struct row rows[] = {
		{ "supervisor's", 1, 5, X, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "supervisor's, user", 1, 5, X | U, PT_VIOLATION, PT_RULE_EPT, 1, 0x2c },
		{ "user's", 1, 1 | EPT_XU, X | U, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "user's, supervisor", 1, 1 | EPT_XU, X, PT_VIOLATION, PT_RULE_EPT, 1, 0x4c },
		{ "write", 2, 1 | EPT_XU, W, PT_VIOLATION, PT_RULE_EPT, 2, 0x4a },
	};

	EXPECT_ROWS(make(PT_MODE_EPT5, (struct pt_feat){ .ept_mbec = 1 }, 7 | EPT_XU), NULL, rows);
}

Test(pt_access, ept_shadow_stacks)
{
	static const struct row rows[] = {
		{ "marked", 1, 1 | EPT_SSS, SS | W, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
		{ "marked, plain write", 1, 1 | EPT_SSS, W, PT_VIOLATION, PT_RULE_EPT, 1, 0xa },
		{ "not marked", 1, 7, SS, PT_VIOLATION, PT_RULE_EPT, 1, 0x39 },
		{ "not marked, user's", 1, 7, SS | W | U, PT_ALLOWED, PT_RULE_NONE, 0, 0 },
	};
	struct tables *t = make(PT_MODE_EPT4, (struct pt_feat){ .ept_sss = 1 }, 7);

	EXPECT_ROWS(t, NULL, rows);
	t->page[1][0] = (t->page[1][0] & t->fmt.addr_mask) | 1 | EPT_SSS;
	t->page[3][0] &= ~EPT_W;
	expect("table read-only", judge(t, NULL, SS | W), PT_VIOLATION, PT_RULE_EPT, 3, 0xa);
}

Test(pt_access, texts)
{
	char text[64], small[6];

	cr_expect_str_eq(pt_error_code_text(text, sizeof(text), 0), "");
	cr_expect_str_eq(pt_error_code_text(text, sizeof(text), 0x7), "P W U");
	cr_expect_str_eq(pt_error_code_text(text, sizeof(text), 0x7f), "P W U RSVD I PK SS");
	cr_expect_str_eq(pt_error_code_text(text, sizeof(text), FINAL | 0x8005), "P U SGX final");
	cr_expect_str_eq(pt_error_code_text(small, sizeof(small), 0xd), "P U R");
	cr_expect_str_eq(pt_error_code_text(small, 1, 0xd), "");
	text[0] = 'x';
	pt_error_code_text(text, 0, 0xd);
	cr_expect_eq(text[0], 'x');
	cr_expect_str_eq(pt_rule_name(PT_RULE_NONE), "allowed");
	cr_expect_str_eq(pt_rule_name(PT_RULE_EPT), "forbidden by the EPT entry");
	cr_expect_str_eq(pt_rule_name((enum pt_rule)99), "?");
}
