// SPDX-License-Identifier: GPL-2.0
/* What the page shows, counted while events pass. */
#include <errno.h>
#include <stdlib.h>

#include "user/html/page.h"
#include "user/report/view.h"
#include "user/remap/change.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

#define SPACE_CELLS   49152
#define SPACE_SERIES  8192
#define LATENCY_CELLS 16384
#define EXIT_CELLS    16384
#define EXIT_SERIES   256
#define TABLE_ROWS    200
#define PAGE_SHIFT    12
/* Outermost frames are the process, innermost ones the kernel's. */
#define CHAIN_MAX (2 * PTEV_MAX_STACK + 2)

#define WANT_FAULTS 1
#define WANT_EXITS  2
#define WANT_CALLS  4
#define WANT_REMAPS 8

static const struct {
	const char *title, *sort;
	unsigned int wants;
} tables[] = {
	{ "Outcomes", "outcome,access,origin", WANT_FAULTS },
	{ "Processes", "comm,pid", WANT_FAULTS },
	{ "Symbols", "symbol,dso", WANT_FAULTS },
	{ "Files", "file", WANT_FAULTS },
	{ "Mappings", "vma", WANT_FAULTS },
	{ "Levels that were missing", "level,outcome", WANT_FAULTS },
	{ "VM exits", "vm,vcpu,reason", WANT_EXITS },
	{ "Hypercalls", "vm,event,nr", WANT_EXITS },
	{ "Hypercalls by name", "vm,event,call", WANT_CALLS },
	{ "Violations", "vm,event,access,level,outcome", WANT_EXITS },
	{ "Remaps", "comm,event,what,outcome,cause", WANT_REMAPS },
};

_Static_assert(sizeof(tables) / sizeof(tables[0]) <= PAGE_TABLES_MAX, "every table must fit");

#define SUB_ROWS 4 /* of latencies, in a power of two */

unsigned int page_latency_row(uint64_t ns)
{
	unsigned int octave;

	if (ns < SUB_ROWS)
		return (unsigned int)ns;
	octave = 63 - (unsigned int)__builtin_clzll(ns);
	return (octave - 1) * SUB_ROWS + (unsigned int)(ns >> (octave - 2) & (SUB_ROWS - 1));
}

uint64_t page_latency_from(unsigned int row)
{
	if (row < SUB_ROWS)
		return row;
	return (uint64_t)(SUB_ROWS + row % SUB_ROWS) << (row / SUB_ROWS - 1);
}

static int feed_tables(struct page *p, const struct ptev_hdr *event)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < p->nr_tables; i++) {
		struct sink *report = p->tables[i].report;

		if (event->type == PTEV_FAULT)
			err = report->fault(report, (const struct ptev_fault *)event);
		else if (event->type == PTEV_REMAP)
			err = report->remap(report, (const struct ptev_remap *)event);
		else
			err = report->vmexit(report, (const struct ptev_vmexit *)event);
	}
	return err;
}

/* ---- faults ------------------------------------------------------------------------------------
 */

static int add_place(struct page *p, const struct ptev_fault *f)
{
	struct fault_vma vma = { .tgid = f->pid };
	const char *name = "[unknown]";
	char buf[48];
	int64_t id;

	if (fault_vma(&vma, &p->env, f))
		name = fault_vma_name(buf, &vma);
	id = intern_id(&p->names, name);
	if (id < 0)
		return (int)id;
	return bins_add(&p->space, PAGE_SERIES(vma.tgid, (uint64_t)id), f->address >> PAGE_SHIFT,
			f->time);
}

struct chain {
	uint32_t names[CHAIN_MAX];
	uint32_t nr;
};

static int push(struct page *p, struct chain *c, const char *name)
{
	int64_t id = intern_id(&p->names, name);

	if (id < 0)
		return (int)id;
	c->names[c->nr++] = (uint32_t)id;
	return 0;
}

/* @ips: innermost first. */
static int push_stack(struct page *p, struct chain *c, const struct ptev_fault *f,
		      const uint64_t *ips, uint32_t nr)
{
	int err = 0;

	while (!err && nr--)
		err = push(
			p, c,
			symbols_find(p->env.symbols, p->env.procs, f->pid, ips[nr], f->time)->name);
	return err;
}

static int push_symbol(struct page *p, struct chain *c, const struct ptev_fault *f)
{
	const struct symbol *sym = fault_symbol(&p->env, f);

	return push(p, c, sym ? sym->name : "[get_user_pages]");
}

static int add_chain(struct page *p, const struct ptev_fault *f)
{
	struct fault_stacks stacks;
	struct chain c;
	int err;

	c.nr = 0;
	err = push(p, &c, procs_comm(p->env.procs, f->pid, f->tid, f->time));
	if (err)
		return err;
	if (fault_stacks(&stacks, f) && stacks.nr_kernel + stacks.nr_user) {
		p->stacks = true;
		err = push_stack(p, &c, f, stacks.user, stacks.nr_user)
			      ?: push_stack(p, &c, f, stacks.kernel, stacks.nr_kernel);
	} else {
		err = push_symbol(p, &c, f);
	}
	return err ?: flame_add(&p->flame, c.names, c.nr);
}

static void note_time(struct page *p, uint64_t time)
{
	/* perf's own recordings do not say when they began. */
	if (!p->start)
		p->start = p->space.start = p->latency.start = p->exits.start = p->remaps.start =
			time;
	if (time > p->last_time)
		p->last_time = time;
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	struct page *p = (struct page *)sink;
	int err = feed_tables(p, &f->hdr);

	p->faults++;
	note_time(p, f->time);
	if (!err && fault_parts(f) & PTEV_F_EXIT)
		err = bins_add(&p->latency, PAGE_FAULTS, page_latency_row(f->x.latency), f->time);
	return err ?: add_place(p, f) ?: add_chain(p, f) ?: slowest_add(&p->slowest, f);
}

/* ---- VM exits ----------------------------------------------------------------------------------
 */

static const char *kind_of(char *buf, size_t size, const struct ptev_vmexit *e)
{
	char reason[40];

	if (e->hdr.type != PTEV_KVM_EXIT)
		return name_event(e->hdr.type);
	snprintf(buf, size, "exit %s", name_exit_reason(reason, e->isa, e->reason));
	return buf;
}

static int add_exit(struct page *p, const struct ptev_vmexit *e)
{
	char buf[64];
	int64_t id = intern_id(&p->names, kind_of(buf, sizeof(buf), e));

	if (id < 0)
		return (int)id;
	return bins_add(&p->exits, PAGE_SERIES(e->pid, (uint64_t)id), 0, e->time);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	struct page *p = (struct page *)sink;
	int err = feed_tables(p, &e->hdr);

	p->vmexits++;
	note_time(p, e->time);
	if (!err && e->flags & PTEV_K_LATENCY)
		err = bins_add(&p->latency, PAGE_EXITS, page_latency_row(e->latency), e->time);
	return err ?: add_exit(p, e);
}

/* ---- remaps ------------------------------------------------------------------------------------
 */

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	struct page *p = (struct page *)sink;
	int err = feed_tables(p, &r->hdr);
	char name[64];
	int64_t id;

	p->remapped++;
	note_time(p, r->time);
	snprintf(name, sizeof(name), "%s %s", change_name(r->what), name_remap(r->event));
	id = intern_id(&p->names, name);
	if (id < 0)
		return (int)id;
	return err ?: bins_add(&p->remaps, PAGE_SERIES(r->of, (uint64_t)id), 0, r->time);
}

/* ---- the sink ----------------------------------------------------------------------------------
 */

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct page *p = (struct page *)sink;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < p->nr_tables; i++)
		err = p->tables[i].report->finish(p->tables[i].report, totals, complete);
	return err ?: page_write(p, totals, complete);
}

static void page_free(struct sink *sink)
{
	struct page *p = (struct page *)sink;

	while (p->nr_tables--) {
		struct page_table *t = &p->tables[p->nr_tables];

		if (t->report)
			t->report->free(t->report);
		if (t->out)
			fclose(t->out);
		free(t->text);
	}
	bins_free(&p->space);
	bins_free(&p->latency);
	bins_free(&p->exits);
	bins_free(&p->remaps);
	flame_free(&p->flame);
	slowest_free(&p->slowest);
	intern_free(&p->names);
	free(p);
}

static bool open_table(struct page *p, unsigned int i, const struct abi *abi)
{
	struct page_table *t = &p->tables[p->nr_tables++];
	struct report_opts opts = {
		.sort = tables[i].sort,
		.json = true,
		.limit = TABLE_ROWS,
		.abi = abi,
	};

	t->title = tables[i].title;
	t->out = open_memstream(&t->text, &t->len);
	if (!t->out)
		return false;
	opts.out = t->out;
	t->report = sink_report(&p->env, &opts);
	return t->report;
}

static bool open_tables(struct page *p, const struct abi *abi)
{
	unsigned int wants = p->env.info->no_faults ? 0 : WANT_FAULTS, i;

	if (p->env.info->kvm)
		wants |= WANT_EXITS | (abi ? WANT_CALLS : 0);
	if (p->env.info->remaps)
		wants |= WANT_REMAPS;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].wants & wants && !open_table(p, i, abi))
			return false;
	return true;
}

static bool init_bins(struct page *p)
{
	uint64_t start = p->env.info->start_mono;

	return !bins_init(&p->space, start, SPACE_CELLS, SPACE_SERIES, true) &&
	       !bins_init(&p->latency, start, LATENCY_CELLS, PAGE_SERIES_LATENCY, false) &&
	       !bins_init(&p->exits, start, EXIT_CELLS, EXIT_SERIES, false) &&
	       !bins_init(&p->remaps, start, EXIT_CELLS, EXIT_SERIES, false);
}

struct sink *sink_html(const struct sink_env *env, const struct html_opts *opts)
{
	struct page *p = calloc(1, sizeof(*p));
	int64_t root;

	if (!p)
		return NULL;
	p->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = page_free };
	p->env = *env;
	p->start = env->info->start_mono;
	p->out = opts->out;
	root = intern_id(&p->names, "all");
	if (root >= 0 && !flame_init(&p->flame, (uint32_t)root) && init_bins(p) &&
	    open_tables(p, opts->abi))
		return &p->sink;
	page_free(&p->sink);
	return NULL;
}
