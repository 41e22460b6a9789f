// SPDX-License-Identifier: GPL-2.0
#include "user/record/header.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/record/kinds.h"
#include "user/record/zip.h"

/* An event of the session: one of rec_kinds[], or the one that names and mappings belong to. */
struct event {
	const struct rec_kind *kind; /* NULL: the latter */
	uint64_t id;
};

#define EVENTS_MAX (KINDS_NR + 1)

static size_t events_of(struct event *events, const struct rec_info *info)
{
	size_t i, n = 0;

	for (i = 0; i < KINDS_NR; i++)
		if (kind_wanted(&rec_kinds[i], info))
			events[n++] = (struct event){ &rec_kinds[i], HEADER_KIND_ID(i) };
	events[n++] = (struct event){ NULL, HEADER_DUMMY_ID };
	return n;
}

static void put_attr(struct blob *out, const struct event *e, const struct rec_info *info)
{
	struct perf_event_attr attr = {
		.type = e->kind ? PERF_TYPE_TRACEPOINT : PERF_TYPE_SOFTWARE,
		.size = PERF_ATTR_SIZE,
		.config = e->kind ? e->kind->id : PERF_COUNT_SW_DUMMY,
		.sample_period = 1,
		.sample_type = HEADER_SAMPLE_TYPE,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	if (info->stacks)
		attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
	if (!e->kind) {
		attr.mmap = attr.mmap_data = attr.mmap2 = 1;
		attr.comm = attr.comm_exec = attr.task = attr.ksymbol = 1;
	}
	blob_put(out, &attr, PERF_ATTR_SIZE);
}

static void put_name(struct blob *out, const struct event *e)
{
	char name[64] = "dummy:HG";

	if (e->kind)
		snprintf(name, sizeof(name), "%s:%s", KINDS_SYSTEM, e->kind->name);
	blob_string(out, name);
}

static void put_event_desc(struct blob *out, const struct rec_info *info)
{
	struct event events[EVENTS_MAX];
	size_t i, n = events_of(events, info);

	blob_u32(out, (uint32_t)n);
	blob_u32(out, PERF_ATTR_SIZE);
	for (i = 0; i < n; i++) {
		put_attr(out, &events[i], info);
		blob_u32(out, 1);
		put_name(out, &events[i]);
		blob_u64(out, events[i].id);
	}
}

/* "field: u64 timestamp; ..." of a page of the kernel's trace buffer; not used by perf's samples.
 */
static void put_page_format(struct blob *out)
{
	static const char text[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				   "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				   "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				   "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

	blob_put(out, "header_page", sizeof("header_page"));
	blob_u64(out, sizeof(text) - 1);
	blob_put(out, text, sizeof(text) - 1);
	blob_put(out, "header_event", sizeof("header_event"));
	blob_u64(out, 0);
}

static void put_formats(struct blob *out, const struct rec_info *info)
{
	struct blob format = { 0 };
	uint32_t nr = 0;
	size_t i;

	for (i = 0; i < KINDS_NR; i++)
		nr += kind_wanted(&rec_kinds[i], info);
	blob_u32(out, 1); /* systems */
	blob_put(out, KINDS_SYSTEM, sizeof(KINDS_SYSTEM));
	blob_u32(out, nr);
	for (i = 0; i < KINDS_NR; i++) {
		if (!kind_wanted(&rec_kinds[i], info))
			continue;
		format.size = 0;
		kind_format(&rec_kinds[i], &format);
		blob_u64(out, format.size);
		blob_put(out, format.data, format.size);
		out->failed = out->failed || format.failed;
	}
	blob_free(&format);
}

void header_tracing_data(struct blob *out, const struct rec_info *info)
{
	static const char magic[] = "\027\010\104tracing";
	static const char version[] = "0.6";

	blob_put(out, magic, sizeof(magic) - 1);
	blob_put(out, version, sizeof(version));
	blob_put(out, "\0\010", 2); /* little-endian, longs of 8 bytes */
	blob_u32(out, (uint32_t)sysconf(_SC_PAGESIZE));
	put_page_format(out);
	blob_u32(out, 0); /* ftrace's own events */
	put_formats(out, info);
	blob_u32(out, 0); /* kallsyms */
	blob_u32(out, 0); /* printk formats */
	blob_u64(out, 0); /* saved command lines */
}

static void put_nrcpus(struct blob *out, const struct rec_info *info)
{
	uint32_t there = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);

	blob_u32(out, there > info->cpus ? there : info->cpus);
	blob_u32(out, info->cpus);
}

static void put_cmdline(struct blob *out, const struct rec_info *info)
{
	char text[sizeof(info->command) + 1] = "";

	memcpy(text, info->command, sizeof(info->command));
	blob_u32(out, 1);
	blob_string(out, text);
}

static void put_text(struct blob *out, const char *field, size_t size)
{
	char text[128] = "";

	memcpy(text, field, size < sizeof(text) ? size : sizeof(text) - 1);
	blob_string(out, text);
}

static void put_compressed(struct blob *out, const struct rec_info *info)
{
	blob_u32(out, 1);
	blob_u32(out, info->zstd ? PERF_COMP_ZSTD : 0);
	blob_u32(out, info->zstd);
	blob_u32(out, 0);
	blob_u32(out, ZIP_UNPACKED_MAX);
}

static void put_clock_data(struct blob *out, const struct rec_info *info)
{
	blob_u32(out, 1);
	blob_u32(out, CLOCK_MONOTONIC);
	blob_u64(out, info->start_real);
	blob_u64(out, info->start_mono);
}

/* tools/perf/util/header.c; in the order of the bits. */
static const enum perf_feature features[HEADER_FEATURES] = {
	PERF_FEAT_TRACING_DATA, PERF_FEAT_BUILD_ID,    PERF_FEAT_HOSTNAME, PERF_FEAT_OSRELEASE,
	PERF_FEAT_VERSION,	PERF_FEAT_ARCH,	       PERF_FEAT_NRCPUS,   PERF_FEAT_CMDLINE,
	PERF_FEAT_EVENT_DESC,	PERF_FEAT_SAMPLE_TIME, PERF_FEAT_CLOCKID,  PERF_FEAT_COMPRESSED,
	PERF_FEAT_CLOCK_DATA,
};

static void put_feature(struct blob *out, enum perf_feature feature, const struct rec_info *info)
{
	switch (feature) {
	case PERF_FEAT_TRACING_DATA:
		header_tracing_data(out, info);
		break;
	case PERF_FEAT_HOSTNAME:
		put_text(out, info->hostname, sizeof(info->hostname));
		break;
	case PERF_FEAT_OSRELEASE:
		put_text(out, info->release, sizeof(info->release));
		break;
	case PERF_FEAT_VERSION:
		blob_string(out, "ptscope " PTSCOPE_VERSION);
		break;
	case PERF_FEAT_ARCH:
		blob_string(out, "x86_64");
		break;
	case PERF_FEAT_NRCPUS:
		put_nrcpus(out, info);
		break;
	case PERF_FEAT_CMDLINE:
		put_cmdline(out, info);
		break;
	case PERF_FEAT_EVENT_DESC:
		put_event_desc(out, info);
		break;
	case PERF_FEAT_SAMPLE_TIME:
		blob_put(out, NULL, 16);
		break;
	case PERF_FEAT_CLOCKID:
		blob_u64(out, 1); /* its resolution in ns */
		break;
	case PERF_FEAT_COMPRESSED:
		put_compressed(out, info);
		break;
	case PERF_FEAT_CLOCK_DATA:
		put_clock_data(out, info);
		break;
	default: /* build ids are known in the end */
		break;
	}
}

struct perf_section *header_section(struct header *h, enum perf_feature feature)
{
	size_t i = 0;

	while (features[i] != feature)
		i++;
	return &h->table[i];
}

/* Where each event's attribute and id are. */
static void put_attrs(struct blob *out, const struct rec_info *info, struct perf_section *where)
{
	struct event events[EVENTS_MAX];
	size_t i, n = events_of(events, info);
	struct perf_section ids = { .offset = out->size, .size = sizeof(uint64_t) };

	for (i = 0; i < n; i++)
		blob_u64(out, events[i].id);
	where->offset = out->size;
	for (i = 0; i < n; i++) {
		put_attr(out, &events[i], info);
		blob_put(out, &ids, sizeof(ids));
		ids.offset += ids.size;
	}
	where->size = out->size - where->offset;
}

void header_file(struct header *h, const struct rec_info *info)
{
	struct perf_file_header file = {
		.magic = PERF_MAGIC,
		.size = sizeof(file),
		.attr_size = PERF_ATTR_SIZE + sizeof(struct perf_section),
	};
	struct blob *out = &h->front;
	size_t i;

	*h = (struct header){ 0 };
	blob_put(out, NULL, sizeof(file));
	put_attrs(out, info, &file.attrs);
	for (i = 0; i < HEADER_FEATURES; i++) {
		h->table[i].offset = out->size;
		put_feature(out, features[i], info);
		h->table[i].size = out->size - h->table[i].offset;
		blob_align(out, 8);
		file.features[features[i] / 64] |= 1ull << features[i] % 64;
	}
	h->times = header_section(h, PERF_FEAT_SAMPLE_TIME)->offset;
	file.data.offset = out->size;
	if (!out->failed)
		memcpy(out->data, &file, sizeof(file));
}

static void put_record(struct blob *out, uint32_t type, const struct blob *body)
{
	struct perf_event_header header = { .type = type };

	header.size = (uint16_t)(sizeof(header) + body->size);
	blob_put(out, &header, sizeof(header));
	blob_put(out, body->data, body->size);
	out->failed = out->failed || body->failed;
}

/* perf's own has a length of 12, and what it tells of comes behind it. */
static void put_tracing_record(struct blob *out, const struct rec_info *info)
{
	struct perf_event_header header = { .type = PERF_HEADER_TRACING_DATA, .size = 12 };
	struct blob data = { 0 };

	header_tracing_data(&data, info);
	blob_align(&data, 8);
	blob_put(out, &header, sizeof(header));
	blob_u32(out, (uint32_t)data.size);
	blob_put(out, data.data, data.size);
	out->failed = out->failed || data.failed;
	blob_free(&data);
}

static void put_feature_record(struct blob *out, enum perf_feature feature,
			       const struct rec_info *info)
{
	struct blob body = { 0 };

	blob_u64(&body, feature);
	put_feature(&body, feature, info);
	blob_align(&body, 8);
	put_record(out, PERF_HEADER_FEATURE, &body);
	blob_free(&body);
}

void header_stream(struct blob *out, const struct rec_info *info)
{
	struct perf_pipe_header file = { .magic = PERF_MAGIC, .size = sizeof(file) };
	struct event events[EVENTS_MAX];
	size_t i, n = events_of(events, info);

	blob_put(out, &file, sizeof(file));
	for (i = 0; i < n; i++) {
		struct blob body = { 0 };

		put_attr(&body, &events[i], info);
		blob_u64(&body, events[i].id);
		put_record(out, PERF_HEADER_ATTR, &body);
		blob_free(&body);
	}
	for (i = 0; i < HEADER_FEATURES; i++)
		if (features[i] != PERF_FEAT_TRACING_DATA && features[i] != PERF_FEAT_BUILD_ID &&
		    features[i] != PERF_FEAT_SAMPLE_TIME)
			put_feature_record(out, features[i], info);
	put_tracing_record(out, info);
}

void header_session(struct rec_session *s, const struct rec_info *info)
{
	*s = (struct rec_session){
		.header = { .type = PERF_HEADER_EVENT_TYPE, .size = sizeof(*s) },
		.magic = REC_MAGIC,
		.version = REC_VERSION,
		.info = *info,
	};
}

/*
 * Room for the kernel's text, up to where modules can begin: at 512 MiB steps, one or, with KASLR,
 * two of them (Documentation/x86/x86_64/mm.rst). A kernel fits 64 MiB.
 */
static uint64_t text_room(uint64_t text)
{
	const uint64_t step = 512ul << 20, least = 64ul << 20;
	uint64_t room = step - text % step;

	return room < least ? room + step : room;
}

void header_kernel_map(struct blob *out, const struct rec_info *info)
{
	/* struct perf_record_mmap; the name's room is a multiple of 8. */
	static const char name[24] = "[kernel.kallsyms]_text";
	struct header_tail tail = { .pid = UINT32_MAX, .id = HEADER_DUMMY_ID };
	struct perf_event_header header = { .type = PERF_RECORD_MMAP,
					    .misc = PERF_RECORD_MISC_KERNEL,
					    .size = 8 + 8 + 24 + sizeof(name) + sizeof(tail) };

	if (!info->kernel_text)
		return;
	blob_put(out, &header, sizeof(header));
	blob_u32(out, UINT32_MAX);
	blob_u32(out, 0);
	blob_u64(out, info->kernel_text);
	blob_u64(out, text_room(info->kernel_text));
	blob_u64(out, info->kernel_text);
	blob_put(out, name, sizeof(name));
	blob_put(out, &tail, sizeof(tail));
}
