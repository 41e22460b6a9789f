// SPDX-License-Identifier: GPL-2.0
/* What a VM is called, and what its vCPUs are. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/kernel/vm_priv.h"

/* Of a command line; QEMU's are long, but the name comes early. */
#define CMDLINE_MAX 65536
/* More than any kernel has vCPUs for a VM (KVM_MAX_VCPUS). */
#define VCPUS_MAX 65536

void *vm_one_more(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1) || (nr && nr < 8))
		return array;
	return realloc(array, (nr ? 2 * nr : 8) * size);
}

int vm_number(const char *name)
{
	char *end;
	long value = strtol(name, &end, 10);

	return *name >= '0' && *name <= '9' && !*end && value <= INT32_MAX ? (int)value : -1;
}

int vm_add_vcpu(struct vm_vcpu **vcpus, size_t *nr, const struct vm_vcpu *vcpu)
{
	struct vm_vcpu *more = vm_one_more(*vcpus, *nr, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*vcpus = more;
	if (*nr < VCPUS_MAX)
		more[(*nr)++] = *vcpu;
	return 0;
}

/* Up to @size - 1 bytes of a file, and a NUL; returns how many, 0 for none. */
static size_t read_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t len = f ? fread(buf, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	buf[len] = 0;
	return len;
}

static void read_comm(const char *folder, char comm[16])
{
	char path[PATH_LEN + 8];

	snprintf(path, sizeof(path), "%s/comm", folder);
	read_file(path, comm, 16);
	comm[strcspn(comm, "\n")] = 0;
}

int vm_read_names(const struct vm_sources *from, struct vm_info *vm)
{
	char folder[PATH_LEN / 2], path[PATH_LEN], *cmdline = malloc(CMDLINE_MAX);
	size_t len;

	if (!cmdline)
		return -ENOMEM;
	snprintf(folder, sizeof(folder), "%s/%u", from->proc, vm->pid);
	read_comm(folder, vm->vmm);
	snprintf(path, sizeof(path), "%s/cmdline", folder);
	len = read_file(path, cmdline, CMDLINE_MAX);
	vm_names_parse(cmdline, len, vm->name, vm->uuid);
	free(cmdline);
	vm->named = vm->name[0];
	if (!vm->named)
		snprintf(vm->name, sizeof(vm->name), "%s", vm->vmm);
	return 0;
}

/* Calls @fn with the tid of each thread of @vm's process, until it returns true. */
static void each_thread(const struct vm_sources *from, struct vm_info *vm,
			bool (*fn)(struct vm_info *vm, const char *folder, int tid, void *ctx),
			void *ctx)
{
	char folder[PATH_LEN / 2];
	struct dirent *entry;
	bool done = false;
	int tid;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/%u/task", from->proc, vm->pid);
	dir = opendir(folder);
	while (dir && !done && (entry = readdir(dir))) {
		tid = vm_number(entry->d_name);
		if (tid > 0)
			done = fn(vm, folder, tid, ctx);
	}
	if (dir)
		closedir(dir);
}

/* KVM names a VM's folder by the thread that made it and the descriptor. */
static bool is_folder_of(struct vm_info *vm, const char *folder, int tid, void *ctx)
{
	char *path = ctx;
	size_t len = strlen(path);

	(void)folder;
	snprintf(path + len, PATH_LEN / 2 - len, "/%d-%d", tid, vm->fd);
	if (access(path, X_OK) == 0)
		return true;
	path[len] = 0;
	return false;
}

/* The VM's folder of debugfs; false: there is none, or it may not be looked into. */
static bool find_folder(const struct vm_sources *from, struct vm_info *vm, char path[PATH_LEN / 2])
{
	size_t len;

	snprintf(path, PATH_LEN / 2, "%s", from->debugfs);
	len = strlen(path);
	each_thread(from, vm, is_folder_of, path);
	return path[len] != 0;
}

static bool read_number(const char *folder, const char *name, uint64_t *value)
{
	char path[PATH_LEN], text[32], *end;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!read_file(path, text, sizeof(text)))
		return false;
	*value = strtoull(text, &end, 10);
	return end != text && (!*end || *end == '\n');
}

/* KVM counts the leaves of each size (arch/x86/include/asm/kvm_host.h, struct kvm_vm_stat). */
static void read_mapped(const char *folder, struct vm_info *vm)
{
	static const char *const names[] = { "pages_4k", "pages_2m", "pages_1g" };
	uint64_t pages;
	unsigned int i;

	vm->mapped_known = true;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (read_number(folder, names[i], &pages))
			vm->mapped += pages << (12 + 9 * i);
		else
			vm->mapped_known = false;
	}
}

/* vcpuN, a folder for each; there is also which thread ran it last. */
static int read_vcpu_folders(const char *folder, struct vm_info *vm)
{
	struct dirent *entry;
	int err = 0, index;
	DIR *dir = opendir(folder);

	if (!dir)
		return 0;
	vm->vcpus_known = true;
	while (!err && (entry = readdir(dir))) {
		struct vm_vcpu vcpu = { .fd = -1 };

		if (strncmp(entry->d_name, "vcpu", 4) != 0)
			continue;
		index = vm_number(entry->d_name + 4);
		if (index < 0)
			continue;
		vcpu.index = (uint32_t)index;
		err = vm_add_vcpu(&vm->vcpus, &vm->nr_vcpus, &vcpu);
	}
	closedir(dir);
	return err;
}

/* The thread may have ended since it ran the vCPU. */
static bool is_thread(const struct vm_sources *from, const struct vm_info *vm, uint64_t tid)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%u/task/%" PRIu64, from->proc, vm->pid, tid);
	return access(path, F_OK) == 0;
}

static void read_vcpu_threads(const struct vm_sources *from, const char *folder, struct vm_info *vm)
{
	char path[64];
	uint64_t tid;
	size_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		snprintf(path, sizeof(path), "vcpu%u/pid", vm->vcpus[i].index);
		if (read_number(folder, path, &tid) && tid <= INT32_MAX && is_thread(from, vm, tid))
			vm->vcpus[i].tid = (uint32_t)tid;
	}
}

static bool is_vcpu_thread(struct vm_info *vm, const char *folder, int tid, void *ctx)
{
	char path[PATH_LEN], comm[16];
	uint32_t index;
	size_t i;

	(void)ctx;
	snprintf(path, sizeof(path), "%s/%d", folder, tid);
	read_comm(path, comm);
	if (!vm_thread_vcpu(comm, &index))
		return false;
	for (i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].index == index && !vm->vcpus[i].tid)
			vm->vcpus[i].tid = (uint32_t)tid;
	}
	return false;
}

static int by_index(const void *a, const void *b)
{
	const struct vm_vcpu *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* A descriptor that was copied is there twice. */
static void sort_vcpus(struct vm_info *vm)
{
	size_t i, nr = 0;

	if (vm->nr_vcpus)
		qsort(vm->vcpus, vm->nr_vcpus, sizeof(*vm->vcpus), by_index);
	for (i = 0; i < vm->nr_vcpus; i++) {
		if (!nr || vm->vcpus[nr - 1].index != vm->vcpus[i].index)
			vm->vcpus[nr++] = vm->vcpus[i];
	}
	vm->nr_vcpus = nr;
}

int vm_read_vcpus(const struct vm_sources *from, struct vm_info *vm, bool alone)
{
	char folder[PATH_LEN / 2];
	bool has_folder = find_folder(from, vm, folder);
	int err = 0;

	if (has_folder)
		read_mapped(folder, vm);
	vm->vcpus_known = alone;
	if (!alone && has_folder)
		err = read_vcpu_folders(folder, vm);
	sort_vcpus(vm);
	if (has_folder)
		read_vcpu_threads(from, folder, vm);
	if (alone)
		each_thread(from, vm, is_vcpu_thread, NULL);
	return err;
}
