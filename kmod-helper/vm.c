// SPDX-License-Identifier: GPL-2.0
/* Calls about VMs, which ptremap_kvm answers while it is loaded. */
#include <linux/mutex.h>

#include "ptremap.h"
#include "vm.h"

/* Protects ->provider; held for nothing else than to look at it and to keep its module. */
static DEFINE_MUTEX(provider_lock);
static const struct vm_calls *provider;

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

void ptremap_vm_unregister(const struct vm_calls *calls)
{
	mutex_lock(&provider_lock);
	if (provider == calls)
		provider = NULL;
	mutex_unlock(&provider_lock);
}
EXPORT_SYMBOL_GPL(ptremap_vm_unregister);

/* Its module stays until put_provider(). */
static const struct vm_calls *get_provider(void)
{
	const struct vm_calls *calls;

	mutex_lock(&provider_lock);
	calls = provider && try_module_get(provider->owner) ? provider : NULL;
	mutex_unlock(&provider_lock);
	return calls;
}

int call_vm(void *arg, struct file *file)
{
	const struct vm_calls *calls = get_provider();
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	err = calls->facts(arg);
	module_put(calls->owner);
	return err;
}

int vm_write(struct ptremap_phys *req)
{
	const struct vm_calls *calls = get_provider();
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	err = calls->write(req);
	module_put(calls->owner);
	return err;
}
