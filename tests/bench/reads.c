// SPDX-License-Identifier: GPL-2.0
/*
 * reads: how fast memory of another process, and physical memory, is read by the helper module;
 * beside it process_vm_readv(), /proc/PID/mem and memcpy(). In turns, so that what the machine does
 * to one it does to the others.
 */
#include <inttypes.h>
#include <sys/uio.h>

#include "tests/bench/other.h"

#define ROUNDS 5
#define BYTES  PTREMAP_PHYS_MAX
#define PAGES  (BYTES / PAGE)

struct bench {
	int dev, mem;
	struct other other;
	char *from, *to;
	uint64_t ram; /* physical address of BYTES of RAM */
};

/* Reads @len bytes of the other process at @va. */
typedef void (*read_fn)(const struct bench *b, uint64_t va, size_t len);

static void by_module(const struct bench *b, uint64_t va, size_t len)
{
	struct ptremap_phys p = { .size = sizeof(p),
				  .flags = PTREMAP_PHYS_VA,
				  .pid = b->other.pid,
				  .pa = va,
				  .len = len,
				  .buf = at(b->to) };

	call(b->dev, PTREMAP_PHYS, &p, "a process' memory");
}

static void by_readv(const struct bench *b, uint64_t va, size_t len)
{
	const struct iovec to = { b->to, len }, from = { (void *)(uintptr_t)va, len };

	if (process_vm_readv(b->other.pid, &to, 1, &from, 1, 0) != (ssize_t)len)
		die("process_vm_readv");
}

static void by_proc(const struct bench *b, uint64_t va, size_t len)
{
	if (pread(b->mem, b->to, len, (off_t)va) != (ssize_t)len)
		die("/proc/PID/mem");
}

enum way { MODULE, READV, PROC, WAYS };
static const struct {
	const char *text, *name;
	read_fn read;
} ways[WAYS] = {
	[MODULE] = { "the helper module", "`ptremap`'s module", by_module },
	[READV] = { "process_vm_readv()", "`process_vm_readv()`", by_readv },
	[PROC] = { "/proc/PID/mem", "`/proc/PID/mem`", by_proc },
};

static double at_once(const struct bench *b, enum way way)
{
	double start = now();

	ways[way].read(b, at(b->other.pages), BYTES);
	return now() - start;
}

/* The first word of each page, a call each; that it is the right one is looked at, too. */
static double word_by_word(const struct bench *b, enum way way)
{
	double start = now();
	uint64_t i;

	for (i = 0; i < PAGES; i++) {
		ways[way].read(b, at(b->other.pages) + i * PAGE, 8);
		if (memcmp(b->to, &i, 8)) {
			errno = EILSEQ;
			die(ways[way].text);
		}
	}
	return now() - start;
}

static void compare_ways(const struct bench *b, const char *what,
			 double (*run)(const struct bench *b, enum way way))
{
	double seconds[WAYS][ROUNDS];
	int round;
	size_t w;

	for (round = -1; round < ROUNDS; round++) /* the first one warms up */
		for (w = 0; w < WAYS; w++)
			seconds[w][round < 0 ? 0 : round] = run(b, (enum way)w);
	for (w = 0; w < WAYS; w++)
		printf("%-36s %-22s %12.1f\n", what, ways[w].text,
		       median(seconds[w], ROUNDS) / PAGES * 1e9);
	for (w = READV; w < WAYS; w++)
		row_of_rounds(what, ways[MODULE].name, seconds[MODULE], ways[w].name, seconds[w],
			      ROUNDS, PAGES);
}

/* ---- physical memory ---- */

static double read_ram(const struct bench *b)
{
	double start = now();
	struct ptremap_phys p = { .size = sizeof(p), .pa = b->ram, .len = BYTES, .buf = at(b->to) };

	call(b->dev, PTREMAP_PHYS, &p, "physical memory");
	return now() - start;
}

static double copy(const struct bench *b)
{
	double start = now();

	memcpy(b->to, b->from, BYTES);
	__asm__ volatile("" : : "r"(b->to) : "memory");
	return now() - start;
}

/* The first part of RAM behind the kernel's image that is long enough. */
static uint64_t find_ram(void)
{
	uint64_t first, last, found = 0;
	char line[256];
	FILE *f = fopen("/proc/iomem", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		if (strstr(line, ": System RAM") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) == 2 &&
		    last - first > 8ull * BYTES)
			found = last + 1 - 4ull * BYTES;
	if (f)
		fclose(f);
	if (!found)
		die("/proc/iomem: not enough RAM");
	return found;
}

static void compare_ram(const struct bench *b)
{
	static const char what[] = "4 KiB of physical memory, 16 MiB at once";
	double ram[ROUNDS], copied[ROUNDS];
	unsigned int i;

	read_ram(b); /* warm up */
	for (i = 0; i < ROUNDS; i++) {
		copied[i] = copy(b);
		ram[i] = read_ram(b);
	}
	printf("%-36s %-22s %12.1f\n", "physical memory, at once", "the helper module",
	       median(ram, ROUNDS) / PAGES * 1e9);
	printf("%-36s %-22s %12.1f\n", "", "memcpy() of own memory",
	       median(copied, ROUNDS) / PAGES * 1e9);
	row_of_rounds(what, ways[MODULE].name, ram, "`memcpy()` of as much of one's own", copied,
		      ROUNDS, PAGES);
}

int main(void)
{
	static struct bench b;

	b.dev = open_device();
	b.other = start_other(PAGES);
	b.mem = open_of(b.other, "mem");
	b.from = memory(BYTES);
	b.to = memory(BYTES);
	b.ram = find_ram();
	printf("%-59s %12s\n", "memory read, median of 5 rounds", "ns a page");
	rows_about("Memory read from outside");
	compare_ways(&b, "4 KiB of a process, 16 MiB at once", at_once);
	compare_ways(&b, "8 bytes of a process, a call each", word_by_word);
	compare_ram(&b);
	end_other(b.other);
	return 0;
}
