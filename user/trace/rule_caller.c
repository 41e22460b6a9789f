// SPDX-License-Identifier: GPL-2.0
#include "user/trace/rule_caller.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "rule.skel.h"

#define BPFFS "/sys/fs/bpf"

struct rule_caller {
	struct rule_bpf *skel;
	struct bpf_link *link;
};

static int fill_map(const struct rule_caller *c, const struct ptremap_rule *rules, size_t nr)
{
	int err = 0;
	size_t i;

	for (i = 0; i < nr && !err; i++)
		err = bpf_map__update_elem(c->skel->maps.rules, &rules[i].slot,
					   sizeof(rules[i].slot), &rules[i], sizeof(rules[i]), 0);
	return err;
}

int rule_caller_start(struct rule_caller **caller, const struct ptremap_rule *rules, size_t nr)
{
	struct rule_caller *c = calloc(1, sizeof(*c));
	int err;

	*caller = NULL;
	if (!c)
		return -ENOMEM;
	c->skel = rule_bpf__open_and_load();
	err = c->skel ? fill_map(c, rules, nr) : -errno;
	if (!err) {
		c->link = bpf_program__attach(c->skel->progs.call_rules);
		err = c->link ? 0 : -errno;
	}
	if (err) {
		rule_caller_close(c);
		return err;
	}
	*caller = c;
	return 0;
}

void rule_caller_close(struct rule_caller *c)
{
	if (!c)
		return;
	bpf_link__destroy(c->link);
	rule_bpf__destroy(c->skel);
	free(c);
}

/* ---- those that are kept ---------------------------------------------------------------- */

static bool has_bpffs(void)
{
	struct statfs fs;

	return !statfs(BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* Its name has the ids of its rules: "3-4-7". */
static int name_of(const struct ptremap_rule *rules, size_t nr, char *path, size_t size)
{
	size_t i, len = (size_t)snprintf(path, size, RULE_CALLER_DIR "/");

	for (i = 0; i < nr && len < size; i++)
		len += (size_t)snprintf(path + len, size - len, "%s%u", i ? "-" : "", rules[i].id);
	return len < size ? 0 : -ENAMETOOLONG;
}

int rule_caller_keep(struct rule_caller *c, const struct ptremap_rule *rules, size_t nr)
{
	char path[64 + 12 * PTREMAP_RULES_MAX];
	int err = name_of(rules, nr, path, sizeof(path));

	if (err)
		return err;
	if (!has_bpffs())
		return -ENODEV;
	if (mkdir(RULE_CALLER_DIR, 0700) && errno != EEXIST)
		return -errno;
	return bpf_link__pin(c->link, path);
}

static bool has_id(const struct ptremap_rule *rules, size_t nr, unsigned long id)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (rules[i].id == id)
			return true;
	return false;
}

/* Is one of the ids in @name there? */
static bool is_needed(const char *name, const struct ptremap_rule *rules, size_t nr)
{
	unsigned long id;
	char *end;

	for (; *name; name = *end ? end + 1 : end) {
		id = strtoul(name, &end, 10);
		if (end == name)
			return true; /* it is none of ours */
		if (has_id(rules, nr, id))
			return true;
	}
	return false;
}

static int is_name(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* With what is there now. */
static void tidy_names(int dir, rule_caller_list list, void *ctx)
{
	struct ptremap_rule rules[PTREMAP_RULES_MAX];
	struct dirent **names;
	int i, nr, found = scandirat(dir, ".", &names, is_name, NULL);

	if (found < 0)
		return;
	nr = list(ctx, rules);
	for (i = 0; i < found; i++) {
		if (nr >= 0 && !is_needed(names[i]->d_name, rules, (size_t)nr))
			unlinkat(dir, names[i]->d_name, 0);
		free(names[i]);
	}
	free(names);
}

void rule_caller_tidy_in(const char *dir, rule_caller_list list, void *ctx)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	tidy_names(fd, list, ctx);
	close(fd);
}

void rule_caller_tidy(rule_caller_list list, void *ctx)
{
	if (has_bpffs())
		rule_caller_tidy_in(RULE_CALLER_DIR, list, ctx);
}
