// SPDX-License-Identifier: GPL-2.0
/*
 * Lets one of a task's allocations fail, as /proc/self/fail-nth does in kernels that are built for
 * fault injection (Documentation/fault-injection/fault-injection.rst); these kernels have the
 * functions that ask for that, and no answer but no. Kprobes answer in their place.
 *
 * /sys/kernel/debug/fail-nth: a number N that is written makes the writer's Nth allocation from
 * then on fail, of slab or pages; what is read is how many are left until then: 0, it has failed.
 */
#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

void fail_return(void);
asm(".text\n"
    ".type fail_return, @function\n"
    ".globl fail_return\n"
    "fail_return:\n" ANNOTATE_NOENDBR ASM_RET ".size fail_return, .-fail_return\n");

static struct task_struct *victim; /* never followed */
static unsigned int left;	   /* the victim's alone, while it is set */
static DEFINE_MUTEX(setting);
static struct dentry *file;

/* At the begin of a function: it returns @value at once. */
static int answer(struct pt_regs *regs, gfp_t gfp, long value)
{
	if (READ_ONCE(victim) != current || !in_task() || gfp & __GFP_NOFAIL || !left)
		return 0;
	if (--left)
		return 0;
	regs->ax = value;
	regs->ip = (unsigned long)fail_return;
	return 1;
}
NOKPROBE_SYMBOL(answer);

/* int should_failslab(struct kmem_cache *s, gfp_t gfpflags) */
static int asked_of_slab(struct kprobe *p, struct pt_regs *regs)
{
	return answer(regs, regs->si, -ENOMEM);
}
NOKPROBE_SYMBOL(asked_of_slab);

/* bool should_fail_alloc_page(gfp_t gfp_mask, unsigned int order) */
static int asked_of_pages(struct kprobe *p, struct pt_regs *regs)
{
	return answer(regs, regs->di, true);
}
NOKPROBE_SYMBOL(asked_of_pages);

static struct kprobe slab = { .symbol_name = "should_failslab", .pre_handler = asked_of_slab };
static struct kprobe pages = { .symbol_name = "should_fail_alloc_page",
			       .pre_handler = asked_of_pages };

static ssize_t fail_write(struct file *f, const char __user *buf, size_t len, loff_t *pos)
{
	unsigned int n;
	int err = kstrtouint_from_user(buf, len, 0, &n);

	if (err)
		return err;
	mutex_lock(&setting);
	WRITE_ONCE(victim, NULL);
	left = n;
	WRITE_ONCE(victim, n ? current : NULL);
	mutex_unlock(&setting);
	return len;
}

static ssize_t fail_read(struct file *f, char __user *buf, size_t len, loff_t *pos)
{
	char text[16];

	return simple_read_from_buffer(buf, len, pos, text,
				       scnprintf(text, sizeof(text), "%u\n", left));
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.read = fail_read,
	.write = fail_write,
};

static int __init failnth_init(void)
{
	int err = register_kprobe(&slab);

	if (err)
		return err;
	err = register_kprobe(&pages);
	if (err)
		unregister_kprobe(&slab);
	else
		file = debugfs_create_file("fail-nth", 0600, NULL, NULL, &fops);
	return err;
}

static void __exit failnth_exit(void)
{
	debugfs_remove(file);
	unregister_kprobe(&slab);
	unregister_kprobe(&pages);
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("Lets one allocation fail, for tests");
MODULE_LICENSE("GPL");
