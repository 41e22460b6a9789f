/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot sector of the lab's Bochs machine. Reads what the list in sectors 1 to 8 names from the
 * first IDE disk into memory and enters the kernel as its PVH note says: 32-bit, flat segments,
 * paging off, EBX the hvm_start_info (include/xen/interface/hvm/start_info.h).
 *
 * The list: { u32 address, first sector, sectors } ..., then { u32 entry, start_info, 0 }.
 */
#define LOADED	   0x7c00 /* where the BIOS puts this */
#define LIST	   0x8000
#define AT(label)  (LOADED + label - start)
#define CODE	   8
#define DATA	   16
#define ATA	   0x1f0
#define READ_EXT   0x24 /* READ SECTORS EXT: 48-bit addresses, up to 65536 sectors at once */
#define BUSY_READY 0x88
#define READY	   0x08

	.code16
start:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	inb	$0x92, %al		/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	AT(gdt_end)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE, $AT(flat)

	.code32
flat:	movw	$DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$LOADED, %esp
	cld
	movl	$LIST, %edi
	movl	$1, %eax
	movl	$8, %ecx
	call	load
	movl	$LIST, %ebp
1:	movl	8(%ebp), %ecx
	jecxz	2f
	movl	(%ebp), %edi
	movl	4(%ebp), %eax
	call	load
	addl	$12, %ebp
	jmp	1b
2:	movl	4(%ebp), %ebx
	jmp	*(%ebp)

/* load - ECX sectors from sector EAX on to EDI. The high halves of count and address go first. */
load:	movl	%ecx, %esi
	movl	%eax, %ebx
	movw	$ATA + 6, %dx
	movb	$0x40, %al		/* LBA, first disk */
	outb	%al, %dx
	movb	%ch, %cl		/* sectors / 256 */
	shrl	$24, %eax		/* address bits 24 to 31; those above are zero */
	call	registers
	movl	%esi, %ecx
	movl	%ebx, %eax
	call	registers
	movw	$ATA + 7, %dx
	movb	$READ_EXT, %al
	outb	%al, %dx
1:	movw	$ATA + 7, %dx
2:	inb	%dx, %al
	andb	$BUSY_READY, %al
	cmpb	$READY, %al
	jne	2b
	movw	$ATA, %dx
	movl	$256, %ecx
	rep	insw
	decl	%esi
	jnz	1b
	ret

/* registers - CL to the count's register, EAX bits 0 to 23 to the address' three */
registers:
	movw	$ATA + 2, %dx
	xchgl	%eax, %ecx
	outb	%al, %dx
	movl	%ecx, %eax
	movl	$3, %ecx
1:	incl	%edx
	outb	%al, %dx
	shrl	$8, %eax
	loop	1b
	ret

	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_end:
	.word	. - gdt - 1
	.long	AT(gdt)
	.org	510
	.word	0xaa55
