/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ptremap: the ioctl ABI between the helper module and its callers.
 *
 * Each call takes a structure that begins with its size, as the caller knows it. A caller older
 * than the module gives a smaller one: what is missing counts as 0. One that is newer may give a
 * larger one, if what the module does not know is 0 (-E2BIG otherwise). Reserved fields and
 * unknown flags must be 0 (-EINVAL). What the module has to say goes into the same structure.
 *
 * Each call asks for CAP_SYS_ADMIN and CAP_SYS_RAWIO, and that lockdown allows raw memory access.
 */
#ifndef UAPI_PTREMAP_H
#define UAPI_PTREMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PTREMAP_DEVICE	"/dev/ptremap"
#define PTREMAP_VERSION 1
#define PTREMAP_TYPE	0xB7

#define PTREMAP_FEATURES _IO(PTREMAP_TYPE, 0)
#define PTREMAP_WALK	 _IO(PTREMAP_TYPE, 1)
#define PTREMAP_TABLES	 _IO(PTREMAP_TYPE, 2)
#define PTREMAP_PHYS	 _IO(PTREMAP_TYPE, 3)
#define PTREMAP_EDIT	 _IO(PTREMAP_TYPE, 4)
#define PTREMAP_LIST	 _IO(PTREMAP_TYPE, 5)
#define PTREMAP_UNDO	 _IO(PTREMAP_TYPE, 6)
#define PTREMAP_MAP	 _IO(PTREMAP_TYPE, 7)
#define PTREMAP_WATCH	 _IO(PTREMAP_TYPE, 8)
#define PTREMAP_VM	 _IO(PTREMAP_TYPE, 9)
#define PTREMAP_EPT	 _IO(PTREMAP_TYPE, 10)
#define PTREMAP_RULE	 _IO(PTREMAP_TYPE, 11)
#define PTREMAP_ACCESS	 _IO(PTREMAP_TYPE, 12)

/*
 * What errors of any call mean:
 *	EPERM		CAP_SYS_ADMIN is missing
 *	EACCES		CAP_SYS_RAWIO is missing
 *	EKEYREJECTED	the kernel is locked down
 *	ENOTTY		no such call
 *	EINVAL		a size that is too small, an unknown flag, a reserved field that is not 0, a
 *			range that wraps
 *	E2BIG		the structure is larger than the module knows, and not 0 there
 *	EFAULT		a pointer to memory that is not the caller's. What the call made is undone
 *	ESRCH		no such process
 *	ENXIO		the process has no memory: a kernel thread, or one that has ended
 *	ENOMEM, EINTR	as everywhere
 */

/*
 * In ->flags of each call, and item, that names a process: ->pid, or ->other_pid, is a file
 * descriptor of pidfd_open(2), so that it is the process which the caller means. EBADF: it is none.
 * ESRCH: it was reaped, or is in a PID namespace where the caller has no number for it. Records
 * have the number. PTREMAP_VM and rules take numbers alone.
 */
#define PTREMAP_PIDFD	    (1U << 31)
#define PTREMAP_OTHER_PIDFD (1U << 30)

/* What the module and the kernel it runs in have. */
struct ptremap_features {
	__u32 size;
	__u32 version;	   /* PTREMAP_VERSION */
	__u64 calls;	   /* bit N: call N is there */
	__u32 levels;	   /* of the kernel's page tables: 4 or 5 */
	__u32 pti;	   /* user mode runs on a copy of the top table */
	__u64 page_offset; /* where the direct map begins */
	__u64 vmalloc_base;
	__u64 vmemmap_base;
	__u64 phys_base;     /* physical address that the kernel's image was moved by */
	__u64 physical_mask; /* bits of an entry that hold an address, and those below 4096 */
	__u64 enc_mask;	     /* memory encryption bit */
};

/* Facts of the page frame that a walk ended in. */
struct ptremap_page {
	__u64 pfn;
	__u32 valid;	/* it has a struct page, so that the others mean something */
	__s32 refcount; /* of the compound page that it is part of */
	__s32 node;	/* NUMA */
	__u32 reserved;
};

#define PTREMAP_MAX_LEVELS 5

/* One address of a PTREMAP_WALK. */
struct ptremap_walk_entry {
	__u64 va;     /* in */
	__s32 status; /* 0; -EDOM: not canonical; -EFAULT: a table could not be read; -EAGAIN: the
		       * tables changed under each of several tries */
	__u8 top;     /* level of the root table */
	__u8 level;   /* of the last entry read: where the walk ends */
	__u8 reserved[2];
	__u64 entry[PTREMAP_MAX_LEVELS]; /* raw, that of level N at N - 1 */
	struct ptremap_page page;	 /* of a present leaf */
};

#define PTREMAP_WALK_USER_ROOT 1 /* with PTI: begin at the table that user mode runs on */
#define PTREMAP_WALK_MAX       65536

/* Walks many addresses of one process, or of the kernel's half (@pid 0). */
struct ptremap_walk {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 nr;      /* entries, at most PTREMAP_WALK_MAX */
	__u64 entries; /* pointer to struct ptremap_walk_entry */
	__u64 root;    /* out: physical address of the top table */
};

/*
 * A part of a table, followed by @nr raw entries of 8 bytes. With ->lost the table had gone, or
 * moved, when its turn came: no entries follow.
 */
struct ptremap_table {
	__u64 pa;    /* of the table */
	__u64 va;    /* that its entry @first translates */
	__u16 first; /* index of the first entry that follows */
	__u16 nr;
	__u8 level;
	__u8 lost;
	__u8 reserved[2];
};

#define PTREMAP_TABLES_MIN_BUF 32768

/*
 * Copies the page tables under [@start, @last] into @buf, top down, as struct ptremap_table
 * records. When the buffer is full, @next is the address to go on from with the next call;
 * otherwise it is 0. Each table is copied at one moment, different ones at different moments.
 */
struct ptremap_tables {
	__u32 size;
	__u32 flags; /* PTREMAP_WALK_USER_ROOT */
	__s32 pid;   /* 0: the kernel's half */
	__u32 reserved;
	__u64 start;
	__u64 last;
	__u64 buf;
	__u64 buf_len; /* at least PTREMAP_TABLES_MIN_BUF */
	__u64 used;    /* out: bytes */
	__u64 next;    /* out */
	__u64 root;    /* out */
};

#define PTREMAP_PHYS_WRITE 1
#define PTREMAP_PHYS_MMIO  2  /* device memory is allowed, in accesses of exactly @width bytes */
#define PTREMAP_PHYS_VA	   4  /* @pa is an address of process @pid */
#define PTREMAP_PHYS_FORCE 8  /* with VA and WRITE: also what the process may only read */
#define PTREMAP_PHYS_GPA   16 /* @pa is guest-physical, of the VM behind @fd of @pid; with WRITE */
#define PTREMAP_PHYS_CHECK 32 /* with GPA: nothing is written, the pages are made ready */
#define PTREMAP_PHYS_MAX   (16U << 20)

/*
 * Reads or writes physical memory. Without PTREMAP_PHYS_MMIO only RAM. -ENXIO: no RAM at @pa +
 * @done (-EIO: it is there but cannot be accessed: poisoned, or taken out of the direct map;
 * -EROFS: the kernel's own read-only memory); what lies before it was transferred. -ERANGE: beyond
 * the physical address width. -EMSGSIZE: too long.
 *
 * With PTREMAP_PHYS_VA (and PTREMAP_PIDFD, if @pid is one) memory of a process, through the frames
 * that its tables lead to at that moment, also where it is PROT_NONE. Nothing is faulted in. -ENXIO
 * of @pa + @done: no page is there; -ENODEV: no RAM, but a device's memory; -EROFS: the entry does
 * not let the process write, as of read-only, copy-on-write and many of files' pages: others may
 * have the same frame; -EDOM: not all of it is in the user half; -EAGAIN: the page was another one
 * after each of several tries. @done 0 and -ENXIO may also be a process without memory.
 *
 * With PTREMAP_PHYS_GPA a guest's memory is written as the VM's process would do it: pages are
 * faulted in, and copied before that where they are copy-on-write; KVM's dirty log has them. CHECK
 * goes as far without the bytes, @done is then what could be written. Errors, beside those of
 * PTREMAP_VM, of @pa + @done: ENXIO: no memory slot; EROFS: a read-only slot; ENODATA: the process
 * has nothing there that it may write to; EAGAIN: the slot is being changed. EOPNOTSUPP: the VM's
 * dirty log is a ring, which only a vCPU can fill; ENOKEY: the guest is encrypted.
 */
struct ptremap_phys {
	__u32 size;
	__u32 flags;
	__u64 pa;
	__u64 len; /* at most PTREMAP_PHYS_MAX */
	__u64 buf;
	__u64 done;  /* out: bytes transferred */
	__u32 width; /* with PTREMAP_PHYS_MMIO: 1, 2, 4 or 8; else 0 */
	__s32 pid;   /* with PTREMAP_PHYS_VA and GPA; else 0 */
	__s32 fd;    /* with PTREMAP_PHYS_GPA: a VM's, or -1: the only one; else 0 */
	__u32 reserved;
};

/* What is done to a leaf of a process' page tables, of 4 KiB or 2 MiB. */
enum ptremap_what {
	PTREMAP_PROTECT = 1, /* bits @clear of the entry are cleared, then bits @set are set */
	PTREMAP_FRAME,	     /* it leads to the frame of @other_pid's @other_va */
	PTREMAP_SWAP,	     /* it and the leaf of @other_pid's @other_va exchange their frames */
	PTREMAP_FRESH,	     /* it leads to a new page of zeros; not in hugetlb */
	PTREMAP_TRAP,	     /* the next access faults; then the kernel lets it through; not in
			      * hugetlb */
	PTREMAP_RAM,	     /* it leads to the page of RAM at physical address @other_va, cached */
	PTREMAP_MMIO,	     /* it leads to device memory at physical address @other_va, uncached */
};

/*
 * Bits that PTREMAP_PROTECT may change: RW, PWT, PCD, A, D, PAT (7), the protection key (59 to 62),
 * NX. RW is set only in memory that the process may have a writable copy of, which it gets first.
 */
#define PTREMAP_PROTECT_BITS 0xf8000000000000faULL
/* The same of 2 MiB leaves: PAT is 12 there. */
#define PTREMAP_PROTECT_BITS_2M 0xf80000000000107aULL

#define PTREMAP_ITEM_EXPECT 1 /* the entry must be @expected, accessed and dirty bits aside */
/*
 * PTREMAP_RAM: the page may be of this kind, which is refused otherwise. Each kind needs its own
 * flag. A page that the kernel gives up meanwhile stays allocated until the edit ends, but for free
 * and reserved ones: those may be given to anybody, who then shares it with this process.
 */
#define PTREMAP_ITEM_FORCE_FREE	    0x10  /* free: nobody holds a reference */
#define PTREMAP_ITEM_FORCE_TABLE    0x20  /* a page table; upper ones may be of kind KERNEL */
#define PTREMAP_ITEM_FORCE_SLAB	    0x40  /* kernel objects */
#define PTREMAP_ITEM_FORCE_RESERVED 0x80  /* the kernel's image, firmware's */
#define PTREMAP_ITEM_FORCE_KERNEL   0x100 /* the kernel's own for another purpose */
#define PTREMAP_ITEM_FORCE	    0x1f0 /* any of them */

struct ptremap_item {
	__s32 pid;
	__s32 other_pid;
	__u64 va; /* a multiple of 4096, or with ->level 2 of 2 MiB */
	__u64 other_va;
	__u64 set;
	__u64 clear;
	__u64 expected;
	__u64 old; /* out: the entry before */
	__u64 new; /* out: the entry now; with PTREMAP_EDIT_DRY_RUN what it would be */
	__u32 what;
	__u32 flags;
	__s32 status; /* out: 0, or why this item, and so the whole call, failed */
	__u32 level;  /* 0 or 1: a 4 KiB leaf; a huge one is split. 2: a 2 MiB leaf, which must be
		       * there, and at other_va, too: a transparent huge page, anonymous or of
		       * tmpfs, or one of hugetlb; FRAME and SWAP take two of hugetlb, or none */
};

#define PTREMAP_EDIT_DRY_RUN 1 /* nothing is changed; ->id stays 0 */
#define PTREMAP_EDIT_KEEP    2 /* it outlives the caller's file, until PTREMAP_UNDO or rmmod */
#define PTREMAP_EDIT_MAX     4096

/*
 * Changes all items or none. When the call returns, no CPU uses an old translation any more. The
 * originals come back with PTREMAP_UNDO, when the file is closed (but see PTREMAP_EDIT_KEEP), and
 * before the kernel itself acts on a page that was changed: that page's alone, and for a SWAP both.
 *
 * A page is faulted in first, and, at level 1, split from a huge one; where the process is to
 * write to a page of its own (SWAP, FRAME's source, PROTECT with RW), a copy-on-write one is copied
 * first. With an error nothing else has changed, and items say why in ->status.
 *
 * What RAM and MMIO lead to is written to where the process may write to its memory: of RAM if it
 * is another process' own page or tmpfs', or a kind that was forced. A forced kind, and device
 * memory, is no page to the kernel: when something needs the page itself at that address (O_DIRECT,
 * vmsplice, ptrace, /proc/PID/mem, a core dump), the original comes back first, as with the others
 * that act on it. The mapping gets MADV_RANDOM's flag for as long (VM_RAND_READ): the multi-gen LRU
 * leaves such mappings alone.
 *
 * Errors of items, beside those above:
 *	EDOM		va is not in the user half, or is no multiple of 4096, at level 2 of 2 MiB;
 *			nor is an address of RAM or MMIO
 *	ENOENT		nothing is mapped there, or no page could be faulted in
 *	ENOTBLK		level 2: no 2 MiB leaf is there, or it leads to the kernel's page of zeros;
 *			one that a fork shares is split when the process is to write to it
 *	EOPNOTSUPP	memory of a kind that is not changed: a device's, shadow stacks; TRAP in a
 *			kernel without NUMA balancing. Level 1: hugetlb. Level 2: files outside of
 *			tmpfs; hugetlb pages of other sizes, those in shared memory that covers a
 *			whole GiB of addresses (others may have the same table), FRESH, TRAP and
 *			PAT of hugetlb, a page of hugetlb with one that is none
 *	ESTALE		the entry is not the expected one, or a page of SWAP was replaced meanwhile
 *	EBUSY		an active edit has that page already, or a part of it, or another item of
 *			this call
 *	EROFS		the process would come to write where it may not: PROTECT would make shared
 *			read-only memory writable, or a read-only page dirty; the frame's owner may
 *			only read it, or its file system wants to hear of each page that is written
 *	EXDEV		the process has a KVM guest, which would not see another frame: KVM is told
 *			where ptremap_kvm is loaded, but not of RAM and MMIO
 *	EAGAIN		the kernel kept changing the page under each of several tries
 *	ERANGE		RAM, MMIO: beyond the physical address width
 *	ENODEV		RAM: no RAM there. MMIO: no device memory there
 *	EMEDIUMTYPE	MMIO: others have it mapped with another cache type
 *	ENODATA, ELOOP, ENOTEMPTY, ENOTUNIQ, EADDRINUSE
 *			RAM: of a kind that needs its FORCE flag, as with PTREMAP_MAP_PHYS
 *	EHWPOISON	RAM: broken; nothing overrides that
 * EOPNOTSUPP of RAM and MMIO also stands for pages of hugetlb or of secret memory, for memory of
 * devices that the kernel has page structures for, and for shared memory that userfaultfd
 * write-protects, where no page of a process is led to.
 */
struct ptremap_edit {
	__u32 size;
	__u32 flags;
	__u64 items; /* pointer to struct ptremap_item */
	__u32 nr;    /* at most PTREMAP_EDIT_MAX */
	__u32 id;    /* out: of the transaction */
};

/* What a new mapping leads to. */
enum ptremap_source {
	PTREMAP_MAP_FRAMES = 1, /* the frames of @other_pid's memory from @from on */
	PTREMAP_MAP_FRESH,	/* new pages of zeros */
	PTREMAP_MAP_PHYS,	/* RAM from physical address @from on */
	PTREMAP_MAP_MMIO,	/* device memory from physical address @from on */
};

/* How the CPU caches it. RAM that others have mapped is WB, device memory UC or WC. */
enum ptremap_cache {
	PTREMAP_CACHE_WB,
	PTREMAP_CACHE_UC,
	PTREMAP_CACHE_WC,
};

/* ->prot; READ is part of each. mprotect() in the process does not get it beyond that. */
#define PTREMAP_MAP_READ  1
#define PTREMAP_MAP_WRITE 2
#define PTREMAP_MAP_EXEC  4

#define PTREMAP_MAP_KEEP    1 /* as PTREMAP_EDIT_KEEP, but rmmod fails while it is there */
#define PTREMAP_MAP_LOW	    2 /* @va is 0: a free place below 2 GiB */
#define PTREMAP_MAP_DRY_RUN 4 /* nothing is mapped; @va says where it would be, @id stays 0 */
#define PTREMAP_MAP_MAX	    (1U << 30)

/*
 * Maps pages at an address of process @pid where nothing is. The mapping is one of the process like
 * others, [ptremap] in its list; it goes when it is undone, when the file is closed, or when the
 * process unmaps it, ends or becomes another program. Children do not inherit it. The frames are
 * held for as long: what was written to them stays with who else has them.
 *
 * Errors, beside those above:
 *	EDOM		@va, or @from of FRAMES, is not in the user half, or is no multiple of 4096
 *	EADDRNOTAVAIL	@va is below what vm.mmap_min_addr allows
 *	EEXIST		something is mapped there already
 *	ENOMEM		there is no free place; or as everywhere
 *	EMSGSIZE	longer than PTREMAP_MAP_MAX
 *	ENOEXEC		writable and executable, which the process has forbidden itself
 *	EMEDIUMTYPE	this memory cannot have that cache type
 *	EROFS		to be written to, but: the lender may not write there (FRAMES); it is of a
 *			file, or shared by KSM (PHYS)
 *	ENOENT		FRAMES: nothing is mapped there, or no page could be faulted in
 *	EOPNOTSUPP	FRAMES: memory of a kind that is not lent: a device's, or huge pages of
 *			hugetlb
 *	EAGAIN		FRAMES: the kernel kept changing the page under each of several tries
 *	ERANGE		beyond the physical address width
 *	ENODEV		PHYS: no RAM there. MMIO: no device memory there
 * and of PHYS, where a page is none that a process can have; nothing overrides that here:
 *	ENODATA		free
 *	ELOOP		a page table
 *	ENOTEMPTY	slab: kernel objects
 *	ENOTUNIQ	reserved: the kernel's image, firmware's
 *	EADDRINUSE	the kernel's own for another purpose
 *	EHWPOISON	broken
 */
struct ptremap_map {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__s32 other_pid; /* of FRAMES, else 0 */
	__u64 va;	 /* in: a multiple of 4096; 0: any free place; out: where it is */
	__u64 len;	 /* a multiple of 4096, at most PTREMAP_MAP_MAX */
	__u64 from;	 /* a multiple of 4096; of FRESH 0 */
	__u32 source;	 /* enum ptremap_source */
	__u32 prot;
	__u32 cache; /* enum ptremap_cache */
	__u32 id;    /* out: of the transaction */
};

enum ptremap_state {
	PTREMAP_ACTIVE = 1,
	PTREMAP_TAKEN, /* the kernel acted on the page: the original came back before, see ->cause
			*/
	PTREMAP_LOST,  /* the entry was replaced without a word; it was left alone, and the pages of
			* an edit that exchanged them stay allocated */
};

/* Why an edit is no longer active: what the kernel was about to do. */
enum ptremap_cause {
	PTREMAP_CAUSE_NONE,
	PTREMAP_CAUSE_UNDO,
	PTREMAP_CAUSE_UNMAP,   /* munmap, mremap */
	PTREMAP_CAUSE_CLEAR,   /* reclaim, madvise, copy on write, KSM, THP; also where a VMA is
				* split, as huge pages are then */
	PTREMAP_CAUSE_PROTECT, /* mprotect, NUMA balancing, fork, write-protection */
	PTREMAP_CAUSE_SOFT_DIRTY,
	PTREMAP_CAUSE_EXIT, /* exit, exec, or a kill */
	PTREMAP_CAUSE_MIGRATE,
	PTREMAP_CAUSE_OTHER,
	PTREMAP_CAUSE_SLOT, /* a memory slot there was made, deleted, moved, made read-only, or its
			     * writes began to be logged */
	PTREMAP_CAUSE_ZAP,  /* KVM dropped the entry of EPT or NPT, to make it anew when needed */
	PTREMAP_CAUSE_ACCESS, /* the guest did what the entry does not allow; then it may */
	PTREMAP_CAUSE_VM,     /* the VM has ended, its process has not */
};

/* ->what of a PTREMAP_MAP's record; ->old is its length, ->new its ->from. */
#define PTREMAP_MAPPED 64

#define PTREMAP_RECORD_VM     1 /* of a PTREMAP_EPT: ->gpa and ->vm_fd */
#define PTREMAP_RECORD_STICKY 2 /* made with PTREMAP_EPT_STICKY */

/* Its size may grow: callers say which one they know. PTREMAP_RECORD_SIZE_1 ends behind ->new. */
#define PTREMAP_RECORD_SIZE_1 40
struct ptremap_record {
	__u32 id;   /* of the transaction */
	__u32 what; /* enum ptremap_what, or ptremap_ept_what */
	__s32 pid;
	__u8 state;
	__u8 cause;
	__u8 keep;
	__u8 level; /* of the leaf: 1 or 2; of PTREMAP_MAPPED 0 */
	__u64 va;   /* with PTREMAP_RECORD_VM: the guest's page in the VM's process */
	__u64 old;
	__u64 new;
	__u64 gpa;
	__s32 vm_fd; /* descriptor of the VM in process @pid */
	__u32 flags; /* PTREMAP_RECORD_* */
};

/* Lists the items of all transactions that were not undone yet, oldest first. */
struct ptremap_list {
	__u32 size;
	__u32 flags;	   /* 0 */
	__u64 records;	   /* pointer to struct ptremap_record */
	__u32 nr;	   /* in: how many fit; out: how many there are, perhaps more */
	__u32 record_size; /* bytes of a record, at least PTREMAP_RECORD_SIZE_1, which 0 stands
			    * for; what the module does not know of it is 0 */
};

/* Undoes transaction @id, or all of them (0). ENOENT: there is no such transaction. */
struct ptremap_undo {
	__u32 size;
	__u32 flags; /* 0 */
	__u32 id;
	__u32 restored; /* out: items that were active until now */
};

#define PTREMAP_WATCH_ALL 1 /* transactions of all files, not only of this one */

/*
 * Makes a file descriptor, @fd, that tells what becomes of transactions from now on: each read(2)
 * gives whole struct ptremap_event, as many as there are and fit, and waits for the first one
 * (EAGAIN with O_NONBLOCK, which PTREMAP_WATCH_NONBLOCK sets); poll(2) works. Errors of read:
 * EINVAL, the buffer is smaller than one event, and those of rights, which each read asks for.
 *
 * Each item that comes into force is MADE, and GONE once, when no CPU uses it any more: whoever
 * took it back, and whatever happens to its transaction later. Of what was made before the watch
 * there is GONE alone. Up to @nr events wait to be read; further ones are counted in ->lost of the
 * next one that is, or of a LOST event when all others were read.
 *
 * Without ALL the device's file that the call is made on is watched, with what it keeps. When it is
 * closed, the last events can be read (GONE of all but what is kept); then read() gives 0 bytes.
 * The module stays loaded for as long as the descriptor is open.
 */
#define PTREMAP_WATCH_NONBLOCK 2
#define PTREMAP_WATCH_MAX      65536
struct ptremap_watch {
	__u32 size;
	__u32 flags;
	__u32 nr;	   /* events that may wait; 0: 4096; at most PTREMAP_WATCH_MAX */
	__s32 fd;	   /* out */
	__u32 record_size; /* of the events' records, as in struct ptremap_list */
	__u32 reserved;
};

enum ptremap_event_type {
	PTREMAP_EVENT_MADE = 1, /* an item was changed, or a mapping was made */
	PTREMAP_EVENT_GONE,	/* it is no longer in force: ->state and ->cause of the record */
	PTREMAP_EVENT_LOST, /* ->lost events before this one, behind which none came; no record */
};

struct ptremap_event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 type; /* enum ptremap_event_type */
	__u32 lost; /* events before this one that there was no room for */
	struct ptremap_record record;
};

/* A memory slot of a VM: guest-physical memory that is memory of its process. */
struct ptremap_slot {
	__u64 gpa;
	__u64 len;
	__u64 hva;
	__u32 flags; /* KVM_MEM_* of linux/kvm.h */
	__u16 id;
	__u16 space; /* 0; 1: what is seen in system management mode */
};

enum ptremap_vcpu_how {
	PTREMAP_VCPU_OUTSIDE = 1, /* it was not in KVM_RUN */
	PTREMAP_VCPU_EXIT,	  /* the guest ran, and left for this moment */
	PTREMAP_VCPU_HALTED,	  /* the guest had halted */
};

#define PTREMAP_VCPU_CS_L   1	 /* 64-bit code */
#define PTREMAP_VCPU_CS_D   2	 /* 32-bit code */
#define PTREMAP_VCPU_NESTED 4	 /* a guest of the guest runs: the registers are that one's */
#define PTREMAP_VCPU_GLA    0x10 /* only of tracepoint ptremap_vcpu_exit: it has an address */

/* A vCPU as it was at one moment, in its own context. */
struct ptremap_vcpu {
	__u32 id;
	__s32 status; /* 0; -ETIMEDOUT: it did not come to a point where it could be looked at;
		       * -EOPNOTSUPP: its state is encrypted. Then only what follows ->how is set */
	__u64 rip;
	__u64 cr0;
	__u64 cr3;
	__u64 cr4;
	__u64 efer;
	__u32 flags; /* PTREMAP_VCPU_* */
	__u8 how;    /* enum ptremap_vcpu_how */
	/* ->root: physical address of the EPT's or NPT's top table; of level ->level; 0: it has
	 * none now (KVM dropped it, and will make a new one) */
	__u8 level;
	__u8 maxphyaddr; /* that the guest sees */
	__u8 reserved;
	__u64 root;
};

enum ptremap_vm_tables {
	PTREMAP_VM_SHADOW, /* the CPU runs on copies of the guest's tables: no EPT, no NPT */
	PTREMAP_VM_EPT,
	PTREMAP_VM_NPT,
};

#define PTREMAP_VM_NO_VCPUS 1 /* leave the vCPUs alone: only ->nr_vcpus is told */
/* Of vCPUs only ->id, ->maxphyaddr, ->level and ->root: none of them is disturbed for that. */
#define PTREMAP_VM_ROOTS     2
#define PTREMAP_VM_SLOTS_MAX 65536
#define PTREMAP_VM_VCPUS_MAX 4096

/*
 * What KVM knows of the VM that is behind descriptor @fd of process @pid. It needs the module
 * ptremap_kvm (EPROTONOSUPPORT: that is not loaded). A vCPU that runs is made to leave the guest
 * for a moment; none is waited for longer than a second.
 *
 * EBADF: @fd is no VM's. ENOENT: @fd is -1, and the process has none. ENOTUNIQ: it has several.
 */
struct ptremap_vm {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__s32 fd;	/* in, -1: the only one; out: the lowest that stands for it */
	__u64 slots;	/* pointer to struct ptremap_slot, by address */
	__u64 vcpus;	/* pointer to struct ptremap_vcpu */
	__u32 nr_slots; /* in: how many fit; out: how many there are, perhaps more */
	__u32 nr_vcpus;
	__u32 tables; /* out: enum ptremap_vm_tables, by what the vCPUs use */
	__s32 owner;  /* out: the process that made it, by the initial PID namespace's number */
};

/*
 * What is done to a guest-physical page of a VM. FRAME, SWAP and FRESH are edits of the host's
 * mapping behind it: guest, VMM and KVM see the same page, and so do other gpas that have it.
 * PROTECT and CACHE are edits of the entries of EPT or NPT, for all vCPUs.
 */
enum ptremap_ept_what {
	PTREMAP_EPT_PROTECT = 32, /* bits @clear of the access are taken, then bits @set given */
	PTREMAP_EPT_CACHE,	  /* its memory type is @cache, whatever the guest's PAT says */
	PTREMAP_EPT_FRAME,	  /* it leads to the page at @other */
	PTREMAP_EPT_SWAP,	  /* it and the page at @other change places */
	PTREMAP_EPT_FRESH,	  /* it leads to a new page of zeros */
};

#define PTREMAP_EPT_READ  1
#define PTREMAP_EPT_WRITE 2
#define PTREMAP_EPT_EXEC  4

/* ->cache: memory types as EPT's entries have them. */
enum ptremap_ept_cache {
	PTREMAP_EPT_UC = 0,
	PTREMAP_EPT_WC = 1,
	PTREMAP_EPT_WT = 4,
	PTREMAP_EPT_WP = 5,
	PTREMAP_EPT_WB = 6,
};

/* ->other_fd beside descriptors of VMs. */
#define PTREMAP_EPT_ONLY_VM (-1) /* the only VM of ->other_pid */
#define PTREMAP_EPT_PROCESS (-2) /* no VM: ->other is an address of process ->other_pid */

#define PTREMAP_EPT_ITEM_EXPECT 1 /* ->old must be @expected, A and D bits aside */
#define PTREMAP_EPT_ITEM_SPLIT	2 /* PROTECT, CACHE: a 2 MiB leaf there is split first */

struct ptremap_ept_item {
	__u64 gpa;	 /* a multiple of 4096, or with ->level 2 of 2 MiB */
	__u64 other;	 /* of FRAME and SWAP: a gpa of the VM ->other_fd of ->other_pid, or an
			  * address of that process; else 0 */
	__s32 other_pid; /* 0: the process of the call; then ->other_fd is not PROCESS */
	__s32 other_fd;	 /* with ->other_pid 0: 0, the VM of the call */
	__u32 what;	 /* enum ptremap_ept_what */
	__u32 level;	 /* 0 or 1: 4 KiB; 2: 2 MiB, which must be there, in host and guest alike */
	__u32 set;	 /* PTREMAP_EPT_READ ... */
	__u32 clear;
	__u32 cache; /* enum ptremap_ept_cache; but of CACHE 0 */
	__u32 flags; /* PTREMAP_EPT_ITEM_*, PTREMAP_OTHER_PIDFD */
	__u64 expected;
	__u64 old; /* out: the entry before: of PROTECT and CACHE that of EPT or NPT, of the others
		    * that of the VM's process */
	__u64 new; /* out: the entry now; with PTREMAP_EPT_DRY_RUN what it would be, with
		    * PTREMAP_EPT_REHEARSE what it was for that moment */
	__s32 status; /* out: 0, or why this item, and so the whole call, failed */
	__u32 reserved;
};

#define PTREMAP_EPT_DRY_RUN 1
#define PTREMAP_EPT_KEEP    2
#define PTREMAP_EPT_STICKY                                                      \
	4 /* PROTECT, CACHE: what KVM took away is made again when it makes the \
	   * entry anew, before the guest goes on */
#define PTREMAP_EPT_REHEARSE                                                      \
	8 /* FRAME, SWAP, FRESH: each is made, and taken back at once, before any \
	   * vCPU or thread gets to its pages: they wait, and see no change */
#define PTREMAP_EPT_MAX 4096

/*
 * Changes what guest-physical pages of the VM behind descriptor @fd of process @pid lead to, or how
 * they may be used; as PTREMAP_EDIT, all items or none. Items of one call are all of FRAME, SWAP
 * and FRESH, or all of PROTECT and CACHE. It needs ptremap_kvm, as PTREMAP_VM does, whose errors
 * for @fd it has.
 *
 * When the call returns, no vCPU and no CPU uses an old translation. The originals come back as
 * those of PTREMAP_EDIT do, and before a memory slot goes that has the page, or changes. No vCPU
 * sees one page of a SWAP changed and the other one not, neither when it is made nor when it ends.
 *
 * A rehearsal (PTREMAP_EPT_REHEARSE) is no transaction: when the call returns, nothing is in force,
 * and watches were told nothing. Items before one that failed have been rehearsed.
 *
 * Errors of items, beside those of PTREMAP_EDIT:
 *	EDOM		the gpa is no multiple of the page's size; or at level 2 guest and host
 *			have the page at different places of 2 MiB
 *	EADDRNOTAVAIL	no memory slot has this gpa: it is device memory of the VMM's, or nothing
 *	EROFS		the slot is read-only; or as with PTREMAP_EDIT
 *	EUCLEAN		the VMM has the writes to this slot logged, and would miss the change
 *	EPROTOTYPE	PROTECT, CACHE: the VM has neither EPT nor NPT: KVM shadows the guest's
 *			own tables
 *	EMULTIHOP	PROTECT, CACHE: the guest runs a guest of its own, on tables that KVM
 *			shadows
 *	ENOKEY		the guest's memory is encrypted
 *	EXDEV		the VM's memory is not that of process @pid, which has only a descriptor of
 *			it; of PTREMAP_EDIT, the process has a VM, and ptremap_kvm is not loaded
 *	EBADF, ENOTUNIQ, ENODEV
 *			->other_fd is no VM's; or is ONLY_VM, and there are several, or none
 *	EISDIR		level 1 of PROTECT and CACHE: a 2 MiB leaf is there, and SPLIT is not set
 *	EOPNOTSUPP	this access alone cannot be taken or given here: on AMD's machines write
 *			and execute can, and all three together; STICKY of FRAME, SWAP, FRESH;
 *			REHEARSE of the others
 */
struct ptremap_ept {
	__u32 size;
	__u32 flags; /* PTREMAP_EPT_*, PTREMAP_PIDFD */
	__s32 pid;
	__s32 fd;    /* in, -1: the only one; out: the lowest that stands for it */
	__u64 items; /* pointer to struct ptremap_ept_item */
	__u32 nr;    /* at most PTREMAP_EPT_MAX */
	__u32 id;    /* out: of the transaction */
};

/* What a rule waits for. */
enum ptremap_on {
	PTREMAP_ON_HYPERCALL = 1, /* a vCPU of the VM makes hypercall @nr */
	PTREMAP_ON_VIOLATION,	  /* EPT violation or NPF at a gpa of [@first, @last] */
	PTREMAP_ON_FAULT,	  /* a thread of the process faults in user mode, there */
};

/* What it does then, to the pages that @page and @other name. */
enum ptremap_do {
	PTREMAP_DO_TRACE = 1, /* nothing, but for the event */
	PTREMAP_DO_SWAP,    /* they change places; HYPERCALL: the second time, that is taken back */
	PTREMAP_DO_MAP,	    /* @page leads to what @other leads to */
	PTREMAP_DO_FRESH,   /* @page leads to a new page of zeros */
	PTREMAP_DO_PROTECT, /* @page: accesses @clear are taken, then @set given */
};

/* Registers of a vCPU in the order of their numbers in instructions; RSP (4) is none of a rule. */
#define PTREMAP_REG_PAGE 16 /* the page of the address that the trigger is about, at ->level */
#define PTREMAP_REG_NONE 17 /* 0 */
#define PTREMAP_REGS	 17
#define PTREMAP_REG_RSP	 4

struct ptremap_operand {
	__u32 reg;
	__u32 reserved;
	__u64 add; /* is added to it, and wraps */
};

struct ptremap_condition {
	__u32 reg; /* below PTREMAP_REG_PAGE */
	__u32 reserved;
	__u64 value;
};

#define PTREMAP_CONDITIONS 4
#define PTREMAP_RULES_MAX  32 /* that there are at a time */

#define PTREMAP_RULE_KEEP 1 /* it outlives the caller's file, until it is removed */
#define PTREMAP_RULE_ONCE 2 /* it acts the first time alone */
/* HYPERCALL: the guest gets @ret in RAX when it has acted. Where the VMM answers the call itself it
 * fails (EINPROGRESS). */
#define PTREMAP_RULE_RETURN 4
#define PTREMAP_RULE_USER   8 /* HYPERCALL: also calls that KVM refuses: of a guest's user mode */

struct ptremap_rule {
	__u32 id; /* out */
	__u32 flags;
	__s32 pid;
	__s32 fd; /* of the VM: in, -1: the only one; out: the lowest. FAULT: 0 */
	__u32 on;
	__u32 act;    /* enum ptremap_do */
	__u64 nr;     /* HYPERCALL; else 0 */
	__u64 first;  /* VIOLATION, FAULT; else 0 */
	__u64 last;   /* that counts, too */
	__u32 access; /* VIOLATION, FAULT: PTREMAP_EPT_READ ... that count, one at least; else 0 */
	__u32 level;  /* of the pages: 1, or 2 for 2 MiB */
	__u32 nr_conditions;
	__u32 per_second; /* it acts no more often; 0: as often as it is called */
	struct ptremap_condition conditions[PTREMAP_CONDITIONS]; /* registers of HYPERCALL */
	struct ptremap_operand page;  /* gpa; of FAULT an address of the process */
	struct ptremap_operand other; /* SWAP, MAP: the same; else NONE and 0 */
	__u32 set;		      /* PROTECT: PTREMAP_EPT_READ ... */
	__u32 clear;
	__u64 ret;
	/* out, of what happened so far */
	__u64 matched; /* times that it was called */
	__u64 done;    /* of these: it acted */
	__u64 limited; /* it did not, because of ONCE and per_second */
	__u64 failed;  /* it could not */
	__s32 error;   /* why, the last time */
	__u32 slot;    /* its bit in struct ptremap_hit */
	__u32 over;    /* its VM, or process, has gone */
	__u32 reserved;
};

#define PTREMAP_RULE_ADD    1 /* @rules: all or none; ->id, ->slot and ->fd are answered */
#define PTREMAP_RULE_REMOVE 2 /* rule @id (0: all), and what it changed is undone */
#define PTREMAP_RULE_LIST   3

/*
 * Rules: changes that the module makes by itself when a guest, or process, does something, before
 * that goes on. What calls them is a BPF program on the raw tracepoint ptremap_rule (see struct
 * ptremap_hit); without one they do nothing. Rules go when the file is closed, with what they
 * changed, but for those that are kept. A rule's changes are transactions as those of PTREMAP_EPT
 * and PTREMAP_EDIT, and listed with them.
 *
 * The module asks the program at each hypercall (violation, fault) of a VM (process) that has rules
 * for such. It acts when the exit has been handled, in the vCPU's thread, before that enters the
 * guest again, or returns to user mode; of a fault, when it is resolved, before the thread goes on.
 *
 * Errors of ADD, beside those of PTREMAP_VM (but of FAULT):
 *	ENOSPC		there are PTREMAP_RULES_MAX rules
 *	EEXIST		it is at odds with another rule: both can be called by the same event, and
 *			name the same page. ->id is the other's
 *	EPROTOTYPE	VIOLATION: the VM has neither EPT nor NPT
 *	EOPNOTSUPP	this kernel does not let the module see such events
 *	ENOENT		REMOVE: there is no such rule
 * and those of a rule's acting, in ->error and the event ptremap_acted: of PTREMAP_EPT, of
 * PTREMAP_EDIT for FAULT, and
 *	EKEYREJECTED	the kernel is locked down: no rule acts
 *	EUSERS		it has PTREMAP_RULE_CHANGES changes in force
 *	EBUSY		also: too many threads are being acted for at this moment
 */
#define PTREMAP_RULE_CHANGES 1024
struct ptremap_rules {
	__u32 size;
	__u32 op;	 /* PTREMAP_RULE_ADD ... */
	__u64 rules;	 /* pointer to struct ptremap_rule; REMOVE: 0 */
	__u32 nr;	 /* ADD: how many; LIST: in: how many fit, out: how many there are */
	__u32 id;	 /* REMOVE: which; ADD: out: which one failed, from 1 on; else 0 */
	__u32 rule_size; /* bytes of a struct ptremap_rule, as the caller knows it */
	__u32 restored;	 /* out: REMOVE: items that were active until now */
};

/*
 * The argument of the raw tracepoint ptremap_rule, for programs of type raw_tracepoint.w. Bit N of
 * ->fire calls the rule whose ->slot is N; it is the only thing that counts of what is written.
 */
struct ptremap_hit {
	__u64 fire;
	__u64 asked; /* rules that may be called: those of this VM or process, and of ->on */
	__u64 addr;  /* gpa, or address */
	__u64 regs[PTREMAP_REG_PAGE]; /* of HYPERCALL: RAX, RCX, RDX, RBX, (0), RBP, RSI, RDI, R8
					 ... */
	__u32 on;
	__u32 access; /* PTREMAP_EPT_READ ... */
	__u32 vcpu;
	__s32 pid;		      /* by the initial PID namespace's number */
	__u32 ids[PTREMAP_RULES_MAX]; /* of rules that may be called, by slot */
};

/* Guest-physical pages whose use is watched, and which use. */
struct ptremap_access_range {
	__u64 gpa; /* a multiple of 4096 */
	__u64 len; /* so, too; not 0 */
	__u32 on;  /* PTREMAP_EPT_READ ... */
	__u32 reserved;
};

#define PTREMAP_ACCESS_RANGES	65536 /* at most in one call */
#define PTREMAP_ACCESS_ROOM	(1U << 20)
#define PTREMAP_ACCESS_NONBLOCK 1 /* of the descriptor: read() does not wait */

/*
 * Tells what the guest does in these ranges, by a descriptor that read() gives struct
 * ptremap_access from; it can be polled. The guest goes on unharmed: KVM does what it wants
 * to do in its place. Closing the descriptor ends it. read() gives 0 when the VM has ended.
 * A range may have addresses without memory: what is there later is watched, too. Errors as
 * of PTREMAP_EPT, and EDOM: a range is not of whole pages, or wraps.
 */
struct ptremap_access_watch {
	__u32 size;
	__u32 flags; /* PTREMAP_ACCESS_NONBLOCK, PTREMAP_PIDFD */
	__s32 pid;
	__s32 vm_fd;  /* in, -1: the only one; out: the lowest that stands for it */
	__u64 ranges; /* pointer to struct ptremap_access_range */
	__u32 nr;     /* at most PTREMAP_ACCESS_RANGES */
	__u32 room;   /* in events, at most PTREMAP_ACCESS_ROOM; 0: 65536 */
	__s32 fd;     /* out */
	__u32 reserved;
};

enum ptremap_access_type {
	PTREMAP_ACCESS_DONE = 1, /* an access */
	/*
	 * An access of a kind that KVM cannot do in the guest's place: the guest does it
	 * itself, and what else is done in that page (or 2 MiB) until CLOSED is not seen.
	 */
	PTREMAP_ACCESS_OPENED,
	PTREMAP_ACCESS_CLOSED,
	PTREMAP_ACCESS_LOST, /* nothing but ->lost */
};

#define PTREMAP_ACCESS_GVA   1 /* ->gva is known */
#define PTREMAP_ACCESS_VALUE 2 /* ->value is known: what was read or written, 8 bytes at most */
#define PTREMAP_ACCESS_WALK  4 /* by the CPU, which walked the guest's page tables there */
#define PTREMAP_ACCESS_EVENT 8 /* by the CPU, which delivered an interrupt or exception */

/* One access, as it was done. Of one instruction there may be several, also in one page. */
struct ptremap_access {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 gpa;
	__u64 gva;
	__u64 rip; /* of the instruction */
	__u64 value;
	__u32 vcpu;
	__u32 lost;  /* events that found no room, since the one before this */
	__u32 type;  /* enum ptremap_access_type */
	__u32 flags; /* PTREMAP_ACCESS_* */
	__u8 access; /* PTREMAP_EPT_READ ... */
	__u8 size;   /* in bytes; 0: not known */
	__u8 reserved[6];
};

#endif
