// SPDX-License-Identifier: GPL-2.0
/*
 * ept_perms: access that guests are denied to pages of theirs: once, or for as long as that is
 * wanted; what the kernel, KVM and the VMM do meanwhile; and what is refused.
 *
 *	ept_perms [causes | violations]
 *
 * causes: only what ends such a change; violations: only that each has the right bits, of which
 * there is a line for a tracer to compare.
 *
 * This process is its own VMM. Its guest's instructions and their results are known, and so are
 * KVM's own counts of exits and of what its emulator did.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/system/ept_access.h"
#include "tests/system/huge.h"

#define PAGES 8
/* What is where: guest code, pages that are changed, the guest's stack. */
enum { CODE, ONE, TWO, STACK };
#define LOOPS 2000

struct test {
	struct checks c;
	struct tiny_vm vm;
	char *p;
	uint64_t size; /* of a page */
	uint32_t level;
	const char *name;
	bool amd, execute_only;
};

/* ebx: the address. store and fill: eax is written, fill does it ecx times. */
__asm__(".pushsection .rodata\n"
	".code32\n"
	"perms_code:\n"
	"p_load: mov (%ebx), %eax; out %eax, $0x10\n"
	"p_store: mov %eax, (%ebx); out %eax, $0x10\n"
	"p_exec: call *%ebx; out %eax, $0x10\n"
	"p_fill: mov %eax, (%ebx); dec %ecx; jnz p_fill; out %eax, $0x10\n"
	"perms_end:\n"
	".code64\n"
	".popsection\n");
extern const char perms_code[], p_load[], p_store[], p_exec[], p_fill[], perms_end[];

static uint64_t memory_size(const struct test *t)
{
	return t->level == 2 ? PAGES * HUGE : HUGE;
}

static uint64_t gpa(const struct test *t, unsigned int page)
{
	return TINY_GPA + page * t->size;
}

/* A word beside the instruction that is called: "mov $value, %eax; ret". */
static volatile uint32_t *word(const struct test *t, unsigned int page)
{
	return (volatile uint32_t *)(t->p + page * t->size + 64);
}

static bool run(struct test *t, unsigned int vcpu, const char *code, uint64_t address, uint32_t eax,
		uint32_t ecx, uint32_t *result)
{
	struct kvm_regs r = { .rax = eax, .rbx = address, .rcx = ecx, .rsp = gpa(t, STACK) + 1024 };
	bool done = run_code(&t->vm, vcpu, gpa(t, CODE) + (uint64_t)(code - perms_code), &r);

	if (result)
		*result = (uint32_t)r.rax;
	return done;
}

static bool reads(struct test *t, unsigned int vcpu, unsigned int page, uint32_t want)
{
	uint32_t got = 0;

	return run(t, vcpu, p_load, gpa(t, page) + 64, 0, 0, &got) && got == want;
}

static bool writes(struct test *t, unsigned int vcpu, unsigned int page, uint32_t value)
{
	return run(t, vcpu, p_store, gpa(t, page) + 64, value, 0, NULL) && *word(t, page) == value;
}

static bool executes(struct test *t, unsigned int vcpu, unsigned int page)
{
	uint32_t got = 0;

	return run(t, vcpu, p_exec, gpa(t, page), 0, 0, &got) && got == 0x1000 + page;
}

static bool does(struct test *t, unsigned int vcpu, unsigned int page, uint32_t access)
{
	static uint32_t value = 100;

	switch (access) {
	case R:
		*word(t, page) = ++value;
		return reads(t, vcpu, page, value);
	case W:
		return writes(t, vcpu, page, ++value);
	default:
		return executes(t, vcpu, page);
	}
}

/* All that it may do, so that KVM has an entry with all access. */
static bool does_all(struct test *t, unsigned int page)
{
	return does(t, 0, page, W) && does(t, 0, page, R) && does(t, 0, page, X);
}

static struct ptremap_ept_item deny(const struct test *t, unsigned int page, uint32_t access)
{
	return (struct ptremap_ept_item){
		.what = PTREMAP_EPT_PROTECT, .gpa = gpa(t, page), .level = t->level, .clear = access
	};
}

/* The transaction's number; 0: it failed. */
static uint32_t denied(struct test *t, unsigned int page, uint32_t access, uint32_t flags)
{
	struct ptremap_ept_item i = deny(t, page, access);
	uint32_t id = 0;
	int err;

	does_all(t, page);
	err = ept_many(&t->c, getpid(), -1, &i, 1, flags, &id);
	if (err)
		printf("# deny %u: %d, status %d, old 0x%llx\n", access, err, i.status,
		       (unsigned long long)i.old);
	return id;
}

static const char *const NAMES[] = { "none",
				     "read",
				     "write",
				     "read and write",
				     "execute",
				     "read and execute",
				     "write and execute",
				     "all" };

static bool is(struct test *t, uint32_t id, uint8_t state, uint8_t cause)
{
	struct ptremap_record r = record_of(&t->c, id);

	if (r.state == state && r.cause == cause && id)
		return true;
	printf("# transaction %u: state %u cause %u, not %u %u\n", id, r.state, r.cause, state,
	       cause);
	return false;
}

/* ---- what is denied ----------------------------------------------------------------------------
 */

/* Until it is done: all else goes on, and then that, too. */
static void test_once(struct test *t, uint32_t access)
{
	uint32_t id = denied(t, ONE, access, 0), a;
	struct ptremap_record r = record_of(&t->c, id);
	bool stays = true, ends = true;

	for (a = R; a <= X; a <<= 1)
		if (!(access & a))
			stays = stays && does(t, 1, ONE, a) && is(t, id, PTREMAP_ACTIVE, 0);
	for (a = R; a <= X; a <<= 1)
		if (access & a)
			ends = ends && does(t, 1, ONE, a);
	check(&t->c,
	      id && r.gpa == gpa(t, ONE) &&
		      r.old != r.new &&r.level ==
			      t->level &&stays &&ends &&is(t, id, PTREMAP_TAKEN,
							   PTREMAP_CAUSE_ACCESS) &&
		      undo(&t->c, id) == 0,
	      "%s, %s denied once: the rest goes on, that ends it", t->name, NAMES[access]);
}

static uint64_t emulated(const struct test *t, unsigned int vcpu)
{
	return vcpu_stat(&t->vm, vcpu, "insn_emulation");
}

/* Each one is done by KVM, on each vCPU; what is not denied is not. */
static void test_sticky(struct test *t, uint32_t access)
{
	uint32_t id = denied(t, ONE, access, PTREMAP_EPT_STICKY), a, v;
	uint64_t before, after, exits;
	bool good = true;

	for (v = 0; v < TINY_VCPUS && id; v++) {
		for (a = R; a <= X; a <<= 1) {
			before = emulated(t, v);
			good = good && does(t, v, ONE, a);
			after = emulated(t, v) - before;
			/* What runs there is as long as two instructions; each port is one more. */
			good = good && (access & a ? after >= 1 : !after);
			if (!good)
				printf("# vCPU %u, access %u: %" PRIu64 " emulated\n", v, a, after);
		}
	}
	check(&t->c, good && is(t, id, PTREMAP_ACTIVE, 0),
	      "%s, %s denied, sticky: each is done in the guest's place", t->name, NAMES[access]);
	good = undo(&t->c, id) == 1 && does_all(t, ONE);
	exits = vcpu_stat(&t->vm, 0, "exits");
	good = good && run(t, 0, p_fill, gpa(t, ONE) + 64, 1, LOOPS, NULL);
	exits = vcpu_stat(&t->vm, 0, "exits") - exits;
	check(&t->c, good && exits < LOOPS / 10, "%s, %s given back: %d writes, %" PRIu64 " exits",
	      t->name, NAMES[access], LOOPS, exits);
}

/* Which can be denied alone depends on the format. */
static void test_each(struct test *t)
{
	static const uint32_t amd[] = { W, X, W | X, RWX }, intel[] = { W, X, W | X, RWX, R | W };
	const uint32_t *access = t->amd ? amd : intel;
	size_t n = t->amd ? 4 : t->execute_only ? 5 : 4, i;

	for (i = 0; i < n; i++) {
		test_once(t, access[i]);
		test_sticky(t, access[i]);
	}
}

static void test_cache(struct test *t)
{
	static const struct {
		uint32_t type;
		const char *name;
	} types[] = { { PTREMAP_EPT_UC, "uncached" },
		      { PTREMAP_EPT_WC, "write-combining" },
		      { PTREMAP_EPT_WT, "write-through" } };
	struct ptremap_ept_item item;
	size_t i;
	int err;

	for (i = 0; i < 3; i++) {
		uint32_t id = 0;
		bool good;

		item = deny(t, TWO, 0);
		item.what = PTREMAP_EPT_CACHE;
		item.cache = types[i].type;
		good = does_all(t, TWO);
		err = ept(&t->c, &item, &id);
		if (t->amd && types[i].type == PTREMAP_EPT_WT) {
			check(&t->c, err == -EOPNOTSUPP, "%s, %s: NPT has it not (%d)", t->name,
			      types[i].name, err);
			continue;
		}
		good = good && does_all(t, TWO) && is(t, id, PTREMAP_ACTIVE, 0);
		check(&t->c,
		      !err && good && item.old != item.new &&undo(&t->c, id) == 1 &&
			      does_all(t, TWO),
		      "%s, %s: entry 0x%llx for 0x%llx, undone", t->name, types[i].name,
		      (unsigned long long)item.new, (unsigned long long)item.old);
	}
}

/* ---- what happens meanwhile --------------------------------------------------------------------
 */

static int set_slot(struct test *t, uint64_t where, uint64_t size, uint32_t flags)
{
	return tiny_slot(&t->vm, 1, where, t->p, size, flags);
}

static void slot_goes(struct test *t)
{
	set_slot(t, TINY_GPA, 0, 0);
	set_slot(t, TINY_GPA, memory_size(t), 0);
}

static void slot_moves(struct test *t)
{
	set_slot(t, TINY_GPA + (64 << 20), memory_size(t), 0);
	set_slot(t, TINY_GPA, memory_size(t), 0);
}

/* KVM drops all its entries when any slot goes. */
static void all_dropped(struct test *t)
{
	static char other[PAGE] __attribute__((aligned(PAGE)));

	tiny_slot(&t->vm, 2, 0x80000000ull, other, PAGE, 0);
	tiny_slot(&t->vm, 2, 0x80000000ull, other, 0, 0);
}

static void is_logged(struct test *t)
{
	set_slot(t, TINY_GPA, memory_size(t), KVM_MEM_LOG_DIRTY_PAGES);
}

static void unlogged(struct test *t)
{
	set_slot(t, TINY_GPA, memory_size(t), KVM_MEM_LOG_DIRTY_PAGES);
	set_slot(t, TINY_GPA, memory_size(t), 0);
}

static void unmapped(struct test *t)
{
	madvise(t->p + ONE * t->size, t->size, MADV_DONTNEED);
	memcpy(t->p + ONE * t->size, (char[]){ (char)0xb8, 1, 0x10, 0, 0, (char)0xc3 }, 6);
}

static void protected(struct test *t)
{
	mprotect(t->p + ONE * t->size, t->size, PROT_READ);
	mprotect(t->p + ONE * t->size, t->size, PROT_READ | PROT_WRITE);
}

static void forked(struct test *t)
{
	pid_t pid = fork();

	(void)t;
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void is_cold(struct test *t)
{
	madvise(t->p + ONE * t->size, t->size, MADV_COLD);
}

static void is_paged_out(struct test *t)
{
	madvise(t->p + ONE * t->size, t->size, MADV_PAGEOUT);
}

/* The mitigation for huge pages that run code: KVM drops all, and maps anew without execute. */
static void nx_forced(struct test *t)
{
	FILE *f = fopen("/sys/module/kvm/parameters/nx_huge_pages", "w");

	(void)t;
	if (!f || fputs("force", f) < 0 || fclose(f))
		printf("# nx_huge_pages: %s\n", strerror(errno));
}

static void nx_off(struct test *t)
{
	FILE *f = fopen("/sys/module/kvm/parameters/nx_huge_pages", "w");

	(void)t;
	if (!f || fputs("off", f) < 0 || fclose(f))
		printf("# nx_huge_pages: %s\n", strerror(errno));
}

static const struct event {
	const char *name;
	void (*happen)(struct test *t);
	uint8_t cause; /* of what was denied once, when the guest has read the page; 0: it stays */
	void (*afterwards)(struct test *t);
} events[] = {
	{ "slot deleted", slot_goes, PTREMAP_CAUSE_SLOT, NULL },
	{ "slot moved", slot_moves, PTREMAP_CAUSE_SLOT, NULL },
	{ "all entries dropped", all_dropped, PTREMAP_CAUSE_ZAP, NULL },
	{ "MADV_DONTNEED", unmapped, PTREMAP_CAUSE_ZAP, NULL },
	{ "mprotect", protected, PTREMAP_CAUSE_ZAP, NULL },
	{ "fork", forked, PTREMAP_CAUSE_ZAP, NULL },
	{ "MADV_COLD", is_cold, 0, NULL },
	{ "MADV_PAGEOUT", is_paged_out, 0, NULL },
	{ "writes logged", is_logged, 0, unlogged },
	{ "NX huge pages on", nx_forced, PTREMAP_CAUSE_ZAP, nx_off },
};

/* Denied once, it is taken, by the cause that is told; sticky, it goes on. */
static void test_event(struct test *t, const struct event *e)
{
	uint32_t id = denied(t, ONE, W, 0), sticky = denied(t, TWO, W, PTREMAP_EPT_STICKY);
	uint64_t before;
	bool good;

	e->happen(t);
	good = does(t, 1, ONE, R) && does(t, 1, TWO, R);
	if (e->cause)
		good = comes_to_an_end(&t->c, id, e->cause) && good;
	else
		good = is(t, id, PTREMAP_ACTIVE, 0) && good;
	before = emulated(t, 1);
	good = does(t, 1, TWO, W) && does(t, 0, TWO, R) && good;
	check(&t->c,
	      good && emulated(t, 1) > before && is(t, sticky, PTREMAP_ACTIVE, 0) &&
		      does(t, 1, ONE, W) && does(t, 1, ONE, X),
	      "%s, %s: %s, and what is sticky goes on", t->name, e->name,
	      e->cause ? "taken" : "goes on");
	undo(&t->c, id);
	undo(&t->c, sticky);
	if (e->afterwards)
		e->afterwards(t);
}

/* What KVM writes in the guest's place is in the log, too. */
static void test_log(struct test *t)
{
	uint64_t bitmap[HUGE / PAGE / 64] = { 0 };
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };
	uint64_t bit = ONE * t->size / PAGE;
	uint32_t id;

	is_logged(t);
	id = denied(t, ONE, W, PTREMAP_EPT_STICKY);
	if (ioctl(t->vm.vm, KVM_GET_DIRTY_LOG, &log))
		die("KVM_GET_DIRTY_LOG");
	memset(bitmap, 0, sizeof(bitmap));
	check(&t->c,
	      id && does(t, 0, ONE, W) && !ioctl(t->vm.vm, KVM_GET_DIRTY_LOG, &log) &&
		      bitmap[bit / 64] >> bit % 64 & 1,
	      "%s, writes logged: also what KVM writes in the guest's place", t->name);
	undo(&t->c, id);
	unlogged(t);
}

static void test_vm_ends(struct test *t)
{
	uint32_t id = denied(t, ONE, W, 0), sticky = denied(t, TWO, X, PTREMAP_EPT_STICKY);
	int fd = watch_range(&t->c, gpa(t, ONE), t->size, W);
	struct ptremap_access a;

	tiny_end(&t->vm);
	check(&t->c,
	      comes_to_an_end(&t->c, id, PTREMAP_CAUSE_VM) &&
		      comes_to_an_end(&t->c, sticky, PTREMAP_CAUSE_VM) && !read(fd, &a, sizeof(a)),
	      "%s: the VM has ended, its process has not: taken, and the watch ends", t->name);
	close(fd);
	undo(&t->c, id);
	undo(&t->c, sticky);
	tiny_make(&t->vm, t->p, memory_size(t));
}

/* A child with a VM of its own, killed with its changes and watches in force. */
static void test_killed(struct test *t)
{
	struct ptremap_ept_item i;
	uint32_t id = 0;
	int pipes[2], vm, fd, err;
	pid_t pid;

	if (pipe(pipes))
		die("pipe");
	pid = fork();
	if (!pid) {
		tiny_make(&t->vm, t->p, memory_size(t));
		does_all(t, ONE);
		if (write(pipes[1], &t->vm.vm, sizeof(vm)) < 0)
			_exit(1);
		/* One that rests: Bochs does not interrupt one that never leaves its guest. */
		tiny_start(&t->vm, 1, tiny_look_code, gpa(t, ONE) + 64, gpa(t, TWO) + 64);
		pause();
	}
	close(pipes[1]);
	if (read(pipes[0], &vm, sizeof(vm)) != sizeof(vm))
		die("child");
	usleep(20000);
	i = deny(t, ONE, W);
	err = ept_many(&t->c, pid, vm, &i, 1, PTREMAP_EPT_STICKY, &id);
	fd = watch_ranges(&t->c, pid, vm,
			  &(struct ptremap_access_range){ gpa(t, TWO), t->size, RWX, 0 }, 1, 0);
	usleep(20000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(&t->c, !err && fd >= 0 && comes_to_an_end(&t->c, id, PTREMAP_CAUSE_EXIT),
	      "%s: the VMM is killed (%d, %d): taken", t->name, err, fd);
	close(fd);
	undo(&t->c, id);
	close(pipes[0]);
}

/* ---- what is refused ---------------------------------------------------------------------------
 */

static void refused(struct test *t, const char *what, struct ptremap_ept_item i, int want)
{
	uint32_t id;
	int err = ept(&t->c, &i, &id);

	check(&t->c, err == -want && !id, "%s, refused: %s (%d)", t->name, what, err);
	if (!err)
		undo(&t->c, id);
}

static void test_refused(struct test *t)
{
	struct ptremap_ept_item i = deny(t, ONE, W);
	uint32_t id = denied(t, ONE, W, 0);

	refused(t, "the same page again", i, EBUSY);
	undo(&t->c, id);
	i.gpa += PAGE / 2;
	refused(t, "within a page", i, EDOM);
	i.gpa = 0xfee00000;
	refused(t, "a device's address", i, EADDRNOTAVAIL);
	i.gpa = 1ull << 52;
	refused(t, "far out", i, EADDRNOTAVAIL);
	i = deny(t, ONE, 0);
	i.set = W;
	set_slot(t, TINY_GPA, 0, 0);
	set_slot(t, TINY_GPA, memory_size(t), KVM_MEM_READONLY);
	refused(t, "a read-only slot", deny(t, ONE, W), EROFS);
	slot_goes(t);
	reads(t, 0, ONE, *word(t, ONE));
	i = deny(t, ONE, W);
	i.flags = PTREMAP_EPT_ITEM_EXPECT;
	i.expected = 0x123;
	refused(t, "not the expected entry", i, ESTALE);
	if (t->amd)
		refused(t, "read alone", deny(t, ONE, R), EOPNOTSUPP);
	does_all(t, ONE);
	i = deny(t, ONE, W);
	i.level = 3 - t->level;
	i.gpa &= -(uint64_t)HUGE;
	refused(t, "the other level", i, t->level == 2 ? EISDIR : ENOTBLK);
	i = deny(t, ONE, W);
	check(&t->c,
	      !ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_DRY_RUN, &id) && !id &&
		      i.old != i.new && !list(&t->c, NULL, 0),
	      "%s: a dry run says the entries", t->name);
}

/* One page of 4 KiB within 2 MiB: split, and whole again afterwards. */
static void test_split(struct test *t)
{
	struct ptremap_ept_item i = deny(t, ONE, W);
	uint64_t emu;
	uint32_t id = 0;
	bool good;
	int err;

	does_all(t, ONE);
	i.level = 1;
	i.flags = PTREMAP_EPT_ITEM_SPLIT;
	err = ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_STICKY, &id);
	emu = emulated(t, 0);
	good = run(t, 0, p_store, gpa(t, ONE) + PAGE, 5, 0, NULL) && emulated(t, 0) == emu;
	good = good && does(t, 0, ONE, W) && emulated(t, 0) > emu && does_all(t, ONE);
	good = good && undo(&t->c, id) == 1 && does_all(t, ONE);
	i = deny(t, ONE, W);
	check(&t->c,
	      !err && good && !ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_DRY_RUN, &id),
	      "one page of a huge one: split (%d), and whole again", err);
}

/* ------------------------------------------------------------------------------------------------
 */

static void fill_code(struct test *t)
{
	unsigned int page;

	memset(t->p, 0, memory_size(t));
	memcpy(t->p, perms_code, (size_t)(perms_end - perms_code));
	for (page = ONE; page <= TWO; page++) {
		unsigned char code[] = { 0xb8, (unsigned char)page, 0x10, 0, 0, 0xc3 };

		memcpy(t->p + page * t->size, code, sizeof(code));
	}
}

/* Never a huge page, but where one could be. */
static char *make_small(void)
{
	char *p = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, 2 * HUGE, MADV_NOHUGEPAGE))
		die("memory of 4 KiB pages");
	return (char *)(((uintptr_t)p + HUGE - 1) & -(uintptr_t)HUGE);
}

static bool has_execute_only(void)
{
	static char text[65536];
	FILE *f = fopen("/proc/cpuinfo", "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = 0;
	if (f)
		fclose(f);
	return strstr(text, "ept_x_only");
}

static void make_vm(struct test *t, uint32_t level, const char *name)
{
	int fd;

	t->level = level;
	t->size = level == 2 ? HUGE : PAGE;
	t->name = name;
	t->p = level == 2 ? make_huge(HUGE_ANON, PAGES, &fd) : make_small();
	fill_code(t);
	tiny_make(&t->vm, t->p, memory_size(t));
}

/* Ends the VM of make_vm(). */
static void test_causes(struct test *t)
{
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		test_event(t, &events[i]);
	test_log(t);
	test_vm_ends(t);
	tiny_end(&t->vm);
	test_killed(t);
	munmap(t->p, memory_size(t));
}

static void test_small(struct test *t)
{
	make_vm(t, 1, "4 KiB");
	test_each(t);
	test_cache(t);
	test_refused(t);
	test_causes(t);
}

static void test_huge(struct test *t)
{
	make_vm(t, 2, "2 MiB");
	test_each(t);
	test_cache(t);
	test_split(t);
	test_refused(t);
	test_vm_ends(t);
	tiny_end(&t->vm);
	munmap(t->p, memory_size(t));
}

/* ---- for a tracer ------------------------------------------------------------------------------
 */

/*
 * Bits of the exit qualification (SDM vol. 3, table 28-7), or of EXITINFO1 (APM vol. 2, 15.25.6):
 * what the guest does, and what the entry would let it do.
 */
static uint64_t violation_bits(const struct test *t, uint32_t access, uint32_t entry)
{
	/* The guest's own access, not one for its page tables; of EPT with a linear address. */
	uint64_t own = t->amd ? 1ull << 32 : 0x180;

	if (!t->amd)
		return own | access | entry << 3;
	return own | (entry ? 1 : 0) | (access == W ? 2 : 0) | 4 | (access == X ? 16 : 0);
}

/* One violation for each access that is denied; a line with its gpa, access and bits. */
static void one_violation(struct test *t, uint32_t clear, uint32_t access)
{
	uint32_t id = denied(t, ONE, clear, PTREMAP_EPT_STICKY);

	check(&t->c, id && does(t, 0, ONE, access), "%s denied, %s", NAMES[clear], NAMES[access]);
	printf("violation 0x%" PRIx64 " %s 0x%" PRIx64 "\n", gpa(t, ONE) + (access == X ? 0 : 64),
	       NAMES[access], violation_bits(t, access, RWX & ~clear));
	undo(&t->c, id);
}

static void make_violations(struct test *t, uint32_t level)
{
	uint32_t a;

	make_vm(t, level, "violations");
	one_violation(t, W, W);
	one_violation(t, X, X);
	for (a = R; a <= X; a <<= 1)
		one_violation(t, RWX, a);
	if (t->execute_only)
		one_violation(t, R | W, R);
	tiny_end(&t->vm);
	munmap(t->p, memory_size(t));
}

int main(int argc, char **argv)
{
	struct test t = { .c = { .dev = open_device() }, .amd = is_amd() };

	t.execute_only = has_execute_only();
	allow_huge(0);
	if (argc == 2 && !strcmp(argv[1], "violations")) {
		make_violations(&t, 1);
		make_violations(&t, 2);
		return t.c.failed > 0;
	}
	if (argc == 2 && !strcmp(argv[1], "causes")) {
		make_vm(&t, 1, "4 KiB");
		test_causes(&t);
	} else {
		test_small(&t);
		test_huge(&t);
	}
	check(&t.c, list(&t.c, NULL, 0) == 0, "no change is left");
	return t.c.failed > 0;
}
