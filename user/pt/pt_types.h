/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Integer types of the page-table core. The core is compiled into BPF programs, the helper
 * module and user space; compiler-provided types need no header in any of the three.
 */
#ifndef PT_TYPES_H
#define PT_TYPES_H

typedef __UINT8_TYPE__ pt_u8;
typedef __UINT16_TYPE__ pt_u16;
typedef __UINT32_TYPE__ pt_u32;
typedef __UINT64_TYPE__ pt_u64;

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define PT_BIT(n) ((pt_u64)1 << (n))
/* Bits lo..hi, both included. */
#define PT_BITS(hi, lo) ((~(pt_u64)0 >> (63 - (hi))) & (~(pt_u64)0 << (lo)))

#endif
