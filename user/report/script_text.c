// SPDX-License-Identifier: GPL-2.0
#include "user/base/units.h"
#include "user/report/script.h"
#include "user/trace/names.h"

#define COMM_WIDTH 16 /* right-aligned, as perf script does */
#define CPU_WIDTH  3
#define NSEC	   1000000000ull

static void key_hex(struct line *l, const char *key, uint64_t value)
{
	line_str(l, key);
	line_hex(l, value);
}

void script_who_text(struct line *l, const struct script *s, const struct script_who *f)
{
	const char *comm = f->comm ?: procs_comm(s->env.procs, f->pid, f->tid, f->time);

	line_text_right(l, comm, COMM_WIDTH);
	line_char(l, ' ');
	line_dec(l, f->pid);
	line_char(l, '/');
	line_dec(l, f->tid);
	line_str(l, " [");
	line_dec_zero(l, f->cpu, CPU_WIDTH);
	line_str(l, "] ");
	line_dec(l, f->time / NSEC);
	line_char(l, '.');
	line_dec_zero(l, f->time % NSEC, 9);
	line_str(l, ": ");
}

static void put_symbol(struct line *l, const struct symbol *sym)
{
	line_char(l, ' ');
	line_text(l, sym->name);
	if (sym->name[0] != '[') /* [unknown] */
		key_hex(l, "+0x", sym->offset);
	line_str(l, " (");
	line_text(l, sym->dso);
	line_char(l, ')');
}

static void put_what(struct line *l, const struct script *s, const struct ptev_fault *f)
{
	const struct symbol *sym = fault_symbol(&s->env, f);
	char buf[40];

	line_str(l, name_origin(f->origin));
	line_char(l, ' ');
	line_str(l, name_access(f->access));
	line_str(l, " error=");
	line_str(l, name_error_code(buf, f->error_code));
	key_hex(l, " addr=0x", f->address);
	if (f->ip)
		key_hex(l, " ip=0x", f->ip);
	if (sym)
		put_symbol(l, sym);
}

static void put_end(struct line *l, const struct ptev_fault *f, unsigned int parts)
{
	char buf[UNITS_LEN];

	if (f->outcome != PTEV_OUT_UNKNOWN) {
		line_str(l, " outcome=");
		line_str(l, name_outcome(f->outcome));
	}
	if (!(parts & PTEV_F_EXIT))
		return;
	line_str(l, " lat=");
	line_str(l, units_time(buf, f->x.latency));
	if (parts & PTEV_F_MAJOR)
		line_str(l, " major=1");
	if (parts & PTEV_F_RETRIED)
		line_str(l, " retried=1");
	if (f->x.vm_fault)
		key_hex(l, " vm_fault=0x", f->x.vm_fault);
}

static void put_vma(struct line *l, const struct script *s, const struct ptev_fault *f)
{
	struct fault_vma vma;
	char buf[48];

	if (!fault_vma(&vma, &s->env, f))
		return;
	key_hex(l, " vma=", vma.start);
	key_hex(l, "-", vma.end);
	line_char(l, ' ');
	line_str(l, vma.perms);
	/* To anonymous memory pgoff is no more than its address. */
	if (!vma.anon)
		key_hex(l, "+0x", vma.pgoff);
	line_char(l, ' ');
	line_text(l, fault_vma_name(buf, &vma));
	if (vma.tgid != f->pid) {
		line_str(l, " mm=");
		line_dec(l, vma.tgid);
	}
}

static void put_walk(struct line *l, const char *title, const struct walk_view *walk)
{
	line_str(l, " [");
	line_str(l, title);
	walk_line(l, walk);
	line_char(l, ']');
}

static void put_walks(struct line *l, const struct script *s, const struct ptev_fault *f)
{
	struct walk_view walk;

	if (f->flags & PTEV_F_USER_PGD)
		line_str(l, " root=user");
	if (fault_before(&walk, &s->fmt, f))
		put_walk(l, "before: ", &walk);
	if (fault_after(&walk, &s->fmt, f))
		put_walk(l, "after: ", &walk);
}

/* Functions that are inlined there, as perf shows them. */
static void put_inlined(struct line *l, const struct script *s, const struct ptev_fault *f,
			uint64_t ip)
{
	const struct symbol_site *site =
		symbols_site(s->env.symbols, s->env.procs, f->pid, ip, f->time);
	uint32_t i;

	for (i = 0; site && i < site->nr_inlined; i++) {
		line_char(l, '\t');
		line_hex(l, ip);
		line_char(l, ' ');
		line_text(l, site->inlined[i]);
		line_str(l, " (inlined)\n");
	}
}

static void put_frames(struct line *l, const struct script *s, const struct ptev_fault *f,
		       const uint64_t *ip, uint32_t n)
{
	const struct symbol *sym;
	uint32_t i;

	for (i = 0; i < n; i++) {
		sym = symbols_find(s->env.symbols, s->env.procs, f->pid, ip[i], f->time);
		put_inlined(l, s, f, ip[i]);
		line_char(l, '\t');
		line_hex(l, ip[i]);
		if (sym)
			put_symbol(l, sym);
		line_char(l, '\n');
	}
}

static void put_stacks(struct line *l, const struct script *s, const struct ptev_fault *f)
{
	struct fault_stacks stacks;

	if (!fault_stacks(&stacks, f))
		return;
	put_frames(l, s, f, stacks.kernel, stacks.nr_kernel);
	put_frames(l, s, f, stacks.user, stacks.nr_user);
	line_char(l, '\n');
}

int script_text(struct script *s, const struct ptev_fault *f)
{
	const struct script_who who = { f->time, f->pid, f->tid, f->cpu, NULL };
	struct line *l = &s->line;

	script_who_text(l, s, &who);
	put_what(l, s, f);
	put_end(l, f, fault_parts(f));
	put_vma(l, s, f);
	if (!s->opts.no_walk)
		put_walks(l, s, f);
	line_char(l, '\n');
	if (s->opts.stacks)
		put_stacks(l, s, f);
	return line_write(l, s->out);
}
