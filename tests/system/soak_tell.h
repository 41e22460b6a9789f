/* SPDX-License-Identifier: GPL-2.0 */
/* What a soak has done and seen: told, and whether it was all that it is for. */
#ifndef TESTS_SOAK_TELL_H
#define TESTS_SOAK_TELL_H

#include "tests/system/soak_run.h"

static long of_vmstat(const char *name)
{
	return proc_number("/proc/vmstat", name);
}

static void print_answers(const struct soak *s)
{
	unsigned int i;

	printf("# answers: %u ok", s->n.answers[0]);
	for (i = 1; i < ERRNOS; i++)
		if (s->n.answers[i])
			printf(", %u %s", s->n.answers[i], strerrorname_np((int)i));
	putchar('\n');
	fflush(stdout);
}

static void print_restores(const char *what, const unsigned int *of)
{
	enum deed d;

	printf("# %s:", what);
	for (d = 1; d < DEEDS; d++)
		if (of[d])
			printf(" %s %u,", DEED[d].name, of[d]);
	putchar('\n');
}

static void print_numbers(const struct run *r)
{
	const struct numbers *n = &r->s->n;
	unsigned int i;

	printf("# remaps %u (items %u, of 2 MiB %u, of guests %u, kept %u, dry runs %u), grafts %u, "
	       "undone %u\n",
	       n->edits + n->guest_items, n->items + n->guest_items, n->huge_items, n->guest_items,
	       n->kept, n->dry_runs, n->grafts, n->undone);
	printf("# walks %u, tables %u, reads %u, lists %u, of VMs %u, checks of guests' memory %u, "
	       "watches %u, of accesses %u\n",
	       n->walks, n->tables, n->reads, n->lists, n->vms, n->checks, n->watches,
	       n->access_watches);
	printf("# targets %u: killed %u, ended %u; forks %u, VMs %u; controllers killed %u\n",
	       n->lives, n->killed, n->exited, n->forks, n->vm_lives, n->controllers_killed);
	printf("# what nobody here did, by the module's cause:");
	for (i = 0; i < CAUSES; i++)
		if (r->reasons.other[i])
			printf(" %u: %u", i, r->reasons.other[i]);
	printf("\n# edits of RAM %u; rules %u, that acted on hypercalls %u, violations %u, faults "
	       "%u; accesses that watches told %u; mirrors %u, accesses by them %u; tracers killed "
	       "%u\n",
	       n->ram_items, n->rules, n->acted[PTREMAP_ON_HYPERCALL],
	       n->acted[PTREMAP_ON_VIOLATION], n->acted[PTREMAP_ON_FAULT], n->accesses, n->mirrors,
	       n->mirrored, n->tracers_killed);
	printf("# events %u, swapped out %ld pages\n", r->reasons.events, of_vmstat("pswpout"));
	print_restores("restores", r->reasons.of);
	print_restores("restores of 2 MiB", r->reasons.of_huge);
	print_restores("restores of guests' pages", r->reasons.of_guests);
	fflush(stdout);
}

static bool is_here(const struct run *r, enum deed d)
{
	if (!r->s->kvm && (d == DEED_SLOT || d == DEED_VM))
		return false;
	return d != DEED_MIGRATE || !access("/sys/devices/system/node/node1", F_OK);
}

/* Things that controllers have done, and that came of it. */
static bool has_done_all(const struct run *r)
{
	const struct numbers *n = &r->s->n;

	return n->ram_items && n->acted[PTREMAP_ON_FAULT] && n->mirrored &&
	       (!r->tracer || n->tracers_killed) &&
	       (!r->s->kvm ||
		(n->acted[PTREMAP_ON_HYPERCALL] && n->acted[PTREMAP_ON_VIOLATION] && n->accesses));
}

/* Each cause that is asked for was there. */
static bool has_seen_all(const struct run *r)
{
	enum deed d;

	if (of_vmstat("pswpin") <= 0 || !has_done_all(r))
		return false;
	for (d = 1; d <= DEED_REQUIRED; d++)
		if (is_here(r, d) && !r->reasons.of[d])
			return false;
	return true;
}

static void check_numbers(struct run *r)
{
	const struct numbers *n = &r->s->n;
	enum deed d;

	for (d = 1; d <= DEED_REQUIRED; d++)
		if (is_here(r, d))
			check(&r->c, r->reasons.of[d] > 0, "restores by %s: %u", DEED[d].name,
			      r->reasons.of[d]);
	check(&r->c,
	      n->edits && n->undone && n->walks && n->tables && n->reads && n->grafts &&
		      n->killed && n->controllers_killed && r->reasons.events,
	      "remaps %u, undone %u, walks %u, reads %u, events %u, killed %u and %u controllers",
	      n->edits + n->guest_items, n->undone, n->walks, n->reads, r->reasons.events,
	      n->killed, n->controllers_killed);
	check(&r->c, has_done_all(r),
	      "edits of RAM %u, rules acted %u, %u and %u times, accesses told %u, mirrored %u, "
	      "tracers killed %u",
	      n->ram_items, n->acted[PTREMAP_ON_HYPERCALL], n->acted[PTREMAP_ON_VIOLATION],
	      n->acted[PTREMAP_ON_FAULT], n->accesses, n->mirrored, n->tracers_killed);
	check(&r->c, of_vmstat("pswpout") > 0 && of_vmstat("pswpin") > 0,
	      "pages went to swap (%ld) and came back (%ld)", of_vmstat("pswpout"),
	      of_vmstat("pswpin"));
	check(&r->c, !n->wrong,
	      "pages with other data than their own: %u, in %u looks and %u forks", n->wrong,
	      n->looks, n->forks);
	check(&r->c, !r->failed_children && !r->reasons.lost,
	      "processes that ended otherwise than they should: %u; events that were lost: %u",
	      r->failed_children, r->reasons.lost);
	check(&r->c, !n->refused, "calls that were refused as wrong ones, or for memory: %u",
	      n->refused);
}

#endif
