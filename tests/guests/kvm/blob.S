/* SPDX-License-Identifier: GPL-2.0 */
/* The payloads, as a part of the monitor. */
	.macro payload bits
	.globl payload_\bits, payload_\bits\()_end
payload_\bits:
	.incbin "kvm-\bits\().bin"
payload_\bits\()_end:
	.endm

	.section .rodata
	payload 16
	payload 32
	payload 64
	.section .note.GNU-stack, "", @progbits
