// SPDX-License-Identifier: GPL-2.0
/* ptremap ept show: every root's entries of guest-physical pages, and what is behind them. */
#include <errno.h>
#include <inttypes.h>

#include "user/base/msg.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"
#include "user/cmd/ptremap_ept.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/remap/ept_words.h"
#include "user/show/vm_text.h"

struct showing {
	const struct ept_opts *o;
	struct guest *guest;
	struct line line;
	bool missing; /* a page that EPT or NPT does not have was among them */
};

/* vCPUs mostly share one table: each is shown once, with the first one that has it. */
static bool was_shown(const struct guest *g, uint32_t i)
{
	const struct ptremap_vcpu *v = guest_vcpus(g);
	uint32_t k;

	for (k = 0; k < i; k++)
		if (v[k].root == v[i].root)
			return true;
	return false;
}

static int show_root(struct showing *s, const struct ptremap_vcpu *v, uint64_t gpa)
{
	struct vm_view view;
	struct vm_chain c;
	struct json j;

	vm_view_init(&view, s->guest, v);
	vm_chain_gpa(&c, &view, gpa);
	s->missing |= c.end != VM_END_PAGE;
	if (s->o->changing.json) {
		json_init(&j, stdout);
		json_object(&j, NULL);
		vm_chain_json(&j, &c, NULL, kinfo_version());
		json_end_object(&j);
		json_end_line(&j);
		return output_error();
	}
	vm_chain_text(&s->line, &c, NULL, kinfo_version());
	return line_write(&s->line, stdout);
}

static int show_page(struct showing *s, uint64_t gpa)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < guest_vm(s->guest)->nr_vcpus && !err; i++)
		if (!was_shown(s->guest, i))
			err = show_root(s, &guest_vcpus(s->guest)[i], gpa);
	return err;
}

static int show_all(struct showing *s)
{
	uint64_t size = ept_page_size(&s->o->item), done;
	size_t i;
	int err = 0;

	for (i = 0; i < s->o->gpas.nr && !err; i++) {
		done = 0;
		do {
			err = show_page(s, s->o->gpas.gpa[i] + done);
			done += size;
		} while (!err && done < s->o->len);
	}
	return err;
}

int ept_show(const struct ept_opts *o)
{
	struct showing s = { .o = o };
	int err = guest_open(&s.guest, (pid_t)o->vm, o->vm_fd.given ? (int)o->vm_fd.value : -1);
	int status;

	if (err) {
		msg_error("VM of %" PRIu32 ": %s", o->vm, ptremap_vm_strerror(err));
		return EXIT_FAILED;
	}
	if (!guest_vm(s.guest)->nr_vcpus) {
		msg_error("VM of %" PRIu32 " has no vCPU yet", o->vm);
		guest_close(s.guest);
		return EXIT_FAILED;
	}
	status = output_status(show_all(&s));
	line_free(&s.line);
	guest_close(s.guest);
	return status ? status : s.missing ? EXIT_FAILED : EXIT_DONE;
}
