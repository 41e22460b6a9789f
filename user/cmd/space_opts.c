// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/space_opts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"

static const struct format_name formats[] = {
	{ "none", PT_MODE_NONE, 0, 0, 0 },
	{ "32bit", PT_MODE_32BIT, 0, 0, 0 },
	{ "32bit-pse", PT_MODE_32BIT, 1, 0, 0 },
	{ "32bit-pse36", PT_MODE_32BIT, 1, 1, 0 },
	{ "pae", PT_MODE_PAE, 0, 0, 0 },
	{ "4level", PT_MODE_4LEVEL, 0, 0, 0 },
	{ "5level", PT_MODE_5LEVEL, 0, 0, 0 },
	{ "ept4", PT_MODE_EPT4, 0, 0, 0 },
	{ "ept5", PT_MODE_EPT5, 0, 0, 0 },
	{ "npt-32bit", PT_MODE_32BIT, 0, 0, 1 },
	{ "npt-32bit-pse", PT_MODE_32BIT, 1, 0, 1 },
	{ "npt-32bit-pse36", PT_MODE_32BIT, 1, 1, 1 },
	{ "npt-pae", PT_MODE_PAE, 0, 0, 1 },
	{ "npt-4level", PT_MODE_4LEVEL, 0, 0, 1 },
	{ "npt-5level", PT_MODE_5LEVEL, 0, 0, 1 },
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

static void unknown_format(const char *arg)
{
	char list[256] = "";
	size_t i, len = 0;

	for (i = 0; i < NR_FORMATS; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					formats[i].name);
	msg_error("format '%s' is not one of %s", arg, list);
}

int format_opt_format(void *target, const char *arg)
{
	struct format_opts *o = target;
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		if (strcmp(arg, formats[i].name) != 0)
			continue;
		o->format = &formats[i];
		return 0;
	}
	unknown_format(arg);
	return -EINVAL;
}

static int add_source(struct space_opts *o, struct space_source source, const char *said)
{
	if (o->nr_sources == SPACE_MAX_SOURCES) {
		msg_error("%s: there are too many images", said);
		return -EINVAL;
	}
	o->sources[o->nr_sources++] = source;
	return 0;
}

int space_opt_image(void *target, const char *arg)
{
	struct space_opts *o = target;

	/*
	 * QEMU without KVM sets A in PAE's PDPTEs, too. It is reserved there, but a CPU looks at
	 * its PDPTEs when CR3 is loaded (SDM vol. 3, 4.4.1), not at what they are in memory later.
	 */
	o->format.pdpte_a = true;
	return add_source(o, (struct space_source){ .path = arg }, arg);
}

static int add_process(void *target, const char *arg, bool vm, const char *said)
{
	uint64_t pid;

	if (units_parse_u64(arg, &pid) || !pid || pid > INT32_MAX) {
		msg_error("pid '%s' is not the number of a process", arg);
		return -EINVAL;
	}
	return add_source(target, (struct space_source){ .pid = (uint32_t)pid, .vm = vm }, said);
}

int space_opt_pid(void *target, const char *arg)
{
	return add_process(target, arg, false, "--pid");
}

int space_opt_vm(void *target, const char *arg)
{
	return add_process(target, arg, true, "--vm");
}

int space_opt_kernel(void *target, const char *arg)
{
	(void)arg;
	return add_source(target, (struct space_source){ 0 }, "--kernel");
}

void format_feat(const struct format_opts *o, struct pt_feat *feat)
{
	*feat = (struct pt_feat){
		.maxphyaddr = o->maxphyaddr < UINT8_MAX ? (uint8_t)o->maxphyaddr : UINT8_MAX,
		.enc_bit = o->enc_bit < UINT8_MAX ? (uint8_t)o->enc_bit : UINT8_MAX,
		.nx = !o->no_nx,
		.page1g = !o->no_1g,
		.pse36 = 1,
		.amd = o->amd,
		.pdpte_a = o->pdpte_a,
		.ept_exec_only = o->exec_only,
		.ept_mbec = o->mbec,
		.ept_ad = 1,
		.ept_sss = 1,
	};
}

int format_init(struct pt_fmt *fmt, enum pt_mode mode, const struct pt_feat *feat,
		const char *usage)
{
	if (!pt_fmt_init(fmt, mode, feat))
		return 0;
	if (feat->maxphyaddr < 32 || feat->maxphyaddr > 52)
		msg_usage(usage, "--maxphyaddr is 32 to 52");
	else
		msg_usage(usage, "--enc-bit is 32 to 51");
	return -EINVAL;
}

int format_of_opts(struct pt_fmt *fmt, const struct format_opts *o, enum pt_mode mode,
		   const char *usage)
{
	struct pt_feat feat;

	format_feat(o, &feat);
	if (o->format) {
		mode = o->format->mode;
		feat.pse = o->format->pse;
		feat.pse36 = o->format->pse36;
		feat.npt = o->format->npt;
	}
	return format_init(fmt, mode, &feat, usage);
}
