// SPDX-License-Identifier: GPL-2.0
#include "user/record/chain.h"

#include <string.h>

/* Marks in a chain, not addresses: include/uapi/linux/perf_event.h */
static bool is_mark(uint64_t word)
{
	return word >= (uint64_t)PERF_CONTEXT_MAX;
}

struct stacks {
	const uint64_t *kernel, *user;
	size_t nr_kernel, nr_user;
};

static struct stacks stacks_of(const struct ptev_fault *f)
{
	const uint64_t *tail = (const uint64_t *)(f + 1);
	struct stacks s = { tail + 1, NULL, (uint32_t)tail[0], tail[0] >> 32 };
	size_t i;

	s.user = s.kernel + s.nr_kernel;
	for (i = 0; i < s.nr_kernel && s.kernel[i] != f->ip; i++)
		;
	if (i < s.nr_kernel) {
		s.kernel += i;
		s.nr_kernel -= i;
	}
	while (s.nr_user && !s.user[s.nr_user - 1])
		s.nr_user--;
	return s;
}

static size_t put_stack(uint64_t *out, uint64_t mark, const uint64_t *frames, size_t nr)
{
	size_t i, n = 0;

	if (!nr)
		return 0;
	out[n++] = mark;
	for (i = 0; i < nr; i++)
		if (!is_mark(frames[i]))
			out[n++] = frames[i];
	return n;
}

size_t chain_pack(const struct ptev_fault *f, uint64_t *out)
{
	struct stacks s;
	size_t n;

	*out = 0;
	if (!(f->flags & PTEV_F_STACKS))
		return 1;
	s = stacks_of(f);
	n = put_stack(out + 1, (uint64_t)PERF_CONTEXT_KERNEL, s.kernel, s.nr_kernel);
	n += put_stack(out + 1 + n, (uint64_t)PERF_CONTEXT_USER, s.user, s.nr_user);
	*out = n;
	return n + 1;
}

size_t chain_unpack(const struct rec_sample *s, uint64_t *out)
{
	uint64_t kernel = 0, user = 0, i, mark = (uint64_t)PERF_CONTEXT_USER;
	uint64_t *to = out + 1;

	for (i = 0; i < s->nr_chain; i++) {
		uint64_t word = s->chain[i];

		if (is_mark(word))
			mark = word;
		else if (mark == (uint64_t)PERF_CONTEXT_KERNEL && !user && kernel < PTEV_MAX_STACK)
			to[kernel++] = word;
		else if (mark == (uint64_t)PERF_CONTEXT_USER && user < PTEV_MAX_STACK)
			to[kernel + user++] = word;
	}
	*out = kernel | user << 32;
	return (1 + kernel + user) * sizeof(*out);
}
