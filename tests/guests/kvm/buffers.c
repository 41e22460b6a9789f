// SPDX-License-Identifier: GPL-2.0
/*
 * Calls with pointers, as two interfaces have them. KVM answers all of them as numbers that it does
 * not know: they are there to be looked at.
 *
 * bitvisor: rax 0 and the address of a name in rbx ask for a number; rax is a number later, every
 * second time the one that was answered.
 * capsule: rdi is a reason, rsi an address, rdx a length; rax says of which kind the address is.
 *
 * Each buffer is in one page or two, some of which are nowhere.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/guests/kvm/vmm.h"

#define BUFFERS_GPA 0x40000000ULL
#define BUFFERS_GVA 0x20000000ULL
#define VIRTUAL	    0x43505343u	  /* rax of a capsule's call with a gva */
#define PHYSICAL    (VIRTUAL + 1) /* ... with a gpa */
#define LAST_NUMBER 3u

/* Pages by number, from BUFFERS_GPA on: those of two slots, and what is behind them. */
#define SLOT_PAGES 12
#define NR_PAGES   16
#define HOLE	   (-1)	    /* absent in the guest's tables */
#define OUTSIDE	   NR_PAGES /* the guest has a gpa, but no memory there */
#define GONE	   10	    /* the monitor has given the page back to its kernel */

static const struct buffer {
	const char *name;
	u32 offset, len; /* in the first page; with the NUL that ends it */
	int page[2];
	bool physical; /* the call has its gpa; for capsule only */
} buffers[] = {
	{ "whole", 0x128, 40, { 1, HOLE }, false },
	{ "scattered", 0xff0, 64, { 7, 3 }, false },
	{ "absent", 0xff0, 64, { 9, HOLE }, false },
	{ "headless", 0xff0, 64, { HOLE, 5 }, false },
	{ "gone", 0xff0, 64, { 2, GONE }, false },
	{ "slots", 0xfc0, 100, { 8, 13 }, false },
	{ "lost", 0xff8, 30, { 6, OUTSIDE }, false },
	{ "physical", 0x200, 100, { 4, HOLE }, true },
	{ "edge", 0xfe0, 200, { SLOT_PAGES - 1, SLOT_PAGES }, true },
	{ "end", 0xfe0, 64, { NR_PAGES - 1, OUTSIDE }, true },
};
#define NR_VIRTUAL 7u

static u64 buffer_gva(const struct buffer *b)
{
	return BUFFERS_GVA + (u64)(b - buffers) * 16 * PAGE + b->offset;
}

static u64 page_gpa(int page)
{
	return BUFFERS_GPA + (u64)page * PAGE;
}

static u64 buffer_address(const struct buffer *b)
{
	return b->physical ? page_gpa(b->page[0]) + b->offset : buffer_gva(b);
}

/* Bytes of part @p: in the first page, or in the second. */
static u32 part_len(const struct buffer *b, unsigned int p)
{
	u32 first = b->offset + b->len > PAGE ? PAGE - b->offset : b->len;

	return p ? b->len - first : first;
}

/* Why it cannot be read, or NULL. */
static const char *part_missing(const struct buffer *b, unsigned int p)
{
	int page = b->page[p];

	return page == HOLE ? "hole" : page >= OUTSIDE ? "slot" : page == GONE ? "host" : NULL;
}

static bool is_whole(const struct buffer *b)
{
	return !part_missing(b, 0) && (!part_len(b, 1) || !part_missing(b, 1));
}

/*
 * What begins texts that are to lead outputs astray, as programs' names do (tests/system/nasty.c):
 * formula, escape sequence, tag, right-to-left override, quote, lines, another member, C1 as a
 * character and as a byte.
 */
static const char nasty[] = "=\x1b[2J<b>\xe2\x80\xae\"\n; nr=0x7\r\t\\',</script>\xc2\x9b\x9b";

/* Letters, and a NUL behind them. */
static char byte_of(const struct vm *vm, const struct buffer *b, u32 i)
{
	if (i + 1 == b->len)
		return 0;
	if (vm->o->nasty && i < sizeof(nasty) - 1)
		return nasty[i];
	return (char)('a' + number(vm->o->seed, (u64)(b - buffers) << 32 | i, 0) % 26);
}

static void fill_part(struct vm *vm, const struct buffer *b, unsigned int p)
{
	u32 i, first = p ? part_len(b, 0) : 0;
	char *to;

	if (!part_len(b, p) || part_missing(b, p))
		return;
	to = vm_hva(vm, page_gpa(b->page[p])) + (p ? 0 : b->offset);
	for (i = 0; i < part_len(b, p); i++)
		to[i] = byte_of(vm, b, first + i);
}

static void make_buffer(struct vm *vm, const struct buffer *b)
{
	u64 gva = buffer_gva(b) & -(u64)PAGE;
	u64 bits = ENTRY_RW | (vm->o->cpl == 3 ? ENTRY_US : 0);
	unsigned int p;

	for (p = 0; p < 2; p++) {
		if (vm->o->mode->top && !b->physical && b->page[p] != HOLE)
			tables_map(vm, gva + p * PAGE, page_gpa(b->page[p]), 1, bits);
		fill_part(vm, b, p);
	}
}

static struct op *prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	unsigned int r;
	u64 i;

	vm_slot(vm, SLOT_FIRST, BUFFERS_GPA, SLOT_PAGES * PAGE, 0, BACKED_4K);
	vm_slot(vm, SLOT_FIRST + 1, page_gpa(SLOT_PAGES), (NR_PAGES - SLOT_PAGES) * PAGE, 0,
		BACKED_4K);
	for (i = 0; i < LENGTH(buffers); i++)
		make_buffer(vm, &buffers[i]);
	if (madvise(vm_hva(vm, page_gpa(GONE)), PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
	for (i = 0; i < o->n; i++) {
		ops[i].kind = OP_HYPERCALL;
		ops[i].check = 1;
		ops[i].addr = vm_site(i);
		for (r = 0; r < NR_REGS && (r < R8 || o->mode->bits == 64); r++)
			ops[i].regs[r] = number(o->seed, i, r);
	}
	return ops;
}

/* Without paging each address is a gpa. */
static const struct buffer *nth(const struct vm *vm, u64 i, u64 nr)
{
	return vm->o->mode->top ? &buffers[i % nr]
				: &buffers[NR_VIRTUAL + i % (LENGTH(buffers) - NR_VIRTUAL)];
}

/* The name that call @i asks for; NULL: it is a call by number. */
static const struct buffer *bitvisor_buffer(const struct vm *vm, u64 i)
{
	return i % 2 ? NULL : nth(vm, i / 2, NR_VIRTUAL);
}

static const struct buffer *capsule_buffer(const struct vm *vm, u64 i)
{
	return nth(vm, i, LENGTH(buffers));
}

/* Is it by the number that the call before it was given? */
static bool is_by_answer(u64 i)
{
	return i % 4 == 3;
}

void bitvisor_prepare(struct vm *vm)
{
	struct op *op = prepare(vm);
	u64 i;

	for (i = 0; i < vm->o->n; i++, op++) {
		const struct buffer *b = bitvisor_buffer(vm, i);

		op->regs[RAX] = b ? 0 : 1 + i / 2 % LAST_NUMBER;
		if (is_by_answer(i))
			op->regs[RAX] = call_answer(vm->o, 0);
		if (b)
			op->regs[RBX] = buffer_address(b);
		op->value = call_answer(vm->o, op->regs[RAX]);
	}
}

void capsule_prepare(struct vm *vm)
{
	struct op *op = prepare(vm);
	u64 i;

	for (i = 0; i < vm->o->n; i++, op++) {
		const struct buffer *b = capsule_buffer(vm, i);
		bool physical = vm->o->mode->top ? b->physical : i % 2;

		op->regs[RAX] = physical ? PHYSICAL : VIRTUAL;
		op->regs[RDI] = i;
		op->regs[RSI] = buffer_address(b);
		op->regs[RDX] = b->len;
		op->regs[RCX] &= 7;
		op->value = call_answer(vm->o, op->regs[RAX]);
	}
}

/* "ADDRESS:BYTES" or "ADDRESS:WHY" for each page, with commas between them. */
static void print_parts(const struct vm *vm, const struct buffer *b)
{
	u32 i, at = 0;
	unsigned int p;

	for (p = 0; p < 2 && part_len(b, p); p++) {
		printf("%s0x%" PRIx64 ":", p ? "," : "", buffer_address(b) + at);
		if (part_missing(b, p))
			printf("%s", part_missing(b, p));
		for (i = 0; i < part_len(b, p) && !part_missing(b, p); i++)
			printf("%02x", byte_of(vm, b, at + i));
		at += part_len(b, p);
	}
}

/* What is there from its begin on. */
static void print_text(const struct vm *vm, const struct buffer *b)
{
	u32 at, len = part_missing(b, 0) ? 0 : part_len(b, 0);

	if (is_whole(b))
		len = b->len - 1;
	for (at = 0; at < len; at++)
		putchar(byte_of(vm, b, at));
}

static void print_buffer(const struct vm *vm, u64 i, const struct buffer *b)
{
	unsigned int p;

	printf("buffer i=%" PRIu64 " name=%s space=%s addr=0x%" PRIx64 " len=%u gpa=", i, b->name,
	       b->physical ? "gpa" : "gva", buffer_address(b), b->len);
	for (p = 0; p < 2 && part_len(b, p); p++) {
		if (b->page[p] != HOLE)
			printf("%s0x%" PRIx64, p && b->page[0] != HOLE ? "," : "",
			       page_gpa(b->page[p]) + (p ? 0 : b->offset));
	}
	printf(" parts=");
	print_parts(vm, b);
	printf(" text=");
	print_text(vm, b);
	printf("%s\n", is_whole(b) ? "" : " absent");
}

static void report(const struct vm *vm, const struct buffer *(*buffer_of)(const struct vm *, u64))
{
	const struct vcpu *c = &vm->vcpus[0];
	const struct buffer *last = NULL;
	u64 i;

	for (i = 0; i < c->nr; i++) {
		const struct buffer *b = buffer_of(vm, i);

		if (b && is_whole(b))
			last = b;
		if (b)
			print_buffer(vm, i, b);
		report_call(c, i, &c->ops[i]);
		if (!b && is_by_answer(i) && last) {
			printf("named i=%" PRIu64 " name=", i);
			print_text(vm, last);
			putchar('\n');
		}
	}
}

void bitvisor_report(struct vm *vm)
{
	report(vm, bitvisor_buffer);
}

void capsule_report(struct vm *vm)
{
	report(vm, capsule_buffer);
}
