// SPDX-License-Identifier: GPL-2.0
/* VM exits as lines of text. */
#include "user/base/units.h"
#include "user/report/kvm_view.h"
#include "user/report/script.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

static void key_hex(struct line *l, const char *key, uint64_t value)
{
	line_str(l, key);
	line_hex(l, value);
}

static void key_text(struct line *l, const char *key, const char *value)
{
	line_str(l, key);
	line_str(l, value);
}

static void put_end(struct line *l, const struct ptev_vmexit *e)
{
	char buf[UNITS_LEN];

	if (e->flags & PTEV_K_NESTED)
		line_str(l, " nested=1");
	if (e->flags & PTEV_K_USER) {
		line_str(l, " user_exit=");
		line_dec(l, e->user_exit);
	}
	if (e->flags & PTEV_K_LATENCY)
		key_text(l, " lat=", units_time(buf, e->latency));
}

/* Where in the guest, and as what. */
static void put_guest(struct line *l, const struct ptev_vmexit *e)
{
	key_hex(l, " rip=0x", e->rip);
	if (e->flags & PTEV_K_CPL) {
		line_str(l, " cpl=");
		line_dec(l, e->cpl);
	}
	if (e->mode != PTEV_MODE_UNKNOWN)
		key_text(l, " mode=", name_guest_mode(e->mode));
}

static int put_words(struct script *s, const struct ptev_hypercall *c)
{
	struct call_view view;

	if (!call_view(&view, s->opts.abi, c, &s->learned))
		return 0;
	line_char(&s->line, ' ');
	abi_call_line(&s->line, s->opts.abi, &view.seen);
	return call_learn(&s->learned, s->opts.abi, &view, c);
}

static int put_call(struct script *s, const struct ptev_hypercall *c)
{
	struct line *l = &s->line;
	int err = put_words(s, c);

	if (c->exit.flags & PTEV_K_ARGS)
		key_hex(l, " nr=0x", c->rax);
	put_guest(l, &c->exit);
	if (c->exit.flags & PTEV_K_ARGS) {
		key_hex(l, " rbx=0x", c->rbx);
		key_hex(l, " rcx=0x", c->rcx);
		key_hex(l, " rdx=0x", c->rdx);
		key_hex(l, " rsi=0x", c->rsi);
	}
	if (c->exit.flags & PTEV_K_REGS) {
		key_hex(l, " rdi=0x", c->rdi);
		key_hex(l, " r8=0x", c->r8);
		key_hex(l, " r9=0x", c->r9);
		key_hex(l, " r10=0x", c->r10);
		key_hex(l, " r11=0x", c->r11);
	}
	if (c->exit.flags & PTEV_K_RET)
		key_hex(l, " ret=0x", c->ret);
	return err;
}

static void put_violation(struct line *l, const struct ptev_violation *v)
{
	char buf[160];

	if (v->exit.flags & PTEV_K_ACCESS)
		key_text(l, " ", name_access(v->access));
	if (v->exit.flags & PTEV_K_GPA)
		key_hex(l, " gpa=0x", v->gpa);
	if (v->exit.flags & PTEV_K_GVA)
		key_hex(l, " gva=0x", v->gva);
	key_text(l, " reason=", name_exit_reason(buf, v->exit.isa, v->exit.reason));
	key_text(l, " bits=", name_violation_bits(buf, v->exit.isa, v->exit.reason, v->exit.info1));
	put_guest(l, &v->exit);
	if (v->exit.flags & PTEV_K_SLOT) {
		key_hex(l, " hva=0x", v->hva);
		line_str(l, " slot=");
		line_dec(l, v->slot);
	}
	if (v->outcome != PTEV_VIO_UNKNOWN)
		key_text(l, " outcome=", name_violation(v->outcome));
}

static void put_walk(struct line *l, const char *title, const struct walk_view *walk)
{
	line_str(l, title);
	walk_line(l, walk);
	line_char(l, ']');
}

static void put_walks(struct line *l, const struct script *s, const struct ptev_violation *v)
{
	struct walk_view walk;

	if (violation_before(&walk, s->env.info, v))
		put_walk(l, " [before: ", &walk);
	if (violation_after(&walk, s->env.info, v))
		put_walk(l, " [after: ", &walk);
}

static void put_exit(struct line *l, const struct ptev_vmexit *e)
{
	char buf[40];

	key_text(l, " reason=", name_exit_reason(buf, e->isa, e->reason));
	put_guest(l, e);
	key_hex(l, " info1=0x", e->info1);
	key_hex(l, " info2=0x", e->info2);
	if (e->intr_info)
		key_hex(l, " intr_info=0x", e->intr_info);
}

int script_kvm_text(struct script *s, const struct ptev_vmexit *e)
{
	const struct script_who who = { e->time, e->pid, e->tid, e->cpu, NULL };
	const struct ptev_violation *v = (const void *)e;
	struct line *l = &s->line;
	int err = 0;

	script_who_text(l, s, &who);
	line_str(l, name_event(e->hdr.type));
	line_str(l, " vcpu=");
	line_dec(l, e->vcpu);
	if (e->hdr.type == PTEV_HYPERCALL)
		err = put_call(s, (const struct ptev_hypercall *)e);
	else if (e->hdr.type == PTEV_VIOLATION)
		put_violation(l, v);
	else
		put_exit(l, e);
	put_end(l, e);
	if (e->hdr.type == PTEV_VIOLATION && !s->opts.no_walk)
		put_walks(l, s, v);
	line_char(l, '\n');
	return err ? err : line_write(l, s->out);
}
