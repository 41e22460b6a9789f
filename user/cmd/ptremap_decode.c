// SPDX-License-Identifier: GPL-2.0
/* ptremap decode: page-table entries, bit by bit. */
#include <errno.h>
#include <inttypes.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/linux_opt.h"
#include "user/cmd/numbers.h"
#include "user/cmd/output.h"
#include "user/cmd/space_opts.h"
#include "user/show/entry_text.h"
#include "user/show/words.h"

#define USAGE "ptremap decode [OPTIONS] VALUE..."

struct decode_opts {
	struct format_opts format;
	uint32_t level;
	uint32_t linux_version;
	bool json;
};

static const struct opt options[] = {
	FORMAT_OPT_ROWS(struct decode_opts, format),
	{ 0, "level", "L", "level of the entries: 1 (PTE, the default) to 5 (PML5E)", OPT_U32,
	  offsetof(struct decode_opts, level), NULL },
	LINUX_OPT_ROW(struct decode_opts, linux_version),
	{ 0, "json", NULL, "one JSON object per value", OPT_FLAG,
	  offsetof(struct decode_opts, json), NULL },
	{ 0 },
};

struct decoding {
	const struct decode_opts *opts;
	struct pt_fmt fmt;
	struct line line;
	struct json json;
	bool refused; /* a value that is no entry was among them */
};

static int print_json(struct decoding *d, const struct entry_view *v)
{
	char name[FORMAT_LEN];

	json_object(&d->json, NULL);
	json_hex(&d->json, "value", v->entry);
	json_str(&d->json, "format", format_text(name, v->fmt));
	entry_json(&d->json, v);
	json_end_object(&d->json);
	json_end_line(&d->json);
	return output_error();
}

static int print(void *ctx, uint64_t value)
{
	struct decoding *d = ctx;
	struct entry_view v = { .fmt = &d->fmt,
				.entry = value,
				.level = d->opts->level,
				.linux_version = d->opts->linux_version };

	if (d->fmt.entry_shift == 2 && value > UINT32_MAX) {
		msg_error("0x%" PRIx64 ": an entry of this format has 32 bits", value);
		d->refused = true;
		return 0;
	}
	if (d->opts->json)
		return print_json(d, &v);
	entry_text(&d->line, &v);
	return line_write(&d->line, stdout);
}

static int check(const struct decode_opts *o, struct pt_fmt *fmt)
{
	int err = format_of_opts(fmt, &o->format, PT_MODE_4LEVEL, USAGE);

	if (err)
		return err;
	if (!fmt->top)
		msg_usage(USAGE, "--format none has no entries");
	else if (!o->level || o->level > fmt->top)
		msg_usage(USAGE, "--level is 1 to %u in this format", fmt->top);
	else
		return linux_opt_check(o->linux_version, fmt, USAGE);
	return -EINVAL;
}

int cmd_decode(int argc, char **argv)
{
	struct decode_opts o = { .format = FORMAT_OPTS_INIT, .level = 1 };
	struct decoding d = { .opts = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE, "A VALUE of '-' stands for the values on stdin.", argc,
			 argv, &o, &rest);
	if (!err)
		err = check(&o, &d.fmt);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	json_init(&d.json, stdout);
	status = numbers_each(argc, argv, rest, "a value", USAGE, print, &d);
	line_free(&d.line);
	return status ? status : d.refused ? EXIT_FAILED : EXIT_DONE;
}
