// SPDX-License-Identifier: GPL-2.0
/* What hypercalls point to: what is asked for, records of it, names that are learned. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "bpf/classify_kvm.h"
#include "user/record/kvm_check.h"
#include "user/report/kvm_view.h"
#include "user/trace/call_specs.h"
#include "user/trace/kvm_names.h"

static struct abi *abi_of(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct abi *abi;

	cr_assert_eq(abi_read(&abi, in, "t"), 0);
	fclose(in);
	return abi;
}

/* Two buffers, as the BPF programs put them: a string of two pages and bytes with a hole. */
struct call {
	struct ptev_hypercall call;
	struct ptev_buffer name;
	char text[8];
	struct ptev_buffer data;
	char bytes[8];
};

static struct call make(void)
{
	struct call c = {
		.call = { .exit = { .isa = PTEV_ISA_SVM,
				    .pid = 7,
				    .mode = PTEV_MODE_64,
				    .flags = PTEV_K_ARGS | PTEV_K_REGS | PTEV_K_BUFFERS |
					     PTEV_K_RET },
			  .rbx = 0x1ffe,
			  .rcx = 0x2ffb,
			  .rdx = 6,
			  .ret = 5 },
		.name = { .address = 0x1ffe,
			  .length = 64,
			  .wanted = 64,
			  .len = { 2, 3 },
			  .virt = 1,
			  .string = 1 },
		.text = "name",
		.data = { .address = 0x2ffb,
			  .length = 6,
			  .wanted = 6,
			  .len = { 5 },
			  .stop = { 0, PTEV_STOP_HOST } },
		.bytes = "\1\2\3\4\5",
	};

	c.call.exit.hdr = (struct ptev_hdr){ .size = sizeof(c), .type = PTEV_HYPERCALL };
	return c;
}

#define OK(c) rec_kvm_ok(&(c)->call.exit.hdr)

/* Changes one thing and expects that nobody takes that for a record. */
#define BAD(change)                          \
	do {                                 \
		struct call c = make();      \
                                             \
		change;                      \
		cr_expect(!OK(&c), #change); \
	} while (0)

Test(kvm_buffers, good_records)
{
	struct call c = make();

	cr_expect(OK(&c));
	/* One buffer; without a flag it is another record's size. */
	c.call.exit.hdr.size = offsetof(struct call, data);
	cr_expect(OK(&c));
	c.call.exit.flags &= (__u16)~PTEV_K_BUFFERS;
	cr_expect(!OK(&c));
	/* A string that ends in its first page. */
	c = make();
	c.name.address = 0x1000;
	c.name.len[0] = 5;
	c.name.len[1] = 0;
	cr_expect(OK(&c));
	c.name.address = 0x1ffb;
	cr_expect(!OK(&c), "five bytes that are all of a page, a NUL the last: more is not read");
	c.name.stop[1] = PTEV_STOP_END;
	cr_expect(OK(&c));
	/* No bytes at all. */
	c.data = (struct ptev_buffer){ .address = ~0ull };
	c.call.exit.hdr.size -= 8;
	cr_expect(OK(&c));
}

Test(kvm_buffers, bad_records)
{
	BAD(c.call.exit.hdr.size -= 8);
	BAD(c.call.exit.hdr.size += 8);
	BAD(c.call.exit.hdr.size = sizeof(c.call));
	BAD(c.call.exit.hdr.size = sizeof(c.call) + 8);
	BAD(c.name.wanted = PTEV_BUFFER_BYTES + 1; c.name.length = 1000);
	BAD(c.name.length = 63);
	BAD(c.name.virt = 2);
	BAD(c.name.string = 2);
	BAD(c.name.string = 0);
	BAD(c.name.len[0] = 1);
	BAD(c.name.len[1] = 63);
	BAD(c.name.len[1] = 2);
	BAD(c.name.stop[0] = PTEV_STOP_HOLE);
	BAD(c.name.stop[1] = PTEV_STOP_END);
	BAD(c.name.stop[1] = PTEV_STOP_HOLE);
	BAD(c.name.stop[1] = PTEV_NR_STOPS);
	BAD(c.name.level[0] = PTEV_LEVELS + 1);
	BAD(c.data.stop[0] = PTEV_STOP_END; c.data.len[0] = 0);
	BAD(c.data.stop[1] = PTEV_STOP_END);
	BAD(c.data.stop[1] = 0);
	BAD(c.data.len[0] = 4);
	BAD(c.data.address = 0x2000);
	BAD(c.data.len[0] = 0xffff);
}

static const char *const words = "abi t\nnumber rax\nreturn rax\n"
				 "call 0 ask name=string:gva:rbx:64 data=bytes:gpa:rcx:rdx\n"
				 "learn 0 name\ncall * other\n";

static void expect(const struct abi *abi, const struct ptev_hypercall *c,
		   const struct learned *learned, const char *want)
{
	struct call_view view;
	struct line l = { 0 };

	cr_assert(call_view(&view, abi, c, learned));
	abi_call_line(&l, abi, &view.seen);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

Test(kvm_buffers, told)
{
	struct abi *abi = abi_of(words);
	struct call c = make();

	expect(abi, &c.call, NULL,
	       "ask(name=\"name\", data=01 02 03 04 05 <1 byte at 0x3000: not in the host's memory>)"
	       " = 0x5");
	/* Another ABI's buffers: at another address, of another length, of another space. */
	c.name.address--;
	c.data.length = 7;
	expect(abi, &c.call, NULL, "ask(name=0x1ffe, data=0x2ffb) = 0x5");
	c = make();
	c.data.virt = 1;
	c.call.exit.flags &= (__u16)~PTEV_K_BUFFERS;
	expect(abi, &c.call, NULL, "ask(name=0x1ffe, data=0x2ffb) = 0x5");
	c.call.exit.flags |= PTEV_K_BUFFERS;
	expect(abi, &c.call, NULL, "ask(name=\"name\", data=0x2ffb) = 0x5");
	/* The upper half of a register is nothing to 32-bit code; addresses wrap at its end. */
	c = make();
	c.call.exit.mode = PTEV_MODE_32;
	c.call.rcx = 0xf00000000 | (c.data.address = 0xfffffffb);
	c.call.rdx |= 0xf00000000;
	expect(abi, &c.call, NULL,
	       "ask(name=\"name\", data=01 02 03 04 05 <1 byte at 0x0: not in the host's memory>)"
	       " = 0x5");
	abi_free(abi);
}

Test(kvm_buffers, learned)
{
	struct abi *abi = abi_of(words);
	struct learned learned = { 0 };
	struct call c = make(), later = make();
	struct call_view view;

	later.call.rax = 5;
	expect(abi, &later.call, &learned, "other#0x5() = 0x5");
	cr_assert(call_view(&view, abi, &c.call, &learned));
	cr_expect_eq(call_learn(&learned, abi, &view, &c.call), 0);
	expect(abi, &later.call, &learned, "name#0x5() = 0x5");
	/* Another VM has other names; and a later one is the one that counts. */
	later.call.exit.pid++;
	expect(abi, &later.call, &learned, "other#0x5() = 0x5");
	cr_expect_eq(learned_add(&learned, 7, 5, "new"), 0);
	cr_expect_str_eq(learned_name(&learned, 7, 5), "new");
	/* Numbers that the ABI itself has a line for keep that. */
	cr_expect_eq(learned_add(&learned, 7, 0, "never"), 0);
	cr_assert(call_view(&view, abi, &c.call, &learned));
	cr_expect_null(view.seen.learned);
	learned_free(&learned);
	abi_free(abi);
}

/* Guests may ask for any number of names. */
Test(kvm_buffers, learned_is_bounded)
{
	struct learned learned = { 0 };
	unsigned int i;
	char name[16];

	for (i = 0; i < LEARNED_MAX + 10; i++) {
		snprintf(name, sizeof(name), "%u", i);
		cr_assert_eq(learned_add(&learned, i % 3, i, name), 0);
	}
	cr_expect_eq(learned.nr, LEARNED_MAX);
	cr_expect_str_eq(learned_name(&learned, 1, 100), "100");
	cr_expect_null(learned_name(&learned, 0, 100));
	cr_expect_null(learned_name(&learned, (LEARNED_MAX + 1) % 3, LEARNED_MAX + 1));
	learned_free(&learned);
}

Test(kvm_buffers, specs)
{
	struct abi *abi = abi_of("abi t\nmode 64\nnumber rcx 15:4\n"
				 "call 1 a x=hex:rbx s=string:gva:rsi:99 d=bytes:gpa:rdi:r8\n"
				 "call 2 b f=bytes:gpa:r11:7\ncall 3 c\n");
	const struct abi_mode *m = &abi->mode[ABI_64];
	struct call_number numbers[2];
	struct call_spec s = call_spec(abi_call(m, 1));

	cr_expect(s.buffer[0].used && s.buffer[0].reg == ABI_RSI && s.buffer[0].virt &&
		  s.buffer[0].string && !s.buffer[0].len_is_reg && s.buffer[0].len == 99);
	cr_expect(s.buffer[1].used && s.buffer[1].reg == ABI_RDI && !s.buffer[1].virt &&
		  !s.buffer[1].string && s.buffer[1].len_is_reg && s.buffer[1].len == ABI_R8);
	s = call_spec(abi_call(m, 2));
	cr_expect(s.buffer[0].used && s.buffer[0].len == 7 && !s.buffer[1].used);
	s = call_spec(abi_call(m, 3));
	cr_expect(!s.buffer[0].used);
	call_specs_numbers(numbers, abi);
	cr_expect(!numbers[0].used);
	cr_expect(numbers[1].used && numbers[1].reg == ABI_RCX && numbers[1].shift == 4 &&
		  numbers[1].bits == 12);
	cr_expect_eq(call_specs_count(abi), 3 + 2);
	cr_expect(call_specs_any(abi, true) && call_specs_any(abi, false));
	cr_expect(!call_specs_any(NULL, false));
	abi_free(abi);
	abi = abi_of("abi t\nnumber rax\ncall * a x=hex:rbx d=bytes:gpa:rdi:9\n");
	cr_expect(call_specs_any(abi, false) && !call_specs_any(abi, true));
	abi_free(abi);
}

Test(kvm_buffers, paging)
{
	const __u64 pg = GUEST_CR0_PG, pae = GUEST_CR4_PAE, la57 = GUEST_CR4_LA57;

	cr_expect_eq(kvm_guest_paging(1, pae | la57, GUEST_EFER_LMA), GUEST_NO_PAGING);
	cr_expect_eq(kvm_guest_paging(pg, 0, 0), GUEST_32BIT);
	cr_expect_eq(kvm_guest_paging(pg, GUEST_CR4_PSE, 0), GUEST_PSE);
	cr_expect_eq(kvm_guest_paging(pg, pae | GUEST_CR4_PSE, 0), GUEST_PAE);
	cr_expect_eq(kvm_guest_paging(pg, pae, GUEST_EFER_LMA), GUEST_4LEVEL);
	cr_expect_eq(kvm_guest_paging(pg, pae | la57, GUEST_EFER_LMA), GUEST_5LEVEL);
}

Test(kvm_buffers, reasons)
{
	unsigned int stop;
	char buf[64];

	for (stop = PTEV_STOP_CR3; stop < PTEV_NR_STOPS; stop++)
		cr_expect(strlen(name_stop(buf, stop, PTEV_LEVELS)) > 1, "%u", stop);
	cr_expect_str_eq(name_stop(buf, PTEV_STOP_HOLE, 2),
			 "the guest's entry of level 2 is absent");
	cr_expect_str_eq(name_stop(buf, PTEV_STOP_BAD, 0), "not canonical");
	cr_expect_str_eq(name_stop(buf, PTEV_NR_STOPS, 0), "?");
}
