// SPDX-License-Identifier: GPL-2.0
/* VM exits in the record file: what is written is read, and what contradicts itself is not. */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/unit/record_files.h"
#include "user/record/check.h"

TestSuite(record_kvm, .init = enter, .fini = leave);

union vm_record {
	struct ptev_vmexit exit;
	struct ptev_hypercall call;
	struct ptev_violation vio;
};

static union vm_record make(uint8_t type)
{
	static const uint16_t sizes[PTEV_NR_TYPES] = {
		[PTEV_KVM_EXIT] = sizeof(struct ptev_vmexit),
		[PTEV_HYPERCALL] = sizeof(struct ptev_hypercall),
		[PTEV_VIOLATION] = sizeof(struct ptev_violation),
	};
	union vm_record r = { .exit = { .hdr = { .size = sizes[type], .type = type },
					.isa = PTEV_ISA_VMX,
					.flags = PTEV_K_LATENCY } };

	if (type == PTEV_VIOLATION) {
		r.vio.levels = 4;
		r.exit.flags |= PTEV_K_BEFORE | PTEV_K_AFTER;
	}
	return r;
}

static int write_one(const union vm_record *r)
{
	struct rec_totals totals = { .events = 1 };
	struct rec_writer *w;
	int err;

	unlink("x");
	w = create("x");
	err = rec_put(w, r, r->exit.hdr.size);
	cr_assert_eq(rec_close(w, &totals), 0);
	return err;
}

static int read_one(union vm_record *r)
{
	struct rec_reader *reader = open_ok("x");
	const struct ptev_hdr *hdr;
	int ret = rec_next(reader, &hdr);

	if (ret > 0)
		memcpy(r, hdr, hdr->size);
	rec_reader_close(reader);
	return ret;
}

static void expect_good(const union vm_record *r)
{
	union vm_record got = { 0 };

	cr_assert_eq(write_one(r), 0);
	cr_assert_eq(read_one(&got), 1);
	cr_assert_eq(memcmp(&got, r, r->exit.hdr.size), 0);
}

/* The reader's check is the writer's, too. */
static void expect_bad(const union vm_record *r, const char *what)
{
	cr_assert_not(record_ok(&r->exit.hdr), "%s", what);
	cr_assert_eq(write_one(r), -EINVAL, "%s", what);
}

Test(record_kvm, every_kind_comes_back)
{
	uint8_t type;

	for (type = PTEV_KVM_EXIT; type <= PTEV_VIOLATION; type++) {
		union vm_record r = make(type);

		expect_good(&r);
	}
}

Test(record_kvm, every_field_is_checked)
{
	union vm_record r;
	uint8_t type;

	capture_stderr();
	for (type = PTEV_KVM_EXIT; type <= PTEV_VIOLATION; type++) {
		r = make(type);
		r.exit.hdr.size -= 8;
		expect_bad(&r, "size");
		r = make(type);
		r.exit.isa = 0;
		expect_bad(&r, "isa 0");
		r.exit.isa = 3;
		expect_bad(&r, "isa 3");
		r = make(type);
		r.exit.mode = PTEV_NR_MODES;
		expect_bad(&r, "mode");
		r = make(type);
		r.exit.cpl = 4;
		expect_bad(&r, "cpl");
	}
	r = make(PTEV_VIOLATION);
	r.vio.access = PTEV_NR_ACCESSES;
	expect_bad(&r, "access");
	r = make(PTEV_VIOLATION);
	r.vio.outcome = PTEV_NR_VIO;
	expect_bad(&r, "outcome");
	r = make(PTEV_VIOLATION);
	r.vio.levels = 6;
	expect_bad(&r, "levels 6");
	r.vio.levels = 3;
	expect_bad(&r, "a walk of 3 levels");
	r.exit.flags = 0;
	expect_good(&r);
}

/* What a full disk takes is counted, whatever kind of event it is. */
Test(record_kvm, cut_files_count_them)
{
	union vm_record r = make(PTEV_HYPERCALL);
	struct rec_totals totals;
	const struct ptev_hdr *hdr;
	struct rec_reader *reader;
	char buf[16384];
	size_t size;

	cr_assert_eq(write_one(&r), 0);
	size = load("x", buf, sizeof(buf));
	session_in(buf)->end.complete = 0;
	store("cut", buf, size);
	reader = open_ok("cut");
	cr_assert_eq(rec_next(reader, &hdr), 1);
	cr_assert_eq(rec_next(reader, &hdr), 0);
	cr_assert_not(rec_totals(reader, &totals));
	cr_assert_eq(totals.events, 1);
	rec_reader_close(reader);
}
