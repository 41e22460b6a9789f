// SPDX-License-Identifier: GPL-2.0
/*
 * pages: a process with pages for others to change, which tells what it sees.
 *
 *	pages [WORD]
 *
 * First a line "NAME ADDRESS" for each page, then "ready". Then one line of answer to each line of
 * stdin; it ends when there are no more.
 *
 *	read NAME		the text in the page, "-" for none; SIGSEGV or SIGBUS
 *	number NAME		the 32-bit number at its begin; SIGSEGV or SIGBUS
 *	write NAME TEXT		"done", SIGSEGV or SIGBUS
 *	call NAME		calls a function in the page: "done", SIGSEGV or SIGBUS
 *	unmap NAME, protect NAME, discard NAME, fork, exec
 *
 * For NAME there may be an address instead, hexadecimal with 0x. The text in page NAME is at first
 * WORD-NAME. "read-only" is shared memory that may not be written to, "code" a private one, "none"
 * is not mapped, "huge" is of hugetlb (only if there is any), "device" is the kernel's vvar page.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	 4096u
#define HUGE	 (2u << 20)
#define TEXT_LEN 64
#define RET	 0xc3 /* behind the text: a function that returns */
#define BLANKS	 " \n"

struct page {
	const char *name;
	char *at;
};

static struct page pages[] = {
	{ .name = "a" },    { .name = "b" },	     { .name = "c" },
	{ .name = "d" },    { .name = "read-only" }, { .name = "code" },
	{ .name = "none" }, { .name = "huge" },	     { .name = "device" },
};

#define NR_PAGES (sizeof(pages) / sizeof(pages[0]))

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *map(size_t size, int flags, int fd)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void fill(const struct page *p, const char *word)
{
	snprintf(p->at, TEXT_LEN, "%s-%s", word, p->name);
	p->at[TEXT_LEN] = (char)RET;
}

/* Neighbours, each a page of its own. */
static void make_pages(const char *word)
{
	int fd = memfd_create("pages", 0);
	char *first = map(16 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	size_t i;

	if (fd < 0 || ftruncate(fd, PAGE) || !first)
		die("pages");
	for (i = 0; i < 4; i++)
		pages[i].at = first + 2 * i * PAGE;
	pages[4].at = map(PAGE, MAP_SHARED, fd);
	pages[5].at = map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pages[6].at = map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pages[7].at = map(HUGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	for (i = 0; i < NR_PAGES; i++)
		if (pages[i].at)
			fill(&pages[i], word);
	munmap(pages[6].at, PAGE);
	mprotect(pages[4].at, PAGE, PROT_READ);
	mprotect(pages[5].at, PAGE, PROT_READ | PROT_EXEC);
	pages[8].at = (char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR) - PAGE;
}

/* Volatile: whatever is in the page now. */
static void read_page(const volatile char *at)
{
	char text[TEXT_LEN] = "";
	size_t i;

	for (i = 0; i < TEXT_LEN - 1 && at[i]; i++)
		text[i] = at[i];
	puts(text[0] ? text : "-");
}

static void write_page(volatile char *at, const char *text)
{
	size_t i;

	for (i = 0; i < TEXT_LEN - 1 && text[i]; i++)
		at[i] = text[i];
	at[i] = 0;
	puts("done");
}

static void call_page(const char *at)
{
	void (*function)(void) = (void (*)(void))(uintptr_t)(at + TEXT_LEN);

	function();
	puts("done");
}

static void run_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	puts("done");
}

static void run(const char *verb, const struct page *p, const char *text, char **argv)
{
	if (!strcmp(verb, "fork")) {
		run_fork();
	} else if (!strcmp(verb, "exec")) {
		execv("/proc/self/exe", argv);
	} else if (!p) {
		puts("?");
	} else if (!strcmp(verb, "read")) {
		read_page(p->at);
	} else if (!strcmp(verb, "number")) {
		printf("0x%x\n", *(const volatile uint32_t *)p->at);
	} else if (!strcmp(verb, "write")) {
		write_page(p->at, text ? text : "");
	} else if (!strcmp(verb, "call")) {
		call_page(p->at);
	} else if (!strcmp(verb, "unmap")) {
		puts(munmap(p->at, PAGE) ? "?" : "done");
	} else if (!strcmp(verb, "protect")) {
		puts(mprotect(p->at, PAGE, PROT_READ) ? "?" : "done");
	} else if (!strcmp(verb, "discard")) {
		puts(madvise(p->at, PAGE, MADV_DONTNEED) ? "?" : "done");
	} else {
		puts("?");
	}
}

static const struct page *find(const char *name)
{
	static struct page given;
	size_t i;

	if (name && !strncmp(name, "0x", 2)) {
		given.at = (char *)(uintptr_t)strtoull(name, NULL, 16);
		return &given;
	}
	for (i = 0; name && i < NR_PAGES; i++)
		if (!strcmp(pages[i].name, name))
			return &pages[i];
	return NULL;
}

static void try(const char *verb, const struct page *p, const char *text, char **argv)
{
	int sig = sigsetjmp(back, 1);

	if (sig)
		puts(sig == SIGSEGV ? "SIGSEGV" : "SIGBUS");
	else
		run(verb, p, text, argv);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_fault };
	char line[256], *save, *verb, *name;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_pages(argc > 1 ? argv[1] : "page");
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < NR_PAGES; i++)
		if (pages[i].at)
			printf("%s 0x%lx\n", pages[i].name, (unsigned long)(uintptr_t)pages[i].at);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		verb = strtok_r(line, BLANKS, &save);
		name = strtok_r(NULL, BLANKS, &save);
		try(verb ? verb : "", find(name), strtok_r(NULL, BLANKS, &save), argv);
	}
	return 0;
}
