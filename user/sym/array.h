/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays that double their size. */
#ifndef SYM_ARRAY_H
#define SYM_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/*
 * Makes room behind @n elements for one more. Returns the array, moved perhaps, or NULL without
 * memory; the old one is then still valid. @size: elements there is room for.
 */
static inline void *array_room(void *array, size_t n, size_t *size, size_t element)
{
	size_t new_size = *size ? *size * 2 : 4;

	if (n < *size)
		return array;
	array = reallocarray(array, new_size, element);
	if (array)
		*size = new_size;
	return array;
}

#endif
