/* SPDX-License-Identifier: GPL-2.0 */
/* How a process under test, to which something happens, and the one that edits it meet. */
#ifndef TESTS_MEETING_H
#define TESTS_MEETING_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

enum step { STARTED, READY, GO, HAPPENED, END, OVER };

/* Of memory that both have. */
struct meeting {
	_Atomic int step;
	_Atomic int result, after;
	char *_Atomic where;
};

static inline void wait_for(struct meeting *m, enum step step)
{
	while (m->step < (int)step)
		usleep(200);
}

/* Until the process is gone, or has come to @step. */
static inline bool comes_to(struct meeting *m, pid_t pid, enum step step)
{
	while (m->step < (int)step) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return m->step >= (int)step;
		usleep(200);
	}
	return true;
}

/* Its end, which is still to be waited for. */
static inline void wait_exec(pid_t pid)
{
	siginfo_t info;

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

/* Of the transaction's first item; 0: it is not there. */
static inline uint8_t state_in_list(const struct checks *c, uint32_t id, uint8_t *cause)
{
	struct ptremap_record r[16];
	int nr = list(c, r, 16), i;

	for (i = 0; i < nr && i < 16; i++) {
		if (r[i].id == id) {
			*cause = r[i].cause;
			return r[i].state;
		}
	}
	return 0;
}

/* All of it written to, by a process that is the one to go if it is too much. */
static inline bool fill_memory(size_t len)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		write_file("/proc/self/oom_score_adj", "1000");
		_exit(mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

#endif
