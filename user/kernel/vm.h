/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's virtual machines, as user space can see them: a process that has one holds a descriptor
 * "anon_inode:kvm-vm" and one "anon_inode:kvm-vcpu:N" for each vCPU (virt/kvm/kvm_main.c). KVM's
 * folder of debugfs, where there is one, adds which thread runs a vCPU and what is mapped.
 */
#ifndef KERNEL_VM_H
#define KERNEL_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_NAME_LEN 128
#define VM_UUID_LEN 40

struct vm_vcpu {
	uint32_t index; /* as it was created; QEMU's number of the CPU */
	int fd;		/* -1: which one it is cannot be told */
	uint32_t tid;	/* the thread that runs it; 0: unknown */
};

struct vm_info {
	uint32_t pid; /* of the monitor (VMM) */
	int fd;	      /* there */
	char vmm[16]; /* the monitor's comm */
	/* Of the command line; a name that it does not have is the comm, a UUID is empty. */
	char name[VM_NAME_LEN];
	char uuid[VM_UUID_LEN];
	bool named;	       /* the name is the command line's */
	bool vcpus_known;      /* if not, nr_vcpus is 0 and means nothing */
	bool mapped_known;     /* needs debugfs */
	uint64_t mapped;       /* bytes that EPT or NPT maps now */
	struct vm_vcpu *vcpus; /* by index, each once */
	size_t nr_vcpus;
};

struct vm_list {
	struct vm_info *vms; /* by pid, then by fd */
	size_t nr;
	size_t hidden; /* processes that may not be looked into */
};

/* Where to look; tests have folders of their own. */
struct vm_sources {
	const char *proc;    /* "/proc" */
	const char *debugfs; /* "/sys/kernel/debug/kvm" */
	/*
	 * The same open file? 0: yes (kcmp(2), KCMP_FILE). So a VM whose descriptor was inherited
	 * or copied is listed once, at the lowest pid and number.
	 */
	int (*same_file)(uint32_t pid_a, int fd_a, uint32_t pid_b, int fd_b);
};

/* This machine's. */
extern const struct vm_sources vm_sources_here;

/*
 * All VMs there are. A process that ends meanwhile is left out. Returns 0, -ENOMEM or -errno of
 * opening the folder of processes; freed by vm_list_free().
 */
int vm_list_read(const struct vm_sources *from, struct vm_list *list);
void vm_list_free(struct vm_list *list);

/* ---- vm_names.c: pure; the texts are anybody's ---- */

enum vm_fd { VM_FD_OTHER, VM_FD_VM, VM_FD_VCPU };

/* What a link of /proc/PID/fd says; for VM_FD_VCPU also its *@index. */
enum vm_fd vm_fd_kind(const char *link, uint32_t *index);

/*
 * The vCPU that a thread with that name runs, by the names that QEMU (debug-threads=on), crosvm,
 * Cloud Hypervisor, Firecracker and kvmtool give. False: it is no such name.
 */
bool vm_thread_vcpu(const char *comm, uint32_t *index);

/*
 * Takes @name and @uuid from a command line (@len bytes, words that end with NUL): QEMU's -name
 * [guest=]NAME[,...], where ",," is a comma, and -uuid; --id and --name of others; each also as
 * --option=VALUE. The last one counts, and a name more than an id. Strings that are too long are
 * cut; those that are not there become empty.
 */
void vm_names_parse(const char *cmdline, size_t len, char name[VM_NAME_LEN],
		    char uuid[VM_UUID_LEN]);

#endif
