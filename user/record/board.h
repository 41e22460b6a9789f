/* SPDX-License-Identifier: GPL-2.0 */
/* What readers of parts of a recording tell each other: of each frame, by its number, some bytes.
 */
#ifndef RECORD_BOARD_H
#define RECORD_BOARD_H

#include <stdint.h>

#include "user/record/blob.h"
#include "user/record/record.h"

unsigned int board_readers(const struct rec_board *b);
/*
 * Takes over what @side has, for all other readers. A reader that does not wait for what is before
 * a frame of its own is not to put up another one. 0, or -ECANCELED: rec_board_stop().
 */
int board_put(struct rec_board *b, uint64_t frame, struct blob *side);
/* Waits for what another reader puts up, valid until board_done(). NULL: rec_board_stop(). */
const struct blob *board_get(struct rec_board *b, uint64_t frame);
void board_done(struct rec_board *b, uint64_t frame);

#endif
