// SPDX-License-Identifier: GPL-2.0
/*
 * soak: processes and VMs that do all that takes edits back, under controllers that edit, walk and
 * read them at random, and are killed at random; again and again, with the module loaded anew.
 *
 *	soak SECONDS FILE MODULES [TRACER]
 *
 * Processes begin with FILE-N, on a disk. MODULES is the folder of ptremap.ko and ptremap_kvm.ko,
 * which are loaded and removed here; TRACER is ptrace-pf, whose totals of every other round go to
 * FILE.N.json. Each round of some seconds ends with a calm in which all contents and references
 * must be as they were, and with an rmmod under edits that are kept. What took the edits is printed
 * by cause; each of those that are named in soak.h must be there. PTSCOPE_SEED in the environment
 * repeats a run, as far as several processes can; SOAK_REST_US is how long each rests after each
 * thing that it does, about: less is more work for the machine.
 */
#include <sys/stat.h>

#include "tests/system/soak_run.h"

#define REST_US	      3000
#define ROUND_SECONDS 30
#define MORE	      5

/* ---- a round --------------------------------------------------------------------------------- */

static void kill_some(struct run *r)
{
	unsigned int i = random_of(&r->state, CONTROLLERS), k = random_of(&r->state, ALL_TARGETS);

	if (!random_of(&r->state, 40) && r->controllers[i] && !kill(r->controllers[i], SIGKILL))
		r->s->n.controllers_killed++;
	if (!random_of(&r->state, 40) && r->s->targets[k].pid) {
		log_begin(&r->s->main_log, DEED_KILL, r->targets[k], NULL, 0);
		kill(r->targets[k], SIGKILL);
		r->s->n.killed++;
	}
}

static void run_for(struct run *r, unsigned int seconds)
{
	uint64_t end;
	unsigned int i;

	r->s->phase = PHASE_RUN;
	for (i = 0; i < ALL_TARGETS; i++)
		if (!r->targets[i] && (i < TARGETS || r->s->kvm))
			start_target(r, i);
	start_tracer(r);
	wait_until(r, tracer_is_ready, "the tracer does not begin");
	end = now_ns() + seconds * 1000000000ull;
	for (i = 0; i < CONTROLLERS; i++)
		start_controller(r, i);
	start_outside(r);
	while (now_ns() < end) {
		tick(r);
		kill_some(r);
	}
}

static bool is_quiet(const struct run *r)
{
	unsigned int i;

	for (i = 0; i < CONTROLLERS; i++)
		if (r->controllers[i])
			return false;
	return !r->outside && !r->trace;
}

static bool all_have_looked(const struct run *r)
{
	unsigned int i;

	for (i = 0; i < ALL_TARGETS; i++)
		if (r->targets[i] && (!r->s->targets[i].pid || r->s->targets[i].calm != r->s->calm))
			return false;
	return true;
}

static bool none_is_left(const struct run *r)
{
	unsigned int i;

	for (i = 0; i < ALL_TARGETS; i++)
		if (r->targets[i])
			return false;
	return true;
}

/* It takes all apart, and lets go of processes that have ended. */
static void end_ksm(void)
{
	write_file("/sys/kernel/mm/ksm/run", "2");
	write_file("/sys/kernel/mm/ksm/run", "0");
}

/* Controllers end, and all targets stand still. */
static void calm_down(struct run *r)
{
	r->s->phase = PHASE_CALM;
	if (r->trace)
		kill(r->trace, SIGINT);
	wait_until(r, is_quiet, "controllers do not end");
	undo(&r->c, 0);
	end_ksm();
	r->s->calm++;
	wait_until(r, all_have_looked, "targets do not look");
	count_events(r->s, &r->reasons, r->watch);
}

/* ---- the module goes under edits ------------------------------------------------------------- */

static void keep_edit(struct run *r, const struct target *t, uint32_t what, uint64_t offset)
{
	struct ptremap_item i = { .pid = t->pid, .va = at(t->base) + offset, .what = what };

	if (what == PTREMAP_PROTECT)
		i.clear = BIT_RW;
	if (what == PTREMAP_SWAP) {
		i.other_pid = t->pid;
		i.other_va = i.va + PAGE;
	}
	note_answer(r->s, "kept edit", edit_many(&r->c, &i, 1, PTREMAP_EDIT_KEEP, NULL));
}

static unsigned int active_edits(const struct run *r)
{
	static struct ptremap_record records[256];
	int nr = list(&r->c, records, 256), i;
	unsigned int active = 0;

	for (i = 0; i < nr && i < 256; i++)
		active += records[i].state == PTREMAP_ACTIVE;
	return active;
}

static void keep_edits(struct run *r)
{
	unsigned int i;
	uint32_t what;

	for (i = 0; i < ALL_TARGETS; i++)
		for (what = PTREMAP_PROTECT; r->targets[i] && what <= last_kind(); what++)
			keep_edit(r, &r->s->targets[i], what, 2 * what * PAGE);
}

static void remove_modules(struct run *r)
{
	int tries;

	if (r->s->kvm && syscall(SYS_delete_module, "ptremap_kvm", O_NONBLOCK))
		die("rmmod ptremap_kvm");
	/* A mapping of a process that was just killed may keep it for a moment. */
	for (tries = 0; tries < 100; tries++) {
		if (!syscall(SYS_delete_module, "ptremap", O_NONBLOCK))
			return;
		usleep(20000);
	}
	die("rmmod ptremap");
}

static void remove_under_edits(struct run *r)
{
	keep_edits(r);
	count_events(r->s, &r->reasons, r->watch);
	r->reasons.of[DEED_RMMOD] += active_edits(r);
	close_watch(r);
	remove_modules(r);
	r->s->calm++;
	wait_until(r, all_have_looked, "targets do not look");
}

static void one_round(struct run *r, unsigned int seconds)
{
	uint32_t wrong = r->s->n.wrong;
	uint64_t begin = now_ns(), calm;

	load_modules(r);
	open_watch(r);
	run_for(r, seconds);
	calm = now_ns();
	calm_down(r);
	check(&r->c, !list(&r->c, NULL, 0), "round %u: no edit is left", r->rounds);
	empty_swap();
	r->extra = settled_references(r->s, &r->c);
	check(&r->c, !r->extra, "round %u: %ld references that nothing explains", r->rounds,
	      r->extra);
	remove_under_edits(r);
	check(&r->c, r->s->n.wrong == wrong, "round %u: each page has its own data", r->rounds);
	printf("# round %u: %.1f s, with %u at work, %.1f for the calm\n", r->rounds,
	       (double)(now_ns() - begin) / 1e9, seconds, (double)(now_ns() - calm) / 1e9);
	fflush(stdout);
	r->rounds++;
}

/* ---- the whole ------------------------------------------------------------------------------- */

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

static void print_numbers(const struct run *r)
{
	const struct numbers *n = &r->s->n;
	unsigned int i;
	enum deed d;

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
	printf("\n# events %u, restores:", r->reasons.events);
	for (d = 1; d < DEEDS; d++)
		if (r->reasons.of[d])
			printf(" %s %u,", DEED[d].name, r->reasons.of[d]);
	printf(" swapped out %ld pages\n", of_vmstat("pswpout"));
	fflush(stdout);
}

static bool is_here(const struct run *r, enum deed d)
{
	if (!r->s->kvm && (d == DEED_SLOT || d == DEED_VM))
		return false;
	return d != DEED_MIGRATE || !access("/sys/devices/system/node/node1", F_OK);
}

/* Each cause that is asked for was there. */
static bool has_seen_all(const struct run *r)
{
	enum deed d;

	if (of_vmstat("pswpin") <= 0)
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

static bool same_objects(const long *before, long *after)
{
	size_t i;

	count_objects(after);
	for (i = 0; i < NR_CACHES; i++)
		if (before[i] != after[i])
			return false;
	return true;
}

/*
 * The last ones are freed a moment later. khugepaged holds the address space that it will go on
 * with, whose process may have ended.
 */
static void check_objects(struct run *r, const long *before, long lost_before)
{
	long after[NR_CACHES];
	int tries;
	size_t i;

	write_file("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "100");
	for (tries = 0; tries < 200 && !same_objects(before, after); tries++) {
		usleep(20000);
		reap(r);
	}
	for (i = 0; i < NR_CACHES; i++)
		check(&r->c, before[i] == after[i],
		      "objects of %s that no process explains: %ld, before %ld", CACHES[i],
		      after[i], before[i]);
	check(&r->c, lost_pages() == lost_before,
	      "anonymous pages that nobody has mapped: %ld, before %ld", lost_pages(), lost_before);
}

static void prepare(const struct soak *s)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	if (!write_file(CGROUP "/cgroup.procs", pid) || access(CGROUP "/memory.reclaim", W_OK))
		die(CGROUP);
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "2");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "500");
	if (!write_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise") ||
	    !write_file("/sys/kernel/mm/transparent_hugepage/defrag", "madvise") ||
	    !write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise"))
		die("transparent huge pages");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("# PTSCOPE_SEED=%u, %u s, rests of %u us, %s\n", s->seed, s->seconds, s->rest_us,
	       s->kvm ? "with VMs" : "without VMs");
	fflush(stdout);
}

static uint32_t of_environment(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

static struct soak *new_soak(char **argv)
{
	struct soak *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (s == MAP_FAILED)
		die("mmap");
	s->seconds = (uint32_t)strtoul(argv[1], NULL, 10);
	s->file = argv[2];
	s->seed = of_environment("PTSCOPE_SEED", (uint32_t)time(NULL));
	s->rest_us = of_environment("SOAK_REST_US", REST_US);
	s->kvm = !access("/dev/kvm", F_OK);
	for (i = TARGETS; i < ALL_TARGETS; i++)
		s->targets[i].has_vm = true;
	return s;
}

int main(int argc, char **argv)
{
	struct run r = { .watch = -1, .c.dev = -1 };
	long before[NR_CACHES], lost;
	unsigned int rounds;

	if (argc == 2 && !strcmp(argv[1], "end"))
		return 0;
	if (argc < 4 || argc > 5 || !strtoul(argv[1], NULL, 10)) {
		fprintf(stderr, "usage: soak SECONDS FILE MODULES [TRACER]\n");
		return 2;
	}
	r.s = new_soak(argv);
	r.modules = argv[3];
	r.tracer = argv[4];
	r.state = seed_of(r.s->seed, 0);
	prepare(r.s);
	count_objects(before);
	lost = lost_pages();
	rounds = r.s->seconds < 2 * ROUND_SECONDS ? 2 : r.s->seconds / ROUND_SECONDS;
	/* Where the machine has little time for us, chance may need more rounds. */
	while ((r.rounds < rounds || (r.rounds < MORE * rounds && !has_seen_all(&r))) &&
	       !r.c.failed)
		one_round(&r, (r.s->seconds + rounds - 1) / rounds);
	r.s->phase = PHASE_OVER;
	wait_until(&r, none_is_left, "targets do not end");
	end_ksm();
	print_numbers(&r);
	print_answers(r.s);
	check_numbers(&r);
	check_objects(&r, before, lost);
	return r.c.failed > 0;
}
