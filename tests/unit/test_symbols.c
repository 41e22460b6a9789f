// SPDX-License-Identifier: GPL-2.0
/* Symbols of what really runs: this process, libc, the kernel; with nm(1) as the judge. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/kernel/proc_maps.h"
#include "user/sym/symbols.h"

struct fixture {
	struct procs *procs;
	struct symbols *symbols;
	uint32_t pid;
	uint64_t now;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void read_boot_id(char *id, int size)
{
	FILE *in = fopen("/proc/sys/kernel/random/boot_id", "r");

	cr_assert(in && fgets(id, size, in));
	fclose(in);
	id[strcspn(id, "\n")] = '\0';
}

static int feed(void *ctx, const struct ptev_hdr *record)
{
	return procs_feed(ctx, record);
}

static struct fixture set_up(void)
{
	struct fixture f = { .procs = procs_new(), .pid = (uint32_t)getpid(), .now = now_ns() };
	char boot_id[64];

	read_boot_id(boot_id, sizeof(boot_id));
	f.symbols = symbols_new(boot_id);
	cr_assert(f.procs && f.symbols);
	cr_assert_eq(proc_synthesise(f.pid, f.now, feed, f.procs), 0);
	return f;
}

static void tear_down(struct fixture *f)
{
	symbols_free(f->symbols);
	procs_free(f->procs);
}

static const struct symbol *find(struct fixture *f, const void *address, uint64_t into)
{
	return symbols_find(f->symbols, f->procs, f->pid, (uintptr_t)address + into, f->now);
}

static __attribute__((noinline)) int some_static_function(int x)
{
	__asm__ volatile("nop; nop; nop; nop" : "+r"(x));
	return x;
}

Test(symbols, our_own_function)
{
	struct fixture f = set_up();
	const struct symbol *a = find(&f, (const void *)some_static_function, 0);
	const struct symbol *b = find(&f, (const void *)some_static_function, 3);
	char self[4096] = "";

	cr_assert_eq(some_static_function(1), 1);
	cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	cr_assert_str_eq(a->name, "some_static_function");
	cr_assert_str_eq(a->dso, self);
	cr_assert_eq(a->offset, 0);
	cr_assert_eq(b->offset, 3);
	cr_assert_eq(a->name, b->name, "one symbol, one pointer");
	cr_assert_eq(find(&f, (const void *)some_static_function, 0), a, "cached");
	cr_assert_null(symbols_kernel_note(f.symbols));
	tear_down(&f);
}

Test(symbols, vdso)
{
	struct fixture f = set_up();
	uintptr_t image = getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *e = (const void *)image;
	const struct symbol *s = NULL;
	bool found = false;
	uint64_t i;

	if (!image)
		cr_skip_test("no vDSO");
	for (i = e->e_ehsize; i < 0x1000 && !found; i += 4) {
		s = find(&f, (const void *)image, i);
		cr_assert_str_eq(s->dso, "[vdso]");
		found = strstr(s->name, "clock_gettime") || strstr(s->name, "vdso_time");
	}
	cr_assert(found);
	tear_down(&f);
}

Test(symbols, no_file_no_symbol)
{
	struct fixture f = set_up();
	void *anon = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct symbol *s;
	int local = 0;

	cr_assert_eq(proc_synthesise(f.pid, f.now, feed, f.procs), 0);
	s = find(&f, anon, 8);
	cr_assert_str_eq(s->name, "[unknown]");
	cr_assert_str_eq(s->dso, "//anon");
	cr_assert_str_eq(find(&f, NULL, 8)->dso, "[unknown]");
	cr_assert_str_eq(find(&f, &local, 0)->name, "[unknown]");
	tear_down(&f);
}

Test(symbols, kernel)
{
	struct fixture f = set_up();
	FILE *in = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char line[1024], name[512], type;
	bool found = false;

	cr_assert_not_null(in);
	while (!found && fgets(line, sizeof(line), in))
		found = sscanf(line, "%lx %c %511s", &address, &type, name) == 3 &&
			!strcmp(name, "handle_mm_fault");
	fclose(in);
	cr_assert(found);
	if (!address) {
		find(&f, (const void *)0xffffffff81000000, 0);
		cr_assert_not_null(symbols_kernel_note(f.symbols));
	} else {
		const struct symbol *s = find(&f, (const void *)address, 5);

		cr_assert_str_eq(s->name, "handle_mm_fault");
		cr_assert_str_eq(s->dso, "[kernel]");
		cr_assert_eq(s->offset, 5);
		cr_assert_eq(find(&f, (const void *)address, 6)->name, s->name);
		cr_assert_null(symbols_kernel_note(f.symbols));
	}
	cr_assert_str_eq(find(&f, (const void *)0xffff888000000000, 0)->name, "[unknown]");
	tear_down(&f);
}

Test(symbols, another_boot)
{
	struct fixture f = set_up();
	const struct symbol *s;

	symbols_free(f.symbols);
	f.symbols = symbols_new("11111111-2222-3333-4444-555555555555");
	cr_assert_not_null(symbols_kernel_note(f.symbols));
	s = find(&f, (const void *)0xffffffff81000000, 0);
	cr_assert_str_eq(s->name, "[unknown]");
	cr_assert_str_eq(s->dso, "[kernel]");
	cr_assert_str_eq(find(&f, (const void *)some_static_function, 0)->name,
			 "some_static_function", "files are the same in any boot");
	tear_down(&f);
}

static void copy_file(const char *from, const char *to)
{
	char command[8192];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	cr_assert_eq(system(command), 0);
}

struct library {
	char dir[64];
	char path[128];
	void *handle;
	const void *function; /* elf_version */
};

/* A library of our own, so that it can be replaced: a copy of libelf. */
static struct library map_library(void)
{
	struct library l = { .dir = "/tmp/test_symbols.XXXXXX" };
	void *elf = dlopen("libelf.so.1", RTLD_NOW);
	Dl_info info;

	cr_assert(elf && dladdr(dlsym(elf, "elf_version"), &info));
	cr_assert_not_null(mkdtemp(l.dir));
	snprintf(l.path, sizeof(l.path), "%s/with space.so", l.dir);
	copy_file(info.dli_fname, l.path);
	l.handle = dlopen(l.path, RTLD_NOW | RTLD_LOCAL);
	cr_assert_not_null(l.handle, "%s", dlerror());
	l.function = dlsym(l.handle, "elf_version");
	cr_assert_not_null(l.function);
	return l;
}

static void unmap_library(struct library *l)
{
	dlclose(l->handle);
	unlink(l->path);
	rmdir(l->dir);
}

static const char *library_symbol(struct library *l, uint64_t time)
{
	struct fixture f = set_up();
	static char name[128];
	const struct symbol *s;

	f.now = time;
	s = find(&f, l->function, 0);
	cr_assert_neq(strstr(s->dso, l->path), NULL, "%s", s->dso);
	snprintf(name, sizeof(name), "%s", s->name);
	tear_down(&f);
	return name;
}

Test(symbols, file_replaced)
{
	struct library l = map_library();
	char other[160];

	snprintf(other, sizeof(other), "%s.new", l.path);
	cr_assert_str_eq(library_symbol(&l, now_ns()), "elf_version");
	copy_file(l.path, other);
	cr_assert_eq(rename(other, l.path), 0);
	cr_assert_str_eq(library_symbol(&l, now_ns()), "[unknown]");
	cr_assert_eq(unlink(l.path), 0);
	cr_assert_str_eq(library_symbol(&l, now_ns()), "[unknown]");
	cr_assert_eq(mkfifo(l.path, 0600), 0);
	cr_assert_str_eq(library_symbol(&l, now_ns()), "[unknown]");
	unmap_library(&l);
}

/* The path is the old one while the mapping is told, as in a recording made before. */
Test(symbols, file_replaced_after_the_recording)
{
	struct library l = map_library();
	struct fixture f = set_up();
	char other[160];

	snprintf(other, sizeof(other), "%s.new", l.path);
	copy_file(l.path, other);
	cr_assert_eq(rename(other, l.path), 0);
	cr_assert_str_eq(find(&f, l.function, 0)->name, "[unknown]");
	cr_assert_str_eq(find(&f, l.function, 0)->dso, l.path);
	tear_down(&f);
	unmap_library(&l);
}

/* The same inode, but written to after the fault. */
Test(symbols, file_changed_in_place)
{
	struct library l = map_library();
	uint64_t before;

	usleep(20000);
	before = now_ns();
	cr_assert_str_eq(library_symbol(&l, before), "elf_version");
	usleep(20000);
	cr_assert_eq(utimensat(AT_FDCWD, l.path, NULL, 0), 0);
	cr_assert_str_eq(library_symbol(&l, before), "[unknown]");
	usleep(20000);
	cr_assert_str_eq(library_symbol(&l, now_ns()), "elf_version");
	unmap_library(&l);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The first @size bytes of our own executable, mapped with what the page cache has behind it. */
static void ask_cut_file(const char *path, int fd, const char *content, size_t size)
{
	struct fixture f;
	void *map;

	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(pwrite(fd, content, size, 0), (ssize_t)size);
	map = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	f = set_up();
	cr_expect_str_eq(find(&f, map, 0x800)->dso, path);
	find(&f, map, 0x20000);
	find(&f, map, 0x80000);
	tear_down(&f);
	munmap(map, 1 << 20);
}

/* Files that are cut short or not ELF: no symbols, no descriptors left behind. */
Test(symbols, broken_files)
{
	static const size_t sizes[] = { 0, 3, 4, 16, 64, 100, 120, 4096, 60000 };
	int before = count_fds(), self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char path[] = "/tmp/test_symbols.XXXXXX";
	char *content = malloc(60000);
	int fd = mkstemp(path);
	size_t i;

	cr_assert(fd >= 0 && content);
	cr_assert_eq(read(self, content, 60000), 60000);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ask_cut_file(path, fd, content, sizes[i]);
	close(self);
	close(fd);
	unlink(path);
	free(content);
	cr_assert_eq(count_fds(), before);
}

/* Runs a command in @dir; false when it cannot be run. */
static bool run_in(const char *dir, const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>/dev/null", dir, command);
	return system(line) == 0;
}

/* A stripped copy of this program, whose symbols are in a file named by .gnu_debuglink. */
Test(symbols, debug_file)
{
	char dir[] = "/tmp/test_symbols.XXXXXX", self[4096] = "", path[64];
	struct fixture f = set_up();
	const struct proc_map *map =
		procs_map(f.procs, f.pid, (uintptr_t)(const void *)some_static_function, f.now);
	uint64_t offset = (uintptr_t)some_static_function - map->start + map->pgoff;
	void *image;
	int fd;

	/* Where servers are named, only build IDs are looked up. */
	unsetenv("DEBUGINFOD_URLS");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	snprintf(path, sizeof(path), "%s/prog", dir);
	copy_file(self, path);
	if (!run_in(dir, "mkdir .debug && objcopy --only-keep-debug prog .debug/prog.dbg && "
			 "strip prog && objcopy --add-gnu-debuglink=.debug/prog.dbg prog"))
		cr_skip_test("no objcopy");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	image = mmap(NULL, offset + 64, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(image, MAP_FAILED);
	f.now = now_ns();
	cr_assert_eq(proc_synthesise(f.pid, f.now, feed, f.procs), 0);
	cr_expect_str_eq(find(&f, image, offset)->name, "some_static_function");
	cr_expect_str_eq(find(&f, image, offset)->dso, path);
	tear_down(&f);
	close(fd);
	run_in(dir, "rm -r .debug prog");
	rmdir(dir);
}

/* More libraries than are kept open at a time, each asked twice. */
Test(symbols, many_files)
{
	struct library l = map_library();
	void *handles[100];
	const void *functions[100];
	char path[160];
	struct fixture f;
	int i, n = 100, before;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%d.so", l.dir, i);
		copy_file(l.path, path);
		handles[i] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		cr_assert_not_null(handles[i]);
		functions[i] = dlsym(handles[i], "elf_version");
	}
	f = set_up();
	before = count_fds();
	for (i = 0; i < 2 * n; i++) {
		const struct symbol *s = find(&f, functions[i % n], (uint64_t)(i / n));

		cr_assert_str_eq(s->name, "elf_version");
		cr_assert_eq(s->offset, (uint64_t)(i / n));
	}
	cr_assert_leq(count_fds() - before, 64);
	tear_down(&f);
	for (i = 0; i < n; i++) {
		dlclose(handles[i]);
		snprintf(path, sizeof(path), "%s/%d.so", l.dir, i);
		unlink(path);
	}
	unmap_library(&l);
}

/* What nm says of libc: a name for an address, several names perhaps. */
struct nm_line {
	uint64_t value, size;
	char name[256];
};

static bool next_function(FILE *nm, struct nm_line *l)
{
	char line[1024], type;

	while (fgets(line, sizeof(line), nm))
		if (sscanf(line, "%lx %lx %c %255[^@\n]", (unsigned long *)&l->value,
			   (unsigned long *)&l->size, &type, l->name) == 4 &&
		    strchr("TtWwi", type) && l->size)
			return true;
	return false;
}

/* Does nm know @name as a name of what begins at @value? */
static bool is_alias(const struct nm_line *lines, size_t n, uint64_t value, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (lines[i].value == value && !strncmp(lines[i].name, name, strlen(lines[i].name)))
			return true;
	return false;
}

static size_t read_nm(const char *path, struct nm_line *lines, size_t max)
{
	char command[4200];
	size_t n = 0;
	FILE *nm;

	snprintf(command, sizeof(command), "nm -D -S --defined-only '%s'", path);
	nm = popen(command, "r");
	cr_assert_not_null(nm);
	while (n < max && next_function(nm, &lines[n]))
		n++;
	pclose(nm);
	return n;
}

/*
 * All functions of libc's dynamic symbol table, in their middle. A debug file may know better
 * names for some; nested and local ones are allowed for.
 */
Test(symbols, libc_against_nm)
{
	struct nm_line *lines = calloc(10000, sizeof(*lines));
	struct fixture f = set_up();
	size_t i, n, good = 0;
	Dl_info info;

	cr_assert(lines && dladdr((const void *)(uintptr_t)dlsym(RTLD_DEFAULT, "qsort"), &info));
	n = read_nm(info.dli_fname, lines, 10000);
	if (!n)
		cr_skip_test("no nm");
	cr_assert_gt(n, 1000);
	for (i = 0; i < n; i++) {
		const struct symbol *s =
			find(&f, (const char *)info.dli_fbase + lines[i].value, lines[i].size / 2);

		good += s->offset == lines[i].size / 2 &&
			is_alias(lines, n, lines[i].value, s->name);
	}
	cr_log_info("%zu of %zu", good, n);
	cr_expect_geq(good * 100, n * 98);
	tear_down(&f);
	free(lines);
}
