// SPDX-License-Identifier: GPL-2.0
/*
 * Lets one of a task's allocations fail, as /proc/self/fail-nth does in kernels that are built for
 * fault injection (Documentation/fault-injection/fault-injection.rst). Until 6.10 others have the
 * functions, too, that ask for that, and no answer but no: kprobes answer in their place. Later
 * ones do not ask, and it is the allocation itself that is answered.
 *
 * /sys/kernel/debug/fail-nth: a number N that is written makes the writer's Nth allocation from
 * then on fail, of slab or pages; what is read is how many are left until then: 0, it has failed.
 * "N PID": those of kernel threads count, too, while they use the memory of process PID. The
 * writer must wait for them meanwhile.
 */
#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/version.h>

void fail_return(void);
asm(".text\n"
    ".type fail_return, @function\n"
    ".globl fail_return\n"
    "fail_return:\n" ANNOTATE_NOENDBR ASM_RET ".size fail_return, .-fail_return\n");

static struct task_struct *victim;   /* never followed */
static const struct mm_struct *used; /* nor is this: of PID, or NULL */
static unsigned int left; /* the victim's alone, while it is set, and of whom it waits for */
static DEFINE_MUTEX(setting);
static struct dentry *file;

/* A function that allocates, or is asked for leave. */
struct point {
	struct kprobe probe;
	size_t gfp; /* where struct pt_regs has the argument */
	long value; /* the answer if it is to fail */
};

static bool is_victim(void)
{
	const struct mm_struct *mm = READ_ONCE(used);

	return READ_ONCE(victim) == current ||
	       (mm && current->flags & PF_KTHREAD && current->mm == mm);
}
NOKPROBE_SYMBOL(is_victim);

/* At the begin of a function: it returns the value at once. */
static int asked(struct kprobe *probe, struct pt_regs *regs)
{
	const struct point *p = container_of(probe, struct point, probe);
	gfp_t gfp = *(unsigned long *)((char *)regs + p->gfp);

	if (!is_victim() || !in_task() || gfp & __GFP_NOFAIL || !left)
		return 0;
	if (--left)
		return 0;
	regs->ax = p->value;
	regs->ip = (unsigned long)fail_return;
	return 1;
}
NOKPROBE_SYMBOL(asked);

#define POINT(name, reg, value)                                                                \
	{                                                                                      \
		{ .symbol_name = #name, .pre_handler = asked }, offsetof(struct pt_regs, reg), \
			value                                                                  \
	}

static struct point points[] = {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	POINT(should_failslab, si, -ENOMEM),
	POINT(should_fail_alloc_page, di, true),
#else
	POINT(__kmalloc_noprof, si, 0),
	POINT(__kmalloc_cache_noprof, si, 0),
	POINT(__kmalloc_cache_node_noprof, si, 0),
#ifdef CONFIG_SLAB_BUCKETS
	POINT(__kmalloc_node_noprof, dx, 0),
#else
	POINT(__kmalloc_node_noprof, si, 0),
#endif
	POINT(kmem_cache_alloc_noprof, si, 0),
	POINT(kmem_cache_alloc_lru_noprof, dx, 0),
	POINT(kmem_cache_alloc_node_noprof, si, 0),
	POINT(__alloc_pages_noprof, di, 0),
#endif
};

/* Only to be compared: the process is there while its number is. */
static const struct mm_struct *mm_of(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);
	const struct mm_struct *mm = task ? task->mm : NULL;

	if (task)
		put_task_struct(task);
	put_pid(pid);
	return mm;
}

static ssize_t fail_write(struct file *f, const char __user *buf, size_t len, loff_t *pos)
{
	char text[32] = "";
	unsigned int n;
	int pid = 0;

	if (len >= sizeof(text) || copy_from_user(text, buf, len) ||
	    sscanf(text, "%u %d", &n, &pid) < 1)
		return -EINVAL;
	mutex_lock(&setting);
	WRITE_ONCE(victim, NULL);
	WRITE_ONCE(used, NULL);
	left = n;
	if (n) {
		WRITE_ONCE(used, pid ? mm_of(pid) : NULL);
		WRITE_ONCE(victim, current);
	}
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

static void unregister(size_t nr)
{
	while (nr--)
		unregister_kprobe(&points[nr].probe);
}

static int __init failnth_init(void)
{
	size_t nr;
	int err;

	for (nr = 0; nr < ARRAY_SIZE(points); nr++) {
		err = register_kprobe(&points[nr].probe);
		if (err) {
			pr_err("failnth: %s: %d\n", points[nr].probe.symbol_name, err);
			unregister(nr);
			return err;
		}
	}
	file = debugfs_create_file("fail-nth", 0600, NULL, NULL, &fops);
	return 0;
}

static void __exit failnth_exit(void)
{
	debugfs_remove(file);
	unregister(ARRAY_SIZE(points));
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("Lets one allocation fail, for tests");
MODULE_LICENSE("GPL");
