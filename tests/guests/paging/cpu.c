// SPDX-License-Identifier: GPL-2.0
#include "paging.h"

#define MSR_EFER 0xc0000080
#define MSR_PKRS 0x6e1

/* Selectors; boot.S has the numbers, too. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA   0x1b
#define USER_CODE   0x23
#define TSS	    0x28
#define LDT	    0x38

#define NR_ENTRIES 33 /* 32 exceptions and VECTOR_SUCCESS */

#ifdef __x86_64__
#define CODE_FLAGS 0x00a0000000000000ULL
#else
#define CODE_FLAGS 0x00c0000000000000ULL
#endif

struct frame {
	unsigned long ip, cs, flags, sp, ss, ax;
};

struct __attribute__((packed)) table_register {
	u16 limit;
	unsigned long base;
};

/* Of the 32-bit and the 64-bit layout what is used: the stack for ring 0. */
struct __attribute__((packed)) tss {
	u32 link;
	unsigned long sp0;
	u32 ss0;
	u32 unused[24];
};

/* boot.S */
extern const unsigned long entries[NR_ENTRIES];
extern const u8 stubs[], stubs_end[], stub_read[], stub_write[], stub_implicit[];
void cpu_enter(const struct frame *frame);

u8 user_page[PAGE] __attribute__((aligned(PAGE)));

static u64 gdt[9] __attribute__((aligned(16)));
static u64 idt[64][sizeof(long) / 4] __attribute__((aligned(16)));
static u8 ring0_stack[4096] __attribute__((aligned(16)));
static struct tss tss;

static u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

#define READ_CR(n)                                                 \
	({                                                         \
		unsigned long v_;                                  \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v_)); \
		v_;                                                \
	})
#define WRITE_CR(n, value) \
	__asm__ volatile("mov %0, %%cr" #n : : "r"((unsigned long)(value)) : "memory")

static void cpuid(u32 leaf, u32 sub, u32 regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(sub));
}

/* A system segment of @type at @base, 16 bytes in long mode; @limit is the last byte. */
static void gdt_system(u32 selector, u8 type, u64 base, u32 limit)
{
	u64 *d = &gdt[selector / 8];

	d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (u64)(type | 0x80) << 40 |
	       (base >> 24 & 0xff) << 56;
#ifdef __x86_64__
	d[1] = base >> 32;
#endif
}

static void gate(u32 vector, unsigned long ip)
{
	/* An interrupt gate that ring 3 may use. */
	idt[vector][0] = (ip & 0xffff) | KERNEL_CODE << 16 | 0xee0000000000ULL |
			 ((u64)ip >> 16 & 0xffff) << 48;
#ifdef __x86_64__
	idt[vector][1] = ip >> 32;
#endif
}

static void load_segments(void)
{
	const struct table_register gdtr = { sizeof(gdt) - 1, (unsigned long)gdt };
	const struct table_register idtr = { sizeof(idt) - 1, (unsigned long)idt };
	struct {
		u32 ip;
		u16 cs;
	} __attribute__((packed)) target;

	__asm__ volatile("lgdt %1\n\t"
			 "lidt %2\n\t"
			 "mov %3, %%ss\n\t"
			 "mov %4, %%ds\n\t"
			 "mov %4, %%es\n\t"
			 "ltr %w5\n\t"
			 "movl $1f, %0\n\t"
			 "movw %6, 4 + %0\n\t"
			 "ljmp *%0\n"
			 "1:"
			 : "=m"(target)
			 : "m"(gdtr), "m"(idtr), "r"(KERNEL_DATA), "r"(USER_DATA), "r"(TSS),
			   "i"(KERNEL_CODE)
			 : "memory");
}

void cpu_init(void)
{
	u32 i;

	gdt[1] = CODE_FLAGS | 0x000f9b000000ffffULL;
	gdt[2] = 0x00cf93000000ffffULL;
	gdt[3] = 0x00cff3000000ffffULL;
	gdt[4] = CODE_FLAGS | 0x000ffb000000ffffULL;
	gdt_system(TSS, 9, (uintptr_t)&tss, sizeof(tss) - 1);
	tss.sp0 = (unsigned long)(ring0_stack + sizeof(ring0_stack));
	tss.ss0 = KERNEL_DATA;
	for (i = 0; i < NR_ENTRIES; i++)
		gate(i < 32 ? i : VECTOR_SUCCESS, entries[i]);
	load_segments();
	__builtin_memcpy(user_page, stubs, (size_t)(stubs_end - stubs));
}

void cpu_paging(const struct mode *mode, u64 root)
{
	/* In long mode PAE and LA57 are on, and stay. */
	WRITE_CR(4, READ_CR(4) | mode->cr4);
	WRITE_CR(3, root);
	WRITE_CR(0, READ_CR(0) | CR0_PG);
}

void cpu_flush(void)
{
	WRITE_CR(3, READ_CR(3));
}

void cpu_set(const struct cpu_state *state)
{
	const u64 cr4_bits = CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS;
	u64 cr4 = (READ_CR(4) & ~cr4_bits) | (state->cr4 & cr4_bits);

	WRITE_CR(0, (READ_CR(0) & ~CR0_WP) | (state->cr0 & CR0_WP));
	/* PKRU is set where PKE is not, too: it must not count there. */
	WRITE_CR(4, cr4 | CR4_PKE);
	__asm__ volatile("wrpkru" : : "a"(state->pkru), "c"(0), "d"(0));
	WRITE_CR(4, cr4);
	if (cpu_has_pks())
		wrmsr(MSR_PKRS, state->pkrs);
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~EFER_NXE) | (state->efer & EFER_NXE));
}

void cpu_get(struct cpu_state *state, u64 *cr3)
{
	state->cr0 = READ_CR(0);
	state->cr4 = READ_CR(4);
	state->efer = rdmsr(MSR_EFER);
	*cr3 = READ_CR(3);
}

bool cpu_has_pks(void)
{
	u32 regs[4];

	cpuid(7, 0, regs);
	return regs[2] >> 31;
}

bool cpu_has_1g(void)
{
	u32 regs[4];

	cpuid(0x80000001, 0, regs);
	return regs[3] >> 26 & 1;
}

u32 cpu_maxphyaddr(void)
{
	u32 regs[4];

	cpuid(0x80000008, 0, regs);
	return regs[0] & 0xff;
}

void cpu_target(u8 *page, u64 va)
{
	page[DATA_AT] = DATA_VALUE;
	*(u64 *)(void *)(page + LDT_AT) = 0x00cff3000000ffffULL;
	page[CODE_AT] = 0xcd; /* int $VECTOR_SUCCESS */
	page[CODE_AT + 1] = VECTOR_SUCCESS;
	gdt_system(LDT, 2, va, 15);
	__asm__ volatile("lldt %w0" : : "r"(LDT));
}

u64 cpu_access_address(u64 va, enum access access)
{
	static const u8 at[NR_ACCESSES] = { DATA_AT, WRITTEN_AT, CODE_AT, LDT_AT };

	return va + at[access];
}

void cpu_access(u64 va, enum access access, bool user, bool ac)
{
	static const u8 *const stub[NR_ACCESSES] = { stub_read, stub_write, NULL, stub_implicit };
	const u8 *code = user ? user_page : stubs;
	struct frame f = {
		.cs = user ? USER_CODE : KERNEL_CODE,
		.flags = 2 | (ac ? EFLAGS_AC : 0),
		.sp = (unsigned long)(ring0_stack + sizeof(ring0_stack) / 2),
		.ss = user ? USER_DATA : KERNEL_DATA,
		.ax = (unsigned long)cpu_access_address(va, access),
	};

	f.ip = stub[access] ? (unsigned long)(code + (stub[access] - stubs)) : f.ax;
	cpu_enter(&f);
}
