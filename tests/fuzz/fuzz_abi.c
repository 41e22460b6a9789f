// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as an ABI file, up to the first NUL; what is behind it are the registers of a call, and
 * then the memory that they lead to. A file that is taken tells of every call that it names, and of
 * that one, in one line of text and as JSON. Run with -close_fd_mask=2: what is wrong with the
 * others is told on stderr.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/abi/abi_text.h"

#define MAX_CALLS 64 /* of a file, that are tried */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct trial {
	const struct abi *abi;
	uint64_t regs[ABI_NR_REGS];
	struct abi_buffer buffers[ABI_MAX_BUFFERS];
	struct abi_seen seen;
	FILE *null;
};

static void check_line(struct line *l)
{
	size_t i;

	CHECK(!l->failed && l->len);
	for (i = 0; i < l->len; i++)
		CHECK((unsigned char)l->buf[i] >= ' ' && l->buf[i] != 0x7f);
	l->len = 0;
}

static void tell(const struct trial *t)
{
	char name[ABI_MAX_BYTES + 1];
	struct line l = { 0 };
	uint64_t number;
	struct json j;

	if (!abi_tells(t->abi, &t->seen))
		return;
	abi_call_name(&l, t->abi, &t->seen);
	check_line(&l);
	abi_call_line(&l, t->abi, &t->seen);
	check_line(&l);
	line_free(&l);
	json_init(&j, t->null);
	json_object(&j, NULL);
	abi_call_json(&j, t->abi, &t->seen);
	json_end_object(&j);
	json_end_line(&j);
	CHECK(!j.depth);
	if (abi_learns(t->abi, &t->seen, &number, name))
		CHECK(name[0] && strlen(name) <= ABI_MAX_BYTES);
}

/* The calls that a mode has names for, with the other registers as they are. */
static void tell_all(struct trial *t)
{
	const struct abi_mode *m = &t->abi->mode[t->seen.width];
	const uint64_t before = t->regs[m->number_reg];
	uint32_t i;

	tell(t);
	for (i = 0; i < m->nr_calls && i < MAX_CALLS; i++) {
		t->regs[m->number_reg] = m->calls[i].number << m->number_lo;
		tell(t);
	}
	t->regs[m->number_reg] = before;
}

/* A part as long as the first two bytes say; returns what it took of the rest. */
static size_t fill_part(struct abi_part *p, const uint8_t *data, size_t size)
{
	size_t used = 2;

	if (size < 2)
		return size;
	p->wanted = (uint16_t)(data[0] / 2 + 1);
	p->len = data[1] < p->wanted ? data[1] : p->wanted;
	if (p->len > size - used)
		p->len = (uint16_t)(size - used);
	p->bytes = data + used;
	p->why = p->len ? NULL : "gone";
	return used + p->len;
}

static void fill_buffers(struct trial *t, const uint8_t *data, size_t size)
{
	unsigned int i, part;
	size_t used;

	for (i = 0; i < ABI_MAX_BUFFERS && size > 2; i++) {
		struct abi_buffer *b = &t->buffers[t->seen.nr_buffers++];

		b->recorded = true;
		b->length = *data * 16U;
		for (part = 0; part < ABI_MAX_PARTS; part++) {
			used = fill_part(&b->part[part], data, size);
			data += used;
			size -= used;
		}
	}
}

static void fill(struct trial *t, const uint8_t *data, size_t size)
{
	size_t len = size < sizeof(t->regs) ? size : sizeof(t->regs);

	if (len)
		memcpy(t->regs, data, len);
	t->seen = (struct abi_seen){ .regs = t->regs, .buffers = t->buffers, .has_result = true };
	t->seen.result = t->regs[ABI_R11];
	t->seen.unknown = size > len ? data[len] : 0;
	if (size > len + 1)
		fill_buffers(t, data + len + 1, size - len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size ? strnlen((const char *)data, size) : 0;
	struct trial t = { 0 };
	struct abi *abi = NULL;
	FILE *in;
	int err;

	if (!len)
		return 0;
	in = fmemopen((void *)(uintptr_t)data, len, "r");
	CHECK(in);
	err = abi_read(&abi, in, "fuzz");
	fclose(in);
	CHECK(err == 0 || (err == -EINVAL && !abi));
	if (err)
		return 0;
	t.abi = abi;
	t.null = fopen("/dev/null", "w");
	CHECK(t.null);
	fill(&t, data + len, size - len);
	t.seen.width = ABI_32;
	tell_all(&t);
	t.seen.width = ABI_64;
	tell_all(&t);
	fclose(t.null);
	abi_free(abi);
	return 0;
}
