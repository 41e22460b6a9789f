// SPDX-License-Identifier: GPL-2.0
/*
 * soak: processes and VMs that do all that takes edits back, under controllers that edit, walk and
 * read them at random, and are killed at random; again and again, with the module loaded anew.
 *
 *	soak SECONDS FILE MODULES [TRACER]
 *
 * Processes begin with FILE-N, on a disk. MODULES is the folder of ptremap.ko and ptremap_kvm.ko,
 * which are loaded and removed here; TRACER is ptrace-pf, whose totals of every other round go to
 * FILE.N.json, and what it records in the others, until it is killed, to FILE.N.data. Each round of
 * some seconds ends with a calm in which all contents and references must be as they were, and with
 * an rmmod under edits that are kept. What took the edits is printed by cause; each of those that
 * are named in soak.h must be there. PTSCOPE_SEED in the environment repeats a run, as far as
 * several processes can; SOAK_REST_US is how long each rests after each thing that it does, about:
 * less is more work for the machine.
 */
#include <sys/stat.h>

#include "tests/system/soak_tell.h"

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
	if (!random_of(&r->state, 400))
		kill_recorder(r);
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
	wait_until(r, has_recorded, "the tracer does not record");
	kill_recorder(r);
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
	ask_rules(&r->c, PTREMAP_RULE_REMOVE, NULL, NULL, 0);
	undo(&r->c, 0);
	end_ksm();
	r->s->calm++;
	wait_until(r, all_have_looked, "targets do not look");
	count_events(r->s, &r->reasons, r->watch);
}

/* ---- the module goes under edits and rules --------------------------------------------------- */

static void keep_rule(struct run *r, const struct target *t, uint32_t on)
{
	const struct seen seen = { t->pid, t->base, t->has_vm };
	struct ptremap_rule rule = new_rule(&seen, on, PTREMAP_DO_FRESH);
	uint32_t nr = 1;

	rule.flags = PTREMAP_RULE_KEEP;
	rule.page.add = on == PTREMAP_ON_FAULT ? at(t->base) : TINY_GPA;
	note_answer(r->s, "kept rule", ask_rules(&r->c, PTREMAP_RULE_ADD, &rule, &nr, 0));
}

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
		if (r->targets[i])
			keep_rule(r, &r->s->targets[i],
				  i < TARGETS ? PTREMAP_ON_FAULT : PTREMAP_ON_HYPERCALL);
	for (i = 0; i < ALL_TARGETS; i++)
		for (what = PTREMAP_PROTECT; r->targets[i] && what <= last_kind(); what++)
			keep_edit(r, &r->s->targets[i], what, 2 * what * PAGE);
}

static bool is_removed(const char *module)
{
	return !syscall(SYS_delete_module, module, O_NONBLOCK);
}

static bool is_kvm_removed(const struct run *r)
{
	return !r->s->kvm || is_removed("ptremap_kvm");
}

static bool is_all_removed(const struct run *r)
{
	(void)r;
	return is_removed("ptremap");
}

/*
 * A mapping of a process that was just killed may keep it for a moment, and so may a rule that acts
 * at this moment.
 */
static void remove_modules(struct run *r)
{
	wait_until(r, is_kvm_removed, "rmmod ptremap_kvm");
	wait_until(r, is_all_removed, "rmmod ptremap");
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
	struct run r = { .watch = -1, .caller = -1, .c.dev = -1 };
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
