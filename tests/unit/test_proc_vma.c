// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/kernel/page_info.h"
#include "user/kernel/proc_vma.h"

static const char text[] =
	"00400000-00402000 r-xp 00001000 08:01 123                      /usr/bin/a b\n"
	"Size:                  8 kB\n"
	"Rss:                   4 kB\n"
	"VmFlags: rd ex mr mw me sd \n"
	"7f0000000000-7f0000001000 rw-s 00000000 00:01 5                /dev/zero (deleted)\n"
	"Size:                  4 kB\n"
	"ProtectionKey:         2\n"
	"VmFlags: rd wr sh mr mw me ms q1 zz sd\n"
	"7f0000002000-7f0000003000 ---p 00000000 00:00 0 \n"
	"VmFlags: mr mw me \n"
	"7f0000004000-7f0000005000 r--p 00000000 00:00 0 \n"
	"Size:                  4 kB\n";

static int find(uint64_t va, struct proc_vma *vma)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
	int err;

	cr_assert(in);
	err = proc_vma_read(in, va, vma);
	fclose(in);
	return err;
}

Test(proc_vma, flags_by_name)
{
	struct proc_vma vma;

	cr_assert_eq(find(0x401fff, &vma), 0);
	cr_expect_eq(vma.start, 0x400000);
	cr_expect_eq(vma.end, 0x402000);
	cr_expect_eq(vma.pgoff, 0x1000);
	cr_expect_str_eq(vma.name, "/usr/bin/a b");
	cr_expect_eq(vma.flags, VMA_BIT(VMA_READ) | VMA_BIT(VMA_EXEC) | VMA_BIT(VMA_MAYREAD) |
					VMA_BIT(VMA_MAYWRITE) | VMA_BIT(VMA_MAYEXEC) |
					VMA_BIT(VMA_SOFTDIRTY));
	cr_expect_eq(vma.pkey, -1);
	cr_expect_str_empty(vma.other);
}

Test(proc_vma, unknown_letters_are_kept)
{
	struct proc_vma vma;

	cr_assert_eq(find(0x7f0000000000, &vma), 0);
	cr_expect(vma.flags & VMA_BIT(VMA_SHARED));
	cr_expect_eq(vma.pkey, 2);
	cr_expect_str_eq(vma.other, "q1 zz");
	cr_assert_eq(find(0x7f0000002fff, &vma), 0);
	cr_expect_eq(vma.pkey, -1);
	cr_expect_str_empty(vma.name);
}

Test(proc_vma, addresses_outside)
{
	struct proc_vma vma;

	cr_expect_eq(find(0x3fffff, &vma), -ENOENT);
	cr_expect_eq(find(0x402000, &vma), -ENOENT);
	cr_expect_eq(find(UINT64_MAX, &vma), -ENOENT);
	/* Cut before its flags came. */
	cr_expect_eq(find(0x7f0000004000, &vma), -ENOENT);
}

Test(proc_vma, names)
{
	unsigned int flag;

	for (flag = 0; flag < VMA_NR_FLAGS; flag++)
		cr_expect_eq(strncmp(proc_vma_flag_name(flag), "VM_", 3), 0, "flag %u", flag);
	cr_expect_str_eq(proc_vma_flag_name(VMA_NR_FLAGS), "?");
}

Test(proc_vma, own_page)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pagemap_info info;
	struct proc_vma vma;

	cr_assert_neq(page, MAP_FAILED);
	*(volatile char *)page = 1;
	cr_assert_eq(proc_vma_find(getpid(), (uintptr_t)page, &vma), 0);
	cr_expect(vma.flags & VMA_BIT(VMA_SHARED));
	cr_expect(vma.flags & VMA_BIT(VMA_WRITE));
	cr_expect_not(vma.flags & VMA_BIT(VMA_EXEC));
	cr_assert_eq(pagemap_read(getpid(), (uintptr_t)page, &info), 0);
	cr_expect(info.present);
	cr_expect(info.file);
	cr_expect_eq(pagemap_read(getpid(), 1ULL << 60, &info), -ENXIO);
	cr_expect_eq(pagemap_read(0x7ffffff0, 0, &info), -ESRCH);
	cr_expect_eq(proc_vma_find(0x7ffffff0, 0, &vma), -ESRCH);
	munmap(page, 4096);
}

Test(proc_vma, page_flags)
{
	cr_expect_str_eq(page_flag_name(KPF_BIT_ANON), "anon");
	cr_expect_str_eq(page_flag_name(KPF_BIT_NOPAGE), "nopage");
	cr_expect_str_eq(page_flag_name(KPF_BIT_ZERO_PAGE), "zero_page");
	cr_expect_str_eq(page_flag_name(32), "reserved");
	cr_expect_null(page_flag_name(31));
	cr_expect_null(page_flag_name(64));
}
