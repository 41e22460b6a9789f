/* SPDX-License-Identifier: GPL-2.0 */
/* What must be true when the fuzzer is done, and what it tells of its calls. */
#ifndef TESTS_FUZZ_AFTER_H
#define TESTS_FUZZ_AFTER_H

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "tests/system/fuzz_worker.h"

#define DRIFT_KIB    (16 << 10)
#define SETTLE_TRIES 100

struct run {
	struct checks c;
	struct fuzz_shared *s;
	struct choice random;
	pid_t pids[FUZZ_TARGETS], workers[FUZZ_WORKERS];
	uint64_t beat[FUZZ_WORKERS]; /* when its count last changed, and to what */
	time_t since[FUZZ_WORKERS];
	unsigned int seed, killed, lives;
	bool kvm, stuck;
	int caller; /* BPF's link, or -1 */
};

static inline int mirrors(const struct run *r)
{
	struct ptremap_mirror_list left = { .size = sizeof(left),
					    .info_size = sizeof(struct ptremap_mirror_info) };
	int err = call(&r->c, PTREMAP_MIRROR_LIST, &left);

	return err ? err : (int)left.nr;
}

/* A worker that was killed may have been about to fork: what is its child's goes a moment later. */
static inline void check_mirrors(struct run *r)
{
	int tries, nr = mirrors(r);

	for (tries = 0; nr && tries < SETTLE_TRIES; tries++) {
		usleep(100000);
		nr = mirrors(r);
	}
	check(&r->c, !nr, "no mirrors: %d", nr);
}

static inline void take_all_back(struct run *r)
{
	struct ptremap_rules rules = { .size = sizeof(rules), .op = PTREMAP_RULE_REMOVE };
	struct ptremap_rules left = { .size = sizeof(left),
				      .op = PTREMAP_RULE_LIST,
				      .rule_size = sizeof(struct ptremap_rule) };
	int err = call(&r->c, PTREMAP_RULE, &rules);

	check(&r->c, !err || err == -ENOENT, "rules removed: %d", err);
	err = undo(&r->c, 0);
	check(&r->c, err >= 0 || err == -ENOENT, "all undone: %d", err);
	check(&r->c, !list(&r->c, NULL, 0), "no transactions");
	err = call(&r->c, PTREMAP_RULE, &left);
	check(&r->c, !err && !left.nr, "no rules: %d, %u", err, left.nr);
	check_mirrors(r);
}

static inline void check_contents(struct run *r)
{
	struct fuzz_target *t;
	int tries, status = 0;
	bool died = false;
	uint32_t i;

	for (i = 0; i < FUZZ_TARGETS; i++) {
		t = &r->s->targets[i];
		t->over = true;
		for (tries = 0; !t->verdict && !died && tries < 6000; tries++) {
			died = waitpid(t->pid, &status, WNOHANG) > 0;
			usleep(10000);
		}
		check(&r->c, t->verdict == 1, "target %u: memory is what it was: %d, status 0x%x",
		      i, t->verdict, status);
	}
}

/* Each page of the witness' own has the one reference that its mapping stands for. */
static inline void check_references(struct run *r)
{
	unsigned int wrong = 0, there = 0, i;
	struct ptremap_walk_entry e;
	int tries;

	for (i = 0; i < fuzz_regions[FUZZ_OWN].pages; i++) {
		for (tries = 0; tries < SETTLE_TRIES; tries++) {
			e = walk(&r->c, r->s->targets[FUZZ_WITNESS].pid, fuzz_va(FUZZ_OWN, i));
			if (e.status || e.level != 1 || !(e.entry[0] & 1) || e.page.refcount == 1)
				break;
			drain_lru();
			usleep(20000);
		}
		there += !e.status && e.level == 1 && e.entry[0] & 1;
		wrong += there && e.page.refcount != 1;
		if (e.page.refcount != 1)
			printf("# page %u: status %d, level %u, refcount %d\n", i, e.status,
			       e.level, e.page.refcount);
	}
	check(&r->c, there && !wrong, "references of %u pages: %u with others than their mapping",
	      there, wrong);
}

/* Free pages that CPUs keep for themselves. */
static inline long kept_kib(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[256];
	long pages = 0, n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	if (f)
		fclose(f);
	return pages * (PAGE / 1024);
}

static inline long free_kib(void)
{
	static const char *const names[] = { "MemFree", "Buffers", "Cached", "SReclaimable" };
	long kib = kept_kib();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		kib += kib_of("/proc/meminfo", names[i]);
	return kib;
}

/* What is freed by RCU, or a worker thread, comes a little later. */
static inline void check_memory(struct run *r, long before, long slab)
{
	long now = 0, slab_now = 0;
	int tries;

	for (tries = 0; tries < SETTLE_TRIES; tries++) {
		drain_lru();
		now = free_kib();
		slab_now = kib_of("/proc/meminfo", "SUnreclaim");
		if (before - now <= DRIFT_KIB && slab_now - slab <= DRIFT_KIB)
			break;
		usleep(100000);
	}
	check(&r->c, before - now <= DRIFT_KIB, "free memory: %ld KiB before, %ld after", before,
	      now);
	check(&r->c, slab_now - slab <= DRIFT_KIB, "kernel objects: %ld KiB before, %ld after",
	      slab, slab_now);
}

static inline bool needs_vm(uint32_t nr)
{
	return nr == _IOC_NR(PTREMAP_VM) || nr == _IOC_NR(PTREMAP_EPT) ||
	       nr == _IOC_NR(PTREMAP_ACCESS);
}

static inline uint32_t nr_forms(const struct run *r)
{
	return r->kvm ? FUZZ_FORMS : FORM_OF_VMS;
}

static inline bool has_all_forms(const struct run *r)
{
	uint32_t i;

	for (i = 0; i < nr_forms(r); i++)
		if (!r->s->good[i])
			return false;
	return true;
}

static inline void tell_forms(struct run *r)
{
	uint32_t i;

	for (i = 0; i < nr_forms(r); i++)
		check(&r->c, r->s->good[i] > 0, "%s: %u", fuzz_forms[i], r->s->good[i]);
}

static inline void tell(struct run *r)
{
	static const char *const names[FUZZ_CALLS] = {
		"features", "walk",   "tables",	 "phys",       "edit",	 "list",
		"undo",	    "map",    "watch",	 "vm",	       "ept",	 "rule",
		"access",   "mirror", "mirrors", "invalidate", "switch",
	};
	uint64_t all = 0, good = 0;
	uint32_t i, e;

	for (i = 0; i < FUZZ_CALLS; i++) {
		printf("# %s:", names[i]);
		for (e = 0; e < FUZZ_ERRNOS; e++) {
			if (r->s->answers[i][e])
				printf(" %s %u", e ? strerrorname_np((int)e) : "good",
				       r->s->answers[i][e]);
			all += r->s->answers[i][e];
		}
		putchar('\n');
		good += r->s->answers[i][0];
	}
	printf("# found %u, by %u inputs; %u workers killed, %u processes\n", r->s->corpus.hit,
	       r->s->corpus.nr, r->killed, r->lives);
	check(&r->c, good > all / 50, "%lu calls, %lu of them good", all, good);
	for (i = 0; i < FUZZ_CALLS; i++)
		if (r->kvm || !needs_vm(i))
			check(&r->c, r->s->answers[i][0] > 0, "%s: %u good calls", names[i],
			      r->s->answers[i][0]);
	tell_forms(r);
}

#endif
