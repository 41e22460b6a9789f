/* SPDX-License-Identifier: GPL-2.0 */
/* The names in rules, which reading and writing them have in common. */
#ifndef REMAP_RULE_NAMES_H
#define REMAP_RULE_NAMES_H

#include "kmod-helper/uapi/ptremap.h"

#define RULE_ALL_ACCESS (PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC)
#define RULE_TRIGGERS	(PTREMAP_ON_FAULT + 1)

/* By PTREMAP_REG_*, and by enum ptremap_on; NULL for what has none. */
extern const char *const rule_reg_names[PTREMAP_REGS];
extern const char *const rule_trigger_names[RULE_TRIGGERS];

/* What a page's place begins with: "gpa=" or "va=". */
const char *rule_space(const struct ptremap_rule *r);

#endif
