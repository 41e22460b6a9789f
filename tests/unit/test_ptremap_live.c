// SPDX-License-Identifier: GPL-2.0
/*
 * ptremap's commands about this machine, its processes and VMs, as a user gives them, with a device
 * that stands for the module's (fake_device.h). What the module itself does is tested in the lab.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_device.h"
#include "tests/unit/run_command.h"
#include "user/cmd/cmd.h"

struct row {
	int (*command)(int argc, char **argv);
	const char *line;
	const char *says; /* stdout has it; NULL: the command succeeds and says nothing */
};

static const struct row reads[] = {
	{ cmd_walk, "walk --pid PID 0x10003000", "= 0x13000, 4K page, rwxu" },
	{ cmd_walk, "walk --json --pid PID 0x10003000", "\"pa\":\"0x13000\"" },
	{ cmd_walk, "walk --kernel 0xffff800010004000", "= 0x14000" },
	{ cmd_walk, "walk --access w,u --pid PID 0x10003000", "write, user: allowed" },
	{ cmd_walk, "walk --vm PID --gva 0x10003000", "guest-physical 0x13000: slot 0" },
	{ cmd_walk, "walk --vm PID --gpa 0x13000", "npt-4level, root 0x5000" },
	{ cmd_walk, "walk --json --vm PID --gva 0x10003000", "\"slot\"" },
	{ cmd_translate, "translate --pid PID 0x10003000 0x10004008", "0x10004008 0x14008" },
	{ cmd_translate, "translate --vm PID --gva 0x10003000", "0x13000" },
	{ cmd_dump, "dump --pid PID", "0x0000000010000000-0x000000001000ffff" },
	{ cmd_dump, "dump --pid PID --tree 0x10000000-0x10001fff", "table" },
	{ cmd_dump, "dump --pid PID --json --pages", "\"pa\":\"0x1f000\"" },
	{ cmd_dump, "dump --kernel", "0xffff800010000000-0xffff80001000ffff" },
	{ cmd_dump, "dump --vm PID --gva", "0x10000" },
	{ cmd_kind, "kind 0xffff888000100000", "direct map" },
	{ cmd_kind, "kind --json 0x1000", "user" },
	{ cmd_read, "read --pid PID --va 0x10001000 32", "0000000010001010" },
	{ cmd_read, "read --pa 0x4000 16", "67 08 01" },
	{ cmd_read, "read --pa 0x4000 --mmio 8 8", "67 08 01" },
	{ cmd_read, "read --vm PID --gva 0x10001000 64", "00 00" },
	{ cmd_read, "read --vm PID --gpa 0x4000 16", "67 08 01" },
	{ cmd_write, "write --pa 0x18000 --hex 0102ff", NULL },
	{ cmd_read, "read --pa 0x18000 3", "01 02 ff" },
	{ cmd_write, "write --pid PID --va 0x10002ffe --hex aabbccdd", NULL },
	{ cmd_read, "read --pid PID --va 0x10002ffe 4", "aa bb cc dd" },
	{ cmd_write, "write --vm PID --gpa 0x19000 --hex 99", NULL },
	{ cmd_read, "read --pa 0x19000 1", "99" },
	{ cmd_ept, "ept show --vm PID --gpa 0x13000", "0x13067" },
	{ cmd_ept, "ept show --json --vm PID --gpa 0x13000", "0x13067" },
	{ cmd_vms, "vms", "" },
	{ cmd_list, "list --json", "" },
	{ cmd_rule, "rule list", "hypercall" },
	{ cmd_rule, "rule list --json", "on hypercall:0x3 do trace" },
	{ cmd_rule, "rule remove 1", "" },
	{ cmd_watch, "watch --count 2", "munmap" },
	{ cmd_watch, "watch --json --count 2", "\"cause\":" },
	{ cmd_watch, "watch --vm PID --gpa 0x1000-0x1fff --count 3", "0x1008" },
	{ cmd_watch, "watch --json --vm PID --gpa 0x1000-0x1fff --on w --count 3", "0x1008" },
};

static void check_row(const struct row *row, struct said *said)
{
	run_command(row->command, row->line, said);
	cr_expect_eq(said->status, 0, "%s: status %d: %s", row->line, said->status, said->err);
	if (row->says)
		cr_expect(strstr(said->out, row->says), "%s: no '%s' in: %s%s", row->line,
			  row->says, said->out, said->err);
	else
		cr_expect_str_empty(said->out, "%s: %s", row->line, said->out);
}

Test(ptremap_live, reads)
{
	struct said *said = calloc(1, sizeof(*said));
	size_t i;

	fake_device_plug();
	for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		check_row(&reads[i], said);
	free(said);
}

/* Each with what the entry of FAKE_VA + 0x1000 is while it is in force. */
static const struct change {
	int (*command)(int argc, char **argv);
	const char *line;
	const char *says;
	uint64_t entry;
} changes[] = {
	{ cmd_protect, "protect --keep --pid PID 0x10001000 --clear RW", "0x11865", 0x11865 },
	{ cmd_protect, "protect --keep --pid PID 0x10001000 --set NX,PK=3", "0x9800000000011867",
	  0x9800000000011867 },
	{ cmd_map, "map --keep --fresh --pid PID 0x10001000", "0x80867", 0x80867 },
	{ cmd_map, "map --keep --frame-of PID:0x10002000 --pid PID 0x10001000", "0x12867",
	  0x12867 },
	{ cmd_map, "map --keep --phys 0x40000 --pid PID 0x10001000", "0x40867", 0x40867 },
	{ cmd_map, "map --keep --mmio 0xfee00000 --json --pid PID 0x10001000", "0xfee00867",
	  0xfee00867 },
	{ cmd_swap, "swap --keep --pid PID 0x10001000 --with 0x10005000", "0x15867", 0x15867 },
	{ cmd_trap, "trap --keep --pid PID 0x10001000", "0x11866", 0x11866 },
	{ cmd_trap, "trap --keep --expect 0x11867 --pid PID 0x10001000", "0x11866", 0x11866 },
	{ cmd_graft, "graft --keep --pid PID --fresh --len 16K --prot rw", "0x38000000", 0x11867 },
	{ cmd_graft, "graft --keep --pid PID 0x30000000 --frames-of PID:0x10001000 --len 4K",
	  "0x30000000", 0x11867 },
	{ cmd_ept, "ept protect --keep --vm PID --gpa 0x13000 --clear w", "0x13065", 0x11867 },
	{ cmd_ept, "ept map --keep --vm PID --gpa 0x13000 --fresh", "0x13065", 0x11867 },
	{ cmd_ept, "ept swap --keep --json --vm PID --gpa 0x13000 --with 0x14000", "0x13065",
	  0x11867 },
	{ cmd_ept, "ept protect --keep --vm PID --gpa 0x13000 --cache wb", "0x13065", 0x11867 },
};

static void check_change(const struct change *c, struct said *said)
{
	const struct row row = { c->command, c->line, c->says };
	const uint64_t *entry = fake_device_entry(FAKE_VA + 0x1000);

	check_row(&row, said);
	cr_expect_eq(*entry, c->entry, "%s: entry 0x%lx", c->line, *entry);
	cr_expect_gt(fake_device_active(), 0, "%s: nothing in force", c->line);
	run_command(cmd_list, "list", said);
	cr_expect_eq(said->status, 0, "list: %s", said->err);
	cr_expect_geq(nr_lines(said->out), 2, "list after %s: %s", c->line, said->out);
	run_command(cmd_list, "list --json", said);
	cr_expect(strstr(said->out, "\"active\""), "list --json: %s", said->out);
	run_command(cmd_undo, "undo --all", said);
	cr_expect_eq(said->status, 0, "undo: %s", said->err);
	cr_expect_eq(fake_device_active(), 0, "%s: undone", c->line);
	cr_expect_eq(*entry, 0x11867, "%s: undone: entry 0x%lx", c->line, *entry);
}

Test(ptremap_live, changes)
{
	struct said *said = calloc(1, sizeof(*said));
	size_t i;

	fake_device_plug();
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		check_change(&changes[i], said);
	free(said);
}

/* A change that stays for a time, or while a command runs, or that is only tried. */
Test(ptremap_live, stays)
{
	static const char *const lines[] = {
		"protect --pid PID 0x10001000 --clear RW --for 0.01",
		"protect --pid PID 0x10001000 --clear RW -- true",
		"protect --pid PID 0x10001000 --clear RW --dry-run",
		"protect --json --pid PID 0x10001000 --clear RW --dry-run",
	};
	struct said *said = calloc(1, sizeof(*said));
	size_t i;

	fake_device_plug();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run_command(cmd_protect, lines[i], said);
		cr_expect_eq(said->status, 0, "%s: %d: %s", lines[i], said->status, said->err);
		cr_expect_eq(!strstr(said->out, "0x11865"), !!strstr(lines[i], "-- true"), "%s: %s",
			     lines[i], said->out);
		run_command(cmd_undo, "undo --all", said);
	}
	run_command(cmd_protect, "protect --pid PID 0x10001000 --clear RW -- false", said);
	cr_expect_eq(said->status, 1, "the command's own status: %d", said->status);
	free(said);
}

/* Snapshots are images: the same tables come out of them. */
Test(ptremap_live, snapshot)
{
	struct said *live = calloc(1, sizeof(*live)), *saved = calloc(1, sizeof(*saved));
	char line[96], path[] = "/tmp/ptremap-snapshot-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	unlink(path);
	fake_device_plug();
	snprintf(line, sizeof(line), "snapshot --pid PID -o %s", path);
	run_command(cmd_snapshot, line, live);
	cr_expect_eq(live->status, 0, "%s", live->err);
	run_command(cmd_dump, "dump --pid PID", live);
	snprintf(line, sizeof(line), "dump --image %s", path);
	run_command(cmd_dump, line, saved);
	cr_expect_str_eq(saved->out, live->out);
	snprintf(line, sizeof(line), "diff --image %s --pid PID", path);
	run_command(cmd_diff, line, live);
	cr_expect_eq(live->status, 0, "%s", live->err);
	cr_expect_str_empty(live->out);
	*fake_device_entry(FAKE_VA + 0x2000) = 0;
	run_command(cmd_diff, line, live);
	cr_expect(strstr(live->out, "removed 0x0000000010002000"), "%s", live->out);
	unlink(path);
	free(live);
	free(saved);
}

/* Which call each row needs, by its number, so that it can fail. */
static const struct failing {
	unsigned int nr;
	int (*command)(int argc, char **argv);
	const char *line;
} failing[] = {
	{ 1, cmd_walk, "walk --pid PID 0x10003000" },
	{ 2, cmd_dump, "dump --pid PID" },
	{ 3, cmd_read, "read --pid PID --va 0x10001000 32" },
	{ 3, cmd_read, "read --pa 0x4000 16" },
	{ 3, cmd_write, "write --pa 0x18000 --hex 0102ff" },
	{ 3, cmd_write, "write --vm PID --gpa 0x19000 --hex 99" },
	{ 4, cmd_protect, "protect --keep --pid PID 0x10001000 --clear RW" },
	{ 4, cmd_swap, "swap --keep --pid PID 0x10001000 --with 0x10005000" },
	{ 5, cmd_list, "list" },
	{ 6, cmd_undo, "undo 1" },
	{ 7, cmd_graft, "graft --keep --pid PID --fresh --len 16K" },
	{ 8, cmd_watch, "watch --count 2" },
	{ 9, cmd_walk, "walk --vm PID --gva 0x10003000" },
	{ 9, cmd_ept, "ept show --vm PID --gpa 0x13000" },
	{ 10, cmd_ept, "ept protect --keep --vm PID --gpa 0x13000 --clear w" },
	{ 11, cmd_rule, "rule list" },
	{ 11, cmd_rule, "rule remove 1" },
	{ 12, cmd_watch, "watch --vm PID --gpa 0x1000-0x1fff --count 3" },
};

static void check_failure(const struct failing *f, int error, struct said *said)
{
	fake_device_fail(f->nr, error);
	run_command(f->command, f->line, said);
	cr_expect_eq(said->status, 1, "%s, %s: status %d", f->line, strerror(error), said->status);
	/* Of a write a second line says that nothing was written. */
	cr_expect_leq(nr_lines(said->err), 1 + (f->command == cmd_write), "%s, %s: %s", f->line,
		      strerror(error), said->err);
	fake_device_fail(f->nr, 0);
}

Test(ptremap_live, failures_take_one_line)
{
	static const int errors[] = { EPERM,  EACCES, EBUSY,	  ENOMEM, ESRCH, ENXIO,
				      EINVAL, ENOTTY, EOPNOTSUPP, EIO,	  ENOENT };
	struct said *said = calloc(1, sizeof(*said));
	size_t i, k;

	fake_device_plug();
	for (i = 0; i < sizeof(failing) / sizeof(failing[0]); i++)
		for (k = 0; k < sizeof(errors) / sizeof(errors[0]); k++)
			check_failure(&failing[i], errors[k], said);
	free(said);
}
