// SPDX-License-Identifier: GPL-2.0
/* Parsers of the tracing options, one per OPT_CALL row. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/tracing.h"
#include "user/kernel/proc_task.h"
#include "user/trace/kvm_names.h"

static int add_targets(struct tracing_opts *o, const char *arg, enum fault_target kind)
{
	char *list, *save = NULL, *word;
	uint64_t id;
	int err = 0;

	if (o->cfg.target != FAULT_ALL && o->cfg.target != kind) {
		msg_error("-p and -t exclude each other");
		return -EINVAL;
	}
	list = strdup(arg);
	if (!list)
		return -ENOMEM;
	for (word = strtok_r(list, ",", &save); word && !err; word = strtok_r(NULL, ",", &save)) {
		if (units_parse_u64(word, &id) || !id || id > INT32_MAX ||
		    o->set.nr_targets == TRACING_MAX_TARGETS) {
			msg_error("'%s' is not a list of process ids", arg);
			err = -EINVAL;
		} else {
			o->set.targets[o->set.nr_targets++] = (uint32_t)id;
		}
	}
	free(list);
	if (!err && !o->set.nr_targets) {
		msg_error("'%s' is not a list of process ids", arg);
		err = -EINVAL;
	}
	o->cfg.target = (uint8_t)kind;
	return err;
}

int tracing_opt_pid(void *target, const char *arg)
{
	return add_targets(target, arg, FAULT_BY_TGID);
}

int tracing_opt_tid(void *target, const char *arg)
{
	return add_targets(target, arg, FAULT_BY_TID);
}

int tracing_opt_cpu(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	uint64_t cpus[FAULT_MAX_CPUS / 64] = { 0 };

	if (units_parse_list(arg, cpus, FAULT_MAX_CPUS)) {
		msg_error("'%s' is not a list of CPUs like 0,2-3", arg);
		return -EINVAL;
	}
	memcpy(o->cfg.cpus, cpus, sizeof(cpus));
	o->cfg.by_cpu = 1;
	return 0;
}

int tracing_opt_event(void *target, const char *arg)
{
	static const struct {
		const char *name;
		uint8_t origins;
	} events[] = {
		{ "fault", 1 << PTEV_USER | 1 << PTEV_KERNEL | 1 << PTEV_GUP },
		{ "fault:u", 1 << PTEV_USER },
		{ "fault:k", 1 << PTEV_KERNEL },
		{ "gup", 1 << PTEV_GUP },
	};
	struct tracing_opts *o = target;
	const char *word = arg;
	uint8_t origins = 0, kvm = 0, remap = 0, want;
	size_t len, i;

	for (;; word += len + 1) {
		len = strcspn(word, ",");
		want = (uint8_t)name_kvm_want(word, len);
		for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (strlen(events[i].name) == len && !memcmp(events[i].name, word, len))
				break;
		if (i < sizeof(events) / sizeof(events[0])) {
			origins |= events[i].origins;
		} else if (len == strlen("remap") && !memcmp(word, "remap", len)) {
			remap = 1;
		} else if (!want) {
			msg_error("event '%.*s' is not one of fault, fault:u, fault:k, gup, "
				  "hypercall, violation, exit, remap",
				  (int)len, word);
			return -EINVAL;
		}
		kvm |= want;
		if (!word[len])
			break;
	}
	o->cfg.origins = origins;
	o->cfg.kvm = kvm;
	o->cfg.remap = remap;
	return 0;
}

int tracing_opt_vm(void *target, const char *arg)
{
	struct tracing_opts *o = target;

	o->set.vms = true;
	return add_targets(o, arg, FAULT_BY_TGID);
}

int tracing_opt_nr(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	uint64_t nr;

	if (units_parse_u64(arg, &nr)) {
		msg_error("'%s' is not the number of a hypercall", arg);
		return -EINVAL;
	}
	o->cfg.nr = nr;
	o->cfg.by_nr = 1;
	return 0;
}

int tracing_opt_hook(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	int hook = name_find_hook(arg);

	if (hook < 0) {
		msg_error("hook '%s' is not one of auto, fentry, kprobe, rawtp", arg);
		return -EINVAL;
	}
	o->set.hook = (enum fault_hook)hook;
	return 0;
}

int tracing_opt_comm(void *target, const char *arg)
{
	struct tracing_opts *o = target;

	if (!*arg) {
		msg_error("--comm needs a name");
		return -EINVAL;
	}
	/* The kernel cuts names to 15 bytes, so a longer one is compared as it would be there. */
	memset(o->cfg.comm, 0, sizeof(o->cfg.comm));
	strncpy(o->cfg.comm, arg, sizeof(o->cfg.comm) - 1);
	o->cfg.by_comm = 1;
	return 0;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* How far below the hierarchy's root, which may be mounted anywhere; cuts @path up. */
static uint32_t cgroup_level(char *path)
{
	uint32_t level = 0;
	char *slash;

	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = 0;
		if (!is_cgroup2(path))
			break;
		level++;
	}
	return level;
}

/* A cgroup v2 directory's id is its file handle (kernel/cgroup/cgroup.c, kernfs ids). */
int tracing_opt_cgroup(void *target, const char *arg)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h.handle_bytes = sizeof(uint64_t) };
	struct tracing_opts *o = target;
	char *path = realpath(arg, NULL);
	int mount;

	if (!path || !is_cgroup2(path) || name_to_handle_at(AT_FDCWD, path, &handle.h, &mount, 0)) {
		msg_error("cgroup '%s': %s", arg,
			  path ? "not a directory of cgroup v2" : strerror(errno));
		free(path);
		return -EINVAL;
	}
	o->cfg.cgroup = handle.id;
	o->cfg.cgroup_level = cgroup_level(path);
	free(path);
	return 0;
}

int tracing_opt_addr(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	char *end;

	errno = 0;
	o->cfg.addr_first = strtoull(arg, &end, 16);
	o->cfg.addr_last = *end == '-' ? strtoull(end + 1, &end, 16) : o->cfg.addr_first;
	if (errno || !isxdigit((unsigned char)*arg) || *end ||
	    o->cfg.addr_last < o->cfg.addr_first) {
		msg_error("'%s' is not an address range like 7f0000000000-7f0000ffffff", arg);
		return -EINVAL;
	}
	o->cfg.by_addr = 1;
	return 0;
}

int tracing_opt_access(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	uint32_t mask;
	char bad[32];

	if (name_mask_accesses(arg, &mask, bad, sizeof(bad))) {
		msg_error("access '%s' is not one of read, write, exec", bad);
		return -EINVAL;
	}
	o->cfg.accesses = (uint8_t)mask;
	return 0;
}

int tracing_opt_outcome(void *target, const char *arg)
{
	struct tracing_opts *o = target;
	char bad[32], all[256] = "";
	unsigned int i;

	if (!name_mask_outcomes(arg, &o->cfg.outcomes, bad, sizeof(bad)))
		return 0;
	for (i = 1; i < PTEV_NR_OUTCOMES; i++) {
		strcat(all, " ");
		strcat(all, name_outcome(i));
	}
	msg_error("outcome '%s' is not one of%s", bad, all);
	return -EINVAL;
}
