// SPDX-License-Identifier: GPL-2.0
#include "user/report/sort_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/remap/change.h"
#include "user/report/sort_kvm.h"
#include "user/report/sort_remap.h"
#include "user/report/view.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NOTHING "[none]" /* the event has no such thing */

/* Beyond the level numbers 1..5. */
enum { LEVEL_NO_WALK = 0, LEVEL_PRESENT = PT_MAX_LEVEL + 1, LEVEL_BAD, LEVEL_CUT };

#define VM_GROWSDOWN 0x100 /* include/linux/mm.h */

/* A key that is a field of the record. */
#define FIELD_ID(name, field)                                                 \
	static uint64_t name##_id(struct sort_ctx *c __attribute__((unused)), \
				  const struct ptev_fault *f)                 \
	{                                                                     \
		return f->field;                                              \
	}

FIELD_ID(pid, pid)
FIELD_ID(tid, tid)
FIELD_ID(cpu, cpu)
FIELD_ID(access, access)
FIELD_ID(outcome, outcome)
FIELD_ID(origin, origin)
FIELD_ID(page, address & ~0xfffull)

static uint64_t event_id(struct sort_ctx *c __attribute__((unused)),
			 const struct ptev_fault *f __attribute__((unused)))
{
	return PTEV_FAULT;
}

static uint64_t name_id(struct sort_ctx *c, const char *name)
{
	int64_t id = intern_id(&c->names, name);

	if (id < 0) {
		c->err = (int)id;
		return 0;
	}
	return (uint64_t)id;
}

/* Of names that env owns, which outlives the context. */
static uint64_t shared_id(struct sort_ctx *c, const char *name)
{
	int64_t id = intern_shared(&c->names, name);

	if (id < 0) {
		c->err = (int)id;
		return 0;
	}
	return (uint64_t)id;
}

static uint64_t comm_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	return shared_id(c, procs_comm(c->env.procs, f->pid, f->tid, f->time));
}

static uint64_t symbol_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	const struct symbol *sym = c->frame ? NULL : fault_symbol(&c->env, f);

	if (c->frame)
		return name_id(c, c->frame->name);
	return shared_id(c, sym ? sym->name : NOTHING);
}

static uint64_t dso_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	const struct symbol *sym = c->frame ? NULL : fault_symbol(&c->env, f);

	if (c->frame)
		return name_id(c, c->frame->dso);
	return shared_id(c, sym ? sym->dso : NOTHING);
}

static uint64_t caller_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	const struct symbol *sym = c->frame ? NULL : fault_caller(&c->env, f);

	if (c->frame)
		return name_id(c, c->caller ? c->caller->name : NOTHING);
	return name_id(c, sym ? sym->name : NOTHING);
}

/* "file.c:12", without a line "function+0x1c". */
static uint64_t srcline_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	const struct frame *frame = c->frame;
	char buf[SORT_TEXT_MAX];

	if (!frame) {
		int err = frames_top(&c->frames, &c->env, f, FRAMES_LINES);

		if (err < 0)
			c->err = err;
		if (err < 0 || !c->frames.nr)
			return name_id(c, NOTHING);
		frame = c->frames.at;
	}
	if (frame->file)
		snprintf(buf, sizeof(buf), "%s:%" PRIu32, frame->file, frame->line);
	else if (*frame->name == '[')
		snprintf(buf, sizeof(buf), "%s", frame->name);
	else
		snprintf(buf, sizeof(buf), "%s+0x%" PRIx64, frame->name, frame->offset);
	return name_id(c, buf);
}

static uint64_t file_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	struct fault_vma vma;
	char buf[48];

	if (!fault_vma(&vma, &c->env, f))
		return name_id(c, NOTHING);
	return name_id(c, fault_vma_name(buf, &vma));
}

static uint64_t vma_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	struct vma_id key = { 0 };
	struct fault_vma vma;
	char buf[48];
	int64_t id;

	if (!fault_vma(&vma, &c->env, f))
		return SORT_NOTHING;
	key.start = vma.start;
	key.end = vma.end;
	key.name = (uint32_t)name_id(c, fault_vma_name(buf, &vma));
	memcpy(key.perms, vma.perms, sizeof(key.perms));
	id = vma_ids_find(&c->vmas, &key, vma.flags & VM_GROWSDOWN);
	if (id < 0)
		c->err = (int)id;
	return (uint64_t)id;
}

static uint64_t level_id(struct sort_ctx *c, const struct ptev_fault *f)
{
	struct walk_view walk;

	if (!fault_before(&walk, &c->fmt, f))
		return LEVEL_NO_WALK;
	switch (walk.stop) {
	case WALK_HOLE:
		return walk.level;
	case WALK_LEAF:
		return LEVEL_PRESENT;
	case WALK_BAD:
		return LEVEL_BAD;
	default:
		return LEVEL_CUT;
	}
}

static const char *name_text(const struct sort_ctx *c, uint64_t id,
			     char *buf __attribute__((unused)), size_t size __attribute__((unused)))
{
	return intern_text(&c->names, (uint32_t)id);
}

static const char *outcome_text(const struct sort_ctx *c __attribute__((unused)), uint64_t id,
				char *buf __attribute__((unused)),
				size_t size __attribute__((unused)))
{
	if (id >= SORT_REMAP_OUTCOME)
		return name_remap((unsigned int)(id - SORT_REMAP_OUTCOME));
	if (id >= SORT_KVM_OUTCOME)
		return name_violation((unsigned int)(id - SORT_KVM_OUTCOME));
	return name_outcome((unsigned int)id);
}

static const char *page_text(const struct sort_ctx *c __attribute__((unused)), uint64_t id,
			     char *buf, size_t size)
{
	snprintf(buf, size, "0x%" PRIx64, id);
	return buf;
}

static const char *vma_text(const struct sort_ctx *c, uint64_t id, char *buf, size_t size)
{
	const struct vma_id *v = &c->vmas.vmas[id];
	snprintf(buf, size, "%" PRIx64 "-%" PRIx64 " %s %s", v->start, v->end, v->perms,
		 intern_text(&c->names, v->name));
	return buf;
}

static const char *level_text(const struct sort_ctx *c, uint64_t id,
			      char *buf __attribute__((unused)),
			      size_t size __attribute__((unused)))
{
	switch (id) {
	case LEVEL_NO_WALK:
		return NOTHING;
	case LEVEL_PRESENT:
		return "present";
	case LEVEL_BAD:
		return "bad";
	case LEVEL_CUT:
		return "cut";
	default:
		if (id >= SORT_KVM_LEVEL)
			return sort_kvm_level_text(id);
		return walk_level_name(c->fmt.top, (unsigned int)id);
	}
}

static const struct sort_key table[] = {
	{ .name = "comm",
	  .join = SORT_NAME,
	  .id = comm_id,
	  .vmexit_id = sort_kvm_comm,
	  .remap_id = sort_remap_comm,
	  .text = name_text },
	{ .name = "pid",
	  .join = SORT_NUMBER,
	  .id = pid_id,
	  .vmexit_id = sort_kvm_pid,
	  .remap_id = sort_remap_pid },
	{ .name = "tid",
	  .join = SORT_NUMBER,
	  .id = tid_id,
	  .vmexit_id = sort_kvm_tid,
	  .remap_id = sort_remap_tid },
	{ .name = "cpu",
	  .join = SORT_NUMBER,
	  .id = cpu_id,
	  .vmexit_id = sort_kvm_cpu,
	  .remap_id = sort_remap_cpu },
	{ .name = "vma", .id = vma_id, .text = vma_text },
	{ .name = "file", .join = SORT_NAME, .id = file_id, .text = name_text },
	{ .name = "symbol",
	  .join = SORT_NAME,
	  .needs_symbols = true,
	  .id = symbol_id,
	  .text = name_text },
	{ .name = "dso",
	  .join = SORT_NAME,
	  .needs_symbols = true,
	  .id = dso_id,
	  .text = name_text },
	{ .name = "caller",
	  .join = SORT_NAME,
	  .needs_symbols = true,
	  .id = caller_id,
	  .text = name_text },
	{ .name = "srcline",
	  .join = SORT_NAME,
	  .needs_symbols = true,
	  .id = srcline_id,
	  .text = name_text },
	{ .name = "access",
	  .join = SORT_NUMBER,
	  .id = access_id,
	  .vmexit_id = sort_kvm_access,
	  .enum_text = name_access },
	{ .name = "outcome",
	  .join = SORT_NUMBER,
	  .id = outcome_id,
	  .vmexit_id = sort_kvm_outcome,
	  .remap_id = sort_remap_outcome,
	  .text = outcome_text },
	{ .name = "level",
	  .join = SORT_NUMBER,
	  .id = level_id,
	  .vmexit_id = sort_kvm_level,
	  .text = level_text },
	{ .name = "origin", .join = SORT_NUMBER, .id = origin_id, .enum_text = name_origin },
	{ .name = "page",
	  .id = page_id,
	  .vmexit_id = sort_kvm_page,
	  .remap_id = sort_remap_page,
	  .text = page_text },
	{ .name = "event",
	  .join = SORT_NUMBER,
	  .id = event_id,
	  .vmexit_id = sort_kvm_event,
	  .remap_id = sort_remap_event,
	  .enum_text = name_event },
	{ .name = "vm", .join = SORT_NUMBER, .vmexit_id = sort_kvm_pid, .remap_id = sort_remap_vm },
	{ .name = "vcpu", .join = SORT_NUMBER, .vmexit_id = sort_kvm_vcpu },
	{ .name = "reason",
	  .join = SORT_NUMBER,
	  .vmexit_id = sort_kvm_reason,
	  .text = sort_kvm_reason_text },
	{ .name = "nr", .vmexit_id = sort_kvm_nr, .text = page_text },
	{ .name = "call", .needs_abi = true, .vmexit_id = sort_kvm_call, .text = name_text },
	{ .name = "what",
	  .join = SORT_NUMBER,
	  .remap_id = sort_remap_what,
	  .enum_text = change_name },
	{ .name = "cause",
	  .join = SORT_NUMBER,
	  .remap_id = sort_remap_cause,
	  .enum_text = change_cause },
};

_Static_assert(ARRAY_SIZE(table) == SORT_KEYS_MAX, "every key once must fit");

static const struct sort_key *find(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (strlen(table[i].name) == len && !memcmp(table[i].name, word, len))
			return &table[i];
	return NULL;
}

static int unknown_key(const char *word, size_t len)
{
	char valid[256] = "";
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		n += (size_t)snprintf(valid + n, sizeof(valid) - n, "%s%s", i ? ", " : "",
				      table[i].name);
	msg_error("no sort key '%.*s'; there are: %s", (int)len, word, valid);
	return -EINVAL;
}

int sort_keys_parse(const char *list, const struct sort_key *keys[SORT_KEYS_MAX])
{
	const struct sort_key *key;
	const char *word = list;
	size_t len;
	int i, n = 0;

	for (;;) {
		len = strcspn(word, ",");
		key = find(word, len);
		if (!key)
			return unknown_key(word, len);
		for (i = 0; i < n; i++) {
			if (keys[i] == key) {
				msg_error("sort key '%s' is given twice", key->name);
				return -EINVAL;
			}
		}
		keys[n++] = key;
		if (!word[len])
			return n;
		word += len + 1;
	}
}

bool sort_key_is_number(const struct sort_key *key)
{
	return !key->text && !key->enum_text;
}

const char *sort_key_text(const struct sort_ctx *ctx, const struct sort_key *key, uint64_t id,
			  char *buf)
{
	if (id == SORT_NOTHING)
		return NOTHING;
	if (key->enum_text)
		return key->enum_text((unsigned int)id);
	if (key->text)
		return key->text(ctx, id, buf, SORT_TEXT_MAX);
	snprintf(buf, SORT_TEXT_MAX, "%" PRIu64, id);
	return buf;
}

int sort_key_compare(const struct sort_ctx *ctx, const struct sort_key *key, uint64_t a, uint64_t b)
{
	char buf_a[SORT_TEXT_MAX], buf_b[SORT_TEXT_MAX];

	if (sort_key_is_number(key))
		return (a > b) - (a < b);
	return strcmp(sort_key_text(ctx, key, a, buf_a), sort_key_text(ctx, key, b, buf_b));
}

void sort_ctx_init(struct sort_ctx *ctx, const struct sink_env *env)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->env = *env;
	walk_fmt(&ctx->fmt, env->info);
}

void sort_ctx_free(struct sort_ctx *ctx)
{
	intern_free(&ctx->names);
	vma_ids_free(&ctx->vmas);
	learned_free(&ctx->learned);
	frames_free(&ctx->frames);
}
