// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "user/report/script.h"
#include "user/trace/names.h"

void script_who_json(struct json *j, const char *type, const struct script *s,
		     const struct script_who *who)
{
	json_str(j, "type", type);
	json_u64(j, "time", who->time);
	json_u64(j, "cpu", who->cpu);
	json_u64(j, "pid", who->pid);
	json_u64(j, "tid", who->tid);
	json_str(j, "comm", who->comm ?: procs_comm(s->env.procs, who->pid, who->tid, who->time));
}

static void put_what(struct json *j, const struct script *s, const struct ptev_fault *f)
{
	const struct script_who who = { f->time, f->pid, f->tid, f->cpu, NULL };
	char bits[40];

	script_who_json(j, "fault", s, &who);
	json_str(j, "origin", name_origin(f->origin));
	json_str(j, "access", name_access(f->access));
	json_u64(j, "error_code", f->error_code);
	json_str(j, "error_bits", name_error_code(bits, f->error_code));
	json_hex(j, "address", f->address);
}

/* An address of code: "ip", "symbol", "symbol_offset", "dso". */
static void put_ip(struct json *j, uint64_t ip, const struct symbol *sym)
{
	if (ip)
		json_hex(j, "ip", ip);
	else
		json_null(j, "ip");
	json_str(j, "symbol", sym ? sym->name : NULL);
	if (sym)
		json_u64(j, "symbol_offset", sym->offset);
	else
		json_null(j, "symbol_offset");
	json_str(j, "dso", sym ? sym->dso : NULL);
}

static void put_end(struct json *j, const struct ptev_fault *f, unsigned int parts)
{
	json_str(j, "outcome", name_outcome(f->outcome));
	if (parts & PTEV_F_EXIT) {
		json_u64(j, "latency_ns", f->x.latency);
		json_bool(j, "major", parts & PTEV_F_MAJOR);
		json_bool(j, "retried", parts & PTEV_F_RETRIED);
		json_hex(j, "vm_fault", f->x.vm_fault);
		json_hex(j, "fault_flags", f->x.fault_flags);
	} else {
		json_null(j, "latency_ns");
		json_null(j, "major");
		json_null(j, "retried");
		json_null(j, "vm_fault");
		json_null(j, "fault_flags");
	}
}

static void put_vma(struct json *j, const struct script *s, const struct ptev_fault *f)
{
	struct fault_vma vma;
	char dev[24];

	if (!fault_vma(&vma, &s->env, f)) {
		json_null(j, "vma");
		return;
	}
	json_object(j, "vma");
	json_str(j, "source", vma.recorded ? "record" : "maps");
	json_u64(j, "pid", vma.tgid);
	json_hex(j, "start", vma.start);
	json_hex(j, "end", vma.end);
	if (vma.recorded)
		json_hex(j, "flags", vma.flags);
	else
		json_null(j, "flags");
	json_str(j, "perms", vma.perms);
	json_bool(j, "anon", vma.anon);
	json_hex(j, "pgoff", vma.pgoff);
	json_str(j, "dev", fault_dev(dev, &vma));
	json_u64(j, "ino", vma.ino);
	json_str(j, "name", vma.name);
	json_end_object(j);
}

static void put_walks(struct json *j, const struct script *s, const struct ptev_fault *f)
{
	struct walk_view walk;

	json_bool(j, "user_pgd", f->flags & PTEV_F_USER_PGD);
	if (fault_before(&walk, &s->fmt, f))
		walk_json(j, "walk_before", &walk);
	else
		json_null(j, "walk_before");
	if (fault_after(&walk, &s->fmt, f))
		walk_json(j, "walk_after", &walk);
	else
		json_null(j, "walk_after");
}

/* Functions that are inlined there, innermost first; left out where there are none. */
static void put_inlined(struct json *j, const struct script *s, const struct ptev_fault *f,
			uint64_t ip)
{
	const struct symbol_site *site =
		symbols_site(s->env.symbols, s->env.procs, f->pid, ip, f->time);
	uint32_t i;

	if (!site || !site->nr_inlined)
		return;
	json_array(j, "inlined");
	for (i = 0; i < site->nr_inlined; i++)
		json_str(j, NULL, site->inlined[i]);
	json_end_array(j);
}

static void put_stack(struct json *j, const char *key, const struct script *s,
		      const struct ptev_fault *f, const uint64_t *ip, uint32_t n)
{
	uint32_t i;

	json_array(j, key);
	for (i = 0; i < n; i++) {
		json_object(j, NULL);
		put_ip(j, ip[i],
		       symbols_find(s->env.symbols, s->env.procs, f->pid, ip[i], f->time));
		put_inlined(j, s, f, ip[i]);
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_stacks(struct json *j, const struct script *s, const struct ptev_fault *f)
{
	struct fault_stacks stacks;

	if (fault_stacks(&stacks, f)) {
		put_stack(j, "stack_kernel", s, f, stacks.kernel, stacks.nr_kernel);
		put_stack(j, "stack_user", s, f, stacks.user, stacks.nr_user);
	} else {
		json_null(j, "stack_kernel");
		json_null(j, "stack_user");
	}
}

int script_json(struct script *s, const struct ptev_fault *f)
{
	struct json *j = &s->json;

	errno = 0;
	json_object(j, NULL);
	put_what(j, s, f);
	put_ip(j, f->ip, fault_symbol(&s->env, f));
	put_end(j, f, fault_parts(f));
	put_vma(j, s, f);
	if (!s->opts.no_walk)
		put_walks(j, s, f);
	put_stacks(j, s, f);
	json_end_object(j);
	json_end_line(j);
	if (!ferror_unlocked(s->out))
		return 0;
	return errno ? -errno : -EIO;
}
