// SPDX-License-Identifier: GPL-2.0
/*
 * What debug information says of this program, with addr2line(1) as the judge; and files that are
 * known by their build IDs.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/kernel/proc_maps.h"
#include "user/sym/symbols.h"

#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"

struct fixture {
	struct procs *procs;
	struct symbols *symbols;
	uint64_t now;
};

static int feed(void *ctx, const struct ptev_hdr *record)
{
	return procs_feed(ctx, record);
}

static struct fixture set_up(void)
{
	struct fixture f = { procs_new(), symbols_new(NO_SUCH_ID), 1 };

	cr_assert(f.procs && f.symbols);
	cr_assert_eq(proc_synthesise((uint32_t)getpid(), f.now, feed, f.procs), 0);
	return f;
}

static void tear_down(struct fixture *f)
{
	symbols_free(f->symbols);
	procs_free(f->procs);
}

static const struct symbol *find(struct fixture *f, uint64_t ip)
{
	return symbols_find(f->symbols, f->procs, (uint32_t)getpid(), ip, f->now);
}

/* Where the innermost of the functions below has its code. */
static uint64_t place;

static inline __attribute__((always_inline)) void innermost(int *x)
{
	__asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %1\n1:\tincl %0"
			 : "+m"(*x), "=m"(place)
			 :
			 : "rax");
}

static inline __attribute__((always_inline)) void between(int *x)
{
	innermost(x);
}

static __attribute__((noinline)) void holder(int *x)
{
	between(x);
	__asm__ volatile("" ::: "memory");
}

Test(symbols_debug, inlined_functions_and_lines)
{
	struct fixture f = set_up();
	const struct symbol_site *site;
	int x = 0;

	holder(&x);
	cr_assert(x == 1 && place);
	cr_expect_str_eq(find(&f, place)->name, "holder");
	site = symbols_site(f.symbols, f.procs, (uint32_t)getpid(), place, f.now);
	cr_assert_not_null(site);
	cr_assert_eq(site->nr_inlined, 2);
	cr_expect_str_eq(site->inlined[0], "innermost");
	cr_expect_str_eq(site->inlined[1], "between");
	cr_expect_str_eq(site->file, "test_symbols_debug.c");
	cr_expect_lt(abs((int)site->line - (__LINE__ - 38)), 12, "line %u", site->line);
	cr_expect_eq(symbols_site(f.symbols, f.procs, (uint32_t)getpid(), place, f.now), site,
		     "cached");
	cr_expect_null(symbols_site(f.symbols, f.procs, (uint32_t)getpid(), 1ull << 63, f.now));
	cr_expect_null(symbols_site(f.symbols, f.procs, (uint32_t)getpid(), 16, f.now));
	tear_down(&f);
}

/* addr2line -i: pairs of lines, a function and its place, innermost first. */
static unsigned int ask_addr2line(const char *path, uint64_t address, char names[][256],
				  unsigned int max)
{
	char command[4300], place_of[4300];
	unsigned int n = 0;
	FILE *in;

	snprintf(command, sizeof(command), "addr2line -i -f -e '%s' 0x%lx", path,
		 (unsigned long)address);
	in = popen(command, "r");
	cr_assert_not_null(in);
	while (n < max && fgets(names[n], 256, in) && fgets(place_of, sizeof(place_of), in)) {
		names[n][strcspn(names[n], "\n")] = 0;
		n++;
	}
	pclose(in);
	return n;
}

/* All of a function that has others inlined into it. */
Test(symbols_debug, against_addr2line)
{
	struct fixture f = set_up();
	uint64_t base = 0, ip;
	unsigned int compared = 0;
	char self[4096] = "";
	Dl_info info;

	cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	cr_assert(dladdr((const void *)(uintptr_t)holder, &info));
	base = (uintptr_t)info.dli_fbase;
	for (ip = (uintptr_t)holder; !strcmp(find(&f, ip)->name, "holder"); ip++) {
		const struct symbol_site *site =
			symbols_site(f.symbols, f.procs, (uint32_t)getpid(), ip, f.now);
		char names[8][256];
		unsigned int i, n = ask_addr2line(self, ip - base, names, 8);

		if (!n || !strcmp(names[0], "??"))
			cr_skip_test("addr2line knows nothing");
		cr_assert_not_null(site);
		cr_expect_eq(site->nr_inlined, n - 1, "at %lx", (unsigned long)(ip - base));
		for (i = 0; i + 1 < n && i < site->nr_inlined; i++)
			cr_expect_str_eq(site->inlined[i], names[i]);
		compared += site->nr_inlined == 2;
	}
	cr_expect_geq(compared, 2);
	tear_down(&f);
}

/* A copy of libelf in a folder of its own, mapped, and its build ID. */
struct library {
	char dir[64], path[128];
	struct build_id id;
	uint64_t function; /* elf_version */
};

static void run(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void read_id(const char *path, struct build_id *id)
{
	int fd = open(path, O_RDONLY);

	cr_assert_eq(build_id_read(id, fd), 0);
	close(fd);
}

static struct library map_library(void)
{
	struct library l = { .dir = "/tmp/test_symbols.XXXXXX" };
	void *elf = dlopen("libelf.so.1", RTLD_NOW), *copy;
	Dl_info info;

	cr_assert(elf && dladdr(dlsym(elf, "elf_version"), &info));
	cr_assert_not_null(mkdtemp(l.dir));
	setenv("HOME", l.dir, 1); /* perf's cache may have libelf */
	snprintf(l.path, sizeof(l.path), "%s/lib.so", l.dir);
	run("cp '%s' '%s'", info.dli_fname, l.path);
	read_id(l.path, &l.id);
	copy = dlopen(l.path, RTLD_NOW | RTLD_LOCAL);
	cr_assert_not_null(copy);
	l.function = (uintptr_t)dlsym(copy, "elf_version");
	return l;
}

/* Its contents are another file's from now on; the mapping is of the first. */
static void replace(const struct library *l, const char *by)
{
	run("cp '%s' '%s.new'", by, l->path);
	run("mv '%s.new' '%s'", l->path, l->path);
}

/* What the function is called when recordings from @source on have told these IDs of the file. */
static void expect(const struct library *l, const struct build_id *const *ids, uint32_t source,
		   const char *expected, struct fixture f)
{
	for (; *ids; ids++)
		cr_assert_eq(symbols_build_id(f.symbols, l->path, *ids, source++), 0);
	cr_expect_str_eq(find(&f, l->function)->name, expected);
	tear_down(&f);
}

#define IDS(...)                         \
	(const struct build_id *const[]) \
	{                                \
		__VA_ARGS__, NULL        \
	}

Test(symbols_debug, the_build_id_decides)
{
	struct library l = map_library();
	struct fixture f[5];
	struct build_id other;
	Dl_info info;
	int i;

	cr_assert(dladdr((const void *)(uintptr_t)dlsym(RTLD_DEFAULT, "qsort"), &info));
	read_id(info.dli_fname, &other);
	for (i = 0; i < 5; i++)
		f[i] = set_up();
	/* The very file, but the recording says that it was another one. */
	expect(&l, IDS(&other), 0, "[unknown]", f[0]);
	/* A copy: another file, the same build. */
	run("cp '%s' '%s.copy'", l.path, l.path);
	run("mv '%s.copy' '%s'", l.path, l.path);
	expect(&l, IDS(&l.id), 0, "elf_version", f[1]);
	/* Two recordings agree, two do not, so that the rest has to say it: it is another file. */
	expect(&l, IDS(&l.id, &l.id), 0, "elf_version", f[2]);
	expect(&l, IDS(&l.id, &other), 0, "[unknown]", f[3]);
	replace(&l, info.dli_fname);
	expect(&l, IDS(&l.id), 0, "[unknown]", f[4]);
	run("rm -r '%s'%s", l.dir, "");
}

/* One recording has the name twice: nobody knows which of them it was. */
Test(symbols_debug, a_name_of_two_files)
{
	struct library l = map_library();
	struct fixture f = set_up();

	run("cp '%s' '%s.copy'", l.path, l.path);
	run("mv '%s.copy' '%s'", l.path, l.path);
	cr_assert_eq(symbols_build_id(f.symbols, l.path, &l.id, 0), 0);
	cr_assert_eq(symbols_build_id(f.symbols, l.path, &l.id, 0), 0);
	cr_expect_str_eq(find(&f, l.function)->name, "[unknown]");
	tear_down(&f);
	run("rm -r '%s'%s", l.dir, "");
}

/* perf's cache has the file of then: ~/.debug/.build-id/ab/cdef.../elf */
Test(symbols_debug, perf_cache)
{
	struct library l = map_library();
	struct fixture f[2] = { set_up(), set_up() };
	char hex[2 * BUILD_ID_MAX + 1] = "", cache[256];
	unsigned int i;

	for (i = 0; i < l.id.size; i++)
		sprintf(hex + 2ul * i, "%02x", l.id.bytes[i]);
	snprintf(cache, sizeof(cache), "%s/.debug/.build-id/%.2s/%s", l.dir, hex, hex + 2);
	run("mkdir -p '%s'%s", cache, "");
	run("cp '%s' '%s/elf'", l.path, cache);
	replace(&l, "/proc/self/exe");
	expect(&l, IDS(&l.id), 0, "elf_version", f[0]);
	/* What lies there under a wrong name is not believed. */
	run("cp '%s' '%s/elf'", "/proc/self/exe", cache);
	expect(&l, IDS(&l.id), 0, "[unknown]", f[1]);
	run("rm -r '%s'%s", l.dir, "");
}
