// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM leaves in Intel's VMCS when a guest is left, told to tracers, which could not read it
 * there: BPF programs have no VMREAD.
 *
 * A probe of kvm_exit that runs behind all others: a tracer's own program has then opened its
 * event, and the tracepoint here adds to it. It has to be there from the module's begin on, since a
 * tracepoint's probes cannot be changed while another one's are (kernel/tracepoint.c,
 * tracepoints_mutex); while nobody listens it only finds that out.
 *
 * Reading changes nothing that the guest or KVM could notice: vcpu_make_available() is what KVM
 * does when it wants a register itself. Interrupts are off, and the exit's VMCS is the current one.
 */
#include <linux/kvm_host.h>
#include <linux/tracepoint.h>

#include "kvm_vcpu.h"

#define CREATE_TRACE_POINTS
#include "trace_kvm.h"

/* As arch/x86/kvm/trace.h declares it. */
extern struct tracepoint __tracepoint_kvm_exit;
#define ISA_VMX 1

/* Intel SDM vol. 3, appendix B: fields of the VMCS; table 28-7: the qualification. */
#define VMCS_EXIT_REASON	  0x4402
#define VMCS_EXIT_QUALIFICATION	  0x6400
#define VMCS_GUEST_LINEAR_ADDRESS 0x640a
#define REASON_BASIC		  0xffff
#define REASON_EPT_VIOLATION	  48
#define QUAL_GLA_VALID		  0x80

/* False: there is no current VMCS (KVM on Hyper-V has its own kind), or no such field. */
static bool vmcs_read(unsigned long field, unsigned long *value)
{
	bool ok;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=rm"(*value), "=@cca"(ok)
		     : [field] "r"(field));
	return ok;
}

static bool linear_address(unsigned long *gla)
{
	unsigned long reason, qual;

	return vmcs_read(VMCS_EXIT_REASON, &reason) &&
	       (reason & REASON_BASIC) == REASON_EPT_VIOLATION &&
	       vmcs_read(VMCS_EXIT_QUALIFICATION, &qual) && (qual & QUAL_GLA_VALID) &&
	       vmcs_read(VMCS_GUEST_LINEAR_ADDRESS, gla);
}

static void at_exit(void *unused, struct kvm_vcpu *vcpu, u32 isa)
{
	unsigned long gla = 0;
	unsigned int flags;

	if (!trace_ptremap_vcpu_exit_enabled() || isa != ISA_VMX ||
	    vcpu->arch.guest_state_protected)
		return;
	vcpu_read_controls(vcpu);
	flags = vcpu_flags(vcpu);
	if (linear_address(&gla))
		flags |= PTREMAP_VCPU_GLA;
	trace_ptremap_vcpu_exit(vcpu, vcpu->arch.cr0, vcpu->arch.cr3, vcpu->arch.cr4,
				vcpu->arch.efer, flags, gla);
}

int vcpu_telling_init(void)
{
	return tracepoint_probe_register_prio(&__tracepoint_kvm_exit, at_exit, NULL,
					      TRACEPOINT_DEFAULT_PRIO - 1);
}

/* After it the probe runs no more, so that the module may go. */
void vcpu_telling_exit(void)
{
	tracepoint_probe_unregister(&__tracepoint_kvm_exit, at_exit, NULL);
	tracepoint_synchronize_unregister();
}
