// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "user/kernel/vm.h"

/* Digits only, up to the end of @text. */
static bool to_index(const char *text, uint32_t *index)
{
	uint64_t value = 0;
	const char *at;

	for (at = text; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
		value = 10 * value + (uint64_t)(*at - '0');
	*index = (uint32_t)value;
	return at != text && !*at && value <= UINT32_MAX;
}

enum vm_fd vm_fd_kind(const char *link, uint32_t *index)
{
	static const char vm[] = "anon_inode:kvm-vm", vcpu[] = "anon_inode:kvm-vcpu:";

	if (!strcmp(link, vm))
		return VM_FD_VM;
	if (!strncmp(link, vcpu, sizeof(vcpu) - 1) && to_index(link + sizeof(vcpu) - 1, index))
		return VM_FD_VCPU;
	return VM_FD_OTHER;
}

bool vm_thread_vcpu(const char *comm, uint32_t *index)
{
	/* What stands before the number and, for QEMU, behind it. */
	static const struct {
		const char *before, *behind;
	} forms[] = {
		{ "CPU ", "/KVM" },    { "vcpu", "" },	    { "fc_vcpu ", "" },
		{ "crosvm_vcpu", "" }, { "kvm-vcpu-", "" },
	};
	char digits[16];
	size_t i, len = strlen(comm), before, behind;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		before = strlen(forms[i].before);
		behind = strlen(forms[i].behind);
		if (len <= before + behind || len - before - behind >= sizeof(digits) ||
		    strncmp(comm, forms[i].before, before) != 0 ||
		    strcmp(comm + len - behind, forms[i].behind) != 0)
			continue;
		snprintf(digits, sizeof(digits), "%.*s", (int)(len - before - behind),
			 comm + before);
		if (to_index(digits, index))
			return true;
	}
	return false;
}

/* Copies up to a single comma; a pair of them is one. Returns what is behind it, or NULL. */
static const char *copy_part(const char *from, char *to, size_t size)
{
	size_t len = 0;

	for (; *from; from++) {
		if (*from == ',' && *++from != ',')
			break;
		if (len + 1 < size)
			to[len++] = *from;
	}
	to[len] = 0;
	return *from ? from : NULL;
}

/* "NAME", "NAME,debug-threads=on", "debug-threads=on,guest=NAME". */
static void qemu_name(const char *value, char name[VM_NAME_LEN])
{
	char part[VM_NAME_LEN + 8];
	bool first = true;

	for (; value; first = false) {
		value = copy_part(value, part, sizeof(part));
		if (!strncmp(part, "guest=", 6))
			snprintf(name, VM_NAME_LEN, "%.*s", VM_NAME_LEN - 1, part + 6);
		else if (first && !strchr(part, '='))
			snprintf(name, VM_NAME_LEN, "%.*s", VM_NAME_LEN - 1, part);
	}
}

struct names {
	char *name, *uuid;
	char id[VM_NAME_LEN];
};

static void set_name(struct names *n, const char *value)
{
	qemu_name(value, n->name);
}

static void set_id(struct names *n, const char *value)
{
	snprintf(n->id, sizeof(n->id), "%s", value);
}

static void set_uuid(struct names *n, const char *value)
{
	snprintf(n->uuid, VM_UUID_LEN, "%s", value);
}

static const struct name_option {
	const char *word;
	void (*set)(struct names *n, const char *value);
} name_options[] = {
	{ "name", set_name },
	{ "id", set_id },
	{ "uuid", set_uuid },
};

/* The option that @word is, with one dash or two, and in *@value what stands behind a "=". */
static const struct name_option *find_option(const char *word, const char **value)
{
	size_t i, len;

	if (*word++ != '-')
		return NULL;
	word += *word == '-';
	len = strcspn(word, "=");
	*value = word[len] ? word + len + 1 : NULL;
	for (i = 0; i < sizeof(name_options) / sizeof(name_options[0]); i++) {
		if (strlen(name_options[i].word) == len &&
		    !strncmp(word, name_options[i].word, len))
			return &name_options[i];
	}
	return NULL;
}

void vm_names_parse(const char *cmdline, size_t len, char name[VM_NAME_LEN], char uuid[VM_UUID_LEN])
{
	struct names n = { .name = name, .uuid = uuid };
	const struct name_option *option = NULL;
	const char *word, *value, *end;

	name[0] = 0;
	uuid[0] = 0;
	/* A word that was cut off has no NUL, and is no word. */
	for (word = cmdline; (end = memchr(word, 0, len - (size_t)(word - cmdline)));
	     word = end + 1) {
		if (option) {
			option->set(&n, word);
			option = NULL;
			continue;
		}
		option = find_option(word, &value);
		if (option && value) {
			option->set(&n, value);
			option = NULL;
		}
	}
	if (!name[0])
		snprintf(name, VM_NAME_LEN, "%s", n.id);
}
