// SPDX-License-Identifier: GPL-2.0
#include "user/trace/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bpf/events.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const hooks[HOOK_NR] = {
	[HOOK_AUTO] = "auto",
	[HOOK_FENTRY] = "fentry",
	[HOOK_KPROBE] = "kprobe",
	[HOOK_RAWTP] = "rawtp",
};

static const char *const origins[PTEV_NR_ORIGINS] = {
	[PTEV_USER] = "user",
	[PTEV_KERNEL] = "kernel",
	[PTEV_GUP] = "gup",
};

static const char *const accesses[PTEV_NR_ACCESSES] = {
	[PTEV_READ] = "read",
	[PTEV_WRITE] = "write",
	[PTEV_EXEC] = "exec",
};

static const char *const outcomes[PTEV_NR_OUTCOMES] = {
	[PTEV_OUT_UNKNOWN] = "unknown",
	[PTEV_OUT_ANON] = "anon",
	[PTEV_OUT_ZERO] = "zero",
	[PTEV_OUT_FILE] = "file",
	[PTEV_OUT_MAJOR] = "major",
	[PTEV_OUT_COW] = "cow",
	[PTEV_OUT_WP] = "wp",
	[PTEV_OUT_HUGE] = "huge",
	[PTEV_OUT_HUGETLB] = "hugetlb",
	[PTEV_OUT_SWAP] = "swap",
	[PTEV_OUT_MIGRATION] = "migration",
	[PTEV_OUT_NUMA] = "numa",
	[PTEV_OUT_UFFD] = "uffd",
	[PTEV_OUT_SPURIOUS] = "spurious",
	[PTEV_OUT_RETRY] = "retry",
	[PTEV_OUT_FIXUP] = "fixup",
	[PTEV_OUT_SIGSEGV] = "sigsegv",
	[PTEV_OUT_SIGBUS] = "sigbus",
	[PTEV_OUT_OOM] = "oom",
	[PTEV_OUT_UNRESOLVED] = "unresolved",
};

static const char *const lost[PTEV_NR_LOST] = {
	[PTEV_LOST_RING] = "ring_full",
	[PTEV_LOST_STATE] = "no_state",
	[PTEV_LOST_INFLIGHT] = "in_flight",
	[PTEV_LOST_WRITE] = "write_error",
};

#define NAME_OF(table, i) ((i) < ARRAY_SIZE(table) ? (table)[i] : "?")

const char *name_hook(unsigned int hook)
{
	return NAME_OF(hooks, hook);
}

const char *name_origin(unsigned int origin)
{
	return NAME_OF(origins, origin);
}

const char *name_access(unsigned int access)
{
	return NAME_OF(accesses, access);
}

const char *name_outcome(unsigned int outcome)
{
	return NAME_OF(outcomes, outcome);
}

const char *name_remap(unsigned int event)
{
	static const char *const names[PTEV_NR_REMAPS] = {
		[PTEV_REMAP_MADE] = "made",
		[PTEV_REMAP_TAKEN] = "taken",
		[PTEV_REMAP_UNDONE] = "undone",
		[PTEV_REMAP_LOST] = "lost",
	};

	return NAME_OF(names, event);
}

const char *name_lost(unsigned int cause)
{
	return NAME_OF(lost, cause);
}

static int find(const char *const *table, size_t n, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(table[i]) == len && !memcmp(table[i], name, len))
			return (int)i;
	return -1;
}

int name_find_hook(const char *name)
{
	return find(hooks, ARRAY_SIZE(hooks), name, strlen(name));
}

static int mask_of(const char *const *table, size_t n, const char *list, uint32_t *mask, char *bad,
		   size_t bad_size)
{
	const char *word = list;
	size_t len;
	int i;

	*mask = 0;
	for (;;) {
		len = strcspn(word, ",");
		i = find(table, n, word, len);
		if (i < 0) {
			snprintf(bad, bad_size, "%.*s", (int)len, word);
			return -EINVAL;
		}
		*mask |= 1u << i;
		if (!word[len])
			return 0;
		word += len + 1;
	}
}

int name_mask_accesses(const char *list, uint32_t *mask, char *bad, size_t bad_size)
{
	return mask_of(accesses, ARRAY_SIZE(accesses), list, mask, bad, bad_size);
}

int name_mask_outcomes(const char *list, uint32_t *mask, char *bad, size_t bad_size)
{
	return mask_of(outcomes, ARRAY_SIZE(outcomes), list, mask, bad, bad_size);
}

char *name_error_code(char *buf, uint32_t error_code)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ PTEV_EC_P, "P" },	  { PTEV_EC_W, "W" },	  { PTEV_EC_U, "U" },
		{ PTEV_EC_RSVD, "RSVD" }, { PTEV_EC_I, "I" },	  { PTEV_EC_PK, "PK" },
		{ PTEV_EC_SS, "SS" },	  { PTEV_EC_SGX, "SGX" },
	};
	char *p = buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (error_code & bits[i].bit)
			p += sprintf(p, "%s%s", p == buf ? "" : "|", bits[i].name);
	if (p == buf)
		strcpy(buf, "-");
	return buf;
}

char *name_vm_perms(char *buf, uint64_t vm_flags)
{
	/* include/linux/mm.h: VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8 */
	buf[0] = vm_flags & 1 ? 'r' : '-';
	buf[1] = vm_flags & 2 ? 'w' : '-';
	buf[2] = vm_flags & 4 ? 'x' : '-';
	buf[3] = vm_flags & 8 ? 's' : 'p';
	buf[4] = 0;
	return buf;
}
