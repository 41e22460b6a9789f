// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults of processes that have rules: the tracepoint page_fault_user, which the kernel does
 * not export by name. Interrupts may be off there.
 */
#include <linux/sched.h>
#include <linux/tracepoint.h>
#include <asm/trap_pf.h>

#include "rule.h"

static struct tracepoint *found;
static bool started;

static u32 access_of(unsigned long error_code)
{
	if (error_code & X86_PF_INSTR)
		return PTREMAP_EPT_EXEC;
	return error_code & X86_PF_WRITE ? PTREMAP_EPT_WRITE : PTREMAP_EPT_READ;
}

static void at_fault(void *unused, unsigned long address, struct pt_regs *regs,
		     unsigned long error_code)
{
	struct ptremap_hit hit = { .on = PTREMAP_ON_FAULT };

	if (!rule_ask(&hit, NULL))
		return;
	hit.addr = address;
	hit.access = access_of(error_code);
	/* The fault itself may take for ever; run_action() gives it back. */
	if (try_module_get(THIS_MODULE) && !rule_fire(&hit, NULL, NULL, NULL))
		module_put(THIS_MODULE);
}

static void look_at(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "page_fault_user"))
		found = tp;
}

int rule_fault_start(void)
{
	int err;

	if (started)
		return 0;
	for_each_kernel_tracepoint(look_at, NULL);
	if (!found)
		return -EOPNOTSUPP;
	err = tracepoint_probe_register(found, at_fault, NULL);
	started = !err;
	return err;
}

/* After it nobody is in at_fault(). */
void rule_fault_stop(void)
{
	if (!started)
		return;
	tracepoint_probe_unregister(found, at_fault, NULL);
	tracepoint_synchronize_unregister();
	started = false;
}
