// SPDX-License-Identifier: GPL-2.0
#include "user/record/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/classify_kvm.h"
#include "user/base/hash.h"
#include "user/record/formats.h"

#define THREADS_MAX 65536 /* with an exit open at a time */

enum use { NO_USE, FAULT_USER, FAULT_KERNEL, EXIT, ENTRY, CALL, VIOLATION, NR_USES };

enum { FIELDS_MAX = 8 };

/* Fields of each event, by the places in foreign.fields[]. */
enum { F_ADDRESS, F_IP, F_ERROR };
enum { E_REASON, E_RIP, E_ISA, E_INFO1, E_INFO2, E_INTR, E_VCPU };
enum { C_NR, C_A0, C_A1, C_A2, C_A3 };
enum { V_GPA, V_ERROR };

static const struct {
	const char *system, *name;
	const char *fields[FIELDS_MAX];
} events[NR_USES] = {
	[FAULT_USER] = { "exceptions", "page_fault_user", { "address", "ip", "error_code" } },
	[FAULT_KERNEL] = { "exceptions", "page_fault_kernel", { "address", "ip", "error_code" } },
	[EXIT] = { "kvm",
		   "kvm_exit",
		   { "exit_reason", "guest_rip", "isa", "info1", "info2", "intr_info",
		     "vcpu_id" } },
	[ENTRY] = { "kvm", "kvm_entry", { NULL } },
	[CALL] = { "kvm", "kvm_hypercall", { "nr", "a0", "a1", "a2", "a3" } },
	[VIOLATION] = { "kvm", "kvm_page_fault", { "fault_address", "error_code" } },
};

/* The exit that a thread has open. */
struct open_exit {
	uint32_t tid;
	bool open;
	union foreign_record record;
};

struct foreign {
	struct attrs *attrs;
	struct format_field fields[NR_USES][FIELDS_MAX];
	uint64_t need[NR_USES]; /* bytes of raw data that hold all fields */
	bool has[NR_USES];
	struct ptev_fault whole; /* that is handed out; zeros behind its front */
	struct open_exit *threads;
	uint32_t nr, room, rest; /* rest: the next that foreign_rest() looks at */
	struct hash_index index; /* by tid */
};

static bool same_thread(const void *ctx, uint32_t slot, const void *key)
{
	return ((const struct foreign *)ctx)->threads[slot].tid == *(const uint32_t *)key;
}

static void learn_field(struct foreign *f, enum use use, unsigned int i, struct format_field field)
{
	uint64_t end = (uint64_t)field.offset + field.size;

	f->fields[use][i] = field;
	if (end > f->need[use])
		f->need[use] = end;
}

static int learn(void *ctx, const struct format *format)
{
	struct foreign *f = ctx;
	unsigned int use, i;

	for (use = NO_USE + 1; use < NR_USES; use++)
		if (!strcmp(events[use].system, format->system) &&
		    !strcmp(events[use].name, format->name))
			break;
	if (use == NR_USES)
		return 0;
	f->need[use] = 0;
	for (i = 0; i < FIELDS_MAX && events[use].fields[i]; i++)
		learn_field(f, use, i, format_find(format, events[use].fields[i]));
	for (i = 0; i < f->attrs->nr; i++) {
		struct rec_attr *attr = &f->attrs->attr[i];

		if (attr->type != PERF_TYPE_TRACEPOINT || attr->config != format->id)
			continue;
		attr->use = use;
		f->has[use] = true;
	}
	return 0;
}

struct foreign *foreign_new(const void *data, size_t size, struct attrs *attrs)
{
	struct foreign *f = calloc(1, sizeof(*f));
	uint32_t i;

	if (!f)
		return NULL;
	f->attrs = attrs;
	if (size)
		formats_each(data, size, learn, f);
	/* All else that is known of VMs belongs to an exit. */
	for (i = 0; i < attrs->nr; i++)
		if (attrs->attr[i].use > EXIT && !f->has[EXIT])
			attrs->attr[i].use = NO_USE;
	return f;
}

void foreign_free(struct foreign *f)
{
	if (!f)
		return;
	free(f->threads);
	hash_free(&f->index);
	free(f);
}

void foreign_info(const struct foreign *f, struct rec_info *info)
{
	info->no_faults = !f->has[FAULT_USER] && !f->has[FAULT_KERNEL];
	if (!f->has[EXIT])
		return;
	info->kvm = PTEV_WANT_EXIT;
	if (f->has[CALL])
		info->kvm |= PTEV_WANT_HYPERCALL;
	if (f->has[VIOLATION])
		info->kvm |= PTEV_WANT_VIOLATION;
}

/* Of raw data that hold every field: see foreign_sample(). */
static uint64_t value(const struct foreign *f, enum use use, int field, const struct rec_sample *s)
{
	uint64_t word;

	if (f->fields[use][field].size == sizeof(word)) {
		memcpy(&word, (const char *)s->raw + f->fields[use][field].offset, sizeof(word));
		return word;
	}
	return format_value(&f->fields[use][field], s->raw, s->raw_size);
}

static uint8_t access_of(uint64_t error)
{
	return error & PTEV_EC_I ? PTEV_EXEC : error & PTEV_EC_W ? PTEV_WRITE : PTEV_READ;
}

static void make_fault(const struct foreign *f, enum use use, const struct rec_sample *s,
		       union foreign_record *out)
{
	uint64_t error = value(f, use, F_ERROR, s);
	struct ptev_fault *fault = &out->fault;

	memset(fault, 0, PTEV_FAULT_BASE);
	fault->hdr = (struct ptev_hdr){ .size = PTEV_FAULT_BASE, .type = PTEV_FAULT };
	fault->error_code = (uint32_t)error;
	fault->time = s->time;
	fault->address = value(f, use, F_ADDRESS, s);
	fault->ip = value(f, use, F_IP, s);
	fault->pid = s->pid;
	fault->tid = s->tid;
	fault->cpu = (uint16_t)s->cpu;
	fault->origin = use == FAULT_USER ? PTEV_USER : PTEV_KERNEL;
	fault->access = access_of(error);
}

/* The front of what tells of VMs. */
static void make_front(const struct rec_sample *s, uint8_t type, size_t size,
		       union foreign_record *out)
{
	memset(out, 0, size);
	out->call.exit = (struct ptev_vmexit){
		.hdr = { .size = (uint16_t)size, .type = type },
		.time = s->time,
		.pid = s->pid,
		.tid = s->tid,
		.cpu = (uint16_t)s->cpu,
	};
}

static void make_exit(const struct foreign *f, const struct rec_sample *s,
		      union foreign_record *out)
{
	struct ptev_vmexit *e = &out->call.exit;

	make_front(s, PTEV_KVM_EXIT, sizeof(*e), out);
	e->reason = (uint32_t)value(f, EXIT, E_REASON, s);
	e->rip = value(f, EXIT, E_RIP, s);
	e->info1 = value(f, EXIT, E_INFO1, s);
	e->info2 = value(f, EXIT, E_INFO2, s);
	e->vcpu = (uint32_t)value(f, EXIT, E_VCPU, s);
	e->intr_info = (uint32_t)value(f, EXIT, E_INTR, s);
	e->isa = value(f, EXIT, E_ISA, s) == PTEV_ISA_SVM ? PTEV_ISA_SVM : PTEV_ISA_VMX;
}

static void make_call(const struct foreign *f, const struct rec_sample *s,
		      union foreign_record *out)
{
	make_front(s, FOREIGN_CALL, sizeof(out->call), out);
	out->call.rax = value(f, CALL, C_NR, s);
	out->call.rbx = value(f, CALL, C_A0, s);
	out->call.rcx = value(f, CALL, C_A1, s);
	out->call.rdx = value(f, CALL, C_A2, s);
	out->call.rsi = value(f, CALL, C_A3, s);
}

static void make_violation(const struct foreign *f, const struct rec_sample *s,
			   union foreign_record *out)
{
	make_front(s, FOREIGN_VIOLATION, sizeof(out->violation), out);
	out->violation.gpa = value(f, VIOLATION, V_GPA, s);
	out->violation.exit.info1 = value(f, VIOLATION, V_ERROR, s);
}

int foreign_sample(const struct foreign *f, const struct rec_attr *attr, const struct rec_sample *s,
		   union foreign_record *out)
{
	enum use use = attr->use;

	if (s->raw_size < f->need[use])
		return -EINVAL;
	switch (use) {
	case FAULT_USER:
	case FAULT_KERNEL:
		make_fault(f, use, s, out);
		return 1;
	case EXIT:
		make_exit(f, s, out);
		return 1;
	case ENTRY:
		make_front(s, FOREIGN_ENTRY, sizeof(out->call.exit), out);
		return 1;
	case CALL:
		make_call(f, s, out);
		return 1;
	case VIOLATION:
		make_violation(f, s, out);
		return 1;
	default:
		return 0;
	}
}

static struct open_exit *find_thread(const struct foreign *f, uint32_t tid)
{
	int64_t slot = hash_find(&f->index, hash_u64(tid), same_thread, f, &tid);

	return slot < 0 ? NULL : &f->threads[slot];
}

static struct open_exit *add_thread(struct foreign *f, uint32_t tid)
{
	struct open_exit *grown;

	if (f->nr == THREADS_MAX)
		return NULL;
	if (f->nr == f->room) {
		grown = reallocarray(f->threads, f->room ? f->room * 2ul : 16, sizeof(*grown));
		if (!grown)
			return NULL;
		f->room = f->room ? f->room * 2 : 16;
		f->threads = grown;
	}
	if (hash_add(&f->index, hash_u64(tid), f->nr))
		return NULL;
	f->threads[f->nr] = (struct open_exit){ .tid = tid };
	return &f->threads[f->nr++];
}

/* An exit: what the thread had open ends without an entry. */
static int pair_exit(struct foreign *f, const struct ptev_vmexit *e, union foreign_record *out)
{
	struct open_exit *t = find_thread(f, e->tid);
	bool open = t && t->open;

	if (!t)
		t = add_thread(f, e->tid);
	if (!t) {
		out->call.exit = *e;
		return 1;
	}
	if (open)
		*out = t->record;
	memset(&t->record, 0, sizeof(t->record));
	t->record.call.exit = *e;
	t->open = true;
	return open;
}

static int pair_entry(struct foreign *f, const struct ptev_vmexit *entry, union foreign_record *out)
{
	struct open_exit *t = find_thread(f, entry->tid);

	if (!t || !t->open)
		return 0;
	t->open = false;
	*out = t->record;
	if (entry->time >= out->call.exit.time) {
		out->call.exit.latency = entry->time - out->call.exit.time;
		out->call.exit.flags |= PTEV_K_LATENCY;
	}
	return 1;
}

/*
 * The open exit of the thread becomes one of another kind; once, and only if its reason is of that
 * kind: with shadow paging, kvm_page_fault tells of an exception and of a gva.
 */
static struct open_exit *promote(struct foreign *f, uint32_t tid, uint8_t type, size_t size)
{
	struct open_exit *t = find_thread(f, tid);
	struct ptev_vmexit *e = t ? &t->record.call.exit : NULL;

	if (!t || !t->open || e->hdr.type != PTEV_KVM_EXIT ||
	    kvm_record_type(e->isa, e->reason) != type)
		return NULL;
	e->hdr = (struct ptev_hdr){ .size = (uint16_t)size, .type = type };
	return t;
}

static int pair_call(struct foreign *f, const struct ptev_hypercall *call)
{
	struct open_exit *t = promote(f, call->exit.tid, PTEV_HYPERCALL, sizeof(*call));

	if (!t)
		return 0;
	t->record.call.exit.flags |= PTEV_K_ARGS;
	t->record.call.rax = call->rax;
	t->record.call.rbx = call->rbx;
	t->record.call.rcx = call->rcx;
	t->record.call.rdx = call->rdx;
	t->record.call.rsi = call->rsi;
	return 0;
}

/*
 * arch/x86/kvm: on Intel handle_ept_violation() gives the tracepoint the exit qualification, on AMD
 * npf_interception() the error code; as info1.
 */
static int pair_violation(struct foreign *f, const struct ptev_violation *v)
{
	struct open_exit *t = promote(f, v->exit.tid, PTEV_VIOLATION, sizeof(*v));
	struct ptev_vmexit *e = t ? &t->record.call.exit : NULL;

	if (!t)
		return 0;
	t->record.violation.gpa = v->gpa;
	e->flags |= PTEV_K_GPA;
	if (kvm_access(e->isa, e->reason, v->exit.info1, &t->record.violation.access))
		e->flags |= PTEV_K_ACCESS;
	return 0;
}

int foreign_pair(struct foreign *f, const struct ptev_hdr **record, union foreign_record *out)
{
	const struct ptev_hdr *in = *record;

	*record = (const struct ptev_hdr *)out;
	switch (in->type) {
	case PTEV_FAULT:
		memcpy(&f->whole, in, PTEV_FAULT_BASE);
		f->whole.hdr.size = PTEV_FAULT_FULL;
		*record = &f->whole.hdr;
		return 1;
	case PTEV_KVM_EXIT:
		return pair_exit(f, (const struct ptev_vmexit *)in, out);
	case FOREIGN_ENTRY:
		return pair_entry(f, (const struct ptev_vmexit *)in, out);
	case FOREIGN_CALL:
		return pair_call(f, (const struct ptev_hypercall *)in);
	case FOREIGN_VIOLATION:
		return pair_violation(f, (const struct ptev_violation *)in);
	default:
		*record = in;
		return 1;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct open_exit *x = a, *y = b;
	uint64_t x_time = x->record.call.exit.time, y_time = y->record.call.exit.time;

	return x_time < y_time ? -1 : x_time > y_time;
}

int foreign_rest(struct foreign *f, union foreign_record *out)
{
	/* Nobody looks for a thread any more. */
	if (!f->rest && f->nr)
		qsort(f->threads, f->nr, sizeof(*f->threads), by_time);
	while (f->rest < f->nr) {
		struct open_exit *t = &f->threads[f->rest++];

		if (t->open) {
			*out = t->record;
			return 1;
		}
	}
	return 0;
}
