// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/kinfo.h"

#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/probe.h"
#include "probe.skel.h"
#include "user/kernel/direct_map.h"

/* Intel SDM vol. 2, CPUID leaves 80000001H, 80000008H; AMD APM vol. 3, E.4.17 (8000001FH). */
void kinfo_cpu_features(struct pt_feat *feat)
{
	unsigned int a, b, c, d;

	*feat = (struct pt_feat){ .maxphyaddr = 36 };
	if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
		feat->nx = d >> 20 & 1;
		feat->page1g = d >> 26 & 1;
	}
	if (__get_cpuid(0x80000008, &a, &b, &c, &d))
		feat->maxphyaddr = a & 0xff;
}

unsigned int kinfo_version(void)
{
	unsigned int major, minor;
	struct utsname u;

	uname(&u);
	return sscanf(u.release, "%u.%u", &major, &minor) == 2 ? major << 16 | minor << 8 : 0;
}

static void kernel_release(struct kinfo *k)
{
	struct utsname u;

	uname(&u);
	snprintf(k->release, sizeof(k->release), "%s", u.release);
	k->version = kinfo_version();
	/* include/linux/mm.h: VM_UFFD_MISSING, VM_UFFD_WP; VM_UFFD_MINOR moved in 6.6. */
	k->uffd_flags = 0x200 | 0x1000 | 1ULL << (k->version >= (6 << 16 | 6 << 8) ? 38 : 37);
}

bool kinfo_cpu_flag(const char *flag)
{
	size_t len = strlen(flag);
	char line[8192];
	bool found = false;
	char *p;
	FILE *f = fopen("/proc/cpuinfo", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5))
			continue;
		for (p = line; (p = strstr(p, flag)); p += len)
			if (p[-1] == ' ' && (p[len] == ' ' || p[len] == '\n'))
				found = true;
		break;
	}
	if (f)
		fclose(f);
	return found;
}

/*
 * kernel/sched/core.c: "none (voluntary) full" in debugfs with PREEMPT_DYNAMIC, where the build's
 * own name tells nothing. Without debugfs the answer is the careful one.
 */
static bool preemptible(void)
{
	char modes[64] = "";
	struct utsname u;
	FILE *f;

	uname(&u);
	if (!strstr(u.version, "PREEMPT"))
		return false;
	if (!strstr(u.version, "PREEMPT_DYNAMIC"))
		return true;
	f = fopen("/sys/kernel/debug/sched/preempt", "re");
	if (f && !fgets(modes, sizeof(modes), f))
		modes[0] = 0;
	if (f)
		fclose(f);
	return !strstr(modes, "(none)") && !strstr(modes, "(voluntary)");
}

static uint64_t kernel_text(void)
{
	uint64_t address, text = 0;
	char line[512], name[64];
	FILE *f = fopen("/proc/kallsyms", "re");

	while (f && !text && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 " %*c %63s", &address, name) == 2 &&
		    !strcmp(name, "_text"))
			text = address;
	if (f)
		fclose(f);
	return text;
}

static int run(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

static int peek(void *ctx, uint64_t address, uint64_t *value)
{
	struct probe_bpf *skel = ctx;
	int err;

	skel->bss->peek_address = address;
	err = run(skel->progs.probe_peek);
	if (err)
		return err;
	*value = skel->bss->peek_value;
	return skel->bss->peek_ok ? 0 : -EFAULT;
}

static void use_symbols(struct kinfo *k, const struct probe_bpf *skel)
{
	uint64_t sme = skel->bss->values.sme_me_mask;

	k->page_offset_symbol = skel->bss->values.page_offset_base;
	k->vmalloc_base = skel->bss->values.vmalloc_base;
	k->vmemmap_base = skel->bss->values.vmemmap_base;
	k->sme_mask = sme;
	if (sme)
		k->feat.enc_bit = (pt_u8)__builtin_ctzll(sme);
}

static int probe(struct kinfo *k)
{
	struct probe_bpf *skel = probe_bpf__open();
	struct bpf_program *prog = NULL;
	uint64_t ignored;
	int err;

	if (!skel)
		return -errno;
	while ((prog = bpf_object__next_program(skel->obj, prog)))
		bpf_program__set_autoload(prog, prog == skel->progs.probe_symbols ||
							prog == skel->progs.probe_peek);
	err = probe_bpf__load(skel);
	if (!err)
		err = run(skel->progs.probe_symbols);
	if (!err) {
		use_symbols(k, skel);
		peek(skel, 0, &ignored); /* fills own_pgd */
		err = direct_map_find(peek, skel, skel->bss->own_pgd, &k->feat, &k->page_offset,
				      &k->fmt);
	}
	if (err)
		k->page_offset = 0;
	if (skel->bss->values.physical_mask) {
		k->fmt.addr_mask &= skel->bss->values.physical_mask;
		k->fmt.root_mask &= skel->bss->values.physical_mask;
	}
	probe_bpf__destroy(skel);
	return err;
}

void kinfo_detect(struct kinfo *k)
{
	memset(k, 0, sizeof(*k));
	kernel_release(k);
	kinfo_cpu_features(&k->feat);
	k->pti = kinfo_cpu_flag("pti");
	k->preemptible = preemptible();
	k->kernel_text = kernel_text();
	pt_fmt_init(&k->fmt, kinfo_cpu_flag("la57") ? PT_MODE_5LEVEL : PT_MODE_4LEVEL, &k->feat);
	k->error = probe(k);
}
