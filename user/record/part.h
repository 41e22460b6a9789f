/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several readers of one recording, each of which unpacks and hands out a part of the frames that
 * the writer compressed: frame N is that of reader N modulo their number. What happened to names
 * and mappings is wanted by all: each frame's is put onto a board, and a reader hands out that of
 * all frames before its next own one. So its events meet what they would have met in one reader.
 */
#ifndef RECORD_PART_H
#define RECORD_PART_H

#include "user/record/input.h"
#include "user/record/perf_format.h"
#include "user/record/record.h"

struct part;

/* NULL: no memory. */
struct part *part_new(struct rec_board *board, unsigned int self);
/*
 * The next record of the part, valid until the following call. INPUT_OK; INPUT_END; -ECANCELED: the
 * file is not quite what this tool writes, or another reader has found that; another -errno.
 */
int part_next(struct part *p, struct input *in, const struct perf_event_header **h);
void part_free(struct part *p);

#endif
