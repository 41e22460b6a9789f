/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry from a multiboot loader (32-bit, paging off) and everything that C cannot say: exception
 * entries, the way into ring 3 and the accesses themselves. Assembled as 32-bit code for the
 * modes without long mode, and as 64-bit code behind a 32-bit trampoline for the others.
 */
#define MULTIBOOT_MAGIC 0x1badb002

#define USER_DATA   0x1b
#define LDT_DATA    0x0f /* entry 1 of the LDT, ring 3 */
#define INT_SUCCESS 0x30

#ifdef __x86_64__
#define AX     rax
#define CX     rcx
#define SP     rsp
#define DI     rdi
#define WORD   8
#define POPW   popq
#define PUSHW  pushq
#define IRETW  iretq
#define PTR    .quad
#else
#define AX     eax
#define CX     ecx
#define SP     esp
#define DI     edi
#define WORD   4
#define POPW   popl
#define PUSHW  pushl
#define IRETW  iretl
#define PTR    .long
#endif

	.section .multiboot, "a"
	.align	4
	.long	MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.text
	.code32
	.globl	start
start:
	cld
	movl	$stack_top, %esp
#ifdef __x86_64__
	movl	%ebx, %edi
	/* "...=5level" is the one command line that wants five levels. */
	movl	$boot_pml4, %edx
	movl	$0x20, %ecx			/* CR4.PAE */
	movl	16(%ebx), %esi
1:	cmpb	$0, (%esi)
	je	3f
	cmpl	$0x76656c35, (%esi)		/* "5lev" */
	je	2f
	incl	%esi
	jmp	1b
2:	movl	$boot_pml5, %edx
	orl	$0x1000, %ecx			/* CR4.LA57 */
3:	movl	%ecx, %cr4
	movl	%edx, %cr3
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax
	movl	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$8, $1f
	.code64
1:	call	payload
#else
	pushl	%ebx
	call	payload
#endif
1:	hlt
	jmp	1b

/*
 * void cpu_enter(const struct frame *): goes where the frame says. The way back is an exception
 * or INT_SUCCESS, and returns from here with the state of before.
 */
	.globl	cpu_enter
cpu_enter:
#ifdef __x86_64__
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
#else
	movl	4(%esp), %eax
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	pushfl
	movl	%eax, %edi
#endif
	mov	%SP, saved_sp
	PUSHW	4 * WORD(%DI)
	PUSHW	3 * WORD(%DI)
	PUSHW	2 * WORD(%DI)
	PUSHW	1 * WORD(%DI)
	PUSHW	(%DI)
	mov	5 * WORD(%DI), %AX
	movl	$LDT_DATA, %ecx
	IRETW

/* Exception N: an entry each, with an error code of 0 where the CPU pushes none. */
	.macro	entry n
entry_\n:
	.if	!(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21)
	PUSHW	$0
	.endif
	PUSHW	$\n
	jmp	landing
	.endm

	.altmacro
	.set	n, 0
	.rept	32
	entry	%n
	.set	n, n + 1
	.endr
	entry	%INT_SUCCESS

landing:
	POPW	outcome
	POPW	outcome + WORD
	mov	%cr2, %AX
	mov	%AX, outcome + 2 * WORD
	movzbl	%cl, %ecx
	mov	%CX, outcome + 3 * WORD
	mov	saved_sp, %SP
#ifdef __x86_64__
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
#else
	popfl
	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
#endif
	ret

/* The accesses, with the address in AX. They run here in ring 0 and from a copy in ring 3. */
	.align	64
	.globl	stubs, stubs_end, stub_read, stub_write, stub_implicit
stubs:
stub_read:
	movb	(%AX), %cl
	int	$INT_SUCCESS
stub_write:
	movb	%cl, (%AX)
	int	$INT_SUCCESS
/* The CPU itself reads the LDT: a supervisor access, whatever the ring. */
stub_implicit:
	lar	%cx, %eax
	int	$INT_SUCCESS
stubs_end:

	.section .rodata
	.globl	entries
	.align	8
	.macro	entry_address n
	PTR	entry_\n
	.endm
entries:
	.set	n, 0
	.rept	32
	entry_address %n
	.set	n, n + 1
	.endr
	entry_address %INT_SUCCESS

#ifdef __x86_64__
	.align	8
boot_gdt:
	.quad	0, 0x00af9b000000ffff
boot_gdtr:
	.word	15
	.long	boot_gdt

	.data
	.align	4096
boot_pml5:
	.quad	boot_pml4 + 3
	.fill	511, 8, 0
boot_pml4:
	.quad	boot_pdpt + 3
	.fill	511, 8, 0
boot_pdpt:
	.quad	boot_pd + 3
	.fill	511, 8, 0
boot_pd:
	.quad	0x83, 0x200083
	.fill	510, 8, 0
#endif

	.bss
	.align	16
	.globl	saved_sp, outcome
saved_sp:
	.skip	WORD
outcome:
	.skip	4 * WORD
	.align	16
	.skip	8192
stack_top:

	.section .note.GNU-stack, "", @progbits
