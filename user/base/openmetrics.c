// SPDX-License-Identifier: GPL-2.0
#include "user/base/openmetrics.h"

#include <inttypes.h>
#include <string.h>

#include "user/base/printable.h"

#define FIRST_SLOT 7
#define LAST_SLOT  36
#define NR_SLOTS   64
#define NS_PER_S   1000000000u

/* Escapes are the same in label values and in help texts; what may not be shown is '?'. */
static void escaped(FILE *out, const char *s)
{
	size_t left = strlen(s), len;
	bool shown;

	for (; left; s += len, left -= len) {
		len = printable_next(s, left, &shown);
		if (*s == '\n')
			fputs("\\n", out);
		else if (!shown)
			putc('?', out);
		else if (*s == '\\' || *s == '"')
			fprintf(out, "\\%c", *s);
		else
			fwrite(s, 1, len, out);
	}
}

void om_family(struct om *om, const char *name, enum om_type type, const char *unit,
	       const char *help)
{
	static const char *const types[] = { "counter", "gauge", "histogram", "info" };

	om->family = name;
	om->type = type;
	fprintf(om->out, "# TYPE %s %s\n", name, types[type]);
	if (unit)
		fprintf(om->out, "# UNIT %s %s\n", name, unit);
	fprintf(om->out, "# HELP %s ", name);
	escaped(om->out, help);
	putc('\n', om->out);
}

/* "family_suffix{a="x",le="0.5"} "; @le may be NULL. */
static void begin_sample(struct om *om, const char *suffix, const struct om_label *labels,
			 unsigned int n, const char *le)
{
	unsigned int i;

	fprintf(om->out, "%s%s", om->family, suffix);
	if (n || le)
		putc('{', om->out);
	for (i = 0; i < n; i++) {
		fprintf(om->out, "%s%s=\"", i ? "," : "", labels[i].name);
		escaped(om->out, labels[i].value);
		putc('"', om->out);
	}
	if (le)
		fprintf(om->out, "%sle=\"%s\"", n ? "," : "", le);
	if (n || le)
		putc('}', om->out);
	putc(' ', om->out);
}

static const char *suffix_of(enum om_type type)
{
	return type == OM_COUNTER ? "_total" : type == OM_INFO ? "_info" : "";
}

void om_u64(struct om *om, const struct om_label *labels, unsigned int n, uint64_t value)
{
	begin_sample(om, suffix_of(om->type), labels, n, NULL);
	fprintf(om->out, "%" PRIu64 "\n", value);
}

/* No rounding on the way. */
static void put_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / NS_PER_S, ns % NS_PER_S);
}

void om_seconds(struct om *om, const struct om_label *labels, unsigned int n, uint64_t ns)
{
	begin_sample(om, suffix_of(om->type), labels, n, NULL);
	put_seconds(om->out, ns);
}

void om_histogram(struct om *om, const struct om_label *labels, unsigned int n,
		  const uint64_t slots[64], uint64_t sum_ns)
{
	uint64_t seen = 0, last;
	unsigned int slot;
	char le[32];

	for (slot = 0; slot < NR_SLOTS; slot++) {
		seen += slots[slot];
		if (slot < FIRST_SLOT || slot > LAST_SLOT)
			continue;
		/* "Less or equal", and times are whole nanoseconds. */
		last = (2ULL << slot) - 1;
		snprintf(le, sizeof(le), "%.12g", (double)last / NS_PER_S);
		begin_sample(om, "_bucket", labels, n, le);
		fprintf(om->out, "%" PRIu64 "\n", seen);
	}
	begin_sample(om, "_bucket", labels, n, "+Inf");
	fprintf(om->out, "%" PRIu64 "\n", seen);
	begin_sample(om, "_count", labels, n, NULL);
	fprintf(om->out, "%" PRIu64 "\n", seen);
	begin_sample(om, "_sum", labels, n, NULL);
	put_seconds(om->out, sum_ns);
}

void om_end(struct om *om)
{
	fputs("# EOF\n", om->out);
}
