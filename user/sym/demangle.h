/* SPDX-License-Identifier: GPL-2.0 */
/* Names of C++ and Rust functions as in their sources. */
#ifndef SYM_DEMANGLE_H
#define SYM_DEMANGLE_H

/*
 * What the linker calls @name, without parameters, as perf prints it: Itanium C++ ABI, Rust's
 * legacy and v0 mangling. To be freed; NULL: not mangled, or without memory.
 */
char *demangle(const char *name);

#endif
