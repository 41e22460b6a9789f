// SPDX-License-Identifier: GPL-2.0
/* Virtual machines in folders that look like /proc and like KVM's debugfs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/kernel/vm.h"

static char root[64], proc[80], debugfs[80];

static void setup(void)
{
	snprintf(root, sizeof(root), "/tmp/test_vm.XXXXXX");
	cr_assert(mkdtemp(root));
	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(debugfs, sizeof(debugfs), "%s/kvm", root);
	cr_assert_eq(mkdir(proc, 0755), 0);
}

static void teardown(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

/* The folders above @path, below root. */
static void make_folders(char *path)
{
	char *at;

	for (at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		cr_assert(!mkdir(path, 0755) || errno == EEXIST);
		*at = '/';
	}
}

/* A file with @text, which may have NULs. */
static void put(const char *text, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put(const char *text, size_t len, const char *fmt, ...)
{
	char path[256];
	size_t at = (size_t)snprintf(path, sizeof(path), "%s/", root);
	va_list args;
	FILE *f;

	va_start(args, fmt);
	vsnprintf(path + at, sizeof(path) - at, fmt, args);
	va_end(args);
	make_folders(path);
	f = fopen(path, "w");
	cr_assert(f);
	cr_assert_eq(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void put_fd(int pid, int fd, const char *link)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/proc/%d/fd/%d", root, pid, fd);
	make_folders(path);
	cr_assert_eq(symlink(link, path), 0);
}

static void put_comm(int pid, int tid, const char *comm)
{
	put(comm, strlen(comm), "proc/%d/task/%d/comm", pid, tid);
	if (pid == tid)
		put(comm, strlen(comm), "proc/%d/comm", pid);
}

static struct vm_list list_vms(int (*same_file)(uint32_t, int, uint32_t, int))
{
	struct vm_sources from = { proc, debugfs, same_file };
	struct vm_list list;

	cr_assert_eq(vm_list_read(&from, &list), 0);
	return list;
}

static const char qemu[] = "qemu-system-x86_64\0-name\0guest=web,,1,debug-threads=on\0-m\0"
			   "2G\0-uuid\0a1b2c3d4-0000-1111-2222-333344445555";

static void put_qemu(void)
{
	put_comm(40, 40, "qemu-system-x86\n");
	put(qemu, sizeof(qemu), "proc/40/cmdline");
	put_comm(40, 43, "CPU 1/KVM\n");
	put_comm(40, 42, "CPU 0/KVM\n");
	put_comm(40, 41, "worker\n");
	put_fd(40, 0, "/dev/null");
	put_fd(40, 9, "/dev/kvm");
	put_fd(40, 10, "anon_inode:kvm-vm");
	put_fd(40, 12, "anon_inode:kvm-vcpu:1");
	put_fd(40, 11, "anon_inode:kvm-vcpu:0");
	put_fd(40, 13, "anon_inode:[eventfd]");
}

Test(vm, found_by_descriptors, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_qemu();
	put_comm(7, 7, "bash\n");
	put_fd(7, 0, "/dev/pts/0");
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 1);
	cr_expect_eq(list.vms[0].pid, 40);
	cr_expect_eq(list.vms[0].fd, 10);
	cr_expect_str_eq(list.vms[0].vmm, "qemu-system-x86");
	cr_expect_str_eq(list.vms[0].name, "web,1");
	cr_expect_str_eq(list.vms[0].uuid, "a1b2c3d4-0000-1111-2222-333344445555");
	cr_expect(list.vms[0].named);
	cr_expect_not(list.vms[0].mapped_known);
	cr_assert_eq(list.vms[0].nr_vcpus, 2);
	cr_expect(list.vms[0].vcpus_known);
	cr_expect_eq(list.vms[0].vcpus[0].index, 0);
	cr_expect_eq(list.vms[0].vcpus[0].fd, 11);
	cr_expect_eq(list.vms[0].vcpus[0].tid, 42);
	cr_expect_eq(list.vms[0].vcpus[1].fd, 12);
	cr_expect_eq(list.vms[0].vcpus[1].tid, 43);
	vm_list_free(&list);
}

/* KVM's folder has the number of the thread that made the VM, and beats the threads' names. */
Test(vm, debugfs_adds, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_qemu();
	put("5\n", 2, "kvm/41-10/pages_4k");
	put("3\n", 2, "kvm/41-10/pages_2m");
	put("1\n", 2, "kvm/41-10/pages_1g");
	put("41\n", 3, "kvm/41-10/vcpu1/pid");
	/* Has ended: the name tells. */
	put("47\n", 3, "kvm/41-10/vcpu0/pid");
	put("9\n", 2, "kvm/41-11/pages_4k");
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 1);
	cr_expect(list.vms[0].mapped_known);
	cr_expect_eq(list.vms[0].mapped, 5 * 4096 + (3ULL << 21) + (1ULL << 30));
	cr_assert_eq(list.vms[0].nr_vcpus, 2);
	cr_expect_eq(list.vms[0].vcpus[0].tid, 42);
	cr_expect_eq(list.vms[0].vcpus[1].tid, 41);
	vm_list_free(&list);
}

Test(vm, mapped_needs_all_sizes, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_qemu();
	put("5\n", 2, "kvm/40-10/pages_4k");
	put("x\n", 2, "kvm/40-10/pages_2m");
	put("1\n", 2, "kvm/40-10/pages_1g");
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 1);
	cr_expect_not(list.vms[0].mapped_known);
	vm_list_free(&list);
}

/* Whose vCPU is it? Only debugfs knows; without it nothing is said. */
Test(vm, two_in_a_process, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_qemu();
	put_fd(40, 20, "anon_inode:kvm-vm");
	put("0\n", 2, "kvm/40-20/vcpu3/pid");
	put("43\n", 3, "kvm/40-20/vcpu0/pid");
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 2);
	cr_expect_eq(list.vms[0].fd, 10);
	cr_expect_not(list.vms[0].vcpus_known);
	cr_expect_eq(list.vms[0].nr_vcpus, 0);
	cr_expect_eq(list.vms[1].fd, 20);
	cr_expect(list.vms[1].vcpus_known);
	cr_assert_eq(list.vms[1].nr_vcpus, 2);
	cr_expect_eq(list.vms[1].vcpus[0].index, 0);
	cr_expect_eq(list.vms[1].vcpus[0].fd, -1);
	cr_expect_eq(list.vms[1].vcpus[0].tid, 43);
	cr_expect_eq(list.vms[1].vcpus[1].index, 3);
	cr_expect_eq(list.vms[1].vcpus[1].tid, 0);
	vm_list_free(&list);
}

/* 10 and 20 are one VM, whoever has it; 30 is another one. */
static int same_by_number(uint32_t pid_a, int fd_a, uint32_t pid_b, int fd_b)
{
	(void)pid_a;
	(void)pid_b;
	return fd_a == 30 || fd_b == 30;
}

Test(vm, copied_descriptors, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_qemu();
	put_fd(40, 20, "anon_inode:kvm-vm");
	put_fd(40, 21, "anon_inode:kvm-vcpu:1");
	put_comm(50, 50, "child\n");
	put_fd(50, 10, "anon_inode:kvm-vm");
	put_fd(50, 11, "anon_inode:kvm-vcpu:0");
	put_fd(50, 30, "anon_inode:kvm-vm");
	list = list_vms(same_by_number);
	cr_assert_eq(list.nr, 2);
	cr_expect_eq(list.vms[0].pid, 40);
	cr_expect_eq(list.vms[0].fd, 10);
	cr_expect_eq(list.vms[0].nr_vcpus, 2);
	cr_expect_eq(list.vms[1].pid, 50);
	cr_expect_eq(list.vms[1].fd, 30);
	cr_expect_not(list.vms[1].vcpus_known);
	cr_expect_str_eq(list.vms[1].name, "child");
	cr_expect_not(list.vms[1].named);
	vm_list_free(&list);
}

Test(vm, nothing_there, .init = setup, .fini = teardown)
{
	struct vm_sources from = { debugfs, debugfs, NULL };
	struct vm_list list = list_vms(NULL);

	cr_expect_eq(list.nr, 0);
	vm_list_free(&list);
	cr_expect_eq(vm_list_read(&from, &list), -ENOENT);
}

/* One that ends while it is looked at has no folders left. */
Test(vm, process_without_files, .init = setup, .fini = teardown)
{
	struct vm_list list;

	put_fd(40, 10, "anon_inode:kvm-vm");
	put("", 0, "proc/41/comm");
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 1);
	cr_expect_str_empty(list.vms[0].name);
	cr_expect_eq(list.vms[0].nr_vcpus, 0);
	vm_list_free(&list);
}

Test(vm, many_descriptors, .init = setup, .fini = teardown)
{
	struct vm_list list;
	char link[40];
	size_t i;

	put_comm(40, 40, "big\n");
	put_fd(40, 3, "anon_inode:kvm-vm");
	for (i = 0; i < 300; i++) {
		snprintf(link, sizeof(link), "anon_inode:kvm-vcpu:%zu", 299 - i);
		put_fd(40, (int)i + 4, link);
	}
	list = list_vms(NULL);
	cr_assert_eq(list.nr, 1);
	cr_assert_eq(list.vms[0].nr_vcpus, 300);
	for (i = 0; i < 300; i++) {
		cr_expect_eq(list.vms[0].vcpus[i].index, i);
		cr_expect_eq(list.vms[0].vcpus[i].fd, 303 - (int)i);
	}
	vm_list_free(&list);
}

Test(vm, kinds_of_descriptors)
{
	static const char *const others[] = { "",
					      "anon_inode:kvm-vm-stats",
					      "anon_inode:kvm-vcpu",
					      "anon_inode:kvm-vcpu:",
					      "anon_inode:kvm-vcpu:1x",
					      "anon_inode:kvm-vcpu:4294967296",
					      "anon_inode:kvm-vcpu:99999999999999999999",
					      "anon_inode:kvm-vcpu-stats:0",
					      "/anon_inode:kvm-vm" };
	uint32_t index = 0;
	size_t i;

	cr_expect_eq(vm_fd_kind("anon_inode:kvm-vm", &index), VM_FD_VM);
	cr_expect_eq(vm_fd_kind("anon_inode:kvm-vcpu:4294967295", &index), VM_FD_VCPU);
	cr_expect_eq(index, UINT32_MAX);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_eq(vm_fd_kind(others[i], &index), VM_FD_OTHER, "%s", others[i]);
}

Test(vm, names_of_threads)
{
	static const struct {
		const char *comm;
		int64_t index; /* -1: none */
	} cases[] = {
		{ "CPU 0/KVM", 0 },	  { "CPU 12/KVM", 12 }, { "vcpu3", 3 },
		{ "crosvm_vcpu1", 1 },	  { "fc_vcpu 7", 7 },	{ "kvm-vcpu-2", 2 },
		{ "CPU 0/TCG", -1 },	  { "CPU /KVM", -1 },	{ "CPU 1x/KVM", -1 },
		{ "vcpu", -1 },		  { "", -1 },		{ "my vcpu3", -1 },
		{ "vcpu4294967296", -1 },
	};
	uint32_t index;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		index = 999;
		cr_expect_eq(vm_thread_vcpu(cases[i].comm, &index), cases[i].index >= 0, "%s",
			     cases[i].comm);
		if (cases[i].index >= 0)
			cr_expect_eq(index, cases[i].index, "%s", cases[i].comm);
	}
}

#define LINE(words, wanted_name, wanted_uuid)                  \
	{                                                      \
		words, sizeof(words), wanted_name, wanted_uuid \
	}

Test(vm, names_in_command_lines)
{
	static const struct {
		const char *words;
		size_t len;
		const char *name, *uuid;
	} cases[] = {
		LINE("qemu\0-name\0plain", "plain", ""),
		LINE("qemu\0--name\0plain,process=p", "plain", ""),
		LINE("qemu\0-name\0debug-threads=on,guest=a=b", "a=b", ""),
		LINE("qemu\0-name\0debug-threads=on", "", ""),
		LINE("qemu\0-name\0one\0-name\0two", "two", ""),
		LINE("qemu\0-name\0,,,,", ",,", ""),
		LINE("firecracker\0--id\0vm-1\0--api-sock\0x", "vm-1", ""),
		LINE("firecracker\0--id=vm-2", "vm-2", ""),
		LINE("crosvm\0run\0--id\0i\0--name\0n\0-uuid=u", "n", "u"),
		LINE("vmm\0--identity\0no\0name\0no\0--\0-", "", ""),
		LINE("vmm\0-name", "", ""),
		LINE("vmm\0--name=", "", ""),
		LINE("vmm\0-device\0virtio,id=no", "", ""),
		LINE("", "", ""),
	};
	char name[VM_NAME_LEN], uuid[VM_UUID_LEN];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vm_names_parse(cases[i].words, cases[i].len, name, uuid);
		cr_expect_str_eq(name, cases[i].name, "case %zu", i);
		cr_expect_str_eq(uuid, cases[i].uuid, "case %zu", i);
	}
	vm_names_parse(cases[0].words, 0, name, uuid);
	cr_expect_str_empty(name);
	/* The last word is cut off, and no word then. */
	vm_names_parse(cases[0].words, cases[0].len - 1, name, uuid);
	cr_expect_str_empty(name);
}

Test(vm, names_are_cut)
{
	char words[1000] = "vmm\0-uuid", name[VM_NAME_LEN], uuid[VM_UUID_LEN];

	memset(words + 10, 'u', 100);
	memcpy(words + 111, "-name", 5);
	memset(words + 117, 'n', 800);
	vm_names_parse(words, sizeof(words), name, uuid);
	cr_expect_eq(strlen(name), VM_NAME_LEN - 1);
	cr_expect_eq(strlen(uuid), VM_UUID_LEN - 1);
	memcpy(words + 111, "-id\0", 4);
	memset(words + 115, 'i', 800);
	vm_names_parse(words, sizeof(words), name, uuid);
	cr_expect_eq(strlen(name), VM_NAME_LEN - 1);
	cr_expect_eq(name[0], 'i');
}
