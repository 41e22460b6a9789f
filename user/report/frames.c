// SPDX-License-Identifier: GPL-2.0
#include "user/report/frames.h"

#include <errno.h>
#include <stdlib.h>

#include "user/report/view.h"

static const char unknown[] = "[unknown]";

static int add(struct frames *f, const struct frame *frame)
{
	uint32_t room = f->room ? f->room * 2 : 64;
	struct frame *grown;

	if (f->nr == f->room) {
		grown = reallocarray(f->at, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		f->at = grown;
		f->room = room;
	}
	f->at[f->nr++] = *frame;
	return 0;
}

/* Innermost first. The line is that of the innermost; where that was called is not told. */
static int add_inlined(struct frames *f, const struct frame *around, const struct symbol_site *site)
{
	struct frame frame = *around;
	uint32_t i;
	int err = 0;

	frame.inlined = true;
	for (i = 0; i < site->nr_inlined && !err; i++) {
		frame.name = site->inlined[i];
		frame.file = i ? NULL : around->file;
		err = add(f, &frame);
	}
	return err;
}

static int add_ip(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
		  uint64_t ip, unsigned int what)
{
	const struct symbol *sym =
		symbols_find(env->symbols, env->procs, fault->pid, ip, fault->time);
	const struct symbol_site *site =
		what ? symbols_site(env->symbols, env->procs, fault->pid, ip, fault->time) : NULL;
	struct frame frame = { .name = sym->name, .dso = sym->dso, .offset = sym->offset };
	int err = 0;

	if (site && what & FRAMES_LINES) {
		frame.file = site->file;
		frame.line = site->line;
	}
	if (site && what & FRAMES_INLINED && site->nr_inlined)
		err = add_inlined(f, &frame, site);
	return err ?: add(f, &frame);
}

/* A user stack without frame pointers can have anything in it, but no functions of the kernel. */
static int add_user(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
		    uint64_t ip, unsigned int what)
{
	static const struct frame nothing = { .name = unknown, .dso = unknown };

	return ip >> 63 ? add(f, &nothing) : add_ip(f, env, fault, ip, what);
}

int frames_top(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
	       unsigned int what)
{
	int err;

	f->nr = 0;
	err = fault->ip ? add_ip(f, env, fault, fault->ip, what) : 0;
	f->own = f->nr;
	return err;
}

int frames_of_fault(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
		    unsigned int what)
{
	struct fault_stacks s;
	uint32_t i;
	int err = 0;

	if (!fault_stacks(&s, fault))
		return frames_top(f, env, fault, what);
	f->nr = 0;
	f->own = 0;
	for (i = 0; i < s.nr_kernel && !err; i++) {
		err = add_ip(f, env, fault, s.kernel[i], what);
		if (!i && s.kernel[i] == fault->ip)
			f->own = f->nr;
	}
	for (i = 0; i < s.nr_user && !err; i++) {
		err = add_user(f, env, fault, s.user[i], what);
		if (!i && !s.nr_kernel && s.user[i] == fault->ip)
			f->own = f->nr;
	}
	return err ?: 1;
}

void frames_free(struct frames *f)
{
	free(f->at);
	*f = (struct frames){ 0 };
}
