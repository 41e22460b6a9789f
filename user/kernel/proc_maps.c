// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/proc_maps.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Numbers and name of one line; a name is cut rather than the line lost. */
#define LINE_SIZE (PATH_MAX + 128)

static FILE *open_proc(uint32_t pid, const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	return fopen(path, "re");
}

/* Reads a number that must be followed by @end, and steps over both. */
static bool parse_number(char **s, int base, char end, uint64_t *value)
{
	char *rest;

	if (!isxdigit((unsigned char)**s))
		return false;
	errno = 0;
	*value = strtoull(*s, &rest, base);
	if (errno || rest == *s || *rest != end)
		return false;
	*s = rest + 1;
	return true;
}

static bool parse_device(char **s, struct proc_maps_entry *e)
{
	uint64_t maj, min;

	if (!parse_number(s, 16, ':', &maj) || !parse_number(s, 16, ' ', &min))
		return false;
	if (maj > UINT32_MAX || min > UINT32_MAX)
		return false;
	e->maj = (uint32_t)maj;
	e->min = (uint32_t)min;
	return true;
}

/* "rwxp " */
static bool parse_prot(char **s, struct proc_maps_entry *e)
{
	if (strnlen(*s, 5) < 5 || (*s)[4] != ' ')
		return false;
	e->prot = ((*s)[0] == 'r' ? PROT_READ : 0) | ((*s)[1] == 'w' ? PROT_WRITE : 0) |
		  ((*s)[2] == 'x' ? PROT_EXEC : 0);
	e->shared = (*s)[3] == 's';
	*s += 5;
	return true;
}

/* The kernel writes a newline within a name as \012 and leaves all else alone. */
static void unescape(char *name)
{
	char *to = name;

	while (*name) {
		if (!strncmp(name, "\\012", 4)) {
			*to++ = '\n';
			name += 4;
		} else {
			*to++ = *name++;
		}
	}
	*to = '\0';
}

bool proc_maps_parse(char *s, struct proc_maps_entry *e)
{
	if (!parse_number(&s, 16, '-', &e->start) || !parse_number(&s, 16, ' ', &e->end))
		return false;
	if (e->start >= e->end || !parse_prot(&s, e))
		return false;
	if (!parse_number(&s, 16, ' ', &e->pgoff) || !parse_device(&s, e))
		return false;
	/* There is always a space behind the inode, and more of them before a name. */
	if (!parse_number(&s, 10, ' ', &e->ino))
		return false;
	s += strspn(s, " ");
	unescape(s);
	e->name = s;
	return true;
}

/* One line without its newline; what does not fit is dropped. False at the end. */
static bool read_line(FILE *in, char *line)
{
	size_t len;
	int c;

	if (!fgets(line, LINE_SIZE, in))
		return false;
	len = strcspn(line, "\n");
	if (line[len] != '\n')
		while ((c = getc(in)) != EOF && c != '\n')
			;
	line[len] = '\0';
	return true;
}

int proc_maps_read(FILE *in, proc_maps_fn fn, void *ctx)
{
	struct proc_maps_entry entry;
	char *line = malloc(LINE_SIZE);
	int err = 0;

	if (!line)
		return -ENOMEM;
	while (!err && read_line(in, line))
		if (proc_maps_parse(line, &entry))
			err = fn(ctx, &entry);
	free(line);
	return err;
}

int proc_maps_each(uint32_t pid, proc_maps_fn fn, void *ctx)
{
	FILE *in = open_proc(pid, "maps");
	int err;

	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	err = proc_maps_read(in, fn, ctx);
	fclose(in);
	return err;
}

/* Calls @fn for each entry of a directory whose name is a number. */
static int each_number(const char *path, proc_task_fn fn, void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			err = fn(ctx, (uint32_t)strtoul(d->d_name, NULL, 10));
	closedir(dir);
	return err;
}

int proc_tasks_each(uint32_t pid, proc_task_fn fn, void *ctx)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	return each_number(path, fn, ctx);
}

int proc_task_comm(uint32_t pid, uint32_t tid, char comm[16])
{
	char file[64];
	size_t len;
	FILE *in;

	snprintf(file, sizeof(file), "task/%u/comm", tid);
	in = open_proc(pid, file);
	if (!in)
		return -ESRCH;
	/* Not as a line: a name may hold newlines. */
	len = fread(comm, 1, 16, in);
	fclose(in);
	if (!len)
		return -ESRCH;
	comm[len - 1] = '\0';
	return 0;
}

uint32_t proc_ppid(uint32_t pid)
{
	FILE *in = open_proc(pid, "stat");
	char stat[256];
	char *behind;
	size_t len;

	if (!in)
		return 0;
	len = fread(stat, 1, sizeof(stat) - 1, in);
	fclose(in);
	stat[len] = '\0';
	/* The name stands in parentheses and may hold any character; then "S PPID ". */
	behind = strrchr(stat, ')');
	if (!behind || strlen(behind) < 5)
		return 0;
	return (uint32_t)strtoul(behind + 4, NULL, 10);
}

struct synth {
	uint32_t pid, ppid;
	uint64_t time;
	proc_put_fn put;
	void *ctx;
	struct ptev_mmap *mmap; /* room for the longest name */
};

static int synth_comm(void *ctx, uint32_t tid)
{
	const struct synth *s = ctx;
	struct ptev_task task = {
		.hdr = { .size = sizeof(task), .type = PTEV_COMM },
		.time = s->time,
		.pid = s->pid,
		.tid = tid,
		.ppid = s->ppid,
	};

	if (proc_task_comm(s->pid, tid, task.comm))
		return 0;
	return s->put(s->ctx, &task.hdr);
}

static int synth_mmap(void *ctx, const struct proc_maps_entry *e)
{
	const struct synth *s = ctx;
	const char *name = *e->name ? e->name : "//anon";
	size_t len = strlen(name);
	size_t size = (sizeof(*s->mmap) + len + 1 + 7) & ~(size_t)7;

	memset(s->mmap, 0, size);
	*s->mmap = (struct ptev_mmap){
		.hdr = { .size = (uint16_t)size, .type = PTEV_MMAP },
		.prot = e->prot,
		.time = s->time,
		.pid = s->pid,
		.tid = s->pid,
		.start = e->start,
		.len = e->end - e->start,
		.pgoff = e->pgoff,
		.ino = e->ino,
		.maj = e->maj,
		.min = e->min,
		.flags = e->shared ? MAP_SHARED : MAP_PRIVATE,
	};
	memcpy(s->mmap->name, name, len);
	return s->put(s->ctx, &s->mmap->hdr);
}

/* A process that ended, or whose maps are not ours to read, has none. */
static int synth_maps(struct synth *s)
{
	FILE *in = open_proc(s->pid, "maps");
	int err;

	if (!in)
		return 0;
	err = proc_maps_read(in, synth_mmap, s);
	fclose(in);
	return err;
}

static int synth_process(void *ctx, uint32_t pid)
{
	struct synth *s = ctx;
	int err;

	s->pid = pid;
	s->ppid = proc_ppid(pid);
	err = proc_tasks_each(pid, synth_comm, s);
	return err ? err : synth_maps(s);
}

static int synth_init(struct synth *s, uint64_t time, proc_put_fn put, void *ctx)
{
	*s = (struct synth){ .time = time, .put = put, .ctx = ctx };
	s->mmap = malloc(sizeof(*s->mmap) + LINE_SIZE + 8);
	return s->mmap ? 0 : -ENOMEM;
}

int proc_synthesise(uint32_t pid, uint64_t time, proc_put_fn put, void *ctx)
{
	struct synth s;
	int err = synth_init(&s, time, put, ctx);

	if (err)
		return err;
	err = synth_process(&s, pid);
	free(s.mmap);
	return err;
}

static int synth_one_of_all(void *ctx, uint32_t pid)
{
	int err = synth_process(ctx, pid);

	return err == -ESRCH ? 0 : err;
}

int proc_synthesise_all(uint64_t time, proc_put_fn put, void *ctx)
{
	struct synth s;
	int err = synth_init(&s, time, put, ctx);

	if (err)
		return err;
	err = each_number("/proc", synth_one_of_all, &s);
	free(s.mmap);
	return err;
}
