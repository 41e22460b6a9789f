// SPDX-License-Identifier: GPL-2.0
/* The formats of the tool's own events, from the structures that their raw data are made of. */
#include <inttypes.h>
#include <string.h>

#include "user/record/kinds.h"
#include "user/trace/names.h"

struct field {
	const char *type, *name, *array;
	uint16_t offset, size; /* in the record */
};

#define FIELD(type, member, of, words)                                                   \
	{                                                                                \
#of, #member, words, offsetof(type, member), sizeof(((type *)0)->member) \
	}
#define FAULT(member, of) FIELD(struct ptev_fault, member, of, "")
#define EXIT(member, of)  FIELD(struct ptev_vmexit, member, of, "")
#define CALL(member, of)  FIELD(struct ptev_hypercall, member, of, "")
#define VIO(member, of)	  FIELD(struct ptev_violation, member, of, "")
#define PART(type, name, member)                           \
	{                                                  \
		"u64", name, "", offsetof(type, member), 8 \
	}
#define WALK(type, name, member)                               \
	{                                                      \
		"u64", name, "[5]", offsetof(type, member), 40 \
	}

/* The record's time is not one: see kinds.h. */
#define LATE                                                            \
	{                                                               \
		"u64", "late", "", offsetof(struct ptev_fault, time), 8 \
	}

static const struct field fault_fields[] = {
	FAULT(error_code, u32),
	LATE,
	FAULT(flags, u16),
	FAULT(origin, u8),
	FAULT(access, u8),
	FAULT(outcome, u8),
	FAULT(levels, u8),
	WALK(struct ptev_fault, "before", before),
	PART(struct ptev_fault, "latency", x.latency),
	{ "u32", "vm_fault", "", offsetof(struct ptev_fault, x.vm_fault), 4 },
	{ "u32", "fault_flags", "", offsetof(struct ptev_fault, x.fault_flags), 4 },
	PART(struct ptev_fault, "vma_start", x.vma_start),
	PART(struct ptev_fault, "vma_end", x.vma_end),
	PART(struct ptev_fault, "vma_flags", x.vma_flags),
	PART(struct ptev_fault, "vma_pgoff", x.vma_pgoff),
	PART(struct ptev_fault, "ino", x.ino),
	{ "u32", "dev", "", offsetof(struct ptev_fault, x.dev), 4 },
	{ "u32", "vma_tgid", "", offsetof(struct ptev_fault, x.vma_tgid), 4 },
	WALK(struct ptev_fault, "after", x.after),
	{ 0 },
};

static const struct field exit_fields[] = {
	EXIT(reason, u32),
	LATE,
	EXIT(latency, u64),
	EXIT(info1, u64),
	EXIT(info2, u64),
	EXIT(vcpu, u32),
	EXIT(flags, u16),
	EXIT(intr_info, u32),
	EXIT(isa, u8),
	EXIT(mode, u8),
	EXIT(cpl, u8),
	EXIT(user_exit, u8),
	{ 0 },
};

static const struct field call_fields[] = {
	CALL(rax, u64), CALL(rbx, u64), CALL(rcx, u64), CALL(rdx, u64),
	CALL(rsi, u64), CALL(rdi, u64), CALL(r8, u64),	CALL(r9, u64),
	CALL(r10, u64), CALL(r11, u64), CALL(ret, u64), { 0 },
};

static const struct field violation_fields[] = {
	VIO(gva, u64),
	VIO(hva, u64),
	VIO(root, u64),
	VIO(slot, u16),
	VIO(as_id, u16),
	VIO(access, u8),
	VIO(levels, u8),
	VIO(outcome, u8),
	WALK(struct ptev_violation, "before", before),
	WALK(struct ptev_violation, "after", after),
	{ 0 },
};

#define REMAP(member, of) FIELD(struct ptev_remap, member, of, "")

static const struct field remap_fields[] = {
	REMAP(id, u32),
	LATE,
	REMAP(old, u64),
	REMAP(new, u64),
	REMAP(gpa, u64),
	REMAP(of, u32),
	REMAP(vm_fd, int),
	REMAP(what, u16),
	REMAP(event, u8),
	REMAP(cause, u8),
	REMAP(level, u8),
	REMAP(flags, u8),
	FIELD(struct ptev_remap, comm, char, "[16]"),
	{ 0 },
};

static void put_field(struct blob *out, const char *type, const char *name, const char *array,
		      size_t offset, size_t size)
{
	blob_printf(out, "\tfield:%s %s%s;\toffset:%zu;\tsize:%zu;\tsigned:%d;\n", type, name,
		    array, offset, size, *type == 'i');
}

static void put_fields(const struct rec_kind *kind, const struct field *f, struct blob *out)
{
	for (; f->type; f++)
		put_field(out, f->type, f->name, f->array, kind_raw_offset(kind, f->offset),
			  f->size);
}

/* A number in words: "__print_symbolic(REC->FIELD, { 0, "user" }, ...)" */
static void put_words(struct blob *out, const char *field, const char *(*name)(unsigned int),
		      unsigned int nr)
{
	unsigned int i;

	blob_printf(out, ", __print_symbolic(REC->%s", field);
	for (i = 0; i < nr; i++)
		blob_printf(out, ", { %u, \"%s\" }", i, name(i));
	blob_printf(out, ")");
}

static void put_fault_text(struct blob *out)
{
	blob_printf(out, "\"%%s %%s error_code=0x%%x outcome=%%s latency=%%llu "
			 "vma=0x%%llx-0x%%llx\"");
	put_words(out, "origin", name_origin, PTEV_NR_ORIGINS);
	put_words(out, "access", name_access, PTEV_NR_ACCESSES);
	blob_printf(out, ", REC->error_code");
	put_words(out, "outcome", name_outcome, PTEV_NR_OUTCOMES);
	blob_printf(out, ", REC->latency, REC->vma_start, REC->vma_end\n");
}

static void put_exit_text(const struct rec_kind *kind, struct blob *out)
{
	static const struct {
		const char *text, *values;
	} own[PTEV_NR_TYPES] = {
		[PTEV_KVM_EXIT] = { "", "" },
		[PTEV_HYPERCALL] = { " rax=0x%llx rbx=0x%llx rcx=0x%llx rdx=0x%llx rsi=0x%llx "
				     "ret=0x%llx",
				     ", REC->rax, REC->rbx, REC->rcx, REC->rdx, REC->rsi, "
				     "REC->ret" },
		[PTEV_VIOLATION] = { " hva=0x%llx slot=%u", ", REC->hva, REC->slot" },
	};

	blob_printf(
		out,
		"\"vcpu=%%u isa=%%u reason=0x%%x latency=%%llu info1=0x%%llx info2=0x%%llx%s\", "
		"REC->vcpu, REC->isa, REC->reason, REC->latency, REC->info1, REC->info2%s\n",
		own[kind->type].text, own[kind->type].values);
}

static void put_remap_text(struct blob *out)
{
	blob_printf(out, "\"%%s id=%%u what=%%u of=%%u old=0x%%llx new=0x%%llx level=%%u cause=%%u "
			 "gpa=0x%%llx\"");
	put_words(out, "event", name_remap, PTEV_NR_REMAPS);
	blob_printf(out, ", REC->id, REC->what, REC->of, REC->old, REC->new, REC->level, "
			 "REC->cause, REC->gpa\n");
}

static const struct field *fields_of(const struct rec_kind *kind)
{
	if (kind->type == PTEV_FAULT)
		return fault_fields;
	return kind->type == PTEV_REMAP ? remap_fields : exit_fields;
}

void kind_format(const struct rec_kind *kind, struct blob *out)
{
	blob_printf(out, "name: %s\nID: %u\nformat:\n", kind->name, kind->id);
	put_field(out, "unsigned short", "common_type", "", 0, 2);
	put_field(out, "unsigned char", "common_flags", "", 2, 1);
	put_field(out, "unsigned char", "common_preempt_count", "", 3, 1);
	put_field(out, "int", "common_pid", "", 4, 4);
	blob_printf(out, "\n");
	put_fields(kind, fields_of(kind), out);
	if (kind->type == PTEV_HYPERCALL)
		put_fields(kind, call_fields, out);
	if (kind->type == PTEV_VIOLATION)
		put_fields(kind, violation_fields, out);
	blob_printf(out, "\nprint fmt: ");
	if (kind->type == PTEV_FAULT)
		put_fault_text(out);
	else if (kind->type == PTEV_REMAP)
		put_remap_text(out);
	else
		put_exit_text(kind, out);
}
