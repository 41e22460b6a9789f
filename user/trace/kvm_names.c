// SPDX-License-Identifier: GPL-2.0
#include "user/trace/kvm_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bpf/events.h"
#include "user/trace/names.h"

#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))
#define NAME_OF(table, i) ((i) < ARRAY_SIZE(table) && (table)[i] ? (table)[i] : "?")

/* Intel SDM vol. 3, table C-1. */
static const char *const vmx_reasons[] = {
	"exception_nmi",
	"external_interrupt",
	"triple_fault",
	"init",
	"sipi",
	"io_smi",
	"other_smi",
	"interrupt_window",
	"nmi_window",
	"task_switch",
	"cpuid",
	"getsec",
	"hlt",
	"invd",
	"invlpg",
	"rdpmc",
	"rdtsc",
	"rsm",
	"vmcall",
	"vmclear",
	"vmlaunch",
	"vmptrld",
	"vmptrst",
	"vmread",
	"vmresume",
	"vmwrite",
	"vmxoff",
	"vmxon",
	"cr_access",
	"mov_dr",
	"io",
	"rdmsr",
	"wrmsr",
	"invalid_guest_state",
	"msr_load",
	NULL,
	"mwait",
	"monitor_trap",
	NULL,
	"monitor",
	"pause",
	"machine_check",
	NULL,
	"tpr_below_threshold",
	"apic_access",
	"virtualized_eoi",
	"gdtr_idtr",
	"ldtr_tr",
	"ept_violation",
	"ept_misconfig",
	"invept",
	"rdtscp",
	"preemption_timer",
	"invvpid",
	"wbinvd",
	"xsetbv",
	"apic_write",
	"rdrand",
	"invpcid",
	"vmfunc",
	"encls",
	"rdseed",
	"pml_full",
	"xsaves",
	"xrstors",
	"pconfig",
	"spp",
	"umwait",
	"tpause",
	"loadiwkey",
	"enclv",
	NULL,
	"enqcmd_pasid",
	"enqcmds_pasid",
	"bus_lock",
	"notify",
	"seamcall",
	"tdcall",
	"rdmsrlist",
	"wrmsrlist",
};

#define VMX_ENTRY_FAILED (1u << 31)

/* AMD APM vol. 2, table C-1, from 60h on. */
#define SVM_FIRST 0x60
static const char *const svm_reasons[] = {
	"intr",	       "nmi",	    "smi",	  "init",    "vintr",	   "cr0_sel_write",
	"idtr_read",   "gdtr_read", "ldtr_read",  "tr_read", "idtr_write", "gdtr_write",
	"ldtr_write",  "tr_write",  "rdtsc",	  "rdpmc",   "pushf",	   "popf",
	"cpuid",       "rsm",	    "iret",	  "swint",   "invd",	   "pause",
	"hlt",	       "invlpg",    "invlpga",	  "ioio",    "msr",	   "task_switch",
	"ferr_freeze", "shutdown",  "vmrun",	  "vmmcall", "vmload",	   "vmsave",
	"stgi",	       "clgi",	    "skinit",	  "rdtscp",  "icebp",	   "wbinvd",
	"monitor",     "mwait",	    "mwait_cond", "xsetbv",  "rdpru",	   "efer_write_trap",
};

/* Ranges of that table with a register or vector in the low bits, and what lies apart. */
static const struct {
	uint32_t first, last;
	const char *format;
} svm_ranges[] = {
	{ 0x00, 0x0f, "cr%u_read" },
	{ 0x10, 0x1f, "cr%u_write" },
	{ 0x20, 0x2f, "dr%u_read" },
	{ 0x30, 0x3f, "dr%u_write" },
	{ 0x40, 0x5f, "exception_%u" },
	{ 0x90, 0x9f, "cr%u_write_trap" },
	{ 0xa0, 0xa0, "invlpgb" },
	{ 0xa1, 0xa1, "invlpgb_illegal" },
	{ 0xa2, 0xa2, "invpcid" },
	{ 0xa3, 0xa3, "mcommit" },
	{ 0xa4, 0xa4, "tlbsync" },
	{ 0xa5, 0xa5, "bus_lock" },
	{ 0xa6, 0xa6, "idle_hlt" },
	{ 0x400, 0x400, "npf" },
	{ 0x401, 0x401, "avic_incomplete_ipi" },
	{ 0x402, 0x402, "avic_noaccel" },
	{ 0x403, 0x403, "vmgexit" },
	{ 0xfffffffe, 0xfffffffe, "busy" },
	{ 0xffffffff, 0xffffffff, "invalid" },
};

static const char *svm_reason(char *buf, uint32_t reason)
{
	size_t i;

	if (reason >= SVM_FIRST && reason - SVM_FIRST < ARRAY_SIZE(svm_reasons))
		return svm_reasons[reason - SVM_FIRST];
	for (i = 0; i < ARRAY_SIZE(svm_ranges); i++) {
		if (reason < svm_ranges[i].first || reason > svm_ranges[i].last)
			continue;
		if (svm_ranges[i].first == svm_ranges[i].last)
			return svm_ranges[i].format;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(buf, 40, svm_ranges[i].format, reason - svm_ranges[i].first);
#pragma GCC diagnostic pop
		return buf;
	}
	snprintf(buf, 40, "0x%x", reason);
	return buf;
}

const char *name_exit_reason(char *buf, unsigned int isa, uint32_t reason)
{
	uint32_t basic = reason & PTEV_VMX_BASIC;

	if (isa != PTEV_ISA_VMX)
		return svm_reason(buf, reason);
	if (basic >= ARRAY_SIZE(vmx_reasons) || !vmx_reasons[basic])
		snprintf(buf, 40, "0x%x", reason);
	else if (reason & VMX_ENTRY_FAILED)
		snprintf(buf, 40, "%s (entry failed)", vmx_reasons[basic]);
	else
		return vmx_reasons[basic];
	return buf;
}

const char *name_isa(unsigned int isa)
{
	static const char *const names[] = { [PTEV_ISA_VMX] = "vmx", [PTEV_ISA_SVM] = "svm" };

	return NAME_OF(names, isa);
}

const char *name_guest_mode(unsigned int mode)
{
	static const char *const names[PTEV_NR_MODES] = {
		[PTEV_MODE_UNKNOWN] = "unknown", [PTEV_MODE_REAL] = "real",
		[PTEV_MODE_16] = "16",		 [PTEV_MODE_32] = "32",
		[PTEV_MODE_64] = "64",		 [PTEV_MODE_LEGACY] = "legacy",
	};

	return NAME_OF(names, mode);
}

const char *name_violation(unsigned int outcome)
{
	static const char *const names[PTEV_NR_VIO] = {
		[PTEV_VIO_UNKNOWN] = "unknown",	      [PTEV_VIO_MAPPED] = "mapped",
		[PTEV_VIO_CHANGED] = "changed",	      [PTEV_VIO_SPURIOUS] = "spurious",
		[PTEV_VIO_EMULATED] = "emulated",     [PTEV_VIO_MMIO] = "mmio",
		[PTEV_VIO_MMIO_USER] = "mmio_user",   [PTEV_VIO_USER] = "user",
		[PTEV_VIO_UNRESOLVED] = "unresolved",
	};

	return NAME_OF(names, outcome);
}

const char *name_event(unsigned int type)
{
	static const char *const names[PTEV_NR_TYPES] = {
		[PTEV_FAULT] = "fault",		[PTEV_KVM_EXIT] = "exit",
		[PTEV_HYPERCALL] = "hypercall", [PTEV_VIOLATION] = "violation",
		[PTEV_REMAP] = "remap",
	};

	return NAME_OF(names, type);
}

struct bit_name {
	uint64_t bit;
	const char *name;
};

/*
 * Intel SDM vol. 3, table 28-7: the access, what the EPT entries allow, and for which access the
 * gpa was used. "gva": the guest-linear address is valid; "final": the gpa is its translation and
 * not of a paging structure.
 */
static const struct bit_name ept_bits[] = {
	{ 1 << 0, "read" },   { 1 << 1, "write" },    { 1 << 2, "fetch" },  { 1 << 3, "ept_r" },
	{ 1 << 4, "ept_w" },  { 1 << 5, "ept_x" },    { 1 << 6, "ept_xu" }, { 1 << 7, "gva" },
	{ 1 << 8, "final" },  { 1 << 9, "gva_user" }, { 1 << 10, "gva_w" }, { 1 << 11, "gva_nx" },
	{ 1 << 12, "iret" },  { 1 << 13, "shstk" },   { 1 << 14, "sss" },   { 1 << 15, "verify" },
	{ 1 << 16, "async" },
};

/* AMD APM vol. 2, 15.25.6: a page fault's error code, and which of the two tables was walked for.
 */
static const struct bit_name npf_bits[] = {
	{ PTEV_EC_P, "P" },	  { PTEV_EC_W, "W" },	   { PTEV_EC_U, "U" },
	{ PTEV_EC_RSVD, "RSVD" }, { PTEV_EC_I, "I" },	   { PTEV_EC_SS, "SS" },
	{ 1ull << 31, "RMP" },	  { 1ull << 32, "final" }, { 1ull << 33, "table" },
	{ 1ull << 34, "ENC" },	  { 1ull << 35, "SIZEM" }, { 1ull << 36, "VMPL" },
	{ 1ull << 37, "SSS" },
};

static char *bits_text(char *buf, const struct bit_name *bits, size_t n, uint64_t value)
{
	char *p = buf;
	size_t i;

	for (i = 0; i < n; i++)
		if (value & bits[i].bit)
			p += sprintf(p, "%s%s", p == buf ? "" : "|", bits[i].name);
	if (p == buf)
		strcpy(buf, "-");
	return buf;
}

/* With "%u" for the level. */
static const char *const stops[PTEV_NR_STOPS] = {
	[PTEV_STOP_CR3] = "CR3 is not known",
	[PTEV_STOP_ENCRYPTED] = "encrypted",
	[PTEV_STOP_NESTED] = "of a nested guest",
	[PTEV_STOP_HOLE] = "the guest's entry of level %u is absent",
	[PTEV_STOP_BAD] = "the guest's entry of level %u is malformed",
	[PTEV_STOP_TABLE] = "the guest's table of level %u is not readable",
	[PTEV_STOP_SLOT] = "no memory slot",
	[PTEV_STOP_HOST] = "not in the host's memory",
	[PTEV_STOP_SLOTS] = "KVM's memory slots are not known",
	[PTEV_STOP_CHANGED] = "the slots changed",
};

const char *name_stop(char *buf, unsigned int stop, unsigned int level)
{
	const char *text = stop < PTEV_NR_STOPS ? stops[stop] : NULL;
	const char *at = text ? strstr(text, "%u") : NULL;

	if (stop == PTEV_STOP_BAD && !level)
		return "not canonical";
	if (!text)
		return "?";
	if (!at)
		return text;
	snprintf(buf, 64, "%.*s%u%s", (int)(at - text), text, level, at + 2);
	return buf;
}

char *name_violation_bits(char *buf, unsigned int isa, uint32_t reason, uint64_t info1)
{
	if (isa == PTEV_ISA_SVM)
		return bits_text(buf, npf_bits, ARRAY_SIZE(npf_bits), info1);
	if ((reason & PTEV_VMX_BASIC) == PTEV_VMX_EPT_VIOLATION)
		return bits_text(buf, ept_bits, ARRAY_SIZE(ept_bits), info1);
	strcpy(buf, "-");
	return buf;
}

unsigned int name_kvm_want(const char *word, size_t len)
{
	static const struct {
		const char *name;
		unsigned int want;
	} events[] = {
		{ "exit", PTEV_WANT_EXIT },
		{ "hypercall", PTEV_WANT_HYPERCALL },
		{ "violation", PTEV_WANT_VIOLATION },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (strlen(events[i].name) == len && !memcmp(events[i].name, word, len))
			return events[i].want;
	return 0;
}
