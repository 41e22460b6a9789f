// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/kvm_here.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/kernel/kinfo.h"

/* /dev/kvm's entry comes when a vendor's part has found its hardware: kvm_main.c, kvm_init(). */
enum kvm_vendor kvm_here(void)
{
	if (access("/sys/class/misc/kvm", F_OK))
		return KVM_NONE;
	return kinfo_cpu_flag("svm") ? KVM_AMD : KVM_INTEL;
}

/* A KVM that is built in has no module to have BTF of its own. */
bool kvm_here_btf(void)
{
	return !access("/sys/kernel/btf/kvm", F_OK) || access("/sys/module/kvm/sections", F_OK);
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
		vms += !strcmp(link, "anon_inode:kvm-vm");
	}
	closedir(dir);
	return vms;
}
