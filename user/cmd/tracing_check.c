// SPDX-License-Identifier: GPL-2.0
/* Do the tracing options fit together, and are the targets there? */
#include <stdio.h>
#include <sys/stat.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/tracing.h"
#include "user/kernel/kvm_here.h"
#include "user/kernel/proc_task.h"

#define MAX_RING (1u << 30)

static int check_targets(const struct tracing_opts *o)
{
	size_t i;

	for (i = 0; i < o->set.nr_targets; i++) {
		uint32_t id = o->set.targets[i], tgid = proc_tgid(id);

		if (!tgid) {
			msg_error("%s %u: no such %s",
				  o->cfg.target == FAULT_BY_TID ? "tid" : "pid", id,
				  o->cfg.target == FAULT_BY_TID ? "thread" : "process");
			return EXIT_FAILED;
		}
		if (o->cfg.target == FAULT_BY_TGID && tgid != id) {
			msg_error("pid %u: is a thread of process %u; use -t %u or -p %u", id, tgid,
				  id, tgid);
			return EXIT_FAILED;
		}
		if (o->set.vms && kvm_here_vms(id) < 1) {
			msg_error("pid %u: has no virtual machine (no kvm-vm file in /proc/%u/fd); "
				  "use -p %u to wait for one",
				  id, id, id);
			return EXIT_FAILED;
		}
	}
	return 0;
}

/*
 * In a PID namespace of its own the ids that the kernel's programs see are not the ones that we
 * are given. include/uapi/linux/nsfs.h: PID_NS_INIT_INO.
 */
static bool in_pid_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino != 0xEFFFFFFC;
}

/* Options that are about events that were not asked for. */
static int check_events(const struct tracing_opts *o)
{
	const char *what = NULL;

	if (!o->cfg.origins && (o->cfg.outcomes || o->set.call_graph))
		what = o->cfg.outcomes ? "--outcome is for faults" : "-g is for faults";
	else if (o->cfg.by_nr && !(o->cfg.kvm & PTEV_WANT_HYPERCALL))
		what = "--nr is for hypercalls: add -e hypercall";
	else if (o->abi && !(o->cfg.kvm & PTEV_WANT_HYPERCALL))
		what = "--abi is for hypercalls: add -e hypercall";
	else if (o->set.wait && !o->cfg.kvm && !o->cfg.remap)
		what = "--wait is for events of VMs and remaps: add -e hypercall, violation, exit or remap";
	else if (o->cfg.kvm && o->cfg.target == FAULT_BY_TID && o->set.vms)
		what = "--vm and -t exclude each other";
	if (!what)
		return 0;
	msg_error("%s", what);
	return EXIT_USAGE;
}

int tracing_check(struct tracing_opts *o, bool command)
{
	int status;

	if (in_pid_namespace()) {
		msg_error("this is a PID namespace of its own (a container?): process ids mean "
			  "something else to the kernel; run it on the host");
		return EXIT_FAILED;
	}
	if (o->set.ring_bytes > MAX_RING) {
		msg_error("--ring-size: at most 1G");
		return EXIT_USAGE;
	}
	if (o->set.all && o->set.nr_targets) {
		msg_error("-a excludes -p and -t");
		return EXIT_USAGE;
	}
	if (o->cfg.outcomes && o->set.no_walks) {
		msg_error("--outcome needs the walks: leave --no-walks out");
		return EXIT_USAGE;
	}
	status = check_events(o);
	if (status)
		return status;
	/* As with perf: a command beside -a or -p only says how long to trace. */
	if (command && !o->set.all && !o->set.nr_targets)
		o->cfg.target = FAULT_BY_TGID;
	o->cfg.inherit = !o->set.no_inherit && o->cfg.target != FAULT_BY_TID;
	o->cfg.walks = !o->set.no_walks;
	o->cfg.kernel_stack = o->cfg.user_stack = o->set.call_graph;
	return check_targets(o);
}
