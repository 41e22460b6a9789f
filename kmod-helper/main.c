// SPDX-License-Identifier: GPL-2.0
/* The device: who may call, and which function answers. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#include "foreign.h"
#include "journal.h"
#include "mirror.h"
#include "ptremap.h"
#include "rule.h"
#include "watch.h"

struct call {
	size_t size;	 /* of the structure as this module knows it */
	size_t min_size; /* as version 1 had it */
	int (*run)(void *arg, struct file *file);
	/* After run() was good: with 0 the caller has the answer, else it has not. May be NULL. */
	void (*answered)(void *arg, int err);
};

#define CALL(name, type, last, fn) \
	[_IOC_NR(name)] = { sizeof(struct type), offsetofend(struct type, last), fn, NULL }
#define CALL_ANSWERED(name, type, last, fn, answered) \
	[_IOC_NR(name)] = { sizeof(struct type), offsetofend(struct type, last), fn, answered }

static const struct call calls[] = {
	CALL(PTREMAP_FEATURES, ptremap_features, enc_mask, call_features),
	CALL(PTREMAP_WALK, ptremap_walk, root, call_walk),
	CALL(PTREMAP_TABLES, ptremap_tables, root, call_tables),
	CALL(PTREMAP_PHYS, ptremap_phys, pid, call_phys),
	CALL_ANSWERED(PTREMAP_EDIT, ptremap_edit, id, call_edit, edit_answered),
	CALL(PTREMAP_LIST, ptremap_list, record_size, call_list),
	CALL(PTREMAP_UNDO, ptremap_undo, restored, call_undo),
	CALL_ANSWERED(PTREMAP_MAP, ptremap_map, id, call_map, map_answered),
	CALL_ANSWERED(PTREMAP_WATCH, ptremap_watch, fd, call_watch, watch_answered),
	CALL(PTREMAP_VM, ptremap_vm, owner, call_vm),
	CALL_ANSWERED(PTREMAP_EPT, ptremap_ept, id, call_ept, ept_answered),
	CALL_ANSWERED(PTREMAP_RULE, ptremap_rules, restored, call_rule, rule_answered),
	CALL_ANSWERED(PTREMAP_ACCESS, ptremap_access_watch, reserved, call_access, access_answered),
	CALL_ANSWERED(PTREMAP_MIRROR, ptremap_mirror, reserved, call_mirror, mirror_answered),
	CALL(PTREMAP_MIRROR_LIST, ptremap_mirror_list, reserved, call_mirror_list),
};

union call_arg {
	struct ptremap_features features;
	struct ptremap_walk walk;
	struct ptremap_tables tables;
	struct ptremap_phys phys;
	struct ptremap_edit edit;
	struct ptremap_list list;
	struct ptremap_undo undo;
	struct ptremap_map map;
	struct watch_call watch;
	struct ptremap_vm vm;
	struct ptremap_ept ept;
	struct rules_call rules;
	struct access_call access;
	struct mirror_call mirror;
	struct ptremap_mirror_list mirrors;
};

/* Numbers may be free between others. */
static u64 known_calls(void)
{
	u64 known = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		known |= calls[i].run ? BIT_ULL(i) : 0;
	return known;
}

int call_features(void *arg, struct file *file)
{
	struct ptremap_features *f = arg;

	*f = (struct ptremap_features){
		.size = f->size,
		.version = PTREMAP_VERSION,
		.calls = known_calls(),
		.levels = ptremap_fmt.top,
		.pti = boot_cpu_has(X86_FEATURE_PTI),
		.page_offset = PAGE_OFFSET,
		.vmalloc_base = VMALLOC_START,
		.vmemmap_base = VMEMMAP_START,
		.phys_base = phys_base,
		.physical_mask = __PHYSICAL_MASK,
		.enc_mask = sme_me_mask,
	};
	return 0;
}

int check_lockdown(void)
{
	return security_locked_down(LOCKDOWN_DEV_MEM) ? -EKEYREJECTED : 0;
}

/* Asked at each call: an open file may have been handed to somebody else. */
int check_rights(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!capable(CAP_SYS_RAWIO))
		return -EACCES;
	return check_lockdown();
}
EXPORT_SYMBOL_GPL(check_rights);

static long ptremap_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	void __user *uarg = (void __user *)user;
	const struct call *call;
	union call_arg arg;
	u32 size;
	int err, copied;

	if (_IOC_TYPE(cmd) != PTREMAP_TYPE || _IOC_NR(cmd) >= ARRAY_SIZE(calls) ||
	    cmd != _IO(PTREMAP_TYPE, _IOC_NR(cmd)) || !calls[_IOC_NR(cmd)].run)
		return -ENOTTY;
	err = check_rights();
	if (err)
		return err;
	call = &calls[_IOC_NR(cmd)];
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < call->min_size || size > PAGE_SIZE)
		return -EINVAL;
	memset(&arg, 0, sizeof(arg));
	err = copy_struct_from_user(&arg, call->size, uarg, size);
	if (err)
		return err;
	err = call->run(&arg, file);
	/* What was done is told on failure, too. */
	copied = copy_to_user(uarg, &arg, min_t(size_t, size, call->size)) ? -EFAULT : 0;
	if (!err && call->answered)
		call->answered(&arg, copied);
	return err ?: copied;
}

/* Files are known by a number: their addresses are used again. */
static int ptremap_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)(unsigned long)watch_number();
	return check_rights();
}

static ssize_t ptremap_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	int err = check_rights();

	return err ?: phys_read(buf, len, pos);
}

static int ptremap_release(struct inode *inode, struct file *file)
{
	rule_close(file_number(file));
	journal_close(file_number(file));
	watch_end(file_number(file));
	return 0;
}

static const struct file_operations ptremap_fops = {
	.owner = THIS_MODULE,
	.open = ptremap_open,
	.release = ptremap_release,
	.unlocked_ioctl = ptremap_ioctl,
	.compat_ioctl = compat_ptr_ioctl, /* no structure differs */
	.read = ptremap_read,
	.llseek = default_llseek,
};

static struct miscdevice ptremap_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ptremap",
	.fops = &ptremap_fops,
	.mode = 0600,
};

static int __init ptremap_init(void)
{
	int err = ptremap_fmt_init();

	return err ?: misc_register(&ptremap_device);
}

static void __exit ptremap_exit(void)
{
	misc_deregister(&ptremap_device);
	rule_exit();
	journal_exit();
	foreign_exit();
}

module_init(ptremap_init);
module_exit(ptremap_exit);
MODULE_DESCRIPTION("Page-table walks and changes for ptremap(1)");
MODULE_LICENSE("GPL");
