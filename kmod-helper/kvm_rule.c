// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls and violations of VMs that have rules. All hooks are in the vCPU's own thread, with
 * preemption off: a kprobe where KVM begins with a hypercall, and the tracepoint kvm_page_fault.
 * A third one sees VMs go, so that no rule is taken for that of a VM which gets the same address.
 */
#include <linux/kprobes.h>
#include <linux/kvm_para.h>
#include <linux/mutex.h>
#include <linux/tracepoint.h>

#include "kvm_rule.h"
#include "rule.h"

/* As arch/x86/kvm/trace.h declares it. */
extern struct tracepoint __tracepoint_kvm_page_fault;

static const struct vm_calls *provider;
static DEFINE_MUTEX(hooks_lock); /* protects ->hooked; they are set and taken away under it */
static bool hooked;

/* ---- hits ------------------------------------------------------------------------------------ */

/* The VM stays: this is one of its vCPUs' threads. An action keeps it, and this module. */
static void fire(struct ptremap_hit *hit, struct kvm_vcpu *vcpu)
{
	hit->vcpu = vcpu->vcpu_id;
	if (!try_module_get(THIS_MODULE))
		return;
	kvm_get_kvm(vcpu->kvm);
	if (rule_fire(hit, provider, vcpu->kvm, vcpu))
		return;
	kvm_put_kvm(vcpu->kvm);
	module_put(THIS_MODULE);
}

/* What 64-bit code put there; of other code 32 bits. RSP may not have been read, and is none. */
static void fill_registers(struct ptremap_hit *hit, struct kvm_vcpu *vcpu)
{
	int i, db, l;

	static_call(kvm_x86_get_cs_db_l_bits)(vcpu, &db, &l);
	for (i = 0; i < PTREMAP_REG_PAGE; i++)
		hit->regs[i] = l ? vcpu->arch.regs[i] : (u32)vcpu->arch.regs[i];
	hit->regs[PTREMAP_REG_RSP] = 0;
}

static int at_hypercall(struct kprobe *p, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
	struct ptremap_hit hit = { .on = PTREMAP_ON_HYPERCALL };

	if (vcpu->arch.guest_state_protected || !rule_ask(&hit, vcpu->kvm))
		return 0;
	fill_registers(&hit, vcpu);
	fire(&hit, vcpu);
	return 0;
}
NOKPROBE_SYMBOL(at_hypercall);

/* Intel: exit qualification (SDM vol. 3, table 28-7); AMD: error code (APM vol. 2, 15.25.6). */
static u32 access_of(u64 code)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		return code & (PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC);
	if (code & PFERR_FETCH_MASK)
		return PTREMAP_EPT_EXEC;
	return code & PFERR_WRITE_MASK ? PTREMAP_EPT_WRITE : PTREMAP_EPT_READ;
}

/* A guest of the guest has other addresses. */
static void at_violation(void *unused, struct kvm_vcpu *vcpu, u64 gpa, u64 code)
{
	struct ptremap_hit hit = { .on = PTREMAP_ON_VIOLATION };

	if (vcpu->arch.mmu != &vcpu->arch.root_mmu || !rule_ask(&hit, vcpu->kvm))
		return;
	hit.addr = gpa;
	hit.access = access_of(code);
	fire(&hit, vcpu);
}

static int at_destroy(struct kprobe *p, struct pt_regs *regs)
{
	rule_vm_gone((struct kvm *)regs->di);
	return 0;
}
NOKPROBE_SYMBOL(at_destroy);

/* ---- hooks ----------------------------------------------------------------------------------- */

static struct kprobe hypercall = {
	.symbol_name = "kvm_emulate_hypercall",
	.pre_handler = at_hypercall,
};

static struct kprobe destroy = {
	.symbol_name = "kvm_arch_destroy_vm",
	.pre_handler = at_destroy,
};

/* For want of memory it may be another time. */
static int why_not(int err)
{
	return err == -ENOMEM ? err : -EOPNOTSUPP;
}

static int hook(void)
{
	int err;

	/* A probe that was unregistered is disabled, and has its old address. */
	hypercall.addr = destroy.addr = NULL;
	hypercall.flags = destroy.flags = 0;
	err = register_kprobe(&destroy);
	if (err)
		return why_not(err);
	err = register_kprobe(&hypercall);
	if (err)
		goto out_destroy;
	err = tracepoint_probe_register(&__tracepoint_kvm_page_fault, at_violation, NULL);
	if (!err)
		return 0;
	unregister_kprobe(&hypercall);
out_destroy:
	unregister_kprobe(&destroy);
	return why_not(err);
}

static void unhook(void)
{
	tracepoint_probe_unregister(&__tracepoint_kvm_page_fault, at_violation, NULL);
	tracepoint_synchronize_unregister();
	unregister_kprobe(&hypercall);
	unregister_kprobe(&destroy);
}

int kvm_rule_look(bool on)
{
	int err = 0;

	mutex_lock(&hooks_lock);
	if (on && !hooked)
		err = hook();
	else if (!on && hooked)
		unhook();
	hooked = on && !err;
	mutex_unlock(&hooks_lock);
	return err;
}

/* ---- the guest's answer ---------------------------------------------------------------------- */

/*
 * Calls of user mode: kvm_emulate_hypercall() answers EPERM, kvm_hv_hypercall() raises #UD, and
 * kvm_xen_hypercall() leaves the call to the VMM.
 */
bool kvm_rule_refused(struct kvm_vcpu *vcpu)
{
	const struct kvm_queued_exception *raised = &vcpu->arch.exception;

	if ((raised->pending || raised->injected) && raised->vector == UD_VECTOR)
		return true;
	if (vcpu->arch.complete_userspace_io && vcpu->run->exit_reason == KVM_EXIT_XEN &&
	    vcpu->run->xen.u.hcall.cpl)
		return true;
	return (u32)vcpu->arch.regs[VCPU_REGS_RAX] == (u32)-KVM_EPERM;
}

int kvm_rule_answer(struct kvm_vcpu *vcpu, u64 value)
{
	if (vcpu->arch.complete_userspace_io)
		return -EINPROGRESS;
	vcpu->arch.regs[VCPU_REGS_RAX] = value;
	return 0;
}

void kvm_rule_init(const struct vm_calls *calls)
{
	provider = calls;
}

void kvm_rule_exit(void)
{
	kvm_rule_look(false);
	rule_vm_gone(NULL);
}
