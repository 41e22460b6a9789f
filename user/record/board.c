// SPDX-License-Identifier: GPL-2.0
#include "user/record/board.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * Frames per reader that there is room for. Who is ahead waits for the frame in front of its next
 * own one, so that no two readers are further apart than two frames each.
 */
#define ROOM 4

struct slot {
	uint64_t frame; /* + 1; 0: free */
	struct blob side;
	unsigned int readers; /* that still want it */
};

struct rec_board {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	bool stopped;
	unsigned int nr;
	struct slot slots[];
};

struct rec_board *rec_board_new(unsigned int nr)
{
	struct rec_board *b = calloc(1, sizeof(*b) + nr * ROOM * sizeof(b->slots[0]));

	if (!b)
		return NULL;
	b->nr = nr;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	return b;
}

void rec_board_free(struct rec_board *b)
{
	unsigned int i;

	if (!b)
		return;
	for (i = 0; i < b->nr * ROOM; i++)
		blob_free(&b->slots[i].side);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void rec_board_stop(struct rec_board *b)
{
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

unsigned int board_readers(const struct rec_board *b)
{
	return b->nr;
}

static struct slot *slot_of(struct rec_board *b, uint64_t frame)
{
	return &b->slots[frame % (b->nr * ROOM)];
}

int board_put(struct rec_board *b, uint64_t frame, struct blob *side)
{
	struct slot *slot = slot_of(b, frame);
	int err;

	pthread_mutex_lock(&b->lock);
	while (!b->stopped && slot->frame)
		pthread_cond_wait(&b->changed, &b->lock);
	err = b->stopped ? -ECANCELED : 0;
	if (!err && b->nr > 1) {
		*slot = (struct slot){ frame + 1, *side, b->nr - 1 };
		*side = (struct blob){ 0 };
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return err;
}

const struct blob *board_get(struct rec_board *b, uint64_t frame)
{
	struct slot *slot = slot_of(b, frame);
	const struct blob *side;

	pthread_mutex_lock(&b->lock);
	while (!b->stopped && slot->frame != frame + 1)
		pthread_cond_wait(&b->changed, &b->lock);
	side = b->stopped ? NULL : &slot->side;
	pthread_mutex_unlock(&b->lock);
	return side;
}

void board_done(struct rec_board *b, uint64_t frame)
{
	struct slot *slot = slot_of(b, frame);

	pthread_mutex_lock(&b->lock);
	if (!--slot->readers) {
		blob_free(&slot->side);
		slot->frame = 0;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
}
