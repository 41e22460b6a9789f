/* SPDX-License-Identifier: GPL-2.0 */
/* The soak's targets, from birth to death; those with a VM, and what they do with that. */
#ifndef TESTS_SOAK_LIFE_H
#define TESTS_SOAK_LIFE_H

#include "tests/system/soak_target.h"
#include "tests/system/tiny_vm.h"

#define DEEDS_OF_A_LIFE 150
#define DEEDS_OF_A_VM	60
#define VM_LET_GO_US	1300000 /* the module looks once a second */
#define SLOT_ALIAS_GPA	(TINY_GPA + (1u << 30))

/* ---- VMs ------------------------------------------------------------------------------------- */

/* The guest has the first 2 MiB; its vCPU reads an anonymous and a shared page, and calls, now and
 * then. */
static void start_vm(struct life *l)
{
	uint64_t one = TINY_GPA + PAGE * random_of(&l->state, ANON_PAGES);
	uint64_t two = TINY_GPA + SHARED_AT + PAGE * random_of(&l->state, SHARED_PAGES);

	tiny_start(l->vm, 0, tiny_call_code, one, two);
}

static void make_vm(struct life *l)
{
	static struct tiny_vm vm;

	l->vm = &vm;
	tiny_make(&vm, l->p, HUGE);
	start_vm(l);
	l->s->n.vm_lives++;
}

static struct log_entry *begin_vm(const struct life *l, enum deed deed)
{
	return log_begin(l->log, deed, getpid(), l->p, HUGE);
}

static void set_slot(const struct life *l, uint32_t id, uint64_t gpa, uint64_t size, uint32_t flags)
{
	if (tiny_slot(l->vm, id, gpa, l->p, size, flags))
		die("KVM_SET_USER_MEMORY_REGION");
}

static void do_slot_again(struct life *l)
{
	struct log_entry *e = begin_vm(l, DEED_SLOT);

	set_slot(l, 1, TINY_GPA, 0, 0);
	set_slot(l, 1, TINY_GPA, HUGE, 0);
	log_end(e);
}

/* The same memory twice. */
static void do_slot_alias(struct life *l)
{
	struct log_entry *e = begin_vm(l, DEED_SLOT);

	set_slot(l, 2, SLOT_ALIAS_GPA, HUGE, random_of(&l->state, 2) ? KVM_MEM_READONLY : 0);
	set_slot(l, 2, SLOT_ALIAS_GPA, 0, 0);
	log_end(e);
}

static void do_slot_log(struct life *l)
{
	struct log_entry *e = begin_vm(l, DEED_SLOT);

	set_slot(l, 1, TINY_GPA, HUGE, KVM_MEM_LOG_DIRTY_PAGES);
	set_slot(l, 1, TINY_GPA, HUGE, 0);
	log_end(e);
}

static void do_slot_move(struct life *l)
{
	struct log_entry *e = begin_vm(l, DEED_SLOT);

	set_slot(l, 1, SLOT_ALIAS_GPA, HUGE, 0);
	set_slot(l, 1, TINY_GPA, HUGE, 0);
	log_end(e);
}

/*
 * The VM ends, its process has a new one: at once, whose slots take what the old one left, or when
 * that was taken already.
 */
static void do_vm_again(struct life *l)
{
	struct log_entry *e = begin_vm(l, DEED_VM);

	tiny_stop(l->vm, 1);
	tiny_end(l->vm);
	e->end = now_ns() + VM_LET_GO_US * 1000ull;
	if (random_of(&l->state, 2))
		usleep(VM_LET_GO_US);
	make_vm(l);
}

static const deed_fn DOES_IN_VMS[] = {
	do_touch, do_munmap, do_mprotect,   do_fork,	   do_reclaim,	do_touch,
	do_touch, do_touch,  do_slot_again, do_slot_alias, do_slot_log, do_slot_move,
};
#define VM_DEATHS 60 /* deeds that a VM lives for */

/* The guest sees what its process has. */
static bool guest_is_right(struct life *l)
{
	unsigned int i;

	for (i = 0; i < ANON_PAGES + SHARED_PAGES; i++) {
		uint64_t offset = i < ANON_PAGES ? i * PAGE : SHARED_AT + (i - ANON_PAGES) * PAGE;

		if (tiny_read(l->vm, 0, TINY_GPA + offset) == *(volatile uint32_t *)(l->p + offset))
			continue;
		note_wrong(l->s, "guest", l->who, offset / PAGE);
		return false;
	}
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void look(struct life *l)
{
	are_right(l, ANON, "calm");
	are_right(l, SHARED, "calm");
	are_right(l, FILED, "calm");
	huges_are_right(l, "calm");
	if (l->vm) {
		tiny_stop(l->vm, 1);
		guest_is_right(l);
		start_vm(l);
	}
	l->s->n.looks++;
}

/* While nothing is changed each looks once at what it has. */
static void stay_calm(struct life *l)
{
	while (l->s->phase == PHASE_CALM) {
		int round = l->s->calm;

		if (l->t->calm != round) {
			look(l);
			l->t->calm = round;
		}
		usleep(5000);
	}
	if (l->s->phase == PHASE_OVER)
		_exit(0);
}

static void __attribute__((noreturn)) end_life(struct life *l)
{
	bool exec = random_of(&l->state, 2);

	l->s->n.exited++;
	log_begin(l->log, exec ? DEED_EXEC : DEED_EXIT, getpid(), NULL, 0);
	if (exec)
		execl("/proc/self/exe", "soak", "end", NULL);
	_exit(0);
}

static void do_one(struct life *l)
{
	if (!l->vm)
		DOES[random_of(&l->state, sizeof(DOES) / sizeof(*DOES))](l);
	else if (!random_of(&l->state, VM_DEATHS))
		do_vm_again(l);
	else
		DOES_IN_VMS[random_of(&l->state, sizeof(DOES_IN_VMS) / sizeof(*DOES_IN_VMS))](l);
}

/* Does not return. The caller has closed what it does not need. */
static void __attribute__((noreturn)) be_target(struct soak *s, unsigned int who, uint32_t seed)
{
	struct life l = { .s = s,
			  .t = &s->targets[who],
			  .log = &s->target_logs[who],
			  .who = who,
			  .state = seed };
	unsigned int left;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_memory(&l);
	do_mergeable(&l);
	if (l.t->has_vm)
		make_vm(&l);
	left = 1 + random_of(&l.state, 2 * (l.vm ? DEEDS_OF_A_VM : DEEDS_OF_A_LIFE));
	l.t->base = l.p;
	l.t->pid = getpid();
	while (left--) {
		stay_calm(&l);
		do_one(&l);
		rest(&l.state, s->rest_us);
	}
	end_life(&l);
}

#endif
