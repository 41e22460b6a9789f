// SPDX-License-Identifier: GPL-2.0
/* The processes that have VMs. */
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/kernel/vm_priv.h"

#define LINK_LEN 64

static int kcmp_file(uint32_t pid_a, int fd_a, uint32_t pid_b, int fd_b)
{
	return (int)syscall(SYS_kcmp, pid_a, pid_b, KCMP_FILE, fd_a, fd_b);
}

const struct vm_sources vm_sources_here = {
	.proc = "/proc",
	.debugfs = "/sys/kernel/debug/kvm",
	.same_file = kcmp_file,
};

/* What a process has, before it is known whose. */
struct holder {
	uint32_t pid;
	int *vms;
	size_t nr_vms;
	struct vm_vcpu *vcpus;
	size_t nr_vcpus;
	bool alone; /* its one VM is all that its vCPUs can belong to */
};

static void holder_free(struct holder *h)
{
	free(h->vms);
	free(h->vcpus);
}

static int add_vm_fd(struct holder *h, int fd)
{
	int *vms = vm_one_more(h->vms, h->nr_vms, sizeof(*vms));

	if (!vms)
		return -ENOMEM;
	h->vms = vms;
	vms[h->nr_vms++] = fd;
	return 0;
}

static int look_at_fd(struct holder *h, const char *folder, int fd)
{
	char path[PATH_LEN], link[LINK_LEN];
	struct vm_vcpu vcpu = { .fd = fd };
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%d", folder, fd);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return 0;
	link[len] = 0;
	switch (vm_fd_kind(link, &vcpu.index)) {
	case VM_FD_VM:
		return add_vm_fd(h, fd);
	case VM_FD_VCPU:
		return vm_add_vcpu(&h->vcpus, &h->nr_vcpus, &vcpu);
	default:
		return 0;
	}
}

/* The descriptors of KVM that @h->pid has. -EACCES, -ENOENT: it cannot be looked at, or is gone. */
static int read_fds(const struct vm_sources *from, struct holder *h)
{
	char folder[PATH_LEN / 2];
	struct dirent *entry;
	int err = 0, fd;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/%u/fd", from->proc, h->pid);
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		fd = vm_number(entry->d_name);
		if (fd >= 0)
			err = look_at_fd(h, folder, fd);
	}
	closedir(dir);
	return err;
}

static void vm_free(struct vm_info *vm)
{
	free(vm->vcpus);
}

static bool is_listed(const struct vm_sources *from, const struct vm_list *list, uint32_t pid,
		      int fd)
{
	size_t i;

	for (i = 0; from->same_file && i < list->nr; i++) {
		if (!from->same_file(list->vms[i].pid, list->vms[i].fd, pid, fd))
			return true;
	}
	return false;
}

static int add_vm(const struct vm_sources *from, struct vm_list *list, struct holder *h, int fd)
{
	struct vm_info vm = { .pid = h->pid, .fd = fd }, *more;
	int err;

	if (h->alone) {
		vm.vcpus = h->vcpus;
		vm.nr_vcpus = h->nr_vcpus;
		h->vcpus = NULL;
	}
	err = vm_read_names(from, &vm);
	if (!err)
		err = vm_read_vcpus(from, &vm, h->alone);
	more = err ? NULL : vm_one_more(list->vms, list->nr, sizeof(*more));
	if (!more) {
		vm_free(&vm);
		return err ? err : -ENOMEM;
	}
	list->vms = more;
	more[list->nr++] = vm;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Leaves those VMs of @h that are not in @list yet, by number, each once. */
static void drop_listed(const struct vm_sources *from, const struct vm_list *list, struct holder *h)
{
	bool drop, foreign = false;
	size_t i, j, nr = 0;

	qsort(h->vms, h->nr_vms, sizeof(*h->vms), by_value);
	for (i = 0; i < h->nr_vms; i++) {
		drop = is_listed(from, list, h->pid, h->vms[i]);
		foreign = foreign || drop;
		for (j = 0; from->same_file && !drop && j < nr; j++)
			drop = !from->same_file(h->pid, h->vms[j], h->pid, h->vms[i]);
		if (!drop)
			h->vms[nr++] = h->vms[i];
	}
	h->nr_vms = nr;
	h->alone = nr == 1 && !foreign;
}

static int add_process(const struct vm_sources *from, struct vm_list *list, uint32_t pid)
{
	struct holder h = { .pid = pid };
	int err = read_fds(from, &h);
	size_t i;

	list->hidden += err == -EACCES;
	if (err && err != -ENOMEM)
		err = 0;
	if (!err && h.nr_vms)
		drop_listed(from, list, &h);
	for (i = 0; !err && i < h.nr_vms; i++)
		err = add_vm(from, list, &h, h.vms[i]);
	holder_free(&h);
	return err;
}

/* The numbers of the processes, sorted: what the kernel gives is nearly so, but need not be. */
static int read_pids(const char *proc, int **pids, size_t *nr)
{
	struct dirent *entry;
	int err = 0, pid, *more;
	DIR *dir = opendir(proc);

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		pid = vm_number(entry->d_name);
		if (pid <= 0)
			continue;
		more = vm_one_more(*pids, *nr, sizeof(*more));
		if (more) {
			*pids = more;
			more[(*nr)++] = pid;
		} else {
			err = -ENOMEM;
		}
	}
	closedir(dir);
	if (*nr)
		qsort(*pids, *nr, sizeof(**pids), by_value);
	return err;
}

int vm_list_read(const struct vm_sources *from, struct vm_list *list)
{
	int *pids = NULL, err;
	size_t nr = 0, i;

	*list = (struct vm_list){ 0 };
	err = read_pids(from->proc, &pids, &nr);
	for (i = 0; !err && i < nr; i++)
		err = add_process(from, list, (uint32_t)pids[i]);
	free(pids);
	if (err)
		vm_list_free(list);
	return err;
}

void vm_list_free(struct vm_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		vm_free(&list->vms[i]);
	free(list->vms);
	*list = (struct vm_list){ 0 };
}
