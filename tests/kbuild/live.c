// SPDX-License-Identifier: GPL-2.0
/* The tables of the process that loads the module, against what the kernel says itself. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/io.h>
#include <asm/pgtable.h>
#include <asm/trap_pf.h>

#include "ptw_test.h"

#define PAGES 8

static int read_phys(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	if (!pfn_valid(PHYS_PFN(addr)))
		return -EFAULT;
	if (len == 8)
		*(pt_u64 *)buf = READ_ONCE(*(pt_u64 *)__va(addr));
	else
		memcpy(buf, __va(addr), len);
	return 0;
}

static const struct pt_mem_ops phys_ops = { .read = read_phys };

static int this_cpus_format(struct pt_fmt *fmt)
{
	struct pt_feat feat = {
		.maxphyaddr = boot_cpu_data.x86_phys_bits,
		.nx = boot_cpu_has(X86_FEATURE_NX),
		.page1g = boot_cpu_has(X86_FEATURE_GBPAGES),
	};

	return pt_fmt_init(fmt, pgtable_l5_enabled() ? PT_MODE_5LEVEL : PT_MODE_4LEVEL, &feat);
}

/* Does @ia lead to @pfn, and allow what @perm says, and no more? */
static bool leads_to(const struct pt_space *s, pt_u64 ia, pt_u64 pfn, pt_u8 perm)
{
	struct pt_path path;

	return pt_lookup(s, ia, &path) == PT_LEAF && PHYS_PFN(path.end.pa) == pfn &&
	       (path.end.perm & ~PT_PERM_XU) == perm;
}

static void test_vmalloc(struct results *r, const struct pt_space *s)
{
	pt_u8 *v = vmalloc(PAGES * PAGE_SIZE);
	pt_u64 at = (pt_u64)v, end = at + PAGES * PAGE_SIZE, pa;
	struct pt_item item;
	struct pt_iter it;

	if (!v)
		return CHECK(r, "vmalloc", !"memory");
	CHECK(r, "vmalloc", !pt_iter_init(&it, s, at, end - 1, 0, 0));
	for (; at < end; at += PAGE_SIZE) {
		CHECK(r, "vmalloc",
		      leads_to(s, at, vmalloc_to_pfn((void *)at), PT_PERM_R | PT_PERM_W));
		CHECK(r, "vmalloc", pt_iter_next(&it, &item) == 1 && item.kind == PT_LEAF);
		CHECK(r, "vmalloc",
		      item.start == at && PHYS_PFN(item.pa) == vmalloc_to_pfn((void *)at));
	}
	CHECK(r, "vmalloc", pt_iter_next(&it, &item) == 0);
	/* The guard page. */
	CHECK(r, "vmalloc", pt_translate(s, end, &pa) == -ENOENT);
	vfree(v);
}

static void test_direct_map(struct results *r, const struct pt_space *s)
{
	void *k = kmalloc(PAGE_SIZE, GFP_KERNEL);

	if (!k)
		return CHECK(r, "direct map", !"memory");
	CHECK(r, "direct map",
	      leads_to(s, (pt_u64)k, PHYS_PFN(virt_to_phys(k)), PT_PERM_R | PT_PERM_W));
	kfree(k);
}

static void test_user_page(struct results *r, const struct pt_space *s)
{
	unsigned long at = current->mm->start_stack & PAGE_MASK;
	struct page *page;

	if (get_user_pages_fast(at, 1, FOLL_WRITE, &page) != 1)
		return CHECK(r, "user", !"page");
	CHECK(r, "user", leads_to(s, at, page_to_pfn(page), PT_PERM_R | PT_PERM_W | PT_PERM_U));
	put_page(page);
}

/* A user program that wants to read this function. */
static void test_access(struct results *r, const struct pt_space *s)
{
	pt_u64 at = (pt_u64)test_access, pa;
	struct pt_cpu cpu = { .wp = 1 };
	struct pt_path path;
	struct pt_check check;

	CHECK(r, "text", leads_to(s, at, vmalloc_to_pfn((void *)at), PT_PERM_R | PT_PERM_X));
	pt_lookup(s, at, &path);
	pt_check_access(s->fmt, &cpu, &path, PT_ACC_USER, &check);
	CHECK(r, "text", check.verdict == PT_FAULT && check.rule == PT_RULE_USER);
	CHECK(r, "text", check.error_code == (X86_PF_PROT | X86_PF_USER));
	pt_check_access(s->fmt, &cpu, &path, PT_ACC_EXEC, &check);
	CHECK(r, "text", check.verdict == PT_ALLOWED);
	CHECK(r, "not canonical", pt_translate(s, 1ULL << 62, &pa) == -EINVAL);
	CHECK(r, "null", pt_translate(s, 0, &pa) == -ENOENT);
}

void test_live(struct results *r)
{
	struct pt_mem mem = { .ops = &phys_ops };
	struct pt_space s = { .mem = &mem, .root = virt_to_phys(current->mm->pgd) };
	struct pt_fmt fmt;

	CHECK(r, "this CPU", !this_cpus_format(&fmt));
	s.fmt = &fmt;
	pr_info("ptw_test: the CPU's tables: %s\n", pt_mode_name((enum pt_mode)fmt.mode));
	test_direct_map(r, &s);
	test_vmalloc(r, &s);
	test_user_page(r, &s);
	test_access(r, &s);
}
