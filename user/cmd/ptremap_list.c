// SPDX-License-Identifier: GPL-2.0
/* ptremap list, ptremap undo: the changes that are in force, and their end. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/base/units.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/kernel/mirror.h"
#include "user/show/mirror_text.h"
#include "user/show/plan_text.h"

#define LIST_USAGE "ptremap list [OPTIONS]"
#define UNDO_USAGE "ptremap undo ID...|--all"

static int failed(int err)
{
	msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
	return EXIT_FAILED;
}

/* ---- list ------------------------------------------------------------------------------- */

struct list_opts {
	bool json;
};

static const struct opt list_options[] = {
	{ 0, "json", NULL, "one JSON object per change or mirror", OPT_FLAG,
	  offsetof(struct list_opts, json), NULL },
	{ 0 },
};

static int print_json(const struct ptremap_record *records, size_t nr, const struct pt_fmt *fmt)
{
	const struct entry_view style = { .fmt = fmt, .linux_version = kinfo_version() };
	struct json j;
	size_t i;

	json_init(&j, stdout);
	for (i = 0; i < nr; i++)
		record_json(&j, &records[i], &style);
	return output_error();
}

static int list_changes(struct live *live, bool json)
{
	struct ptremap_record *records;
	size_t nr;
	int err = ptremap_list(live_fd(live), &records, &nr);

	if (err)
		return failed(err);
	if (json)
		err = print_json(records, nr, live_space(live)->fmt);
	else if (nr)
		err = records_print(stdout, records, nr);
	free(records);
	return output_status(err);
}

static int print_mirror(const struct ptremap_mirror_info *m,
			const struct ptremap_mirror_range *ranges, bool json)
{
	struct line l = { 0 };
	struct json j;
	int err;

	if (json) {
		json_init(&j, stdout);
		mirror_json(&j, m, ranges);
		return output_error();
	}
	mirror_text(&l, m, ranges);
	err = line_write(&l, stdout);
	line_free(&l);
	return err;
}

/* A module that knows none has none. */
static int list_mirrors(int fd, bool json)
{
	struct ptremap_mirror_range *ranges, *next;
	struct ptremap_mirror_info *mirrors;
	size_t nr, i;
	int err = ptremap_mirror_list(fd, &mirrors, &nr, &ranges);

	if (err == -ENOTTY)
		return EXIT_DONE;
	if (err) {
		msg_error("mirrors: %s", err == -EMSGSIZE ? "there are more than can be listed"
							  : ptremap_strerror(err));
		return EXIT_FAILED;
	}
	for (i = 0, next = ranges; i < nr && !err; next += mirrors[i++].nr_ranges)
		err = print_mirror(&mirrors[i], next, json);
	free(mirrors);
	free(ranges);
	return output_status(err);
}

int cmd_list(int argc, char **argv)
{
	struct list_opts o = { 0 };
	struct live *live = NULL;
	int status, rest, err = opts_parse(list_options, LIST_USAGE, NULL, argc, argv, &o, &rest);

	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	err = live_open(&live, 0, 0);
	if (!err)
		err = live_error(live);
	status = err ? failed(err) : list_changes(live, o.json);
	if (!status)
		status = list_mirrors(live_fd(live), o.json);
	live_close(live);
	return status;
}

/* ---- undo ------------------------------------------------------------------------------- */

struct undo_opts {
	bool all;
};

static const struct opt undo_options[] = {
	{ 0, "all", NULL, "every transaction", OPT_FLAG, offsetof(struct undo_opts, all), NULL },
	{ 0 },
};

/* EXIT_USAGE after a line, if the words are not as they should be. */
static int check_ids(const struct undo_opts *o, int argc, char **argv, int rest)
{
	uint64_t id;
	int i;

	if (o->all == (rest < argc)) {
		msg_usage(UNDO_USAGE, o->all ? "--all, or ids, but not both" : "an id is missing");
		return EXIT_USAGE;
	}
	for (i = rest; i < argc; i++) {
		if (!units_parse_u64(argv[i], &id) && id && id <= UINT32_MAX)
			continue;
		msg_usage(UNDO_USAGE, "'%s' is not the id of a transaction", argv[i]);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int undo(int fd, uint32_t id)
{
	uint32_t restored;
	int err = ptremap_undo(fd, id, &restored);

	if (err && id)
		msg_error("transaction %" PRIu32 ": %s", id, ptremap_undo_strerror(err));
	else if (err)
		msg_error("%s", ptremap_undo_strerror(err));
	else
		msg_note("%" PRIu32 " %s taken back", restored,
			 restored == 1 ? "change was" : "changes were");
	return err ? EXIT_FAILED : EXIT_DONE;
}

int cmd_undo(int argc, char **argv)
{
	struct undo_opts o = { 0 };
	int fd, rest, status, err;
	uint64_t id;

	err = opts_parse(undo_options, UNDO_USAGE, "'ptremap list' has the ids.", argc, argv, &o,
			 &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = check_ids(&o, argc, argv, rest);
	if (status)
		return status;
	fd = ptremap_open();
	if (fd < 0)
		return failed(fd);
	if (o.all)
		status = undo(fd, 0);
	for (; rest < argc; rest++)
		if (!units_parse_u64(argv[rest], &id))
			status |= undo(fd, (uint32_t)id);
	close(fd);
	return status;
}
