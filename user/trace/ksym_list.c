// SPDX-License-Identifier: GPL-2.0
#include "user/trace/ksym_list.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 512 /* the kernel's KSYM_NAME_LEN */
#define TAG_SIZE  8
#define FUNCS_MAX 4096 /* of a program; the verifier takes 256 */

/* A program's functions. */
struct program {
	struct bpf_prog_info info;
	struct btf *btf; /* NULL: its functions have no names */
	uint32_t nr;
	uint64_t *addr;
	uint32_t *len;
	uint8_t (*tag)[TAG_SIZE];
	struct bpf_func_info *func;
};

static void program_free(struct program *p)
{
	btf__free(p->btf);
	free(p->addr);
	free(p->len);
	free(p->tag);
	free(p->func);
}

/* Room for what the kernel is to fill in. 0 or -ENOMEM. */
static int make_room(struct program *p)
{
	p->addr = calloc(p->nr, sizeof(*p->addr));
	p->len = calloc(p->nr, sizeof(*p->len));
	p->tag = calloc(p->nr, sizeof(*p->tag));
	p->func = calloc(p->nr, sizeof(*p->func));
	return p->addr && p->len && p->tag && p->func ? 0 : -ENOMEM;
}

static int ask(int fd, struct bpf_prog_info *info)
{
	uint32_t size = sizeof(*info);

	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

/* How many functions, then which. -ENOENT: it is not compiled, or may not be looked at. */
static int program_read(struct program *p, int fd)
{
	struct bpf_prog_info *info = &p->info;
	uint32_t funcs;
	int err = ask(fd, info);

	if (err)
		return err;
	p->nr = info->nr_jited_ksyms;
	funcs = info->nr_func_info;
	if (!p->nr || p->nr > FUNCS_MAX || info->nr_jited_func_lens != p->nr ||
	    info->nr_prog_tags != p->nr)
		return -ENOENT;
	err = make_room(p);
	if (err)
		return err;
	*info = (struct bpf_prog_info){
		.nr_jited_ksyms = p->nr,
		.jited_ksyms = (uintptr_t)p->addr,
		.nr_jited_func_lens = p->nr,
		.jited_func_lens = (uintptr_t)p->len,
		.nr_prog_tags = p->nr,
		.prog_tags = (uintptr_t)p->tag,
		.func_info_rec_size = sizeof(*p->func),
		.nr_func_info = funcs == p->nr ? funcs : 0,
		.func_info = (uintptr_t)p->func,
	};
	err = ask(fd, info);
	if (!err && funcs == p->nr && info->btf_id)
		p->btf = btf__load_from_kernel_by_id(info->btf_id);
	return err;
}

/* A function's own name, as bpf_get_prog_name() has it (kernel/bpf/core.c). */
static const char *function_name(const struct program *p, uint32_t i)
{
	const struct btf_type *type = p->btf ? btf__type_by_id(p->btf, p->func[i].type_id) : NULL;
	const char *name = type ? btf__name_by_offset(p->btf, type->name_off) : NULL;

	if (name && *name)
		return name;
	return p->nr == 1 ? p->info.name : "F";
}

static void put_name(char *name, const struct program *p, uint32_t i)
{
	const char *function = function_name(p, i);
	int n = snprintf(name, NAME_SIZE, "bpf_prog_"), j;

	for (j = 0; j < TAG_SIZE; j++)
		n += snprintf(name + n, (size_t)(NAME_SIZE - n), "%02x", p->tag[i][j]);
	if (*function)
		snprintf(name + n, (size_t)(NAME_SIZE - n), "_%.*s", NAME_SIZE / 2, function);
}

static int tell(const struct program *p, uint64_t time, sideband_put put, void *ctx)
{
	union {
		struct ptev_ksym sym;
		char room[sizeof(struct ptev_ksym) + NAME_SIZE];
	} r = { .room = "" };
	uint32_t i;
	int err = 0;

	r.sym.hdr.type = PTEV_KSYM;
	r.sym.time = time;
	r.sym.ksym_type = PERF_RECORD_KSYMBOL_TYPE_BPF;
	for (i = 0; i < p->nr && !err; i++) {
		if (!p->addr[i])
			continue; /* kernel.kptr_restrict */
		memset(r.sym.name, 0, NAME_SIZE);
		put_name(r.sym.name, p, i);
		r.sym.addr = p->addr[i];
		r.sym.len = p->len[i];
		r.sym.hdr.size =
			(uint16_t)(sizeof(r.sym) + ((strlen(r.sym.name) + 1 + 7) & ~(size_t)7));
		err = put(ctx, &r.sym.hdr);
	}
	return err;
}

static int tell_of(uint32_t id, uint64_t time, sideband_put put, void *ctx)
{
	struct program p = { 0 };
	int fd = bpf_prog_get_fd_by_id(id), err;

	if (fd < 0)
		return 0; /* it has gone */
	err = program_read(&p, fd);
	if (!err)
		err = tell(&p, time, put, ctx);
	else if (err != -ENOMEM)
		err = 0;
	program_free(&p);
	close(fd);
	return err;
}

int ksyms_synthesise(uint64_t time, sideband_put put, void *ctx)
{
	uint32_t id = 0;
	int err = 0;

	while (!err && !bpf_prog_get_next_id(id, &id))
		err = tell_of(id, time, put, ctx);
	return err;
}
