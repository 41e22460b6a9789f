// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/proc_vma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/kernel/proc_maps.h"

static const struct {
	char letters[3];
	const char *name;
} names[VMA_NR_FLAGS] = {
	[VMA_READ] = { "rd", "VM_READ" },
	[VMA_WRITE] = { "wr", "VM_WRITE" },
	[VMA_EXEC] = { "ex", "VM_EXEC" },
	[VMA_SHARED] = { "sh", "VM_SHARED" },
	[VMA_MAYREAD] = { "mr", "VM_MAYREAD" },
	[VMA_MAYWRITE] = { "mw", "VM_MAYWRITE" },
	[VMA_MAYEXEC] = { "me", "VM_MAYEXEC" },
	[VMA_MAYSHARE] = { "ms", "VM_MAYSHARE" },
	[VMA_GROWSDOWN] = { "gd", "VM_GROWSDOWN" },
	[VMA_PFNMAP] = { "pf", "VM_PFNMAP" },
	[VMA_LOCKED] = { "lo", "VM_LOCKED" },
	[VMA_IO] = { "io", "VM_IO" },
	[VMA_SEQ_READ] = { "sr", "VM_SEQ_READ" },
	[VMA_RAND_READ] = { "rr", "VM_RAND_READ" },
	[VMA_DONTCOPY] = { "dc", "VM_DONTCOPY" },
	[VMA_DONTEXPAND] = { "de", "VM_DONTEXPAND" },
	[VMA_LOCKONFAULT] = { "lf", "VM_LOCKONFAULT" },
	[VMA_ACCOUNT] = { "ac", "VM_ACCOUNT" },
	[VMA_NORESERVE] = { "nr", "VM_NORESERVE" },
	[VMA_HUGETLB] = { "ht", "VM_HUGETLB" },
	[VMA_SYNC] = { "sf", "VM_SYNC" },
	[VMA_PAT] = { "ar", "VM_PAT" },
	[VMA_WIPEONFORK] = { "wf", "VM_WIPEONFORK" },
	[VMA_DONTDUMP] = { "dd", "VM_DONTDUMP" },
	[VMA_SOFTDIRTY] = { "sd", "VM_SOFTDIRTY" },
	[VMA_MIXEDMAP] = { "mm", "VM_MIXEDMAP" },
	[VMA_HUGEPAGE] = { "hg", "VM_HUGEPAGE" },
	[VMA_NOHUGEPAGE] = { "nh", "VM_NOHUGEPAGE" },
	[VMA_MERGEABLE] = { "mg", "VM_MERGEABLE" },
	[VMA_UFFD_MISSING] = { "um", "VM_UFFD_MISSING" },
	[VMA_UFFD_WP] = { "uw", "VM_UFFD_WP" },
	[VMA_UFFD_MINOR] = { "ui", "VM_UFFD_MINOR" },
	[VMA_SHADOW_STACK] = { "ss", "VM_SHADOW_STACK" },
	[VMA_SEALED] = { "sl", "VM_SEALED" },
	[VMA_DROPPABLE] = { "dp", "VM_DROPPABLE" },
};

const char *proc_vma_flag_name(enum proc_vma_flag flag)
{
	return flag < VMA_NR_FLAGS ? names[flag].name : "?";
}

static void add_other(struct proc_vma *vma, const char *letters)
{
	size_t len = strlen(vma->other);

	snprintf(vma->other + len, sizeof(vma->other) - len, "%s%s", len ? " " : "", letters);
}

/* "rd wr mr mw me ac sd" */
static void parse_flags(struct proc_vma *vma, char *list)
{
	char *save = NULL, *word;
	size_t i;

	for (word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		for (i = 0; i < VMA_NR_FLAGS && strcmp(word, names[i].letters) != 0; i++)
			;
		if (i < VMA_NR_FLAGS)
			vma->flags |= VMA_BIT(i);
		else
			add_other(vma, word);
	}
}

static void take_mapping(struct proc_vma *vma, const struct proc_maps_entry *e)
{
	vma->start = e->start;
	vma->end = e->end;
	vma->pgoff = e->pgoff;
	vma->flags = 0;
	vma->other[0] = 0;
	vma->pkey = -1;
	snprintf(vma->name, sizeof(vma->name), "%s", e->name);
}

/* The lines below the mapping's first one; true when they are at their end. */
static bool take_line(struct proc_vma *vma, char *line)
{
	static const char pkey[] = "ProtectionKey:", flags[] = "VmFlags:";

	if (!strncmp(line, pkey, sizeof(pkey) - 1))
		vma->pkey = atoi(line + sizeof(pkey) - 1);
	if (strncmp(line, flags, sizeof(flags) - 1) != 0)
		return false;
	parse_flags(vma, line + sizeof(flags) - 1);
	return true;
}

int proc_vma_read(FILE *in, uint64_t va, struct proc_vma *vma)
{
	struct proc_maps_entry e;
	bool inside = false;
	char *line = NULL;
	size_t size = 0;
	int err = -ENOENT;

	while (err && getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (inside) {
			if (take_line(vma, line))
				err = 0;
		} else if (proc_maps_parse(line, &e) && va >= e.start && va < e.end) {
			take_mapping(vma, &e);
			inside = true;
		}
	}
	free(line);
	return err;
}

int proc_vma_find(pid_t pid, uint64_t va, struct proc_vma *vma)
{
	char path[48];
	FILE *in;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	err = proc_vma_read(in, va, vma);
	fclose(in);
	return err;
}
