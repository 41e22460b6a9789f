// SPDX-License-Identifier: GPL-2.0
/*
 * guest_read: how fast the memory of a guest is read by the guest's addresses from another process,
 * as "ptremap read --vm --gva" does it: cut into runs (user/space/guest_run.c), which are then read
 * by the helper module, where there is its device, and by process_vm_readv(). Beside it what the
 * VM's process itself can do: memcpy(), and a walk for each byte; and such walks from outside.
 *
 * The guest is tables and memory: what reads it does not ask whether it runs. All is in turns, so
 * that what the machine does to one it does to the others; of the times of all pieces the one in
 * the middle counts.
 */
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/bench/bench.h"
#include "tests/system/mirror.h"
#include "user/pt/pt_mem_cache.h"
#include "user/space/guest_run.h"

#define ALL    (64 * MIB)
#define PIECE  (4 * MIB) /* as the command has it */
#define COPIED (1 * MIB) /* by memcpy() at once: what stays in the cache */
#define WALKED (1 * MIB) /* of it, byte by byte */
#define LINES  128
#define PEEKED 2048 /* from outside, byte by byte */
#define ROUNDS 5

struct layout {
	const char *name;
	unsigned int level; /* of the guest's leaves, and of its process' */
	bool shuffled;	    /* the guest's pages lie in any order */
};
static const struct layout layouts[] = {
	{ "leaves of 2 MiB, on huge pages", 2, false },
	{ "leaves of 4 KiB, one behind the other", 1, false },
	{ "leaves of 4 KiB, all over the place", 1, true },
};

#define SAMPLES (ROUNDS * (ALL / PIECE))
_Static_assert(SAMPLES <= MEDIAN_MAX, "median()");
struct times {
	double piece[SAMPLES]; /* seconds for a byte */
	uint32_t nr;
};

/* What the VM's process has measured, and the others are compared with. */
struct vmm_says {
	double copied, walked; /* seconds for a byte, so far */
	uint64_t root, sum;
	bool huge;
};

struct bench {
	struct guest guest;
	struct guest_map map;
	struct pt_space space;
	struct pt_mem under;
	struct pt_mem_cache cache;
	struct pt_cache_line lines[LINES];
	struct ptremap_slot slots[2];
	pid_t vmm;
	int dev;
	int to[2], from[2]; /* pipes to the VM's process, and from it */
	int (*read)(struct bench *b, uint64_t hva, void *buf, uint64_t len);
	uint8_t *buf;
};

static struct bench bench;

static void add_time(struct times *t, double begin, uint64_t bytes)
{
	if (t->nr < SAMPLES)
		t->piece[t->nr++] = (now() - begin) / (double)bytes;
}

static double middle(const struct times *t)
{
	return median(t->piece, t->nr);
}

static uint64_t sum_of(const void *bytes, uint64_t len, uint64_t sum)
{
	const uint64_t *words = bytes;
	uint64_t i;

	for (i = 0; i < len / 8; i += 64)
		sum = sum * 31 + words[i];
	return sum;
}

/* ---- the VM's process ----------------------------------------------------------------------- */

static void map_pages(struct guest *g, const struct layout *l)
{
	uint64_t pages = ALL / PAGE, i;

	if (!l->shuffled) {
		guest_map(g, GVA, 0, ALL, RW_U, l->level);
		return;
	}
	for (i = 0; i < pages; i++) /* an odd factor: each page once */
		guest_map(g, GVA + i * PAGE, i * 2654435761u % pages * PAGE, PAGE, RW_U, 1);
}

static bool is_huge(const void *p)
{
	char line[256];
	uint64_t start, end, kib = 0, va = at(p);
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			here = start <= va && va < end;
		else if (here && sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib * 1024 >= ALL;
}

static void copy_all(const struct guest *g, struct times *t, void *to)
{
	double start;
	uint64_t i, k;

	for (i = 0; i < ALL; i += PIECE) {
		start = now();
		for (k = i; k < i + PIECE; k += COPIED) {
			memcpy(to, g->ram + k, COPIED);
			__asm__ volatile("" : : "r"(to) : "memory");
		}
		add_time(t, start, PIECE);
	}
}

static void walk_all(const struct guest *g, struct times *t, uint8_t *to)
{
	struct pt_path path;
	double start;
	uint64_t i, k;

	for (i = 0; i < WALKED; i += WALKED / 8) {
		start = now();
		for (k = i; k < i + WALKED / 8; k++)
			if (pt_lookup(&g->space, GVA + k, &path) == PT_LEAF)
				to[k] = g->ram[path.end.pa];
		__asm__ volatile("" : : "r"(to) : "memory");
		add_time(t, start, WALKED / 8);
	}
}

static void be_vmm(struct bench *b, const struct layout *l)
{
	struct guest *g = &b->guest;
	struct vmm_says says = { 0 };
	static struct times copied, walked;
	void *to = reserve(COPIED, 2 * MIB);
	char byte;

	madvise(g->ram, ALL, l->level == 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	fill_ram(g);
	map_pages(g, l);
	says.root = g->space.root;
	says.huge = is_huge(g->ram);
	says.sum = sum_of(g->ram, ALL, 0);
	while (read(b->to[0], &byte, 1) == 1) {
		copy_all(g, &copied, to);
		walk_all(g, &walked, to);
		says.copied = middle(&copied);
		says.walked = middle(&walked);
		if (write(b->from[1], &says, sizeof(says)) != sizeof(says))
			break;
	}
	_exit(0);
}

/* ---- who reads ------------------------------------------------------------------------------ */

static int read_module(struct bench *b, uint64_t hva, void *buf, uint64_t len)
{
	uint64_t done;

	return ptremap_memory(b->dev, 0, b->vmm, hva, buf, len, &done);
}

static int read_process(struct bench *b, uint64_t hva, void *buf, uint64_t len)
{
	const struct iovec to = { buf, len }, from = { (void *)(uintptr_t)hva, len };

	return process_vm_readv(b->vmm, &to, 1, &from, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

static int read_tables(struct pt_mem *mem, pt_u64 gpa, void *buf, pt_u32 len)
{
	struct bench *b = pt_container_of(mem, struct bench, under);

	return b->read(b, at(b->guest.tables) + (gpa - TABLES), buf, len);
}

static const struct pt_mem_ops tables_ops = { .read = read_tables };

static void read_piece(struct bench *b, uint64_t gva)
{
	struct guest_run run;
	uint64_t done;

	pt_mem_cache_invalidate(&b->cache, 0, UINT64_MAX);
	for (done = 0; done < PIECE; done += run.len) {
		guest_run_at(&b->map, gva + done, PIECE - done, &run);
		if (run.kind != GUEST_RUN_MEMORY || b->read(b, run.hva, b->buf + done, run.len))
			die("guest memory");
	}
}

static void read_all(struct bench *b, struct times *t)
{
	double start;
	uint64_t i;

	for (i = 0; i < ALL; i += PIECE) {
		start = now();
		read_piece(b, GVA + i);
		add_time(t, start, PIECE);
	}
}

/* Nothing is kept from byte to byte, as a debugger's "read memory" has it that knows no better. */
static void peek_all(struct bench *b, struct times *t)
{
	struct pt_space space = b->space;
	const struct guest_map map = { .space = &space, .slots = b->slots, .nr_slots = 2 };
	struct guest_run run;
	double start = now();
	uint64_t i;

	space.mem = &b->under;
	for (i = 0; i < PEEKED; i++) {
		guest_run_at(&map, GVA + i, 1, &run);
		if (run.kind != GUEST_RUN_MEMORY || b->read(b, run.hva, b->buf + i, 1))
			die("guest memory");
	}
	add_time(t, start, PEEKED);
}

/* That it is the guest's memory which was read; the order of shuffled pages is the tables'. */
static void check_bytes(struct bench *b, const struct layout *l, uint64_t want)
{
	uint64_t i, sum = 0;

	for (i = 0; i < ALL; i += PIECE) {
		read_piece(b, GVA + i);
		sum = sum_of(b->buf, PIECE, sum);
	}
	if (!l->shuffled && sum != want)
		die("other bytes");
}

static void set_up(struct bench *b, uint64_t root)
{
	struct guest *g = &b->guest;

	b->slots[0] = (struct ptremap_slot){ .gpa = 0, .len = ALL, .hva = at(g->ram) };
	b->slots[1] =
		(struct ptremap_slot){ .gpa = TABLES, .len = TABLES_LEN, .hva = at(g->tables) };
	b->under = (struct pt_mem){ .ops = &tables_ops };
	pt_mem_cache_init(&b->cache, &b->under, b->lines, LINES);
	b->space = (struct pt_space){ .fmt = &g->fmt, .root = root, .mem = &b->cache.mem };
	b->map = (struct guest_map){ .space = &b->space, .slots = b->slots, .nr_slots = 2 };
}

/* ---- the table ------------------------------------------------------------------------------ */

static void line(const char *what, double seconds, const struct vmm_says *says)
{
	printf("  %-46s %8.2f %10.3f %10.2f\n", what, 1 / seconds / MIB, says->copied / seconds,
	       says->walked / seconds);
}

/* Of a page, for the table: where there is no module, the runs by process_vm_readv() are ours. */
static void rows_of(const struct bench *b, const struct layout *l, const struct times *ours,
		    const struct cost peers[3])
{
	const char *name = b->dev >= 0 ? "`ptremap`'s module" : "runs, by `process_vm_readv()`";
	struct cost peer, own = { name, middle(ours) * PAGE * 1e9 };
	char what[80];
	int i;

	snprintf(what, sizeof(what), "4 KiB of a guest, %s", l->name);
	for (i = 0; i < 3; i++) {
		peer = (struct cost){ peers[i].name, peers[i].value * PAGE * 1e9 };
		if (i != 1 || b->dev >= 0)
			row(what, "ns", own, peer);
	}
}

static void ask_vmm(struct bench *b, struct vmm_says *says)
{
	if (write(b->to[1], "", 1) != 1 || read(b->from[0], says, sizeof(*says)) != sizeof(*says))
		die("the VM's process");
}

static void measure(struct bench *b, const struct layout *l)
{
	struct times module = { .nr = 0 }, process = { .nr = 0 }, peeked = { .nr = 0 };
	struct vmm_says says;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ask_vmm(b, &says);
		set_up(b, says.root);
		b->read = read_process;
		if (!i)
			check_bytes(b, l, says.sum);
		read_all(b, &process);
		peek_all(b, &peeked);
		b->read = read_module;
		if (!i && b->dev >= 0)
			check_bytes(b, l, says.sum);
		if (b->dev >= 0)
			read_all(b, &module);
	}
	printf("%s%s\n", l->name,
	       l->level == 2 && !says.huge ? " (which there are not enough of)" : "");
	line("memcpy() by the VM's process", says.copied, &says);
	line("runs, by process_vm_readv()", middle(&process), &says);
	if (b->dev >= 0)
		line("runs, by the helper module", middle(&module), &says);
	line("a walk for each byte, by the VM's process", says.walked, &says);
	line("such a walk by process_vm_readv()", middle(&peeked), &says);
	rows_of(b, l, b->dev >= 0 ? &module : &process,
		(const struct cost[]){
			{ "`memcpy()` by the VM's process", says.copied },
			{ "`process_vm_readv()`, the same runs", middle(&process) },
			{ "a walk for each byte, by `process_vm_readv()`", middle(&peeked) } });
}

static void run(struct bench *b, const struct layout *l)
{
	guest_init(&b->guest, ALL);
	if (pipe(b->to) || pipe(b->from))
		die("pipe");
	fflush(stdout);
	b->vmm = fork();
	if (!b->vmm) {
		close(b->to[1]);
		be_vmm(b, l);
	}
	measure(b, l);
	close(b->to[1]);
	close(b->to[0]);
	close(b->from[0]);
	close(b->from[1]);
	waitpid(b->vmm, NULL, 0);
	guest_exit(&b->guest);
}

int main(void)
{
	struct bench *b = &bench;
	size_t i;

	b->dev = ptremap_open();
	b->buf = reserve(PIECE, PAGE);
	memset(b->buf, 1, PIECE);
	rows_about("A guest's memory read by its virtual addresses");
	printf("%-48s %8s %10s %10s\n", "a guest's memory by its addresses, 64 MiB", "MiB/s",
	       "of memcpy", "of a walk");
	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		run(b, &layouts[i]);
	return 0;
}
