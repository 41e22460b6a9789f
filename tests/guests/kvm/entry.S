/* SPDX-License-Identifier: GPL-2.0 */
/* The payload's first instruction, and what C cannot say. Built for 16, 32 and 64 bits. */

/* Of struct op: guest.c checks them. */
#define OP_ADDR	  8
#define OP_RESULT 24
#define OP_REGS	  32

#if GUEST_BITS == 16
	.code16gcc
#endif
	.section .entry, "ax"
	.globl start, guest_hypercall

#if GUEST_BITS == 64

/* The batch's address is in rdi already. */
start:
	call	guest_main

/* void guest_hypercall(struct op *op) */
guest_hypercall:
	push	%rbx
	push	%rbp
	mov	%rdi, %rbp
	mov	OP_REGS + 0(%rbp), %rax
	mov	OP_REGS + 8(%rbp), %rbx
	mov	OP_REGS + 16(%rbp), %rcx
	mov	OP_REGS + 24(%rbp), %rdx
	mov	OP_REGS + 32(%rbp), %rsi
	mov	OP_REGS + 40(%rbp), %rdi
	mov	OP_REGS + 48(%rbp), %r8
	mov	OP_REGS + 56(%rbp), %r9
	mov	OP_REGS + 64(%rbp), %r10
	mov	OP_REGS + 72(%rbp), %r11
	call	*OP_ADDR(%rbp)
	mov	%rax, OP_RESULT(%rbp)
	pop	%rbp
	pop	%rbx
	ret

#else

start:
	pushl	%edi
	call	guest_main

guest_hypercall:
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %ebp
	movl	OP_REGS + 0(%ebp), %eax
	movl	OP_REGS + 8(%ebp), %ebx
	movl	OP_REGS + 16(%ebp), %ecx
	movl	OP_REGS + 24(%ebp), %edx
	movl	OP_REGS + 32(%ebp), %esi
	movl	OP_REGS + 40(%ebp), %edi
	calll	*OP_ADDR(%ebp)
	movl	%eax, OP_RESULT(%ebp)
	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
	ret

#endif
	.section .note.GNU-stack, "", @progbits
