/* SPDX-License-Identifier: GPL-2.0 */
/* Rules that the helper module has, as text and JSON. */
#ifndef SHOW_RULE_SHOW_H
#define SHOW_RULE_SHOW_H

#include <stdio.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/json.h"
#include "user/base/line.h"

/* A line: "rule 3, VM of 42, kept: on ... do ...: called 5 times, done 4, limited 1". */
void rule_line(struct line *l, const struct ptremap_rule *r);
/* One object. */
void rule_json(struct json *j, const struct ptremap_rule *r);

#endif
