/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF program that calls rules: bpf/rule.bpf.c. */
#ifndef TRACE_RULE_CALLER_H
#define TRACE_RULE_CALLER_H

#include <stddef.h>

#include "kmod-helper/uapi/ptremap.h"

#define RULE_CALLER_DIR "/sys/fs/bpf/ptremap" /* where those of rules that are kept are pinned */

struct rule_caller;

/*
 * Loads the program, and has it call @rules, which the module has given ids and slots. The rules
 * are in force when it returns, until rule_caller_close(). 0 or -errno.
 */
int rule_caller_start(struct rule_caller **caller, const struct ptremap_rule *rules, size_t nr);
/*
 * From now on it outlives this program. 0 or -errno; -ENODEV: no BPF file system at /sys/fs/bpf.
 */
int rule_caller_keep(struct rule_caller *caller, const struct ptremap_rule *rules, size_t nr);
void rule_caller_close(struct rule_caller *caller);

/* All rules that there are, at most PTREMAP_RULES_MAX, into @rules; their number, or -errno. */
typedef int (*rule_caller_list)(void *ctx, struct ptremap_rule *rules);
/*
 * Ends kept programs none of whose rules is there any more. @list is asked after the programs were
 * looked for: what is added meanwhile stays. In @dir, of tests, or RULE_CALLER_DIR.
 */
void rule_caller_tidy_in(const char *dir, rule_caller_list list, void *ctx);
void rule_caller_tidy(rule_caller_list list, void *ctx);

#endif
