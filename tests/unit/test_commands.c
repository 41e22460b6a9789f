// SPDX-License-Identifier: GPL-2.0
/*
 * Commands as a user gives them: a short trace of this machine by each way to print it, as root;
 * and what is wrong usage, which takes one line and status 2.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_device.h"
#include "tests/unit/run_command.h"
#include "user/cmd/cmd.h"

struct row {
	int (*command)(int argc, char **argv);
	const char *line;
	const char *says; /* stdout has it */
};

static const struct row here[] = {
	{ cmd_stat, "stat --hook rawtp -- true", "user" },
	{ cmd_stat, "stat --hook rawtp --json -- true", "\"lost\":{\"total\":0" },
	{ cmd_stat, "stat --hook rawtp --openmetrics -a -- true", "# EOF" },
	{ cmd_stat, "stat -e exit -- true", "0 exits" },
	{ cmd_live, "live --hook rawtp --json -- true", "\"comm\":\"true\"" },
	{ cmd_live, "live --hook rawtp -g --comm true -C 0-63 -- true", "true" },
	{ cmd_live, "live --hook rawtp --access write --event fault:u -- true", "user write" },
	{ cmd_top, "top --hook rawtp --batch --delay 0.05 -- true", "ptrace-pf top" },
	{ cmd_top, "top --hook rawtp --batch -a --view address --delay 0.05 -n 2", "addresses" },
	{ cmd_doctor, "doctor", "privileges   root" },
	{ cmd_doctor, "doctor --json", "\"root\":true" },
	{ cmd_vms, "vms --json", "\"vms\":[" },
};

Test(commands, here)
{
	struct said *said = calloc(1, sizeof(*said));
	size_t i;

	for (i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		run_command(here[i].command, here[i].line, said);
		cr_expect_eq(said->status, 0, "%s: %d: %s", here[i].line, said->status, said->err);
		cr_expect(strstr(said->out, here[i].says), "%s: no '%s' in: %s", here[i].line,
			  here[i].says, said->out);
	}
	free(said);
}

/* A recording, and what reads it. */
Test(commands, recording)
{
	static const struct row rows[] = {
		{ cmd_record, "record -q --hook rawtp -g -o one -- true", "" },
		{ cmd_record, "record --hook rawtp -z 0 -o two -- true", "" },
		{ cmd_report, "report -i one --sort comm", "true" },
		{ cmd_report, "report -i one --folded", "true" },
		{ cmd_report, "report -i one -i two --csv", "count" },
		{ cmd_report, "report -i one --html page", "" },
		{ cmd_script, "script -i one --json", "\"comm\":\"true\"" },
		{ cmd_script, "script -i one -g --no-walks", "true" },
		{ cmd_export, "export -i one --perfetto trace", "" },
		{ cmd_diff_recordings, "diff one two", "change" },
	};
	struct said *said = calloc(1, sizeof(*said));
	char dir[] = "/tmp/commands-XXXXXX";
	size_t i;

	cr_assert(mkdtemp(dir) && !chdir(dir));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_command(rows[i].command, rows[i].line, said);
		cr_expect_eq(said->status, 0, "%s: %d: %s", rows[i].line, said->status, said->err);
		cr_expect(strstr(said->out, rows[i].says), "%s: no '%s' in: %s", rows[i].line,
			  rows[i].says, said->out);
	}
	cr_expect_eq(unlink("one") | unlink("two") | unlink("page") | unlink("trace"), 0);
	cr_expect_eq(rmdir(dir), 0);
	free(said);
}

static const struct row wrong[] = {
	{ cmd_stat, "stat --bogus", NULL },
	{ cmd_stat, "stat --json --openmetrics -- true", NULL },
	{ cmd_record, "record -z 99 -- true", NULL },
	{ cmd_record, "record -p zero", NULL },
	{ cmd_live, "live --addr 9-1 -- true", NULL },
	{ cmd_live, "live -C 1-x -- true", NULL },
	{ cmd_live, "live --event none -- true", NULL },
	{ cmd_top, "top --view none", NULL },
	{ cmd_report, "report --limit -1", NULL },
	{ cmd_export, "export", NULL },
	{ cmd_doctor, "doctor more", NULL },
	{ cmd_vms, "vms more", NULL },
	{ cmd_walk, "walk", NULL },
	{ cmd_walk, "walk 0x1000", NULL },
	{ cmd_walk, "walk --pid PID --image x 0x1000", NULL },
	{ cmd_walk, "walk --vm PID 0x1000", NULL },
	{ cmd_walk, "walk --vm PID --gva --user-root 0x1000", NULL },
	{ cmd_walk, "walk --image x --format none --root 1 --cr3 1 0x1000", NULL },
	{ cmd_walk, "walk --image x --eptp 0x1e --ncr3 1 0x1000", NULL },
	{ cmd_walk, "walk --image x --root 1 0x1000", NULL },
	{ cmd_dump, "dump --pid PID 9-1", NULL },
	{ cmd_translate, "translate --pid PID", NULL },
	{ cmd_decode, "decode", NULL },
	{ cmd_decode, "decode --level 9 1", NULL },
	{ cmd_diff, "diff --image one", NULL },
	{ cmd_snapshot, "snapshot --pid PID", NULL },
	{ cmd_kind, "kind", NULL },
	{ cmd_read, "read", NULL },
	{ cmd_read, "read --pa 0 --va 0 1", NULL },
	{ cmd_read, "read --vm PID --gva 0 --gpa 0 1", NULL },
	{ cmd_write, "write --pa 0", NULL },
	{ cmd_write, "write --pa 0 --hex 123", NULL },
	{ cmd_protect, "protect --pid PID 0x10001000", NULL },
	{ cmd_protect, "protect --pid PID 0x10001000 --clear XX", NULL },
	{ cmd_protect, "protect --pid PID 0x10001000 --clear RW --keep --for 1", NULL },
	{ cmd_map, "map --pid PID 0x10001000", NULL },
	{ cmd_map, "map --pid PID --fresh --phys 0x1000 0x10001000", NULL },
	{ cmd_swap, "swap --pid PID 0x10001000", NULL },
	{ cmd_trap, "trap 0x10001000", NULL },
	{ cmd_graft, "graft --pid PID", NULL },
	{ cmd_mirror, "mirror", NULL },
	{ cmd_mirror, "mirror --vm PID --gva 0-1", NULL },
	{ cmd_ept, "ept", NULL },
	{ cmd_ept, "ept turn --vm PID --gpa 0", NULL },
	{ cmd_ept, "ept protect --vm PID --gpa 0", NULL },
	{ cmd_ept, "ept show --vm PID --gpa 0 --set r", NULL },
	{ cmd_ept, "ept map --vm PID --gpa 0", NULL },
	{ cmd_ept, "ept swap --vm PID --gpa 0", NULL },
	{ cmd_apply, "apply", NULL },
	{ cmd_list, "list more", NULL },
	{ cmd_undo, "undo", NULL },
	{ cmd_rule, "rule", NULL },
	{ cmd_rule, "rule turn", NULL },
	{ cmd_rule, "rule add --vm PID --on fault:0 --do trace", NULL },
	{ cmd_rule, "rule remove", NULL },
	{ cmd_watch, "watch more", NULL },
	{ cmd_watch, "watch --gpa 0-1", NULL },
};

/* Whatever is there: the device is, and it is not asked. */
Test(commands, wrong_usage_takes_one_line)
{
	struct said *said = calloc(1, sizeof(*said));
	size_t i;

	fake_device_plug();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		run_command(wrong[i].command, wrong[i].line, said);
		cr_expect_eq(said->status, 2, "%s: %d: %s", wrong[i].line, said->status, said->err);
		cr_expect_eq(nr_lines(said->err), 1, "%s: %s", wrong[i].line, said->err);
		cr_expect_str_empty(said->out, "%s: %s", wrong[i].line, said->out);
	}
	cr_expect_eq(fake_device_active(), 0);
	free(said);
}
