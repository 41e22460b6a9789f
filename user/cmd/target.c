// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/target.h"

#include <errno.h>
#include <inttypes.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"

/* What a 64-bit kernel has set, of what matters here. */
#define CR0_64BIT  (PT_CR0_PG | PT_CR0_WP)
#define CR4_64BIT  PT_CR4_PAE
#define EFER_64BIT (PT_EFER_LMA | PT_EFER_NXE)

static bool given(uint64_t v)
{
	return v != SPACE_UNSET;
}

static bool has_regs(const struct space_opts *o)
{
	return given(o->cr0) || given(o->cr3) || given(o->cr4) || given(o->efer);
}

static bool has_host_regs(const struct space_opts *o)
{
	return given(o->host_cr0) || given(o->host_cr4) || given(o->host_efer);
}

static bool has_under(const struct space_opts *o)
{
	return given(o->eptp) || given(o->ncr3);
}

/* --format is that of the nested tables; it is that of --root otherwise. */
static bool format_is_ncr3s(const struct space_opts *o)
{
	return o->format.format && o->format.format->npt && given(o->ncr3);
}

static bool has_format(const struct space_opts *o)
{
	return o->format.format && !format_is_ncr3s(o);
}

static bool is_guests_own(const struct format_name *f)
{
	return !f->npt && f->mode < PT_MODE_EPT4;
}

/* Are there a guest's tables beside the EPT or NPT? */
static bool has_guest(const struct space_opts *o)
{
	return has_under(o) && (given(o->cr3) || has_format(o));
}

/* Why the options cannot stand together, or NULL. */
static const char *contradiction(const struct space_opts *o)
{
	bool format = has_format(o);

	if (given(o->eptp) && given(o->ncr3))
		return "--eptp and --ncr3 exclude each other";
	if (format && has_regs(o))
		return "--format is for --root; control registers say the format themselves";
	if (format && o->format.format->mode != PT_MODE_NONE && !given(o->root))
		return "--format needs --root";
	if (given(o->root) && !format)
		return "--root needs --format";
	if (format && has_under(o) && !is_guests_own(o->format.format))
		return "a guest's own tables are neither EPT nor NPT";
	if (has_host_regs(o) && (!given(o->ncr3) || format_is_ncr3s(o)))
		return "--host-cr0, --host-cr4 and --host-efer tell the format of --ncr3";
	if (has_under(o) && has_regs(o) && !given(o->cr3))
		return "the guest's registers need --cr3";
	if (o->cpu != SPACE_ANY_CPU && (given(o->eptp) || (format && !has_under(o))))
		return "--cpu has nothing to tell here";
	return NULL;
}

int target_check(const struct space_opts *o, unsigned int nr, const char *usage)
{
	const char *wrong = contradiction(o);
	struct pt_fmt fmt;

	if (wrong)
		msg_usage(usage, "%s", wrong);
	else if (o->nr_images < nr)
		msg_usage(usage, nr > 1 ? "two images are needed" : "--image is missing");
	else if (o->nr_images > nr)
		msg_usage(usage, "one --image is enough");
	else
		return format_of_opts(&fmt, &o->format, PT_MODE_4LEVEL, usage);
	return -EINVAL;
}

/* ---- registers -------------------------------------------------------------------------- */

static uint64_t either(uint64_t value, uint64_t otherwise)
{
	return given(value) ? value : otherwise;
}

/*
 * Those of the image's CPU, where it has any and they are not a guest's. Returns 1 when it has
 * none and --cpu did not ask for them: they are those of a 64-bit kernel then.
 */
static int image_regs(const struct target *t, const struct space_opts *o, bool guest,
		      struct pt_cregs *regs)
{
	bool any = o->cpu == SPACE_ANY_CPU;

	if (!guest && !image_cregs(t->image, any ? 0 : o->cpu, regs))
		return 0;
	*regs = (struct pt_cregs){ .cr0 = CR0_64BIT, .cr4 = CR4_64BIT, .efer = EFER_64BIT };
	if (guest || any)
		return 1;
	msg_error("%s has no registers of CPU %" PRIu32, t->path, o->cpu);
	return -ENOENT;
}

/* Those that were given come first. Long mode needs PAE: CR4 without it says that, too. */
static void override_regs(struct pt_cregs *regs, uint64_t cr0, uint64_t cr3, uint64_t cr4,
			  uint64_t efer)
{
	regs->cr0 = either(cr0, regs->cr0);
	regs->cr3 = either(cr3, regs->cr3);
	regs->cr4 = either(cr4, regs->cr4);
	regs->efer = either(efer, regs->efer);
	if (given(cr4) && !(cr4 & PT_CR4_PAE) && !given(efer))
		regs->efer &= ~PT_EFER_LMA;
}

static void use_cpu(struct pt_cpu *cpu, const struct pt_cregs *regs)
{
	cpu->wp = !!(regs->cr0 & PT_CR0_WP);
	cpu->smep = !!(regs->cr4 & PT_CR4_SMEP);
	cpu->smap = !!(regs->cr4 & PT_CR4_SMAP);
	cpu->pke = !!(regs->cr4 & PT_CR4_PKE);
	cpu->pks = !!(regs->cr4 & PT_CR4_PKS);
}

static int fmt_of_regs(struct pt_fmt *fmt, const struct space_opts *o, const struct pt_cregs *regs,
		       bool npt, const char *usage)
{
	enum pt_mode mode;
	struct pt_feat feat;

	format_feat(&o->format, &feat);
	mode = pt_mode_from_cregs(regs, &feat);
	feat.npt = npt;
	if (o->format.no_nx)
		feat.nx = 0;
	return format_init(fmt, mode, &feat, usage);
}

/* ---- the tables ------------------------------------------------------------------------- */

static int open_eptp(struct target *t, const struct space_opts *o, const char *usage)
{
	struct pt_feat feat;
	enum pt_mode mode;

	format_feat(&o->format, &feat);
	if (pt_mode_from_eptp(o->eptp, &mode, &feat)) {
		msg_usage(usage, "--eptp 0x%" PRIx64 ": no EPT pointer has such bits", o->eptp);
		return -EINVAL;
	}
	t->under_space.root = o->eptp;
	return format_init(&t->under_fmt, mode, &feat, usage);
}

static int open_ncr3(struct target *t, const struct space_opts *o, const char *usage)
{
	struct pt_cregs regs;
	int err;

	t->under_space.root = o->ncr3;
	if (format_is_ncr3s(o))
		return format_of_opts(&t->under_fmt, &o->format, PT_MODE_4LEVEL, usage);
	err = image_regs(t, o, false, &regs);
	if (err < 0)
		return err;
	override_regs(&regs, o->host_cr0, SPACE_UNSET, o->host_cr4, o->host_efer);
	return fmt_of_regs(&t->under_fmt, o, &regs, true, usage);
}

/* The EPT or NPT. */
static int open_under(struct target *t, const struct space_opts *o, const char *usage)
{
	t->under_space.fmt = &t->under_fmt;
	t->under_space.mem = image_mem(t->image);
	return given(o->eptp) ? open_eptp(t, o, usage) : open_ncr3(t, o, usage);
}

/* Control registers that say where the tables are. */
static int open_regs(struct target *t, const struct space_opts *o, const char *usage)
{
	struct pt_cregs regs;
	int err = image_regs(t, o, has_under(o), &regs);

	if (err < 0)
		return err;
	if (err && !given(o->cr3)) {
		msg_usage(usage,
			  "%s has no control registers: give --cr3, --eptp, --ncr3, or --format "
			  "and --root",
			  t->path);
		return -EINVAL;
	}
	override_regs(&regs, o->cr0, o->cr3, o->cr4, o->efer);
	use_cpu(&t->cpu, &regs);
	t->space.root = regs.cr3;
	return fmt_of_regs(&t->fmt, o, &regs, false, usage);
}

/* The tables that addresses are looked up in. */
static int open_own(struct target *t, const struct space_opts *o, const char *usage)
{
	t->space.fmt = &t->fmt;
	if (!has_format(o))
		return open_regs(t, o, usage);
	t->space.root = given(o->root) ? o->root : 0;
	return format_of_opts(&t->fmt, &o->format, PT_MODE_NONE, usage);
}

static int open_tables(struct target *t, const struct space_opts *o, const char *usage)
{
	int err;

	t->space.mem = image_mem(t->image);
	if (!has_under(o))
		return open_own(t, o, usage);
	err = open_under(t, o, usage);
	if (err)
		return err;
	if (!has_guest(o)) {
		t->space = t->under_space;
		return 0;
	}
	t->under = &t->under_space;
	t->space.mem = &t->guest.mem;
	err = pt_mem_nested_init(&t->guest, t->under);
	return err ? err : open_own(t, o, usage);
}

int target_open(struct target *t, const struct space_opts *o, unsigned int which, const char *usage)
{
	int err;

	*t = (struct target){ .path = o->images[which] };
	if (image_open(&t->image, t->path, o->base))
		return EXIT_FAILED;
	err = open_tables(t, o, usage);
	if (err) {
		target_close(t);
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	return EXIT_DONE;
}

void target_close(struct target *t)
{
	image_close(t->image);
	t->image = NULL;
}
