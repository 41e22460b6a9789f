/* SPDX-License-Identifier: GPL-2.0 */
/* Why a change in words was not understood. */
#ifndef REMAP_WHY_H
#define REMAP_WHY_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "user/remap/change.h"

/* @why has CHANGE_WHY_LEN bytes. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) static inline int fail(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CHANGE_WHY_LEN, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

#endif
