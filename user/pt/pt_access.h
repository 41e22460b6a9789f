/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Would this access fault? SDM vol. 3, 4.6 (access rights, protection keys), 4.7 (page-fault
 * error code), 29.3.3 (EPT violations), table 28-7 (exit qualification); AMD APM vol. 2, 5.6, 8.4.2
 * and 15.25.6 (nested page faults).
 */
#ifndef PT_ACCESS_H
#define PT_ACCESS_H

#include "pt_mode.h"
#include "pt_space.h"

/* What the CPU is set to, apart from the tables' format. Each is 0 or 1 but the two key masks. */
struct pt_cpu {
	pt_u8 wp;    /* CR0.WP: supervisor writes respect R/W */
	pt_u8 smep;  /* CR4.SMEP */
	pt_u8 smap;  /* CR4.SMAP */
	pt_u8 ac;    /* EFLAGS.AC: explicit supervisor accesses are free of SMAP */
	pt_u8 pke;   /* CR4.PKE: PKRU counts for user pages */
	pt_u8 pks;   /* CR4.PKS: PKRS counts for supervisor pages */
	pt_u32 pkru; /* bit 2k: no data access, bit 2k+1: no writes, to pages of key k */
	pt_u32 pkrs;
};

/* What control registers say of it; the others (AC, the key masks) are 0. SDM vol. 3, 4.1.3. */
void pt_cpu_from_cregs(struct pt_cpu *cpu, const struct pt_cregs *regs);

/* The access; without PT_ACC_WRITE and PT_ACC_EXEC a read. EXEC overrules WRITE and SHSTK. */
#define PT_ACC_WRITE 1
#define PT_ACC_EXEC  2
/* CPL 3. EPT: the linear address is a user-mode one (mode-based execute, shadow stacks). */
#define PT_ACC_USER 4
/* Made by the CPU to a system table: a supervisor's in every ring, and AC is no help. */
#define PT_ACC_IMPLICIT 8
#define PT_ACC_SHSTK	16 /* shadow-stack access */
/* EPT and NPT: the access is one of the guest's page walk, not to the final page. */
#define PT_ACC_WALK 32

/* Page-fault error code: SDM vol. 3, figure 4-12. NPT's EXITINFO1 has the same low bits. */
#define PT_PF_P	     PT_BIT(0)
#define PT_PF_W	     PT_BIT(1)
#define PT_PF_U	     PT_BIT(2)
#define PT_PF_RSVD   PT_BIT(3)
#define PT_PF_I	     PT_BIT(4)
#define PT_PF_PK     PT_BIT(5)
#define PT_PF_SS     PT_BIT(6)
#define PT_NPF_FINAL PT_BIT(32) /* EXITINFO1: fault at the final guest-physical address */
#define PT_NPF_WALK  PT_BIT(33) /* EXITINFO1: fault at a guest page-table entry */

enum pt_verdict {
	PT_ALLOWED,
	PT_FAULT,     /* #PF (or #NPF) with ->error_code */
	PT_GP,	      /* the address is not canonical: #GP (stack: #SS), no error code of a walk */
	PT_VIOLATION, /* EPT violation with ->qualification */
	PT_MISCONFIG, /* EPT misconfiguration: no qualification */
	PT_UNKNOWN,   /* a table could not be read */
};

/* What decided. */
enum pt_rule {
	PT_RULE_NONE,
	PT_RULE_PRESENT,
	PT_RULE_RESERVED,
	PT_RULE_USER,
	PT_RULE_WRITE,
	PT_RULE_NX,
	PT_RULE_SMEP,
	PT_RULE_SMAP,
	PT_RULE_PKEY,
	PT_RULE_SHSTK,
	PT_RULE_CANONICAL,
	PT_RULE_EPT,
};

struct pt_check {
	pt_u8 verdict; /* enum pt_verdict */
	pt_u8 rule;    /* enum pt_rule */
	pt_u8 level;   /* of the entry that decided; of several, the uppermost; 0: none */
	pt_u64 error_code;
	pt_u64 qualification; /* of a violation: bits 0..6; 7 and 8 the caller knows */
};

/*
 * Judges @access (PT_ACC_*) at the end of the walk @path in @fmt's tables. @cpu is not looked at
 * for EPT. Of several rules that forbid an access one is named, the protection key's first, whose
 * bit the error code then has; U/S comes before it.
 *
 * Where CPUs differ: PAE's PDPTEs are judged as they are read in the walk (APM vol. 2, 15.25.10):
 * reserved bits make a #PF. Intel's CPUs load all four at MOV to CR3, which is a #GP then (SDM
 * vol. 3, 4.4.1).
 */
void pt_check_access(const struct pt_fmt *fmt, const struct pt_cpu *cpu, const struct pt_path *path,
		     unsigned int access, struct pt_check *out);

/* "write to a read-only page", ...: one phrase per rule. */
const char *pt_rule_name(enum pt_rule rule);
/* Names of the error code's bits into @buf ("P W U"), at most @size bytes; returns @buf. */
char *pt_error_code_text(char *buf, size_t size, pt_u64 error_code);

#endif
