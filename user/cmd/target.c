// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"
#include "user/cmd/target_vm.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"

/* What a 64-bit kernel has set, of what matters here. */
#define CR0_64BIT  (PT_CR0_PG | PT_CR0_WP)
#define CR4_64BIT  PT_CR4_PAE
#define EFER_64BIT (PT_EFER_LMA | PT_EFER_NXE)

static bool given(struct opt_number n)
{
	return n.given;
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

static unsigned int nr_live(const struct space_opts *o)
{
	unsigned int i, nr = 0;

	for (i = 0; i < o->nr_sources; i++)
		nr += !o->sources[i].path;
	return nr;
}

/* Why the options cannot stand beside sources that are live. */
static const char *live_contradiction(const struct space_opts *o)
{
	if (o->user_root && !nr_live(o))
		return "--user-root is for --pid and --kernel";
	if (!nr_live(o) || nr_live(o) < o->nr_sources)
		return NULL;
	if (has_regs(o) || has_under(o) || has_host_regs(o) || o->format.format || given(o->root) ||
	    given(o->cpu) || given(o->base))
		return "registers, formats and --base are for images; this machine's are known";
	return NULL;
}

/* Why the options cannot stand together, or NULL. */
static const char *contradiction(const struct space_opts *o)
{
	const char *live = live_contradiction(o), *vm = target_vm_contradiction(o);
	bool format = has_format(o);

	if (live || vm)
		return live ? live : vm;
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
	if (given(o->cpu) && (given(o->eptp) || (format && !has_under(o))))
		return "--cpu has nothing to tell here";
	return NULL;
}

int target_check(const struct space_opts *o, unsigned int nr, const char *usage)
{
	const char *wrong = contradiction(o);
	struct pt_fmt fmt;

	if (wrong)
		msg_usage(usage, "%s", wrong);
	else if (o->nr_sources < nr)
		msg_usage(usage, nr > 1 ? "two images are needed, or --pid, --kernel in place"
					: "--image is missing (or --pid, --kernel, --vm)");
	else if (o->nr_sources > nr)
		msg_usage(usage, "one --image is enough (or --pid, --kernel)");
	else
		return format_of_opts(&fmt, &o->format, PT_MODE_4LEVEL, usage);
	return -EINVAL;
}

/* ---- registers -------------------------------------------------------------------------- */

static uint64_t either(struct opt_number n, uint64_t otherwise)
{
	return n.given ? n.value : otherwise;
}

/*
 * Those of the image's CPU, where it has any and they are not a guest's. Returns 1 when it has
 * none and --cpu did not ask for them: they are those of a 64-bit kernel then.
 */
static int image_regs(const struct target *t, const struct space_opts *o, bool guest,
		      struct pt_cregs *regs)
{
	uint64_t cpu = either(o->cpu, 0);

	if (!guest && cpu <= UINT32_MAX && !image_cregs(t->image, (uint32_t)cpu, regs))
		return 0;
	*regs = (struct pt_cregs){ .cr0 = CR0_64BIT, .cr4 = CR4_64BIT, .efer = EFER_64BIT };
	if (guest || !given(o->cpu))
		return 1;
	msg_error("%s has no registers of CPU %" PRIu64, t->name, cpu);
	return -ENOENT;
}

/* Those that were given come first. Long mode needs PAE: CR4 without it says that, too. */
static void override_regs(struct pt_cregs *regs, struct opt_number cr0, struct opt_number cr3,
			  struct opt_number cr4, struct opt_number efer)
{
	regs->cr0 = either(cr0, regs->cr0);
	regs->cr3 = either(cr3, regs->cr3);
	regs->cr4 = either(cr4, regs->cr4);
	regs->efer = either(efer, regs->efer);
	if (given(cr4) && !(cr4.value & PT_CR4_PAE) && !given(efer))
		regs->efer &= ~PT_EFER_LMA;
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
	if (pt_mode_from_eptp(o->eptp.value, &mode, &feat)) {
		msg_usage(usage, "--eptp 0x%" PRIx64 ": no EPT pointer has such bits",
			  o->eptp.value);
		return -EINVAL;
	}
	t->under_space.root = o->eptp.value;
	return format_init(&t->under_fmt, mode, &feat, usage);
}

static int open_ncr3(struct target *t, const struct space_opts *o, const char *usage)
{
	struct pt_cregs regs;
	int err;

	t->under_space.root = o->ncr3.value;
	if (format_is_ncr3s(o))
		return format_of_opts(&t->under_fmt, &o->format, PT_MODE_4LEVEL, usage);
	err = image_regs(t, o, false, &regs);
	if (err < 0)
		return err;
	override_regs(&regs, o->host_cr0, (struct opt_number){ 0 }, o->host_cr4, o->host_efer);
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
			  t->name);
		return -EINVAL;
	}
	override_regs(&regs, o->cr0, o->cr3, o->cr4, o->efer);
	pt_cpu_from_cregs(&t->cpu, &regs);
	t->space.root = regs.cr3;
	return fmt_of_regs(&t->fmt, o, &regs, false, usage);
}

/* The tables that addresses are looked up in. */
static int open_own(struct target *t, const struct space_opts *o, const char *usage)
{
	t->space.fmt = &t->fmt;
	if (!has_format(o))
		return open_regs(t, o, usage);
	t->space.root = either(o->root, 0);
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

static int open_image(struct target *t, const struct space_opts *o, const char *path,
		      const char *usage)
{
	int err;

	t->name = path;
	t->last = UINT64_MAX;
	if (image_open(&t->image, path, either(o->base, 0)))
		return EXIT_FAILED;
	err = open_tables(t, o, usage);
	if (err) {
		target_close(t);
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* ---- this machine's tables -------------------------------------------------------------- */

static int live_failed(const struct target *t, int err)
{
	const char *why = ptremap_strerror(err);

	if (err == -E2BIG)
		why = "there are too many tables";
	if (err == -ENXIO)
		why = "it has no memory: a kernel thread, or a process that has ended";
	msg_error("%s: %s", t->name, why);
	return EXIT_FAILED;
}

static int without_module(struct target *t, int err)
{
	msg_note("%s: %s; this is what /proc/%d/pagemap has: no levels, no entries", t->name,
		 ptremap_strerror(err), live_pid(t->live));
	return EXIT_DONE;
}

static int open_live(struct target *t, const struct space_opts *o, uint32_t pid, int *without)
{
	int err;

	snprintf(t->live_name, sizeof(t->live_name), pid ? "pid %" PRIu32 : "kernel", pid);
	t->name = t->live_name;
	err = live_open(&t->live, (pid_t)pid, o->user_root ? PTREMAP_WALK_USER_ROOT : 0);
	if (err)
		return live_failed(t, err);
	t->linux_version = kinfo_version();
	err = live_error(t->live);
	if (err && without && pid) {
		*without = err;
		return without_module(t, err);
	}
	if (err) {
		live_failed(t, err);
		target_close(t);
		return EXIT_FAILED;
	}
	t->cpu = (struct pt_cpu){ .wp = 1, /* as Linux always has it */
				  .smep = kinfo_cpu_flag("smep"),
				  .smap = kinfo_cpu_flag("smap") };
	live_half(t->live, &t->start, &t->last);
	t->space = *live_space(t->live);
	return EXIT_DONE;
}

static int loaded(struct target *t, int err, uint64_t va)
{
	t->space = *live_space(t->live);
	if (!err)
		return EXIT_DONE;
	if (err != -EDOM)
		return live_failed(t, err);
	msg_error("0x%" PRIx64 " is not in the kernel's half", va);
	return EXIT_FAILED;
}

int target_load(struct target *t, uint64_t start, uint64_t last)
{
	return t->live ? loaded(t, live_load(t->live, start, last), start) : EXIT_DONE;
}

int target_load_page(struct target *t, uint64_t va, struct ptremap_page *page)
{
	if (t->live)
		return loaded(t, live_walk(t->live, va, page), va);
	*page = (struct ptremap_page){ 0 };
	return EXIT_DONE;
}

int target_open(struct target *t, const struct space_opts *o, unsigned int which, int *without,
		const char *usage)
{
	const struct space_source *source = &o->sources[which];

	*t = (struct target){ 0 };
	if (without)
		*without = 0;
	if (source->vm)
		return target_open_vm(t, o, source->pid);
	if (!source->path)
		return open_live(t, o, source->pid, without);
	return open_image(t, o, source->path, usage);
}

void target_close(struct target *t)
{
	image_close(t->image);
	live_close(t->live);
	guest_close(t->vm);
	t->image = NULL;
	t->live = NULL;
	t->vm = NULL;
}
