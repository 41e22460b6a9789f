// SPDX-License-Identifier: GPL-2.0
/*
 * Judges what a CPU said to the guest's matrix of accesses (matrix.c has the format): the library
 * walks the same entries, predicts each answer, and must be right every time. The matrix must
 * also have had a case of every class that the format knows.
 *
 *	access_check FILE	prints "ok ..." and "not ok ..." lines; exit status 1 after the
 *latter
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_access.h"
#include "user/pt/pt_mode.h"

#define MAX_SHOWN  10
#define NR_RULES   (PT_RULE_EPT + 1)
#define NR_STATES  7 /* WP, SMEP, SMAP, NXE, PKE, PKS, AC */
#define LINE_BYTES 512

/* The entries that the guest named, and nothing else. */
struct few {
	struct pt_mem mem;
	unsigned int count;
	struct {
		uint64_t addr, entry;
	} at[PT_MAX_LEVEL];
};

/* What there was a case of. */
struct seen {
	uint64_t rules[NR_RULES];	    /* bit L: the entry of level L decided */
	uint64_t pages;			    /* bit L: an access to a page of level L was allowed */
	uint64_t states[2];		    /* bit N: the N-th of NR_STATES was 0, 1 */
	uint64_t rsvd[2][PT_MAX_LEVEL + 1]; /* reserved bits, of tables and of leaves */
	uint64_t kinds[2]; /* accesses that were allowed, forbidden: see kind_of() */
};

struct checker {
	char name[16]; /* of the mode, as the guest calls it */
	enum pt_mode mode;
	struct pt_feat feat;
	struct pt_fmt fmt;
	struct pt_cpu cpu;
	struct few few;
	uint64_t cr3, va;
	struct seen seen;
	uint64_t cases, said, wrong, quirks[2];
	bool ended;
};

/* A line's answer, or the library's. */
struct answer {
	char what[4]; /* ok, pf, gp, ?? */
	uint64_t error_code;
};

static int few_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	const struct few *few = pt_container_of(mem, struct few, mem);
	unsigned int i;

	for (i = 0; i < few->count; i++) {
		if (few->at[i].addr != addr)
			continue;
		memcpy(buf, &few->at[i].entry, len);
		return 0;
	}
	return -EFAULT;
}

static const struct pt_mem_ops few_ops = { .read = few_read };

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return !strcmp(a->what, b->what) && a->error_code == b->error_code;
}

static void predict(const struct checker *c, struct few *few, unsigned int access,
		    struct answer *answer, struct pt_check *check, struct pt_path *path)
{
	const struct pt_space space = { .fmt = &c->fmt, .root = c->cr3, .mem = &few->mem };

	pt_lookup(&space, c->va, path);
	pt_check_access(&c->fmt, &c->cpu, path, access, check);
	memset(answer, 0, sizeof(*answer));
	switch (check->verdict) {
	case PT_ALLOWED:
		strcpy(answer->what, "ok");
		break;
	case PT_FAULT:
		strcpy(answer->what, "pf");
		answer->error_code = check->error_code;
		break;
	case PT_GP:
		strcpy(answer->what, "gp");
		break;
	default:
		strcpy(answer->what, "!!");
	}
}

/* ---- where QEMU is known to differ from the manuals ---- */

/*
 * QEMU since 7.2, target/i386/tcg/sysemu/excp_helper.c: do_fault_rsvd no longer falls through to
 * do_fault_protect, so P is missing. SDM vol. 3, 4.7: "bit 3 of the error code can be set only if
 * bit 0 is also set".
 */
static void without_p(const struct checker *c, unsigned int access, struct answer *answer)
{
	(void)c;
	(void)access;
	if (answer->error_code & PT_PF_RSVD)
		answer->error_code &= ~PT_PF_P;
}

/*
 * The same file: in PAE tables QEMU checks bits 51:12 and 63, not 62:52, and of a PDPTE not bits
 * 8:5 and 2:1. SDM vol. 3, tables 4-8 to 4-11.
 */
static void pae_unchecked(const struct checker *c, unsigned int access, struct answer *answer)
{
	struct few few = c->few;
	struct pt_check check;
	struct pt_path path;
	unsigned int i;

	if (c->mode != PT_MODE_PAE)
		return;
	for (i = 0; i < few.count; i++)
		few.at[i].entry &= ~PT_BITS(62, 52);
	few.at[0].entry &= ~(PT_BITS(8, 5) | PT_BITS(2, 1));
	predict(c, &few, access, answer, &check, &path);
}

static const struct {
	const char *name;
	void (*apply)(const struct checker *c, unsigned int access, struct answer *answer);
} quirks[] = {
	{ "reserved bits are reported without P", without_p },
	{ "PAE bits that are not checked", pae_unchecked },
};

/* The library must not have learnt from QEMU: what without_p() cites holds of every prediction. */
static bool lawful(const struct answer *predicted)
{
	return !(predicted->error_code & PT_PF_RSVD) || (predicted->error_code & PT_PF_P);
}

/* Is @said what a known quirk makes of what was predicted? */
static bool excused(struct checker *c, unsigned int access, const struct answer *predicted,
		    const struct answer *said)
{
	struct answer answer;
	unsigned int i;

	for (i = 0; i < sizeof(quirks) / sizeof(*quirks); i++) {
		answer = *predicted;
		quirks[i].apply(c, access, &answer);
		if (!same_answer(&answer, said))
			continue;
		c->quirks[i]++;
		return true;
	}
	return false;
}

/* ---- the lines ---- */

/* "pse" is 32-bit paging with CR4.PSE. */
static bool parse_test(struct checker *c, const char *rest)
{
	unsigned int width, page1g;
	int m;

	if (sscanf(rest, "%15s %x %x", c->name, &width, &page1g) != 3)
		return false;
	c->feat.maxphyaddr = (pt_u8)width;
	c->feat.page1g = page1g & 1;
	c->feat.pse36 = 1;
	c->mode = PT_MODE_32BIT;
	for (m = PT_MODE_NONE; m <= PT_MODE_5LEVEL; m++) {
		if (!strcmp(c->name, pt_mode_name(m)))
			c->mode = m;
	}
	return true;
}

static bool parse_cpu(struct checker *c, const char *rest)
{
	struct pt_cregs regs = { 0 };
	unsigned int i;

	if (sscanf(rest, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx32 " %" SCNx32, &regs.cr0,
		   &regs.cr4, &regs.efer, &c->cpu.pkru, &c->cpu.pkrs) != 5)
		return false;
	if (pt_mode_from_cregs(&regs, &c->feat) != c->mode)
		return false;
	c->cpu.wp = !!(regs.cr0 & PT_CR0_WP);
	c->cpu.smep = !!(regs.cr4 & PT_CR4_SMEP);
	c->cpu.smap = !!(regs.cr4 & PT_CR4_SMAP);
	c->cpu.pke = !!(regs.cr4 & PT_CR4_PKE);
	c->cpu.pks = !!(regs.cr4 & PT_CR4_PKS);

	const bool states[] = { c->cpu.wp,  c->cpu.smep, c->cpu.smap, regs.efer & PT_EFER_NXE,
				c->cpu.pke, c->cpu.pks };

	for (i = 0; i < sizeof(states); i++)
		c->seen.states[states[i]] |= PT_BIT(i);
	return pt_fmt_init(&c->fmt, c->mode, &c->feat) == 0;
}

static bool parse_walk(struct checker *c, const char *rest)
{
	int used;

	c->few.count = 0;
	if (sscanf(rest, "%" SCNx64 " %" SCNx64 "%n", &c->va, &c->cr3, &used) != 2)
		return false;
	for (rest += used; *rest; rest += used) {
		if (c->few.count == PT_MAX_LEVEL ||
		    sscanf(rest, "%" SCNx64 " %" SCNx64 "%n", &c->few.at[c->few.count].addr,
			   &c->few.at[c->few.count].entry, &used) != 2)
			return false;
		c->few.count++;
	}
	return true;
}

/* A number for the access "ur-" and so on; *@access are its PT_ACC_*, *@ac is EFLAGS.AC. */
static int kind_of(const char *word, unsigned int *access, bool *ac)
{
	static const char letters[] = "rwxi";
	static const unsigned int values[] = { 0, PT_ACC_WRITE, PT_ACC_EXEC, PT_ACC_IMPLICIT };
	const char *letter = word[0] && word[1] ? strchr(letters, word[1]) : NULL;

	if (!letter || !strchr("us", word[0]) || (word[2] != 'a' && word[2] != '-') || word[3])
		return -1;
	*ac = word[2] == 'a';
	*access = values[letter - letters] | (word[0] == 'u' ? PT_ACC_USER : 0);
	return (int)(letter - letters) | (word[0] == 'u') << 2 | *ac << 3;
}

static void note(struct checker *c, int kind, const struct pt_check *check,
		 const struct pt_path *path)
{
	const bool leaf = path->top && pt_entry_is_leaf(&c->fmt, path->end.level, path->end.entry);
	struct seen *seen = &c->seen;

	seen->rules[check->rule] |= PT_BIT(check->level);
	seen->kinds[check->verdict != PT_ALLOWED] |= PT_BIT(kind);
	seen->states[c->cpu.ac] |= PT_BIT(NR_STATES - 1);
	if (check->verdict == PT_ALLOWED)
		seen->pages |= PT_BIT(path->end.level);
	if (check->rule == PT_RULE_RESERVED)
		seen->rsvd[leaf][path->end.level] |= path->end.entry;
}

static bool parse_access(struct checker *c, const char *line)
{
	struct answer said = { 0 }, predicted;
	struct pt_check check;
	struct pt_path path;
	unsigned int access;
	char word[4];
	bool ac;
	int kind;

	if (sscanf(line, "%3s %2s %" SCNx64, word, said.what, &said.error_code) < 2)
		return false;
	kind = kind_of(word, &access, &ac);
	if (kind < 0)
		return false;
	c->cpu.ac = ac;
	predict(c, &c->few, access, &predicted, &check, &path);
	note(c, kind, &check, &path);
	c->cases++;
	if (lawful(&predicted) &&
	    (same_answer(&predicted, &said) || excused(c, access, &predicted, &said)))
		return true;
	if (c->wrong++ < MAX_SHOWN)
		printf("va %" PRIx64 " entry %" PRIx64 " level %u wp %u smep %u smap %u nx %u: "
		       "%s, but the library says %s %" PRIx64 ": %s, level %u\n",
		       c->va, path.end.entry, path.end.level, c->cpu.wp, c->cpu.smep, c->cpu.smap,
		       c->feat.nx, line, predicted.what, predicted.error_code,
		       pt_rule_name(check.rule), check.level);
	return true;
}

static bool parse(struct checker *c, const char *line)
{
	if (!strncmp(line, "test ", 5))
		return parse_test(c, line + 5);
	if (!strncmp(line, "cpu ", 4))
		return parse_cpu(c, line + 4);
	if (!strncmp(line, "walk ", 5))
		return parse_walk(c, line + 5);
	if (!strncmp(line, "end ", 4)) {
		c->ended = sscanf(line + 4, "%" SCNx64, &c->said) == 1;
		return c->ended;
	}
	return parse_access(c, line);
}

/* ---- what there must have been ---- */

static unsigned int missing(const char *what, uint64_t got, uint64_t want)
{
	if (!(want & ~got))
		return 0;
	printf("no case: %s: %" PRIx64 " of %" PRIx64 "\n", what, want & ~got, want);
	return 1;
}

/* Levels at which a rule can decide in this format; bit 0: at none of them. */
static uint64_t rule_levels(const struct checker *c, enum pt_rule rule)
{
	const uint64_t all = PT_BIT(c->fmt.top + 1) - 2, leaves = c->fmt.leaf_levels | PT_BIT(1);
	const bool wide = c->fmt.entry_shift == 3, keys = c->mode >= PT_MODE_4LEVEL;

	switch (rule) {
	case PT_RULE_NONE:
		return PT_BIT(0);
	case PT_RULE_PRESENT:
		return all;
	case PT_RULE_RESERVED:
		return wide ? all : c->fmt.leaf_levels;
	case PT_RULE_USER:
	case PT_RULE_WRITE:
		return all & ~c->fmt.free_levels;
	case PT_RULE_NX:
		return wide ? all & ~c->fmt.free_levels : 0;
	case PT_RULE_SMEP:
	case PT_RULE_SMAP:
		return leaves;
	case PT_RULE_PKEY:
		return keys ? leaves : 0;
	case PT_RULE_CANONICAL:
		return c->fmt.va_signed;
	default:
		return 0;
	}
}

static unsigned int missing_reserved(const struct checker *c)
{
	struct pt_feat feat = c->feat;
	unsigned int l, n = 0;
	struct pt_fmt fmt;

	/* Bit 63 is one of them. */
	feat.nx = 0;
	if (pt_fmt_init(&fmt, c->mode, &feat))
		return 1;
	for (l = 1; l <= fmt.top; l++) {
		if (l > 1)
			n += missing("reserved bits of a table entry", c->seen.rsvd[0][l],
				     fmt.rsvd_table[l]);
		if (l == 1 || fmt.leaf_levels >> l & 1)
			n += missing("reserved bits of a leaf", c->seen.rsvd[1][l],
				     fmt.rsvd_leaf[l]);
	}
	return n;
}

static unsigned int missing_classes(const struct checker *c)
{
	/* u and s times r, w, x, i without AC; s times r, w and u times i with it. */
	const uint64_t kinds = 0xff | PT_BIT(8) | PT_BIT(9) | PT_BIT(15);
	const uint64_t states = PT_BIT(NR_STATES) - 1, keys = PT_BIT(4) | PT_BIT(5);
	const uint64_t has = c->mode >= PT_MODE_4LEVEL ? states : states & ~keys;
	unsigned int n = 0, i;

	n += missing("accesses that are allowed", c->seen.kinds[0], kinds);
	n += missing("control bits that are 0", c->seen.states[0], states);
	n += missing("control bits that are 1", c->seen.states[1], has);
	if (c->mode == PT_MODE_NONE)
		return n;
	n += missing("accesses that are forbidden", c->seen.kinds[1], kinds);
	n += missing("sizes of pages", c->seen.pages, c->fmt.leaf_levels | PT_BIT(1));
	for (i = 0; i < NR_RULES; i++)
		n += missing(pt_rule_name(i), c->seen.rules[i], rule_levels(c, i));
	return n + missing_reserved(c);
}

static bool read_lines(struct checker *c, FILE *file)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!parse(c, line)) {
			printf("not ok access: not understood: %s\n", line);
			return false;
		}
	}
	if (!c->ended || c->said != c->cases)
		printf("not ok access: cut off after %" PRIu64 " cases\n", c->cases);
	return c->ended && c->said == c->cases;
}

static bool report(const struct checker *c)
{
	const uint64_t excuses = c->quirks[0] + c->quirks[1];
	unsigned int classes = missing_classes(c), i;

	printf("%s access, %s, %u bits: of %" PRIu64 " cases %" PRIu64 " as predicted, %" PRIu64
	       " up to a known bug of QEMU, %" PRIu64 " not\n",
	       c->wrong ? "not ok" : "ok", c->name, c->feat.maxphyaddr, c->cases,
	       c->cases - excuses - c->wrong, excuses, c->wrong);
	printf("%s access, %s, %u bits: every class has cases\n", classes ? "not ok" : "ok",
	       c->name, c->feat.maxphyaddr);
	for (i = 0; i < sizeof(quirks) / sizeof(*quirks); i++) {
		if (c->quirks[i])
			printf("QEMU's bug: %s: %" PRIu64 " cases\n", quirks[i].name, c->quirks[i]);
	}
	return !c->wrong && !classes;
}

int main(int argc, char **argv)
{
	static struct checker c = { .few.mem.ops = &few_ops };
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	bool good;

	if (!file) {
		fprintf(stderr, "usage: access_check FILE\n");
		return 2;
	}
	good = read_lines(&c, file) && report(&c);
	fclose(file);
	return good ? 0 : 1;
}
