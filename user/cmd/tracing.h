/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What record, live and stat share: the options that choose and filter, the start of a session
 * with or without a command, and the loop until the command ends or somebody says stop.
 */
#ifndef CMD_TRACING_H
#define CMD_TRACING_H

#include "user/base/opts.h"
#include "user/trace/launch.h"
#include "user/trace/session.h"

#define TRACING_MAX_TARGETS 1024

/* Filled by the option table; starts as TRACING_OPTS_INIT. */
struct tracing_opts {
	struct {
		bool all, no_inherit, call_graph, no_walks, verbose;
		bool vms;	   /* targets were given as VMs: each must have one */
		bool wait;	   /* for KVM, or for the module ptremap, to be loaded */
		bool stdout_taken; /* the output goes there: the command writes to stderr */
		bool screen_taken; /* the command neither reads nor writes it */
		const char *origins;
		uint64_t ring_bytes;
		uint32_t targets[TRACING_MAX_TARGETS];
		size_t nr_targets;
		enum fault_hook hook;
	} set;
	struct fault_cfg cfg;
	const struct abi *abi; /* whose calls' buffers are read, or NULL; outlives the session */
};

#define TRACING_OPTS_INIT                                        \
	{                                                        \
		.set = { .ring_bytes = 64 << 20 },               \
		.cfg = {                                         \
			.origins = (1 << PTEV_NR_ORIGINS) - 1,   \
			.accesses = (1 << PTEV_NR_ACCESSES) - 1, \
			.walks = 1,                              \
			.inherit = 1,                            \
		},                                               \
	}

/* The rows for a command's own table: offsets are into @type, whose member @field is the above. */
#define TRACING_OFFSET(type, field, member) \
	(offsetof(type, field) + offsetof(struct tracing_opts, member))

#define TRACING_OPT_ROWS(type, field)                                                                                                                                             \
	{ 'p',                                                                                                                                                                    \
	  "pid",                                                                                                                                                                  \
	  "PID,...",                                                                                                                                                              \
	  "trace these processes, their threads and new children",                                                                                                                \
	  OPT_CALL,                                                                                                                                                               \
	  offsetof(type, field),                                                                                                                                                  \
	  tracing_opt_pid },                                                                                                                                                      \
		{ 't',                                                                                                                                                            \
		  "tid",                                                                                                                                                          \
		  "TID,...",                                                                                                                                                      \
		  "trace these threads only, never their children",                                                                                                               \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_tid },                                                                                                                                              \
		{ 0,                                                                                                                                                              \
		  "vm",                                                                                                                                                           \
		  "PID,...",                                                                                                                                                      \
		  "as -p, of processes that have virtual machines",                                                                                                               \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_vm },                                                                                                                                               \
		{ 'a',	    "all-cpus",                                                                                                                                           \
		  NULL,	    "trace every process (the default without a command)",                                                                                                \
		  OPT_FLAG, TRACING_OFFSET(type, field, set.all),                                                                                                                 \
		  NULL },                                                                                                                                                         \
		{ 'C',                                                                                                                                                            \
		  "cpu",                                                                                                                                                          \
		  "LIST",                                                                                                                                                         \
		  "only events on these CPUs: 0,2-3",                                                                                                                             \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_cpu },                                                                                                                                              \
		{ 'e',                                                                                                                                                            \
		  "event",                                                                                                                                                        \
		  "LIST",                                                                                                                                                         \
		  "fault (all three, the default), fault:u (user mode), fault:k (kernel mode), gup (get_user_pages); VMs: hypercall, violation (EPT, NPT), exit (others); remap", \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_event },                                                                                                                                            \
		{ 'i',	    "no-inherit",                                                                                                                                         \
		  NULL,	    "leave children of the targets out",                                                                                                                  \
		  OPT_FLAG, TRACING_OFFSET(type, field, set.no_inherit),                                                                                                          \
		  NULL },                                                                                                                                                         \
		{ 0,                                                                                                                                                              \
		  "hook",                                                                                                                                                         \
		  "KIND",                                                                                                                                                         \
		  "auto, fentry, kprobe or rawtp: use this kind of hook only",                                                                                                    \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_hook },                                                                                                                                             \
		{ 0,                                                                                                                                                              \
		  "comm",                                                                                                                                                         \
		  "NAME",                                                                                                                                                         \
		  "only threads of this name",                                                                                                                                    \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_comm },                                                                                                                                             \
		{ 0,                                                                                                                                                              \
		  "cgroup",                                                                                                                                                       \
		  "PATH",                                                                                                                                                         \
		  "only tasks in this cgroup (v2) or below it",                                                                                                                   \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_cgroup },                                                                                                                                           \
		{ 0,                                                                                                                                                              \
		  "addr",                                                                                                                                                         \
		  "FIRST-LAST",                                                                                                                                                   \
		  "only faults on these addresses, violations on these gpas (hex, both included)",                                                                                \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_addr },                                                                                                                                             \
		{ 0,                                                                                                                                                              \
		  "access",                                                                                                                                                       \
		  "LIST",                                                                                                                                                         \
		  "only read, write, exec",                                                                                                                                       \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_access },                                                                                                                                           \
		{ 0,                                                                                                                                                              \
		  "outcome",                                                                                                                                                      \
		  "LIST",                                                                                                                                                         \
		  "only anon, zero, file, major, cow...: see the man page (needs an exit hook)",                                                                                  \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_outcome },                                                                                                                                          \
		{ 0,                                                                                                                                                              \
		  "min-latency",                                                                                                                                                  \
		  "TIME",                                                                                                                                                         \
		  "only events that took at least TIME, such as 10us (faults: needs an exit hook)",                                                                               \
		  OPT_TIME,                                                                                                                                                       \
		  TRACING_OFFSET(type, field, cfg.min_latency),                                                                                                                   \
		  NULL },                                                                                                                                                         \
		{ 0,                                                                                                                                                              \
		  "nr",                                                                                                                                                           \
		  "N",                                                                                                                                                            \
		  "only hypercalls with this number (rax)",                                                                                                                       \
		  OPT_CALL,                                                                                                                                                       \
		  offsetof(type, field),                                                                                                                                          \
		  tracing_opt_nr },                                                                                                                                               \
		{ 0,	    "wait",                                                                                                                                               \
		  NULL,	    "if KVM, or for remaps ptremap, is not loaded: wait until it is",                                                                                     \
		  OPT_FLAG, TRACING_OFFSET(type, field, set.wait),                                                                                                                \
		  NULL },                                                                                                                                                         \
	{                                                                                                                                                                         \
		'v', "verbose", NULL, "print what libbpf and the verifier say", OPT_FLAG,                                                                                         \
			TRACING_OFFSET(type, field, set.verbose), NULL                                                                                                            \
	}

/* For those that take events and not only counts. */
#define TRACING_EVENT_ROWS(type, field)                                                     \
	{ 'g',	    "call-graph",                                                           \
	  NULL,	    "record the kernel and user call chains",                               \
	  OPT_FLAG, TRACING_OFFSET(type, field, set.call_graph),                            \
	  NULL },                                                                           \
		{ 'm',	    "ring-size",                                                    \
		  "SIZE",   "size of the kernel's ring buffer (default 64M)",               \
		  OPT_SIZE, TRACING_OFFSET(type, field, set.ring_bytes),                    \
		  NULL },                                                                   \
	{                                                                                   \
		0, "no-walks", NULL,                                                        \
			"leave the page-table walks out; outcomes are not told apart then", \
			OPT_FLAG, TRACING_OFFSET(type, field, set.no_walks), NULL           \
	}

int tracing_opt_pid(void *target, const char *arg);
int tracing_opt_tid(void *target, const char *arg);
int tracing_opt_cpu(void *target, const char *arg);
int tracing_opt_event(void *target, const char *arg);
int tracing_opt_vm(void *target, const char *arg);
int tracing_opt_nr(void *target, const char *arg);
int tracing_opt_hook(void *target, const char *arg);
int tracing_opt_comm(void *target, const char *arg);
int tracing_opt_cgroup(void *target, const char *arg);
int tracing_opt_addr(void *target, const char *arg);
int tracing_opt_access(void *target, const char *arg);
int tracing_opt_outcome(void *target, const char *arg);

/*
 * Refuses options that contradict each other and targets that are not there, and fills in what
 * follows from them. 0, or an exit status after one line on stderr.
 */
int tracing_check(struct tracing_opts *opts, bool command);

struct tracing {
	struct session *session;
	struct kinfo kinfo;
	struct launch launch;
	const char *command; /* its name, or NULL */
	int signal_fd, epoll;
	int input_fd;	   /* readable: tracing_run() calls @tick at once; -1, or set before it */
	int signal;	   /* that ended the session, or 0 */
	int exec_error;	   /* -errno of the command's exec, or 0 */
	bool output_later; /* a file is made while the session runs, or at its end */
	struct rec_info info;
};

/*
 * Checks the targets, launches @command (NULL: none) stopped before its exec, starts the
 * session and says on stderr which hook was not to be had. @argv is what the recording says it
 * was made by. Returns 0 or an exit status after one line on stderr; nothing is left then.
 */
int tracing_start(struct tracing *t, struct tracing_opts *opts, bool sideband, int argc,
		  char **argv, char **command);
/*
 * Lets the command go, gives up the privileges that are not needed any more, and drains into @put
 * until the command ends, every target has ended, a signal comes or @put fails; @tick (may be NULL)
 * is called about ten times a second. Then stops the session and drains the rest. Returns 0 or
 * @put's error; t->exec_error says that the command was not run.
 */
int tracing_run(struct tracing *t, session_put put, int (*tick)(void *ctx), void *ctx);
/*
 * Reaps the command, frees everything. @err: what failed, already said on stderr. Returns the exit
 * status.
 */
int tracing_end(struct tracing *t, int err);

#endif
