// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_access.h"

#define KEY_NO_ACCESS 1
#define KEY_NO_WRITE  2

void pt_cpu_from_cregs(struct pt_cpu *cpu, const struct pt_cregs *regs)
{
	*cpu = (struct pt_cpu){
		.wp = !!(regs->cr0 & PT_CR0_WP),
		.smep = !!(regs->cr4 & PT_CR4_SMEP),
		.smap = !!(regs->cr4 & PT_CR4_SMAP),
		.pke = !!(regs->cr4 & PT_CR4_PKE),
		.pks = !!(regs->cr4 & PT_CR4_PKS),
	};
}

/*
 * The access that the tables of @fmt see. A nested table sees only user-mode accesses, and the
 * guest's page walks as writes (APM vol. 2, 15.25.5 and 15.25.6). An access to a system table is
 * a supervisor's in every ring (SDM vol. 3, 4.6.1).
 */
static unsigned int as_seen(const struct pt_fmt *fmt, unsigned int access)
{
	if (fmt->ept || fmt->feat.npt) {
		access &= ~PT_ACC_IMPLICIT;
		if (access & PT_ACC_WALK)
			access &= PT_ACC_WALK | PT_ACC_WRITE;
	} else {
		access &= ~PT_ACC_WALK;
	}
	if (fmt->feat.npt)
		access |= PT_ACC_USER | (access & PT_ACC_WALK ? PT_ACC_WRITE : 0);
	if (access & PT_ACC_IMPLICIT)
		access &= ~PT_ACC_USER;
	if (access & PT_ACC_EXEC)
		access &= ~(PT_ACC_WRITE | PT_ACC_SHSTK);
	return access;
}

/* The uppermost level on @path whose entry does not give all of @perm. */
static pt_u8 forbidding_level(const struct pt_fmt *fmt, const struct pt_path *path, pt_u8 perm)
{
	pt_u8 level;

	for (level = path->top; level > path->end.level; level--) {
		if (perm & ~pt_entry_perm(fmt, level, path->at[level].entry))
			break;
	}
	return level;
}

/* SDM vol. 3, 4.7: the bits that describe the access, not what the tables say. */
static pt_u64 access_bits(const struct pt_fmt *fmt, const struct pt_cpu *cpu, unsigned int access)
{
	pt_u64 bits = 0;

	if (access & PT_ACC_WRITE)
		bits |= PT_PF_W;
	if (access & PT_ACC_USER)
		bits |= PT_PF_U;
	if (access & PT_ACC_SHSTK)
		bits |= PT_PF_SS;
	if (fmt->feat.npt) {
		bits |= access & PT_ACC_EXEC ? PT_PF_I : 0;
		return bits | (access & PT_ACC_WALK ? PT_NPF_WALK : PT_NPF_FINAL);
	}
	if ((access & PT_ACC_EXEC) && (cpu->smep || (fmt->feat.nx && fmt->mode != PT_MODE_32BIT)))
		bits |= PT_PF_I;
	return bits;
}

/*
 * SDM vol. 3, 4.6.2. Keys restrict data accesses alone, and are looked at before R/W and SMAP: an
 * access that both forbid has PK in its error code. U/S comes first all the same: no key of a
 * supervisor page is asked about user accesses. A nested table's keys mean nothing (Linux,
 * arch/x86/kvm/mmu/mmu.c, kvm_init_shadow_npt_mmu(): CR4.PKE is left out).
 */
static bool key_forbids(const struct pt_fmt *fmt, const struct pt_cpu *cpu,
			const struct pt_path *path, unsigned int access)
{
	const bool user_page = path->end.perm & PT_PERM_U;
	pt_u32 key, rights;

	if (fmt->mode != PT_MODE_4LEVEL && fmt->mode != PT_MODE_5LEVEL)
		return false;
	if (fmt->feat.npt || (access & PT_ACC_EXEC) || !(user_page ? cpu->pke : cpu->pks))
		return false;
	key = (pt_u32)((path->end.entry & PT_PK) >> 59);
	rights = (user_page ? cpu->pkru : cpu->pkrs) >> 2 * key;
	if (rights & KEY_NO_ACCESS)
		return true;
	return (rights & KEY_NO_WRITE) && (access & PT_ACC_WRITE) &&
	       ((access & PT_ACC_USER) || cpu->wp);
}

/* Is the page a shadow stack: all entries writable but the last, which is dirty? SDM 4.6.1. */
static bool shadow_stack(const struct pt_fmt *fmt, const struct pt_path *path)
{
	if ((path->end.entry & (PT_RW | PT_D)) != PT_D)
		return false;
	return forbidding_level(fmt, path, PT_PERM_W) == path->end.level;
}

/* Data accesses but shadow-stack ones, and fetches: SDM vol. 3, 4.6.1. */
static enum pt_rule plain_rule(const struct pt_cpu *cpu, pt_u8 perm, unsigned int access)
{
	const bool user = access & PT_ACC_USER, foreign = !user && (perm & PT_PERM_U);

	if (access & PT_ACC_EXEC) {
		if (!(perm & PT_PERM_X))
			return PT_RULE_NX;
		return foreign && cpu->smep ? PT_RULE_SMEP : PT_RULE_NONE;
	}
	if (foreign && cpu->smap && ((access & PT_ACC_IMPLICIT) || !cpu->ac))
		return PT_RULE_SMAP;
	if ((access & PT_ACC_WRITE) && !(perm & PT_PERM_W) && (user || cpu->wp))
		return PT_RULE_WRITE;
	return PT_RULE_NONE;
}

/* The rule that forbids @access to the page at the end of @path. */
static enum pt_rule leaf_rule(const struct pt_fmt *fmt, const struct pt_cpu *cpu,
			      const struct pt_path *path, unsigned int access)
{
	const bool user = access & PT_ACC_USER, user_page = path->end.perm & PT_PERM_U;

	if (user && !user_page)
		return PT_RULE_USER;
	if (key_forbids(fmt, cpu, path, access))
		return PT_RULE_PKEY;
	if ((access & PT_ACC_SHSTK) && !fmt->feat.npt)
		return user == user_page && shadow_stack(fmt, path) ? PT_RULE_NONE : PT_RULE_SHSTK;
	return plain_rule(cpu, path->end.perm, access);
}

/* Which entry decided, where @rule forbids: what a rule asks of all entries. */
static pt_u8 rule_level(const struct pt_fmt *fmt, const struct pt_path *path, enum pt_rule rule)
{
	static const pt_u8 needs[] = {
		[PT_RULE_USER] = PT_PERM_U,
		[PT_RULE_WRITE] = PT_PERM_W,
		[PT_RULE_NX] = PT_PERM_X,
		[PT_RULE_SHSTK] = PT_PERM_W,
	};

	/* The others are about the page, which the last entry makes what it is. */
	if (rule >= sizeof(needs) || !needs[rule])
		return path->end.level;
	return forbidding_level(fmt, path, needs[rule]);
}

static void check_x86(const struct pt_fmt *fmt, const struct pt_cpu *cpu,
		      const struct pt_path *path, unsigned int access, struct pt_check *out)
{
	enum pt_rule rule;

	out->verdict = PT_FAULT;
	out->level = path->end.level;
	out->error_code = access_bits(fmt, cpu, access);
	if (path->end.kind == PT_HOLE) {
		out->rule = PT_RULE_PRESENT;
		return;
	}
	if (path->end.kind == PT_BAD) {
		out->rule = PT_RULE_RESERVED;
		out->error_code |= PT_PF_P | PT_PF_RSVD;
		return;
	}
	rule = path->top ? leaf_rule(fmt, cpu, path, access) : PT_RULE_NONE;
	out->rule = (pt_u8)rule;
	if (rule == PT_RULE_NONE) {
		out->verdict = PT_ALLOWED;
		out->level = 0;
		out->error_code = 0;
		return;
	}
	out->level = rule_level(fmt, path, rule);
	out->error_code |= PT_PF_P | (rule == PT_RULE_PKEY ? PT_PF_PK : 0);
}

/*
 * PT_PERM_* that @access needs of the EPT, and bits 0..2 of a violation's qualification. With
 * accessed and dirty flags in use the guest's page walks are reads and writes in one.
 */
static pt_u8 ept_need(const struct pt_fmt *fmt, unsigned int access, pt_u64 *qualification)
{
	pt_u8 need = PT_PERM_R;

	if (access & PT_ACC_EXEC)
		need = PT_PERM_X;
	else if ((access & PT_ACC_WALK) && fmt->feat.ept_ad)
		need = PT_PERM_R | PT_PERM_W;
	else if (access & PT_ACC_WRITE)
		need = PT_PERM_W;
	*qualification = need;
	if ((access & PT_ACC_EXEC) && (access & PT_ACC_USER))
		need = PT_PERM_XU;
	return need;
}

/*
 * The uppermost entry that forbids @access; 0: none does. With EPTP[7] a supervisor's shadow
 * stack must be marked as one in the leaf, and is written to without W there.
 */
static pt_u8 ept_forbids(const struct pt_fmt *fmt, const struct pt_path *path, unsigned int access,
			 pt_u8 need)
{
	const bool supervisor_stack = (access & PT_ACC_SHSTK) && !(access & PT_ACC_USER);
	const struct pt_walk *end = &path->end;
	pt_u8 level;

	if (!supervisor_stack || !fmt->feat.ept_sss)
		return need & ~end->perm ? forbidding_level(fmt, path, need) : 0;
	level = forbidding_level(fmt, path, need | PT_PERM_R);
	if (level > end->level)
		return level;
	return (end->entry & EPT_SSS) && (end->entry & EPT_R) ? 0 : level;
}

static void check_ept(const struct pt_fmt *fmt, const struct pt_path *path, unsigned int access,
		      struct pt_check *out)
{
	const pt_u8 need = ept_need(fmt, access, &out->qualification);

	out->verdict = PT_VIOLATION;
	out->level = path->end.level;
	if (path->end.kind == PT_HOLE) {
		out->rule = PT_RULE_PRESENT;
		return;
	}
	if (path->end.kind == PT_BAD) {
		out->verdict = PT_MISCONFIG;
		out->rule = path->end.why == PT_WHY_RESERVED ? PT_RULE_RESERVED : PT_RULE_EPT;
		out->qualification = 0;
		return;
	}
	out->level = ept_forbids(fmt, path, access, need);
	if (!out->level) {
		out->verdict = PT_ALLOWED;
		out->qualification = 0;
		return;
	}
	out->rule = PT_RULE_EPT;
	out->qualification |= (pt_u64)(path->end.perm & (PT_PERM_R | PT_PERM_W | PT_PERM_X)) << 3;
	if (fmt->feat.ept_mbec && (path->end.perm & PT_PERM_XU))
		out->qualification |= PT_BIT(6);
}

/* An address that no table can be asked about. */
static void check_address(const struct pt_fmt *fmt, const struct pt_cpu *cpu, unsigned int access,
			  struct pt_check *out)
{
	out->rule = PT_RULE_CANONICAL;
	if (fmt->ept) {
		out->verdict = PT_VIOLATION;
		ept_need(fmt, access, &out->qualification);
	} else if (fmt->feat.npt) {
		out->verdict = PT_FAULT;
		out->error_code = access_bits(fmt, cpu, access);
	} else {
		out->verdict = PT_GP;
	}
}

void pt_check_access(const struct pt_fmt *fmt, const struct pt_cpu *cpu, const struct pt_path *path,
		     unsigned int access, struct pt_check *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	access = as_seen(fmt, access);
	if (path->end.why == PT_WHY_UNREADABLE) {
		out->verdict = PT_UNKNOWN;
		out->level = path->end.level;
	} else if (path->end.why == PT_WHY_NONCANONICAL) {
		check_address(fmt, cpu, access, out);
	} else if (fmt->ept) {
		check_ept(fmt, path, access, out);
	} else {
		check_x86(fmt, cpu, path, access, out);
	}
}

const char *pt_rule_name(enum pt_rule rule)
{
	static const char *const names[] = {
		[PT_RULE_NONE] = "allowed",
		[PT_RULE_PRESENT] = "not present",
		[PT_RULE_RESERVED] = "reserved bit set",
		[PT_RULE_USER] = "user access to a supervisor page",
		[PT_RULE_WRITE] = "write to a read-only page",
		[PT_RULE_NX] = "fetch from a no-execute page",
		[PT_RULE_SMEP] = "supervisor fetch from a user page (SMEP)",
		[PT_RULE_SMAP] = "supervisor access to a user page (SMAP)",
		[PT_RULE_PKEY] = "forbidden by the page's protection key",
		[PT_RULE_SHSTK] = "shadow-stack access to another page",
		[PT_RULE_CANONICAL] = "address out of range",
		[PT_RULE_EPT] = "forbidden by the EPT entry",
	};

	return (unsigned int)rule <= PT_RULE_EPT ? names[rule] : "?";
}

char *pt_error_code_text(char *buf, size_t size, pt_u64 error_code)
{
	static const struct {
		pt_u8 bit;
		const char *name;
	} bits[] = {
		{ 0, "P" },  { 1, "W" },  { 2, "U" },	 { 3, "RSVD" },	  { 4, "I" },
		{ 5, "PK" }, { 6, "SS" }, { 15, "SGX" }, { 32, "final" }, { 33, "walk" },
	};
	size_t used = 0, i;
	const char *c;

	for (i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		if (!(error_code >> bits[i].bit & 1))
			continue;
		if (used && used + 1 < size)
			buf[used++] = ' ';
		for (c = bits[i].name; *c && used + 1 < size; c++)
			buf[used++] = *c;
	}
	if (size)
		buf[used] = '\0';
	return buf;
}
