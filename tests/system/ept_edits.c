// SPDX-License-Identifier: GPL-2.0
/*
 * ept_edits: guest-physical pages led to other frames, as the guest and its VMM see them.
 *
 * This process is its own VMM. Its guest writes to one page, the edit is made, and the guest reads
 * what it wrote where it now must be, and nowhere else; undone, all is as before.
 */
#include <sys/wait.h>

#include "tests/system/ept.h"
#include "tests/system/huge.h"

#define SMALL_PAGES 8
/* Values that the guest writes. */
#define ONE 0x11110000u
#define TWO 0x22220000u

struct test {
	struct checks c;
	struct tiny_vm vm;
	char *p;       /* the guest's memory */
	uint64_t size; /* of a page */
	uint32_t level;
	const char *name;
	pid_t other; /* the process with the other VM, which lives until ->end is closed */
	int end;
};

static uint64_t gpa(const struct test *t, unsigned int page)
{
	return TINY_GPA + page * t->size;
}

static uint32_t word(const struct test *t, unsigned int page)
{
	return *(volatile uint32_t *)(t->p + page * t->size);
}

/* The guest has written to both pages, so that KVM has entries of both. */
static void write_both(struct test *t)
{
	tiny_write(&t->vm, 0, gpa(t, 1), ONE);
	tiny_write(&t->vm, 1, gpa(t, 2), TWO);
}

/* As both vCPUs, the other ones, and this process see it. */
static bool reads(struct test *t, unsigned int page, uint32_t want)
{
	uint32_t a = tiny_read(&t->vm, 2, gpa(t, page)), b = tiny_read(&t->vm, 0, gpa(t, page));

	if (a == want && b == want && word(t, page) == want)
		return true;
	printf("# %s, page %u: guest reads %x and %x, VMM %x, not %x\n", t->name, page, a, b,
	       word(t, page), want);
	return false;
}

/* A program that knows no more of records than there was at first gets that much of each. */
static bool lists_short_records(const struct test *t, uint32_t id)
{
	char records[4 * PTREMAP_RECORD_SIZE_1];
	struct ptremap_list l = { .size = sizeof(l), .records = at(records), .nr = 4 };
	uint32_t first, second;

	if (call(&t->c, PTREMAP_LIST, &l) || l.nr != 2)
		return false;
	memcpy(&first, records, sizeof(first));
	memcpy(&second, records + PTREMAP_RECORD_SIZE_1, sizeof(second));
	return first == id && second == id;
}

/* Page 1 has the frame of page 2 and the other way round; what is written meanwhile stays there. */
static void test_swap(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_SWAP, gpa(t, 1), gpa(t, 2), t->level);
	struct ptremap_record r;
	uint32_t id;
	bool good;
	int err;

	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, TWO) && reads(t, 2, ONE);
	r = record_of(&t->c, id);
	check(&t->c, !err && good, "%s, swap: the guest reads each page's words in the other (%d)",
	      t->name, err);
	check(&t->c,
	      r.what == PTREMAP_EPT_SWAP && r.state == PTREMAP_ACTIVE && r.gpa == gpa(t, 1) &&
		      r.flags == PTREMAP_RECORD_VM && r.vm_fd == t->vm.vm &&
		      r.va == at(t->p + t->size) && r.pid == getpid() && r.level == t->level &&
		      lists_short_records(t, id),
	      "%s, swap: listed with gpa 0x%" PRIx64 ", VM %d and address", t->name,
	      (uint64_t)r.gpa, r.vm_fd);
	tiny_write(&t->vm, 3, gpa(t, 1), TWO + 1);
	*(volatile uint32_t *)(t->p + 2 * t->size) = ONE + 1;
	good = reads(t, 1, TWO + 1) && reads(t, 2, ONE + 1);
	err = undo(&t->c, id);
	check(&t->c, err == 2 && good && reads(t, 1, ONE + 1) && reads(t, 2, TWO + 1),
	      "%s, swap: undone (%d), what was written meanwhile is where it belongs", t->name,
	      err);
}

static void test_dry_run(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_SWAP, gpa(t, 1), gpa(t, 2), t->level);
	uint32_t id;
	int err;

	write_both(t);
	err = ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_DRY_RUN, &id);
	check(&t->c, !err && !id && i.old != i.new &&reads(t, 1, ONE) && reads(t, 2, TWO),
	      "%s: a dry run changes nothing (%d), and says the entries", t->name, err);
}

/* Both pages lead to one frame. */
static void test_frame(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRAME, gpa(t, 1), gpa(t, 2), t->level);
	uint32_t id;
	bool good;
	int err;

	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, TWO) && tiny_write(&t->vm, 0, gpa(t, 1), TWO + 2) &&
	       reads(t, 2, TWO + 2);
	check(&t->c,
	      !err && good && undo(&t->c, id) == 1 && reads(t, 1, ONE) && reads(t, 2, TWO + 2),
	      "%s, another gpa's frame: one page at both (%d), undone", t->name, err);
}

static void test_fresh(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRESH, gpa(t, 1), 0, t->level);
	uint32_t id;
	bool good;
	int err;

	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, 0) && tiny_write(&t->vm, 1, gpa(t, 1), 7) && reads(t, 1, 7);
	check(&t->c, !err && good && undo(&t->c, id) == 1 && reads(t, 1, ONE),
	      "%s, a new page: zeros, may be written (%d), undone", t->name, err);
}

/* A page of a process that has no VM. */
static void test_process(struct test *t, char *lent)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRAME, gpa(t, 1), at(lent), t->level);
	uint32_t id;
	bool good;
	int err;

	i.other_pid = getpid();
	i.other_fd = PTREMAP_EPT_PROCESS;
	*(volatile uint32_t *)lent = 5;
	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, 5) && tiny_write(&t->vm, 1, gpa(t, 1), 6) &&
	       *(volatile uint32_t *)lent == 6;
	check(&t->c,
	      !err && good && undo(&t->c, id) == 1 && reads(t, 1, ONE) &&
		      *(volatile uint32_t *)lent == 6,
	      "%s, a process' page: shared with it (%d), undone", t->name, err);
}

/* Of a file that may only be read: the guest reads it; what it writes goes to its own page. */
static void test_file(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRAME, gpa(t, 1), 0, 1);
	int fd = open("/proc/self/exe", O_RDONLY);
	char *file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	struct ptremap_record r;
	uint32_t id, elf;
	bool good;
	int err;

	i.other_pid = getpid();
	i.other_fd = PTREMAP_EPT_PROCESS;
	i.other = at(file);
	elf = *(volatile uint32_t *)file;
	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, elf) && tiny_write(&t->vm, 1, gpa(t, 1), 8);
	r = record_of(&t->c, id);
	check(&t->c,
	      !err && good && r.state == PTREMAP_TAKEN && r.cause == PTREMAP_CAUSE_CLEAR &&
		      reads(t, 1, 8) && *(volatile uint32_t *)file == elf,
	      "%s, a page of a file: read by the guest (%d); its write is to its own page", t->name,
	      err);
	undo(&t->c, id);
	munmap(file, PAGE);
	close(fd);
}

/* The page of another VM, in another process, and back: each sees the other's words. */
static void test_other_vm(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_SWAP, gpa(t, 1), gpa(t, 1), t->level);
	struct ptremap_ept_item look = ept_item(PTREMAP_EPT_FRAME, gpa(t, 2), gpa(t, 1), t->level);
	uint32_t id, id2;
	bool good;
	int err;

	i.other_pid = look.other_pid = t->other;
	i.other_fd = look.other_fd = PTREMAP_EPT_ONLY_VM;
	write_both(t);
	err = ept(&t->c, &i, &id);
	good = reads(t, 1, 0xabcd);
	check(&t->c, !err && good && undo(&t->c, id) == 2 && reads(t, 1, ONE),
	      "%s, another VM's page: the guest reads it (%d), undone", t->name, err);
	err = ept(&t->c, &look, &id2);
	check(&t->c, !err && reads(t, 2, 0xabcd) && undo(&t->c, id2) == 1 && reads(t, 2, TWO),
	      "%s, another VM's frame: the same (%d), and that VM has its own still", t->name, err);
}

/* A child with a VM of its own, whose page 1 begins with 0xabcd. */
static void start_other_vm(struct test *t)
{
	int fds[2], ready[2], fd;
	char byte;

	if (pipe(fds) || pipe(ready))
		die("pipe");
	t->other = fork();
	if (!t->other) {
		struct tiny_vm vm;
		char *p = make_huge(HUGE_ANON, SMALL_PAGES, &fd);

		close(fds[1]);
		if (t->level == 1)
			madvise(p, SMALL_PAGES * HUGE, MADV_NOHUGEPAGE);
		memset(p, 0, SMALL_PAGES * t->size);
		tiny_make(&vm, p, SMALL_PAGES * t->size);
		tiny_write(&vm, 0, gpa(t, 1), 0xabcd);
		if (write(ready[1], "", 1) != 1 || read(fds[0], &byte, 1) < 0)
			_exit(1);
		_exit(tiny_read(&vm, 0, gpa(t, 1)) != 0xabcd);
	}
	close(fds[0]);
	if (read(ready[0], &byte, 1) != 1)
		die("the other VM");
	close(ready[0]);
	close(ready[1]);
	t->end = fds[1];
}

static void end_other_vm(struct test *t)
{
	int status;

	close(t->end);
	waitpid(t->other, &status, 0);
	check(&t->c, !status, "%s: the other VM's page is its own again", t->name);
}

static void test_all(struct test *t, char *lent)
{
	test_swap(t);
	test_dry_run(t);
	test_frame(t);
	test_fresh(t);
	test_process(t, lent);
	if (t->level == 1)
		test_file(t);
	test_other_vm(t);
	end_other_vm(t);
}

/* ---- what happens to the VM ------------------------------------------------------------------ */

static uint32_t swapped(struct test *t)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_SWAP, gpa(t, 1), gpa(t, 2), t->level);
	uint32_t id = 0;
	int err;

	write_both(t);
	err = ept(&t->c, &i, &id);
	if (err)
		printf("# swap: %s\n", strerror(-err));
	return id;
}

/* When the VMM knows of the change, the edit is gone. */
static void taken(struct test *t, const char *what, uint32_t id, uint8_t cause)
{
	struct ptremap_record r = record_of(&t->c, id);
	bool good = word(t, 1) == ONE && word(t, 2) == TWO;

	check(&t->c, id && r.state == PTREMAP_TAKEN && r.cause == cause && good,
	      "%s: %s: taken (state %d, cause %d), memory is right", t->name, what, r.state,
	      r.cause);
	undo(&t->c, id);
}

static uint64_t memory_size(const struct test *t)
{
	return SMALL_PAGES * t->size;
}

static int set_slot(struct test *t, uint64_t where, uint64_t size, uint32_t flags)
{
	return tiny_slot(&t->vm, 1, where, t->p, size, flags);
}

static void test_slots(struct test *t)
{
	uint32_t id = swapped(t);
	bool good;

	set_slot(t, TINY_GPA, 0, 0);
	taken(t, "slot deleted", id, PTREMAP_CAUSE_SLOT);
	set_slot(t, TINY_GPA, memory_size(t), 0);
	good = reads(t, 1, ONE) && reads(t, 2, TWO);
	check(&t->c, good, "%s: ... and the guest reads the same when it is back", t->name);
	id = swapped(t);
	set_slot(t, TINY_GPA + (64 << 20), memory_size(t), 0);
	taken(t, "slot moved", id, PTREMAP_CAUSE_SLOT);
	set_slot(t, TINY_GPA, memory_size(t), 0);
	id = swapped(t);
	set_slot(t, TINY_GPA, memory_size(t), KVM_MEM_LOG_DIRTY_PAGES);
	taken(t, "writes logged", id, PTREMAP_CAUSE_SLOT);
	good = reads(t, 1, ONE) && reads(t, 2, TWO);
	set_slot(t, TINY_GPA, memory_size(t), 0);
	check(&t->c, good && reads(t, 1, ONE), "%s: ... and the guest reads the same", t->name);
	id = swapped(t);
	check(&t->c, id && undo(&t->c, id) == 2, "%s: log off again: made and undone", t->name);
}

/* A read-only slot needs a new slot. */
static void test_readonly_slot(struct test *t)
{
	uint32_t id = swapped(t);

	set_slot(t, TINY_GPA, 0, 0);
	set_slot(t, TINY_GPA, memory_size(t), KVM_MEM_READONLY);
	taken(t, "slot made read-only", id, PTREMAP_CAUSE_SLOT);
	set_slot(t, TINY_GPA, 0, 0);
	set_slot(t, TINY_GPA, memory_size(t), 0);
}

/* A second VM gets memory that is edited: it must never have the page that is not its own. */
static void test_late_vm(struct test *t)
{
	uint32_t id = swapped(t);
	struct tiny_vm late;

	tiny_make(&late, t->p, memory_size(t));
	taken(t, "a second VM gets the memory", id, PTREMAP_CAUSE_SLOT);
	check(&t->c, tiny_read(&late, 0, gpa(t, 1)) == ONE && reads(t, 1, ONE),
	      "%s: ... and reads what is there", t->name);
	id = 0;
	{
		struct ptremap_ept_item i =
			ept_item(PTREMAP_EPT_SWAP, gpa(t, 1), gpa(t, 2), t->level);
		int err = ept_many(&t->c, getpid(), late.vm, &i, 1, 0, &id);

		check(&t->c,
		      !err && reads(t, 1, TWO) && tiny_read(&late, 0, gpa(t, 1)) == TWO &&
			      undo(&t->c, id) == 2 && tiny_read(&late, 0, gpa(t, 1)) == ONE &&
			      reads(t, 1, ONE),
		      "%s: two VMs with one memory: both see the swap, and its end (%d)", t->name,
		      err);
	}
	id = swapped(t);
	check(&t->c, !id, "%s: two VMs: which one is meant must be said", t->name);
	tiny_end(&late);
}

/* The VM's files are closed; its memory is the process' still. */
static void test_vm_ends(struct test *t)
{
	uint32_t id = swapped(t);
	bool good;

	tiny_end(&t->vm);
	good = comes_to_an_end(&t->c, id, PTREMAP_CAUSE_VM);
	check(&t->c, good && word(t, 1) == ONE && word(t, 2) == TWO,
	      "%s: the VM has ended, its process has not: taken, memory is right", t->name);
	undo(&t->c, id);
	tiny_make(&t->vm, t->p, memory_size(t));
}

/* Of the level, and the other VM: a child, as huge pages are split when a fork shares them. */
static void begin(struct test *t, uint32_t level)
{
	t->level = level;
	t->size = level == 2 ? HUGE : PAGE;
	t->name = level == 2 ? "2 MiB" : "4 KiB";
	start_other_vm(t);
}

static void test_level(struct test *t, uint32_t level)
{
	char *lent;
	int fd;

	begin(t, level);
	lent = make_huge(HUGE_ANON, 1, &fd);
	t->p = make_huge(HUGE_ANON, level == 2 ? SMALL_PAGES : 1, &fd);
	if (level == 1)
		madvise(t->p, HUGE, MADV_NOHUGEPAGE);
	memset(t->p, 0, SMALL_PAGES * t->size);
	tiny_make(&t->vm, t->p, memory_size(t));
	test_all(t, lent);
	test_slots(t);
	test_readonly_slot(t);
	test_late_vm(t);
	test_vm_ends(t);
	tiny_end(&t->vm);
	munmap(lent, HUGE);
	munmap(t->p, level == 2 ? SMALL_PAGES * HUGE : HUGE);
}

int main(void)
{
	struct test t = { .c = { .dev = open_device() } };

	allow_huge(0);
	test_level(&t, 2);
	test_level(&t, 1);
	check(&t.c, list(&t.c, NULL, 0) == 0, "no edit is left");
	return t.c.failed > 0;
}
