// SPDX-License-Identifier: GPL-2.0
/* What KVM knows of a VM: vCPUs that come to the list, text, JSON, and what is not known. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/show/vms_text.h"

#define LONG_MODE                                                                    \
	.cr0 = 0x80000001, .cr3 = 0x1000, .cr4 = 0x20, .efer = 0x500, .rip = 0xa000, \
	.how = PTREMAP_VCPU_EXIT

static struct ptremap_slot slots[] = {
	{ .gpa = 0, .len = 0x50000, .hva = 0x7f0000000000, .id = 0 },
	{ .gpa = 0x100000,
	  .len = 0x1000,
	  .hva = 0x7f0000100000,
	  .id = 3,
	  .flags = KVM_MEM_READONLY },
	{ .gpa = 0xa0000, .len = 0x1000, .hva = 0x7f0000200000, .id = 4, .space = 1 },
};

static struct ptremap_vcpu vcpus[] = {
	{ .id = 0, LONG_MODE, .root = 0x31000, .level = 4 },
	{ .id = 7, .status = -ETIMEDOUT, .root = 0x31000, .level = 4 },
	{ .id = 8, LONG_MODE, .flags = PTREMAP_VCPU_NESTED },
};

static struct vm_kvm known(uint32_t nr_vcpus)
{
	return (struct vm_kvm){
		.vm = { .tables = PTREMAP_VM_NPT, .nr_slots = 3, .nr_vcpus = nr_vcpus },
		.slots = slots,
		.vcpus = vcpus
	};
}

static struct vm_info list_entry(void)
{
	struct vm_info vm = { .pid = 162, .fd = 4, .vcpus = calloc(8, sizeof(*vm.vcpus)) };

	cr_assert(vm.vcpus);
	vm.vcpus[0] = (struct vm_vcpu){ .index = 0, .fd = 5, .tid = 164 };
	vm.nr_vcpus = 1;
	return vm;
}

static const char *text_of(const struct vm_info *vm, const struct vm_kvm *k)
{
	static char text[2048];
	struct line l = { 0 };

	vms_text(&l, vm, k);
	cr_assert_lt(l.len, sizeof(text));
	memcpy(text, l.buf, l.len);
	text[l.len] = 0;
	line_free(&l);
	return text;
}

Test(vms_text, vcpus_come_to_the_list)
{
	struct vm_info vm = list_entry();
	struct vm_kvm k = known(3);

	cr_assert_eq(vm_kvm_add_vcpus(&vm, &k), 0);
	cr_assert_eq(vm_kvm_add_vcpus(&vm, &k), 0);
	cr_expect(vm.vcpus_known);
	cr_assert_eq(vm.nr_vcpus, 3);
	cr_expect_eq(vm.vcpus[0].tid, 164);
	cr_expect_eq(vm.vcpus[1].index, 7);
	cr_expect_eq(vm.vcpus[1].fd, -1);
	cr_expect_eq(vm.vcpus[2].index, 8);
	free(vm.vcpus);
}

Test(vms_text, text)
{
	struct vm_info vm = list_entry();
	struct vm_kvm k = known(3);

	vm_kvm_add_vcpus(&vm, &k);
	cr_expect_str_eq(
		text_of(&vm, &k),
		"VM of 162, descriptor 4: NPT\n"
		"  slot 0, 0x0-0x4ffff, is host-virtual 0x7f0000000000\n"
		"  slot 3, 0x100000-0x100fff, read-only, is host-virtual 0x7f0000100000\n"
		"  slot 4, 0xa0000-0xa0fff, in system management mode, is host-virtual 0x7f0000200000\n"
		"  vCPU 0, thread 164: running at 0xa000, 4level, cr0 0x80000001 cr3 0x1000 cr4 0x20 "
		"efer 0x500\n"
		"    NPT root 0x31000, 4 levels\n"
		"  vCPU 7: it is in the kernel, and was not seen to enter or leave the guest\n"
		"    NPT root 0x31000, 4 levels\n"
		"  vCPU 8: it runs a guest of its own, whose tables are not followed\n"
		"    NPT: no root now: KVM makes one when the vCPU runs\n");
	free(vm.vcpus);
}

Test(vms_text, without_vcpus)
{
	struct vm_info vm = { .pid = 162, .fd = 4 };
	struct vm_kvm k = known(0);

	k.vm.nr_slots = 0;
	cr_expect_str_eq(text_of(&vm, &k), "VM of 162, descriptor 4: no vCPU yet\n");
	vm.vcpus = calloc(8, sizeof(*vm.vcpus));
	vm.nr_vcpus = 1; /* it was there when the list was made */
	cr_expect_str_eq(text_of(&vm, &k), "VM of 162, descriptor 4: no vCPU yet\n"
					   "  vCPU 0: KVM does not have it now\n");
	free(vm.vcpus);
}

static const char *json_of(void (*fill)(struct json *j, const struct vm_kvm *k),
			   const struct vm_kvm *k)
{
	static char text[2048];
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct json j;

	cr_assert(f);
	json_init(&j, f);
	json_object(&j, NULL);
	fill(&j, k);
	json_end_object(&j);
	fclose(f);
	return text;
}

static void fill_vm(struct json *j, const struct vm_kvm *k)
{
	vms_json(j, k);
}

static void fill_vcpus(struct json *j, const struct vm_kvm *k)
{
	static const uint32_t ids[] = { 0, 7, 99 };
	static const char *const keys[] = { "0", "7", "99" };
	size_t i;

	for (i = 0; i < 3; i++) {
		json_object(j, keys[i]);
		vms_vcpu_json(j, k, ids[i]);
		json_end_object(j);
	}
}

Test(vms_text, json_of_slots)
{
	struct vm_kvm k = known(3);

	k.vm.nr_slots = 1;
	cr_expect_str_eq(json_of(fill_vm, &k),
			 "{\"kvm_error\":null,\"tables\":\"npt\",\"slots\":[{\"id\":0,"
			 "\"start\":\"0x0\",\"last\":\"0x4ffff\",\"hva\":\"0x7f0000000000\","
			 "\"read_only\":false,\"log_dirty\":false,\"smm\":false}]}");
	k = (struct vm_kvm){ .error = -ESRCH };
	cr_expect_str_eq(json_of(fill_vm, &k),
			 "{\"kvm_error\":\"no such process\",\"tables\":null,\"slots\":null}");
}

Test(vms_text, json_of_vcpus)
{
	const char *none = "\"mode\":null,\"rip\":null,\"cr0\":null,\"cr3\":null,\"cr4\":null,"
			   "\"efer\":null";
	struct vm_kvm k = known(3);
	char want[1024];

	snprintf(
		want, sizeof(want),
		"{\"0\":{\"state\":\"running\",\"why\":null,\"mode\":\"4level\",\"rip\":\"0xa000\","
		"\"cr0\":\"0x80000001\",\"cr3\":\"0x1000\",\"cr4\":\"0x20\",\"efer\":\"0x500\","
		"\"root\":\"0x31000\",\"levels\":4},"
		"\"7\":{\"state\":null,\"why\":\"it is in the kernel, and was not seen to enter or "
		"leave the guest\",%s,\"root\":\"0x31000\",\"levels\":4},"
		"\"99\":{\"state\":null,\"why\":null,%s,\"root\":null,\"levels\":null}}",
		none, none);
	cr_expect_str_eq(json_of(fill_vcpus, &k), want);
}
