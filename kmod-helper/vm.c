// SPDX-License-Identifier: GPL-2.0
/* Calls about VMs, which ptremap_kvm answers while it is loaded. */
#include <linux/mutex.h>
#include <linux/wait.h>

#include "journal.h"
#include "ptremap.h"
#include "vm.h"

/* Protects ->provider; held for nothing else than to look at it and to keep its module. */
static DEFINE_MUTEX(provider_lock);
static const struct vm_calls *provider;

/* Transactions that need the provider. */
static atomic_t uses = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(unused_queue);

int ptremap_vm_register(const struct vm_calls *calls)
{
	int err;

	mutex_lock(&provider_lock);
	err = provider ? -EBUSY : 0;
	if (!err)
		provider = calls;
	mutex_unlock(&provider_lock);
	return err;
}
EXPORT_SYMBOL_GPL(ptremap_vm_register);

/*
 * Its module is going, so that nobody is between vm_get_calls() and vm_put_calls(): transactions
 * become fewer only. Some may be being undone elsewhere at this moment.
 */
void ptremap_vm_unregister(const struct vm_calls *calls)
{
	mutex_lock(&provider_lock);
	if (provider == calls)
		provider = NULL;
	mutex_unlock(&provider_lock);
	/* One that was made, but not in the journal yet, comes there meanwhile. */
	do
		journal_undo_vm();
	while (!wait_event_timeout(unused_queue, !atomic_read(&uses), HZ / 10));
}
EXPORT_SYMBOL_GPL(ptremap_vm_unregister);

const struct vm_calls *vm_get_calls(void)
{
	const struct vm_calls *calls;

	mutex_lock(&provider_lock);
	calls = provider && try_module_get(provider->owner) ? provider : NULL;
	mutex_unlock(&provider_lock);
	return calls;
}

void vm_put_calls(const struct vm_calls *calls)
{
	if (calls)
		module_put(calls->owner);
}

void vm_begin_use(void)
{
	atomic_inc(&uses);
}

void vm_end_use(void)
{
	if (atomic_dec_and_test(&uses))
		wake_up_all(&unused_queue);
}

int call_vm(void *arg, struct file *file)
{
	const struct vm_calls *calls = vm_get_calls();
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	err = calls->facts(arg);
	vm_put_calls(calls);
	return err;
}

int vm_write(struct ptremap_phys *req)
{
	const struct vm_calls *calls = vm_get_calls();
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	err = calls->write(req);
	vm_put_calls(calls);
	return err;
}
