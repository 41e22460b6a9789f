// SPDX-License-Identifier: GPL-2.0
#include "user/report/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "user/trace/names.h"

#define NEEDS_BEFORE (PTEV_F_BEFORE | PTEV_F_BEFORE_CUT)
#define NEEDS_EXIT   (PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_VMA_ANON | PTEV_F_AFTER | PTEV_F_AFTER_CUT)

unsigned int fault_parts(const struct ptev_fault *f)
{
	unsigned int parts = f->flags;

	if (f->hdr.size < PTEV_FAULT_BEFORE)
		parts &= ~(unsigned int)NEEDS_BEFORE;
	if (f->hdr.size < PTEV_FAULT_FULL)
		parts &= ~(unsigned int)NEEDS_EXIT;
	if (f->hdr.size < PTEV_FAULT_FULL + sizeof(uint64_t))
		parts &= ~(unsigned int)PTEV_F_STACKS;
	return parts;
}

/* Kernel encoding of a device number, include/linux/kdev_t.h */
#define DEV_MINOR_BITS 20

static void vma_from_record(struct fault_vma *vma, const struct ptev_fault *f)
{
	const struct ptev_fault_exit *x = &f->x;

	vma->start = x->vma_start;
	vma->end = x->vma_end;
	vma->flags = x->vma_flags;
	vma->pgoff = x->vma_pgoff << 12;
	vma->ino = x->ino;
	vma->maj = x->dev >> DEV_MINOR_BITS;
	vma->min = x->dev & ((1u << DEV_MINOR_BITS) - 1);
	vma->recorded = true;
	vma->anon = f->flags & PTEV_F_VMA_ANON;
	name_vm_perms(vma->perms, vma->flags);
}

static void vma_from_map(struct fault_vma *vma, const struct proc_map *map)
{
	vma->start = map->start;
	vma->end = map->last + 1;
	vma->flags = map->prot & 7; /* PROT_READ, _WRITE, _EXEC are VM_READ, _WRITE, _EXEC */
	vma->pgoff = map->pgoff;
	vma->ino = map->ino;
	vma->maj = map->maj;
	vma->min = map->min;
	vma->anon = !map->ino;
	name_vm_perms(vma->perms, vma->flags);
	vma->perms[3] = map->flags & MAP_SHARED ? 's' : map->flags & MAP_PRIVATE ? 'p' : '?';
}

/* perf has a name for what has none. */
static const char *name_of(const char *name)
{
	return *name && strcmp(name, "//anon") ? name : NULL;
}

bool fault_vma(struct fault_vma *vma, const struct sink_env *env, const struct ptev_fault *f)
{
	bool recorded = fault_parts(f) & PTEV_F_VMA;
	uint32_t tgid = recorded && f->x.vma_tgid ? f->x.vma_tgid : f->pid;
	const struct proc_map *map = procs_map(env->procs, tgid, f->address, f->time);

	if (!recorded && !map)
		return false;
	*vma = (struct fault_vma){ .tgid = tgid };
	if (recorded)
		vma_from_record(vma, f);
	else
		vma_from_map(vma, map);
	/* The timeline may lag behind: its name counts only when it is the same file's. */
	if (map && map->ino == vma->ino)
		vma->name = name_of(procs_map_name(env->procs, map));
	return true;
}

char *fault_dev(char *buf, const struct fault_vma *vma)
{
	snprintf(buf, 24, "%02x:%02x", vma->maj, vma->min);
	return buf;
}

const char *fault_vma_name(char *buf, const struct fault_vma *vma)
{
	if (vma->name)
		return vma->name;
	if (!vma->ino)
		return "[anon]";
	snprintf(buf, 48, "%02x:%02x:%" PRIu64, vma->maj, vma->min, vma->ino);
	return buf;
}

bool fault_before(struct walk_view *view, const struct pt_fmt *fmt, const struct ptev_fault *f)
{
	unsigned int parts = fault_parts(f);

	if (!(parts & PTEV_F_BEFORE))
		return false;
	walk_decode(view, fmt, f->address, &f->before, parts & PTEV_F_BEFORE_CUT);
	return true;
}

bool fault_after(struct walk_view *view, const struct pt_fmt *fmt, const struct ptev_fault *f)
{
	unsigned int parts = fault_parts(f);

	if (!(parts & PTEV_F_AFTER))
		return false;
	walk_decode(view, fmt, f->address, &f->x.after, parts & PTEV_F_AFTER_CUT);
	return true;
}

/*
 * Above the faulting instruction the kernel's stack shows the exception entry and the tracer; the
 * unwinder ends a user stack without frame pointers in zeros.
 */
static void trim_stacks(struct fault_stacks *stacks, uint64_t ip)
{
	uint32_t i;

	for (i = 0; i < stacks->nr_kernel && stacks->kernel[i] != ip; i++)
		;
	if (i < stacks->nr_kernel) {
		stacks->kernel += i;
		stacks->nr_kernel -= i;
	}
	while (stacks->nr_user && !stacks->user[stacks->nr_user - 1])
		stacks->nr_user--;
}

bool fault_stacks(struct fault_stacks *stacks, const struct ptev_fault *f)
{
	const uint64_t *tail = (const uint64_t *)(f + 1);
	uint64_t room;

	if (!(fault_parts(f) & PTEV_F_STACKS))
		return false;
	room = (f->hdr.size - PTEV_FAULT_FULL) / sizeof(*tail) - 1;
	stacks->nr_kernel = (uint32_t)tail[0];
	stacks->nr_user = (uint32_t)(tail[0] >> 32);
	stacks->kernel = tail + 1;
	stacks->user = stacks->kernel + stacks->nr_kernel;
	if ((uint64_t)stacks->nr_kernel + stacks->nr_user > room)
		return false;
	trim_stacks(stacks, f->ip);
	return true;
}

const struct symbol *fault_symbol(const struct sink_env *env, const struct ptev_fault *f)
{
	if (!f->ip)
		return NULL;
	return symbols_find(env->symbols, env->procs, f->pid, f->ip, f->time);
}

/* Frame @i of both stacks, 0: there are fewer, or it is nowhere in user space. */
static uint64_t frame_at(const struct fault_stacks *s, uint32_t i)
{
	if (i < s->nr_kernel)
		return s->kernel[i];
	i -= s->nr_kernel;
	return i < s->nr_user && !(s->user[i] >> 63) ? s->user[i] : 0;
}

const struct symbol *fault_caller(const struct sink_env *env, const struct ptev_fault *f)
{
	struct fault_stacks s;
	uint64_t ip;

	if (!f->ip || !fault_stacks(&s, f))
		return NULL;
	ip = frame_at(&s, frame_at(&s, 0) == f->ip);
	return ip ? symbols_find(env->symbols, env->procs, f->pid, ip, f->time) : NULL;
}
