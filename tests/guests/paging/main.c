// SPDX-License-Identifier: GPL-2.0
#include "paging.h"

/* Of the multiboot information: a pointer to the command line. */
#define MULTIBOOT_CMDLINE 16

/* Called by boot.S, and by code that gcc makes. */
void payload(u32 multiboot_info) __attribute__((noreturn));
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);

void *memcpy(void *to, const void *from, size_t len)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
	return start;
}

void *memset(void *to, int value, size_t len)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(value) : "memory");
	return start;
}

/* The last word; before it the loader puts the file's name. */
static const char *last_word(const char *text, size_t *len)
{
	const char *word = text, *at;

	for (at = text; *at; at++) {
		if (*at == ' ')
			word = at + 1;
	}
	*len = (size_t)(at - word);
	return word;
}

/* "none" to "pae" are for 32-bit code, the others for 64-bit code. */
static bool runs_here(const struct mode *mode)
{
	return (mode->top > 3) == (sizeof(long) == 8);
}

static bool starts_with(const char *word, size_t len, const char *start)
{
	size_t i;

	for (i = 0; start[i]; i++) {
		if (i == len || word[i] != start[i])
			return false;
	}
	return true;
}

void payload(u32 multiboot_info)
{
	const u32 *info = (const u32 *)(uintptr_t)multiboot_info;
	const char *text = (const char *)(uintptr_t)info[MULTIBOOT_CMDLINE / 4];
	const struct mode *mode = NULL;
	const char *word;
	size_t len;

	word = last_word(text, &len);
	if (len > 5)
		mode = mode_find(word + 5, len - 5);
	if (mode && runs_here(mode)) {
		cpu_init();
		if (mode->top && starts_with(word, len, "hold="))
			hold(mode);
		if (starts_with(word, len, "test="))
			matrix(mode);
	}
	put_text("not for this payload: ");
	put_text(text);
	put_char('\n');
	quit(1);
}
