// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "user/report/script.h"
#include "user/report/totals.h"

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	struct script *s = (struct script *)sink;

	return s->opts.json ? script_json(s, f) : script_text(s, f);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	struct script *s = (struct script *)sink;

	return s->opts.json ? script_kvm_json(s, e) : script_kvm_text(s, e);
}

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	struct script *s = (struct script *)sink;

	return s->opts.json ? script_remap_json(s, r) : script_remap_text(s, r);
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct script *s = (struct script *)sink;

	if (s->opts.json) {
		json_object(&s->json, NULL);
		json_str(&s->json, "type", "totals");
		totals_json(&s->json, totals, complete);
		json_end_object(&s->json);
		json_end_line(&s->json);
	} else {
		totals_note(totals, complete);
	}
	errno = 0;
	if (!fflush(s->out) && !ferror(s->out))
		return 0;
	return errno ? -errno : -EIO;
}

static void script_free(struct sink *sink)
{
	struct script *s = (struct script *)sink;

	line_free(&s->line);
	learned_free(&s->learned);
	free(s);
}

struct sink *sink_script(const struct sink_env *env, const struct script_opts *opts)
{
	struct script *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = script_free };
	s->env = *env;
	s->opts = *opts;
	s->out = opts->out ? opts->out : stdout;
	walk_fmt(&s->fmt, env->info);
	json_init(&s->json, s->out);
	return &s->sink;
}
