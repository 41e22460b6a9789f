// SPDX-License-Identifier: GPL-2.0
/* Files of changes, good and hostile ones, and what is said of changes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/kernel/helper.h"
#include "user/pt/pt_linux.h"
#include "user/remap/change.h"
#include "user/remap/plan.h"
#include "user/show/plan_text.h"

/* Reads @len bytes as a file. What goes to stderr lands in @said. */
static int read_bytes(struct plan *p, const char *bytes, size_t len, char *said, size_t size)
{
	FILE *in = fmemopen((void *)(uintptr_t)bytes, len, "r"), *words = tmpfile();
	int err, old = dup(STDERR_FILENO);

	cr_assert(in && words && old >= 0);
	dup2(fileno(words), STDERR_FILENO);
	err = plan_read(p, in, "changes");
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(words);
	said[fread(said, 1, size - 1, words)] = 0;
	fclose(words);
	fclose(in);
	return err;
}

static int read_text(struct plan *p, const char *text, char *said, size_t size)
{
	return read_bytes(p, text, strlen(text), said, size);
}

Test(plan, a_file)
{
	struct plan p = { 0 };
	char said[512];

	cr_assert_eq(read_text(&p,
			       "# all of it\n"
			       "\n"
			       "trap 1:0x1000 # the first\n"
			       " \t\r\n"
			       "swap 1:0x2000 with=0x3000\r\n"
			       "map 2:0x1000 fresh",
			       said, sizeof(said)),
		     0, "%s", said);
	cr_assert_eq(p.nr, 3u);
	cr_expect_eq(p.changes[0].line, 3u);
	cr_expect_eq(p.changes[1].line, 5u);
	cr_expect_eq(p.changes[1].item.other_va, 0x3000u);
	cr_expect_eq(p.changes[2].line, 6u);
	cr_expect_eq(p.changes[2].item.what, (uint32_t)PTREMAP_FRESH);
	plan_free(&p);
	cr_expect_eq(p.nr, 0u);
}

/* fmemopen() refuses to open nothing: a line end is as good. */
Test(plan, an_empty_file)
{
	struct plan p = { 0 };
	char said[64];

	cr_expect_eq(read_text(&p, "\n", said, sizeof(said)), 0);
	cr_expect_eq(p.nr, 0u);
	plan_free(&p);
}

static void expect_refused(const char *bytes, size_t len, const char *why)
{
	struct plan p = { 0 };
	char said[512];

	cr_expect_eq(read_bytes(&p, bytes, len, said, sizeof(said)), -EINVAL);
	cr_expect(strstr(said, why), "%s: %s", why, said);
	cr_expect_eq(strchr(said, '\n'), said + strlen(said) - 1, "more than a line: %s", said);
	plan_free(&p);
}

Test(plan, hostile_files)
{
	static const char nul[] = "trap 1:0x1000\0 fresh\n", escape[] = "\033[2Jtrap\n";
	char *big = malloc(1 << 20);

	expect_refused("trap 1:0x1000\nfoo", 17, "changes, line 2: 'foo' is not one of");
	expect_refused(nul, sizeof(nul) - 1, "changes, line 1: ");
	expect_refused(escape, sizeof(escape) - 1, "changes, line 1: '?[2Jtrap' is not");
	memset(big, 'x', 1 << 20);
	expect_refused(big, 1 << 20, "changes, line 1: the line is too long");
	memset(big, '\n', 1 << 20);
	memcpy(big + (1 << 20) - 4, "\ntra", 4);
	expect_refused(big, 1 << 20, "changes, line 1048574: 'tra' is not");
	free(big);
}

Test(plan, too_many_changes)
{
	static const char line[] = "trap 1:0x1000\n";
	size_t len = (sizeof(line) - 1) * (PTREMAP_EDIT_MAX + 1), i;
	char *text = malloc(len);

	for (i = 0; i <= PTREMAP_EDIT_MAX; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
	expect_refused(text, len, "changes, line 4097: more than 4096 changes");
	free(text);
}

/* ---- processes -------------------------------------------------------------------------- */

static bool is_open(int fd)
{
	return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

Test(plan, opens_each_process_once)
{
	struct ptremap_item item = { .pid = getpid(), .va = 0x1000, .what = PTREMAP_SWAP };
	struct plan p = { 0 };
	int own, parents;

	item.other_pid = getpid();
	cr_assert_eq(plan_add(&p, &item, 1), 0);
	item.other_pid = getppid();
	cr_assert_eq(plan_add(&p, &item, 2), 0);
	item.pid = getppid();
	item.other_pid = 0;
	cr_assert_eq(plan_add(&p, &item, 3), 0);
	own = p.changes[0].pidfd;
	parents = p.changes[1].other_pidfd;
	cr_expect(is_open(own) && is_open(parents) && own != parents);
	cr_expect_eq(p.changes[0].other_pidfd, own);
	cr_expect_eq(p.changes[1].pidfd, own);
	cr_expect_eq(p.changes[2].pidfd, parents);
	cr_expect_lt(p.changes[2].other_pidfd, 0);
	plan_free(&p);
	cr_expect(!is_open(own) && !is_open(parents));
}

/* No device is needed to refuse it: the number may be another process' by now. */
Test(plan, a_process_that_was_not_there)
{
	struct ptremap_item item = { .what = PTREMAP_TRAP, .va = 0x1000 };
	struct plan p = { 0 };
	int old = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	item.pid = fork();
	if (!item.pid)
		_exit(0);
	waitpid(item.pid, NULL, 0);
	cr_assert_eq(plan_add(&p, &item, 0), 0);
	cr_expect_eq(p.changes[0].pidfd, -ESRCH);
	dup2(null, STDERR_FILENO);
	cr_expect_eq(plan_make(&p, -1, 0), -ESRCH);
	dup2(old, STDERR_FILENO);
	cr_expect_eq(p.changes[0].item.status, -ESRCH);
	plan_free(&p);
	close(null);
	close(old);
}

/* ---- what is said ----------------------------------------------------------------------- */

static const struct entry_view *style(struct pt_fmt *fmt, struct entry_view *v)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1 };

	cr_assert_eq(pt_fmt_init(fmt, PT_MODE_4LEVEL, &feat), 0);
	*v = (struct entry_view){ .fmt = fmt, .linux_version = PT_LINUX_VERSION(6, 1) };
	return v;
}

static void expect(struct line *l, const char *text)
{
	line_char(l, '\0');
	cr_expect_str_eq(l->buf, text);
	line_free(l);
}

static void add(struct plan *p, uint32_t what, uint64_t old, uint64_t new)
{
	const struct ptremap_item item = { .what = what,
					   .pid = 42,
					   .va = 0x1000,
					   .set = what == PTREMAP_PROTECT ? 2 : 0,
					   .old = old,
					   .new = new };

	cr_assert_eq(plan_add(p, &item, 0), 0);
}

Test(plan, text)
{
	struct plan p = { .id = 3 };
	struct line l = { 0 };
	struct entry_view v;
	struct pt_fmt fmt;

	add(&p, PTREMAP_PROTECT, 0x5025, 0x5027);
	plan_text(&l, &p, style(&fmt, &v));
	expect(&l, "transaction 3\n"
		   "protect 42:0x1000 set=RW\n"
		   "  before 0x5025: P US A addr=0x5000\n"
		   "  after  0x5027: P RW US A addr=0x5000\n");
	plan_free(&p);
}

Test(plan, text_of_a_dry_run)
{
	struct plan p = { .flags = PTREMAP_EDIT_DRY_RUN };
	/* PROT_NONE: the frame's bits are inverted. */
	const uint64_t trapped = (~0x5000ull & 0x000ffffffffff000) | 0x120;
	struct line l = { 0 };
	struct entry_view v;
	struct pt_fmt fmt;

	add(&p, PTREMAP_FRESH, 0x5067, 0x7067);
	add(&p, PTREMAP_TRAP, 0x5067, trapped);
	plan_text(&l, &p, style(&fmt, &v));
	expect(&l, "dry run\n"
		   "map 42:0x1000 fresh\n"
		   "  before 0x5067: P RW US A D addr=0x5000\n"
		   "  after  0x7067: P RW US A D addr=0x7000\n"
		   "  holds  frames 0x5000 0x7000\n"
		   "trap 42:0x1000\n"
		   "  before 0x5067: P RW US A D addr=0x5000\n"
		   "  after  0xfffffffffa120: not present, Linux: protnone pfn 0x5\n"
		   "  holds  frame 0x5000\n"
		   "flushes the TLBs of every CPU, once\n");
	plan_free(&p);
}

/* An entry of level 2: bit 7 is its size, bit 12 is PAT and not of the address. */
Test(plan, text_of_a_huge_page)
{
	struct plan p = { .flags = PTREMAP_EDIT_DRY_RUN };
	struct line l = { 0 };
	struct entry_view v;
	struct pt_fmt fmt;

	add(&p, PTREMAP_PROTECT, 0x6000a5, 0x6010a7);
	p.changes[0].item.level = 2;
	p.changes[0].item.set = 0x1002;
	plan_text(&l, &p, style(&fmt, &v));
	expect(&l, "dry run\n"
		   "protect 42:0x1000 set=RW,PAT level=2\n"
		   "  before 0x6000a5: P US A PS addr=0x600000\n"
		   "  after  0x6010a7: P RW US A PS PAT addr=0x600000\n"
		   "  holds  frame 0x600000\n"
		   "flushes the TLBs of every CPU, once\n");
	plan_free(&p);
}

Test(plan, text_of_a_swap)
{
	struct plan p = { .id = 9 };
	struct line l = { 0 };
	struct entry_view v;
	struct pt_fmt fmt;

	add(&p, PTREMAP_SWAP, 0x5067, 0x6027);
	p.changes[0].item.other_pid = 43;
	p.changes[0].item.other_va = 0x2000;
	p.changes[0].other_old = 0x6067;
	p.changes[0].other_new = 0x5027;
	plan_text(&l, &p, style(&fmt, &v));
	expect(&l, "transaction 9\n"
		   "swap 42:0x1000 with=43:0x2000\n"
		   "  before 0x5067: P RW US A D addr=0x5000\n"
		   "  after  0x6027: P RW US A addr=0x6000\n"
		   "  and at 43:0x2000\n"
		   "  before 0x6067: P RW US A D addr=0x6000\n"
		   "  after  0x5027: P RW US A addr=0x5000\n");
	plan_free(&p);
}

Test(plan, json_is_an_object)
{
	struct plan p = { .flags = PTREMAP_EDIT_DRY_RUN };
	struct entry_view v;
	struct pt_fmt fmt;
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	add(&p, PTREMAP_FRESH, 0x5067, 0x7067);
	json_init(&j, out);
	plan_json(&j, &p, style(&fmt, &v));
	fclose(out);
	cr_expect_eq(strncmp(text,
			     "{\"id\":null,\"keep\":false,\"changes\":[{\"what\":\"fresh\","
			     "\"pid\":42,\"address\":\"0x1000\",\"level\":1,\"before\":{\"value\":"
			     "\"0x5067\",",
			     108),
		     0, "%s", text);
	cr_expect(strstr(text, "\"holds\":[\"0x5000\",\"0x7000\"]}],\"flushes\":\"every CPU\"}\n"),
		  "%s", text);
	free(text);
	plan_free(&p);
}

Test(plan, json_of_a_physical_address)
{
	struct plan p = { .id = 3 };
	struct entry_view v;
	struct pt_fmt fmt;
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	add(&p, PTREMAP_RAM, 0x5067, 0x7067);
	p.changes[0].item.other_va = 0x7000;
	p.changes[0].item.flags = PTREMAP_ITEM_FORCE_RESERVED | PTREMAP_ITEM_FORCE_TABLE;
	json_init(&j, out);
	plan_json(&j, &p, style(&fmt, &v));
	fclose(out);
	cr_expect(strstr(text, "\"what\":\"phys\""), "%s", text);
	cr_expect(strstr(text, "\"physical\":\"0x7000\",\"forced\":[\"table\",\"reserved\"]"), "%s",
		  text);
	free(text);
	plan_free(&p);
}

Test(plan, records)
{
	static const struct ptremap_record records[] = {
		{ .id = 3,
		  .what = PTREMAP_FRAME,
		  .pid = 42,
		  .state = PTREMAP_ACTIVE,
		  .keep = 1,
		  .level = 1,
		  .va = 0x1000,
		  .old = 0x5067,
		  .new = 0x7067 },
		{ .id = 12,
		  .what = PTREMAP_TRAP,
		  .pid = 4242,
		  .state = PTREMAP_TAKEN,
		  .cause = PTREMAP_CAUSE_UNMAP,
		  .level = 2,
		  .va = 0x2000,
		  .old = 0x5067,
		  .new = 0x120 },
		{ .id = 12, .what = 99, .pid = 1, .state = 200, .cause = 200 },
		{ .id = 13,
		  .what = PTREMAP_MAPPED,
		  .pid = 42,
		  .state = PTREMAP_ACTIVE,
		  .va = 0x4000,
		  .old = 8192,
		  .new = 0x1000 },
	};
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(records_print(out, records, 4), 0);
	fclose(out);
	cr_expect_str_eq(
		text, "ID  KEPT  STATE   CAUSE  WHAT    ADDRESS      LEVEL  BEFORE  AFTER\n"
		      " 3  kept  active  -      map     42:0x1000    1      0x5067  0x7067\n"
		      "12  -     taken   unmap  trap    4242:0x2000  2      0x5067  0x120\n"
		      "12  -     ?       ?      ?       1:0x0        -      0x0     0x0\n"
		      "13  -     active  -      mapped  42:0x4000    -      8K      of 0x1000\n");
	free(text);
	cr_expect(strstr(record_ending(&records[1]), "munmap"));
	cr_expect(strstr(record_ending(&records[2]), "unknown"));
}

/* ---- what errors mean ------------------------------------------------------------------- */

/* Each refusal of a change has a sentence of its own. */
Test(plan, refusals_are_told_apart)
{
	static const int errors[] = { EDOM,  ENOTBLK,	ENOENT,	  EOPNOTSUPP,  ESTALE,
				      EBUSY, EROFS,	EXDEV,	  EAGAIN,      ENXIO,
				      ESRCH, EINVAL,	EPERM,	  EACCES,      EKEYREJECTED,
				      EINTR, ERANGE,	ENODEV,	  EMEDIUMTYPE, ENODATA,
				      ELOOP, ENOTEMPTY, ENOTUNIQ, EADDRINUSE,  EHWPOISON };
	const size_t nr = sizeof(errors) / sizeof(errors[0]);
	uint32_t what;
	size_t i, j;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_MMIO; what++)
		for (i = 0; i < nr; i++)
			for (j = 0; j < i; j++)
				cr_expect_str_neq(ptremap_edit_strerror(what, errors[i]),
						  ptremap_edit_strerror(what, -errors[j]));
	cr_expect_str_neq(ptremap_strerror(ENOENT), ptremap_undo_strerror(ENOENT));
	cr_expect_str_eq(ptremap_strerror(EPERM), ptremap_undo_strerror(-EPERM));
	cr_expect_str_eq(ptremap_strerror(ENFILE), strerror(ENFILE));
}

Test(plan, not_the_device)
{
	struct ptremap_item item = { .what = PTREMAP_TRAP };
	struct ptremap_record *records;
	uint32_t n;
	size_t nr;

	cr_expect_eq(ptremap_edit(-1, 0, &item, 1, &n), -EBADF);
	cr_expect_eq(ptremap_edit(-1, 0, &item, PTREMAP_EDIT_MAX + 1, &n), -E2BIG);
	cr_expect_eq(ptremap_list(-1, &records, &nr), -EBADF);
	cr_expect_eq(records, NULL);
	cr_expect_eq(ptremap_undo(-1, 1, &n), -EBADF);
}
