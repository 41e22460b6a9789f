// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/readout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/base/hex.h"
#include "user/base/msg.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"

void gaps_tell(struct gaps *g)
{
	if (!g->len)
		return;
	msg_error("0x%" PRIx64 "-0x%" PRIx64 ": %" PRIu64 " bytes %s: %s", g->at,
		  g->at + g->len - 1, g->len, g->what, g->why);
	g->len = 0;
	g->any = true;
}

void gaps_add(struct gaps *g, uint64_t at, uint64_t len, const char *why)
{
	if (g->len && (g->at + g->len != at || strncmp(g->why, why, GAP_WHY_LEN - 1) != 0))
		gaps_tell(g);
	if (!g->len)
		g->at = at;
	snprintf(g->why, sizeof(g->why), "%s", why);
	g->len += len;
}

int readout_bytes(struct readout *r, uint64_t at, const void *bytes, uint64_t n)
{
	if (!n)
		return 0;
	gaps_tell(&r->gaps);
	if (r->raw) {
		fwrite(bytes, 1, n, stdout);
		return output_error();
	}
	hex_rows(&r->line, at, bytes, n);
	return line_write(&r->line, stdout);
}

static int put_zeros(uint64_t n)
{
	static const char zeros[1 << 14];
	uint64_t part;
	int err = 0;

	for (; n && !err; n -= part) {
		part = n < sizeof(zeros) ? n : sizeof(zeros);
		fwrite(zeros, 1, part, stdout);
		err = output_error();
	}
	return err;
}

int readout_gap(struct readout *r, uint64_t at, uint64_t n, const char *why)
{
	gaps_add(&r->gaps, at, n, why);
	return r->raw ? put_zeros(n) : 0;
}

int readout_end(struct readout *r, int err)
{
	gaps_tell(&r->gaps);
	line_free(&r->line);
	if (err)
		return output_status(err);
	return r->gaps.any ? EXIT_FAILED : EXIT_DONE;
}
