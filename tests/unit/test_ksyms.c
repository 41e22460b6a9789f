// SPDX-License-Identifier: GPL-2.0
/* Code of the kernel's that comes and goes: BPF programs, trampolines. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "user/record/side.h"
#include "user/sym/symbols.h"

#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"
#define PLACE	   0xffffffffc0001000ull

union ksym_record {
	struct ptev_ksym sym;
	char room[sizeof(struct ptev_ksym) + 64];
};

static union ksym_record ksym(uint64_t time, uint64_t addr, uint32_t len, const char *name,
			      bool gone)
{
	union ksym_record r;

	memset(&r, 0, sizeof(r));
	r.sym = (struct ptev_ksym){
		.hdr = { .size = sizeof(r), .type = PTEV_KSYM },
		.len = len,
		.time = time,
		.addr = addr,
		.ksym_type = PERF_RECORD_KSYMBOL_TYPE_BPF,
		.flags = gone ? PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER : 0,
	};
	strncpy(r.sym.name, name, 63);
	return r;
}

static void feed(struct symbols *s, uint64_t time, uint64_t addr, uint32_t len, const char *name,
		 bool gone)
{
	union ksym_record r = ksym(time, addr, len, name, gone);

	cr_assert_eq(symbols_feed(s, &r.sym), 0);
}

static void expect(struct symbols *s, uint64_t ip, uint64_t time, const char *expected)
{
	const struct symbol *sym = symbols_find(s, NULL, 1, ip, time);
	char text[128];

	snprintf(text, sizeof(text), "%s+%lu %s", sym->name, (unsigned long)sym->offset, sym->dso);
	cr_expect_str_eq(text, expected);
}

Test(ksyms, what_is_at_an_address_depends_on_the_time)
{
	struct symbols *s = symbols_new(NO_SUCH_ID);

	feed(s, 100, PLACE, 64, "bpf_prog_aa_one", false);
	feed(s, 200, PLACE, 64, "bpf_prog_aa_one", true);
	feed(s, 300, PLACE + 32, 256, "bpf_prog_bb_two", false);
	expect(s, PLACE + 40, 99, "[unknown]+0 [kernel]");
	expect(s, PLACE + 40, 100, "bpf_prog_aa_one+40 [bpf]");
	expect(s, PLACE + 64, 100, "[unknown]+0 [kernel]");
	expect(s, PLACE + 40, 250, "[unknown]+0 [kernel]");
	expect(s, PLACE + 40, 300, "bpf_prog_bb_two+8 [bpf]");
	expect(s, PLACE + 10, 300, "[unknown]+0 [kernel]");
	/* Answers are kept; they must not be mixed up. */
	expect(s, PLACE + 40, 150, "bpf_prog_aa_one+40 [bpf]");
	expect(s, PLACE + 40, 350, "bpf_prog_bb_two+8 [bpf]");
	symbols_free(s);
}

Test(ksyms, records_may_come_late)
{
	struct symbols *s = symbols_new(NO_SUCH_ID);

	feed(s, 200, PLACE, 64, "second", false);
	feed(s, 150, PLACE, 64, "first", true);
	feed(s, 100, PLACE, 64, "first", false);
	expect(s, PLACE, 120, "first+0 [bpf]");
	expect(s, PLACE, 170, "[unknown]+0 [kernel]");
	expect(s, PLACE, 220, "second+0 [bpf]");
	symbols_free(s);
}

Test(ksyms, senseless_ones_are_left_out)
{
	struct symbols *s = symbols_new(NO_SUCH_ID);

	feed(s, 1, PLACE, 0, "empty", false);
	feed(s, 1, UINT64_MAX - 10, 100, "wraps", false);
	expect(s, PLACE, 1, "[unknown]+0 [kernel]");
	expect(s, UINT64_MAX - 5, 1, "[unknown]+0 [kernel]");
	symbols_free(s);
}

/* To perf's record and back. */
Test(ksyms, as_perf_has_them)
{
	union ksym_record r = ksym(77, PLACE, 4096, "bpf_trampoline_6442509567_1", true), *back;
	_Alignas(8) char made[1 << 16];
	struct perf_event_header *h = (void *)made;
	struct side_record out;
	uint64_t time = 0;
	size_t size;

	r.sym.hdr.size = sizeof(r.sym) + 32;
	size = side_to_perf(made, &r.sym.hdr, 16, &time);
	cr_assert_eq(size, 24 + 32);
	cr_assert_eq(h->size, size + 16);
	cr_assert_eq(h->type, PERF_RECORD_KSYMBOL);
	cr_assert_eq(time, 77);
	cr_assert_str_eq(made + 24, "bpf_trampoline_6442509567_1");
	cr_assert_eq(side_from_perf(&out, h, 16, time), 1);
	back = (union ksym_record *)out.room;
	cr_assert_eq(back->sym.hdr.size, r.sym.hdr.size);
	cr_assert_eq(memcmp(back, &r, r.sym.hdr.size), 0);
	h->size = 24 + 16;
	cr_assert_eq(side_from_perf(&out, h, 16, time), -EINVAL);
}
