// SPDX-License-Identifier: GPL-2.0
/* Running: batches of operations go in, results come out, exits are answered. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

/* Ends a KVM_RUN; it has a handler, which does nothing. */
#define SIGNAL_STOP SIGUSR1

struct op *vcpu_ops(struct vcpu *c, size_t nr)
{
	c->ops = calloc(nr ? nr : 1, sizeof(*c->ops));
	if (!c->ops)
		die("memory");
	c->nr = nr;
	return c->ops;
}

/* What the guest made of the batch. */
static void take_batch(struct vcpu *c)
{
	memcpy(c->ops + c->next - c->given, c->batch->ops, c->given * sizeof(*c->ops));
	c->given = 0;
}

/* False: there is nothing more to do. */
static bool give_batch(struct vcpu *c)
{
	if (c->repeat && c->next == c->nr && !c->vm->stop)
		c->next = 0;
	if (c->next == c->nr || (c->repeat && c->vm->stop))
		return false;
	c->given = c->nr - c->next < BATCH_OPS ? c->nr - c->next : BATCH_OPS;
	memcpy(c->batch->ops, c->ops + c->next, c->given * sizeof(*c->ops));
	c->next += c->given;
	c->batch->nr = (u32)c->given;
	c->batches++;
	return true;
}

static void make_access(struct vcpu *c, struct access *a, void *data)
{
	if (!c->vm->on_access) {
		fprintf(stderr, "kvm_guest: vCPU %u: %s at 0x%" PRIx64 ", which was not meant\n",
			c->index, a->mmio ? "MMIO" : "a port", a->addr);
		exit(1);
	}
	if (a->write)
		memcpy(&a->value, data, a->size);
	c->vm->on_access(c, a);
	if (!a->write)
		memcpy(data, &a->value, a->size);
}

static void on_io(struct vcpu *c)
{
	struct kvm_run *r = c->run;
	struct access a = { .write = r->io.direction == KVM_EXIT_IO_OUT,
			    .addr = r->io.port,
			    .size = r->io.size };

	make_access(c, &a, (char *)r + r->io.data_offset);
}

static void on_mmio(struct vcpu *c)
{
	struct kvm_run *r = c->run;
	struct access a = { .mmio = true,
			    .write = r->mmio.is_write,
			    .addr = r->mmio.phys_addr,
			    .size = r->mmio.len };

	make_access(c, &a, r->mmio.data);
}

static void unexpected(const struct vcpu *c)
{
	struct kvm_regs regs = { 0 };

	ioctl(c->fd, KVM_GET_REGS, &regs);
	fprintf(stderr,
		"kvm_guest: vCPU %u: exit reason %u at rip 0x%llx (rsp 0x%llx rax 0x%llx), hardware "
		"0x%llx\n",
		c->index, c->run->exit_reason, regs.rip, regs.rsp, regs.rax,
		c->run->hw.hardware_exit_reason);
	exit(1);
}

/* One KVM_RUN; false: the batch has ended, or the VM rests and is to stop. */
static bool run_once(struct vcpu *c)
{
	if (ioctl(c->fd, KVM_RUN, 0)) {
		if (errno != EINTR)
			die("KVM_RUN");
		return !(c->rests && c->vm->stop);
	}
	switch (c->run->exit_reason) {
	case KVM_EXIT_IO:
		c->io_exits++;
		if (c->run->io.port == PORT_BATCH)
			return false;
		on_io(c);
		return true;
	case KVM_EXIT_MMIO:
		c->mmio_exits++;
		on_mmio(c);
		return true;
	}
	unexpected(c);
	return false;
}

/* Before it has done anything, so that whoever traces it never sees another name. */
static void name_thread(struct vcpu *c)
{
	char name[16];

	snprintf(name, sizeof(name), "CPU %u/KVM", c->index);
	pthread_setname_np(pthread_self(), name);
	sem_post(&c->named);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *c = arg;

	name_thread(c);
	while (give_batch(c)) {
		while (run_once(c))
			continue;
		take_batch(c);
	}
	return NULL;
}

static void *rest_thread(void *arg)
{
	struct vcpu *c = arg;

	name_thread(c);
	c->batch->nr = 0;
	c->batch->then = c->vm->o->hold;
	while (run_once(c))
		continue;
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

static void start_thread(struct vm *vm, unsigned int i, void *(*fn)(void *))
{
	struct vcpu *c = &vm->vcpus[i];

	if (sem_init(&c->named, 0, 0) || pthread_create(&c->thread, NULL, fn, c))
		die("thread");
	while (sem_wait(&c->named))
		continue;
}

static void start(struct vm *vm, void *(*fn)(void *))
{
	const struct sigaction action = { .sa_handler = nothing };
	unsigned int i;

	sigaction(SIGNAL_STOP, &action, NULL);
	for (i = 0; i < vm->nr_vcpus; i++)
		start_thread(vm, i, fn);
}

void vcpu_run_start(struct vm *vm, unsigned int index)
{
	start_thread(vm, index, vcpu_thread);
}

void vm_run_start(struct vm *vm)
{
	start(vm, vcpu_thread);
}

void vm_run_end(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		pthread_join(vm->vcpus[i].thread, NULL);
}

void vm_run(struct vm *vm)
{
	vm_run_start(vm);
	vm_run_end(vm);
}

void vm_stop(struct vm *vm)
{
	unsigned int i;

	vm->stop = true;
	for (i = 0; i < vm->nr_vcpus; i++) {
		vm->vcpus[i].run->immediate_exit = vm->vcpus[i].rests;
		pthread_kill(vm->vcpus[i].thread, SIGNAL_STOP);
	}
}

void wait_for_word(const char *what)
{
	char c;

	printf("%s pid=%d\n", what, getpid());
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		continue;
}

void vm_hold(struct vm *vm)
{
	unsigned int i;

	vm->stop = false;
	for (i = 0; i < vm->nr_vcpus; i++)
		vm->vcpus[i].rests = true;
	start(vm, rest_thread);
	wait_for_word("held");
	vm_stop(vm);
	vm_run_end(vm);
}
