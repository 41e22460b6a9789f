/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * libptw, all of it: #include <ptw/ptw.h>. Each header also stands alone. See ptw(3).
 *
 *	formats		pt_fmt.h, pt_mode.h, pt_entry.h, pt_linux.h
 *	lookup		pt_walk.h, pt_space.h, pt_access.h
 *	ranges		pt_iter.h, pt_visit.h
 *	changes		pt_edit.h, pt_large.h, pt_map.h
 *	memory		pt_mem.h, pt_arena.h, pt_mem_cache.h, pt_mem_nested.h
 */
#ifndef PTW_H
#define PTW_H

#include "pt_access.h"
#include "pt_arena.h"
#include "pt_edit.h"
#include "pt_entry.h"
#include "pt_fmt.h"
#include "pt_iter.h"
#include "pt_large.h"
#include "pt_linux.h"
#include "pt_map.h"
#include "pt_mem.h"
#include "pt_mem_cache.h"
#include "pt_mem_nested.h"
#include "pt_mode.h"
#include "pt_space.h"
#include "pt_visit.h"
#include "pt_walk.h"

#endif
