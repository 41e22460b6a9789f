// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/kvm_here.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "user/kernel/kinfo.h"
#include "user/kernel/vm.h"

/* /dev/kvm's entry comes when a vendor's part has found its hardware: kvm_main.c, kvm_init(). */
enum kvm_vendor kvm_here(void)
{
	if (access("/sys/class/misc/kvm", F_OK))
		return KVM_NONE;
	return kinfo_cpu_flag("svm") ? KVM_AMD : KVM_INTEL;
}

static bool kernel_has_vcpu(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, "kvm_vcpu", BTF_KIND_STRUCT) > 0;

	btf__free(btf);
	return found;
}

/* A KVM that is built in has no module to have BTF of its own. */
enum kvm_btf kvm_here_btf(void)
{
	if (!access("/sys/kernel/btf/kvm", F_OK) || access("/sys/module/kvm/sections", F_OK))
		return KVM_BTF_ALL;
	return kernel_has_vcpu() ? KVM_BTF_KERNEL : KVM_BTF_NONE;
}

const char *kvm_here_btf_cost(enum kvm_btf btf)
{
	static const char *const costs[] = {
		[KVM_BTF_NONE] = "hypercalls have only rax, rbx, rcx, rdx and rsi, and no return "
				 "value, mode and cpl, and nothing that they point to; violations no "
				 "walks and no host address",
		[KVM_BTF_KERNEL] = "hypercalls have no return value, mode and cpl, and nothing at "
				   "guest-virtual addresses; violations no host address",
	};

	return btf < KVM_BTF_ALL ? costs[btf] : NULL;
}

bool kvm_here_exit_helper(void)
{
	static const char name[] = "events/ptremap_kvm/ptremap_vcpu_exit";
	static const char *const folders[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

struct pt_fmt kvm_fmt(enum kvm_vendor vendor, const struct pt_feat *cpu, unsigned int levels)
{
	/* KVM sets no bits that its CPU lacks; what the CPU may lack is allowed. */
	struct pt_feat feat = { .maxphyaddr = cpu->maxphyaddr,
				.enc_bit = cpu->enc_bit,
				.nx = 1,
				.page1g = 1,
				.npt = vendor == KVM_AMD,
				.ept_exec_only = 1,
				.ept_ad = 1 };
	struct pt_fmt fmt;

	if (vendor == KVM_AMD)
		pt_fmt_init(&fmt, levels == 5 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL, &feat);
	else
		pt_fmt_init(&fmt, levels == 5 ? PT_MODE_EPT5 : PT_MODE_EPT4, &feat);
	return fmt;
}

struct pt_fmt kvm_here_fmt(const struct pt_feat *cpu, unsigned int levels)
{
	return kvm_fmt(kvm_here(), cpu, levels);
}

int kvm_here_vms(uint32_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	uint32_t index;
	int vms = 0;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = 0;
		vms += vm_fd_kind(link, &index) == VM_FD_VM;
	}
	closedir(dir);
	return vms;
}
