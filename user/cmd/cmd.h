/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands of both programs. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "user/cmd/program.h"

#define DEFAULT_FILE "ptrace-pf.data"

/* ptrace-pf */
int cmd_record(int argc, char **argv);
int cmd_live(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_script(int argc, char **argv);
int cmd_diff_recordings(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_vms(int argc, char **argv);

/* ptremap */
int cmd_decode(int argc, char **argv);
int cmd_walk(int argc, char **argv);
int cmd_translate(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_kind(int argc, char **argv);
int cmd_read(int argc, char **argv);
int cmd_write(int argc, char **argv);
int cmd_protect(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_swap(int argc, char **argv);
int cmd_ept(int argc, char **argv);
int cmd_graft(int argc, char **argv);
int cmd_trap(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_undo(int argc, char **argv);
int cmd_watch(int argc, char **argv);

#endif
