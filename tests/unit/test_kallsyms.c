// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/sym/kallsyms.h"

static int load(struct kallsyms **k, const char *text)
{
	char path[] = "/tmp/test_kallsyms.XXXXXX";
	int fd = mkstemp(path), err;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	err = kallsyms_load(k, path);
	close(fd);
	unlink(path);
	return err;
}

static void expect(const struct kallsyms *k, uint64_t address, const char *name, const char *module,
		   uint64_t start)
{
	const char *found, *in;
	uint64_t at;

	cr_assert_eq(kallsyms_find(k, address, &found, &in, &at), 0);
	cr_expect_str_eq(found, name);
	cr_expect_str_eq(in, module);
	cr_expect_eq(at, start);
}

Test(kallsyms, functions)
{
	struct kallsyms *k = NULL;
	const char *name, *module;
	uint64_t start;

	cr_assert_eq(load(&k, "ffffffffc0002000 t vmx_run\t[kvm_intel]\n"
			      "ffffffff81000000 T _text\n"
			      "ffffffff81000000 T _stext\n"
			      "ffffffff81000100 t local\n"
			      "ffffffff81000180 d data\n"
			      "nonsense\n"
			      "ffffffff8100019x t bad\n"
			      "ffffffff810001a0 tt bad\n"
			      "ffffffff81000200 W weak\n"),
		     0);
	expect(k, 0xffffffff81000000, "_text", "[kernel]", 0xffffffff81000000);
	expect(k, 0xffffffff810000ff, "_text", "[kernel]", 0xffffffff81000000);
	expect(k, 0xffffffff810001ff, "local", "[kernel]", 0xffffffff81000100);
	expect(k, 0xffffffff81000200, "weak", "[kernel]", 0xffffffff81000200);
	expect(k, 0xffffffffc0002010, "vmx_run", "[kvm_intel]", 0xffffffffc0002000);
	cr_expect_eq(kallsyms_find(k, 0xffffffff80ffffff, &name, &module, &start), -ENOENT);
	cr_expect_eq(kallsyms_find(k, 0xffffffffb0000000, &name, &module, &start), -ENOENT);
	cr_expect_eq(kallsyms_find(k, UINT64_MAX, &name, &module, &start), -ENOENT);
	kallsyms_free(k);
}

Test(kallsyms, hidden_or_empty)
{
	struct kallsyms *k = NULL;

	cr_expect_eq(load(&k, "0000000000000000 T _text\n0000000000000000 t x\t[m]\n"), -EPERM);
	cr_expect_eq(load(&k, ""), -ENODATA);
	cr_expect_eq(load(&k, "ffffffff81000180 d data\n"), -ENODATA);
	cr_expect_eq(kallsyms_load(&k, "/nonexistent"), -ENOENT);
}

Test(kallsyms, long_lines_are_cut)
{
	struct kallsyms *k = NULL;
	char *text = malloc(6000);

	cr_assert_not_null(text);
	memset(text, 'x', 6000);
	memcpy(text, "ffffffff81000000 T ", 19);
	strcpy(text + 5000, "\nffffffff81000100 T next\n");
	cr_assert_eq(load(&k, text), 0);
	expect(k, 0xffffffff81000100, "next", "[kernel]", 0xffffffff81000100);
	kallsyms_free(k);
	free(text);
}

/* Every 100th function of the running kernel, against the file itself. */
Test(kallsyms, the_running_kernel)
{
	struct kallsyms *k = NULL;
	int n = 0, checked = 0, err = kallsyms_load(&k, "/proc/kallsyms");
	char line[1024], name[512], type;
	unsigned long address;
	FILE *in;

	if (err == -EPERM)
		cr_skip_test("addresses are hidden");
	cr_assert_eq(err, 0);
	in = fopen("/proc/kallsyms", "r");
	cr_assert_not_null(in);
	while (fgets(line, sizeof(line), in)) {
		const char *found, *module;
		uint64_t start;

		cr_assert_eq(sscanf(line, "%lx %c %511s", &address, &type, name), 3);
		if (!strchr("tTwW", type) || n++ % 100)
			continue;
		cr_assert_eq(kallsyms_find(k, address, &found, &module, &start), 0);
		cr_assert_eq(start, address, "%s", name);
		checked += !strcmp(found, name);
	}
	fclose(in);
	/* The rest are other names of the same address. */
	cr_assert_gt(checked, n / 100 * 8 / 10);
	kallsyms_free(k);
}
