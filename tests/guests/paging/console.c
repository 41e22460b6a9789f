// SPDX-License-Identifier: GPL-2.0
#include "paging.h"

#define DEBUG_PORT 0xe9
#define EXIT_PORT  0xf4

static void out(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void put_char(char c)
{
	out(DEBUG_PORT, (u8)c);
}

void put_text(const char *text)
{
	while (*text)
		put_char(*text++);
}

void put_hex(u64 value)
{
	u32 shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (;; shift -= 4) {
		put_char("0123456789abcdef"[value >> shift & 15]);
		if (!shift)
			break;
	}
}

void put_field(u64 value)
{
	put_char(' ');
	put_hex(value);
}

void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void quit(u8 status)
{
	out(EXIT_PORT, status);
	halt();
}
