// SPDX-License-Identifier: GPL-2.0
/* PTREMAP_ACCESS: the watch is ptremap_kvm's, the descriptor the caller's. */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "ptremap.h"
#include "vm.h"

static int watch_vm(const struct vm_calls *calls, struct access_call *c,
		    const struct ptremap_access_range *ranges)
{
	struct target target;
	struct kvm *kvm;
	int err = target_get(&target, c->req.pid, c->req.flags);

	if (err)
		return err;
	err = calls->find(target.pid, &c->req.vm_fd, &kvm);
	if (!err) {
		err = calls->check(kvm, target.mm);
		err = err ?: calls->access_watch(kvm, &c->req, ranges, &c->file);
		calls->put(kvm);
	}
	target_put(&target);
	return err;
}

static int watch_ranges(struct access_call *c)
{
	const struct vm_calls *calls = vm_get_calls();
	struct ptremap_access_range *ranges;
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	if (!calls->access_watch) {
		vm_put_calls(calls);
		return -EOPNOTSUPP;
	}
	ranges = vmemdup_user(u64_to_user_ptr(c->req.ranges), c->req.nr * sizeof(*ranges));
	err = IS_ERR(ranges) ? PTR_ERR(ranges) : watch_vm(calls, c, ranges);
	if (!IS_ERR(ranges))
		kvfree(ranges);
	vm_put_calls(calls);
	return err;
}

/* Number and file are the caller's only when it knows them: access_answered() is called then. */
int call_access(void *arg, struct file *file)
{
	struct access_call *c = arg;
	struct ptremap_access_watch *req = &c->req;
	int fd, err;

	if (req->flags & ~(PTREMAP_ACCESS_NONBLOCK | PTREMAP_PIDFD) || !req->nr ||
	    req->nr > PTREMAP_ACCESS_RANGES || req->room > PTREMAP_ACCESS_ROOM || req->vm_fd < -1 ||
	    req->reserved)
		return -EINVAL;
	req->fd = -1;
	err = target_check(req->pid, req->flags);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = watch_ranges(c);
	if (err)
		put_unused_fd(fd);
	else
		req->fd = fd;
	return err;
}

void access_answered(void *arg, int err)
{
	struct access_call *c = arg;

	if (!err) {
		fd_install(c->req.fd, c->file);
		return;
	}
	put_unused_fd(c->req.fd);
	fput(c->file);
}
