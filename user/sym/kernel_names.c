// SPDX-License-Identifier: GPL-2.0
#include "user/sym/kernel_names.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "user/sym/kallsyms.h"

static bool is_this_boot(const char *boot_id)
{
	char line[64] = "";
	FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool read = in && fgets(line, sizeof(line), in);

	if (in)
		fclose(in);
	line[strcspn(line, "\n")] = '\0';
	return read && *line && !strcmp(line, boot_id);
}

static void note(struct kernel_names *k, const char *text)
{
	snprintf(k->note, sizeof(k->note), "%s", text);
}

void kernel_names_init(struct kernel_names *k, const char *boot_id)
{
	*k = (struct kernel_names){ .same_boot = is_this_boot(boot_id) };
	if (!k->same_boot)
		note(k, "kernel symbols: the recording is of another boot or machine");
}

void kernel_names_free(struct kernel_names *k)
{
	kallsyms_free(k->kallsyms);
	ksyms_free(&k->ksyms);
}

int kernel_names_made(struct kernel_names *k, uint64_t ip, uint64_t time, struct symbol *symbol,
		      uint32_t *number)
{
	struct ksym found;
	int err = ksyms_find(&k->ksyms, ip, time, &found);

	if (err)
		return err;
	*number = found.number;
	*symbol = (struct symbol){
		.name = found.name,
		.dso = found.type == PERF_RECORD_KSYMBOL_TYPE_BPF ? "[bpf]" : "[trampoline]",
		.offset = ip - found.start,
	};
	return 0;
}

static void load(struct kernel_names *k)
{
	k->err = kallsyms_load(&k->kallsyms, "/proc/kallsyms");
	if (k->err == -EPERM)
		note(k, "kernel symbols: addresses are hidden (kernel.kptr_restrict)");
	else if (k->err)
		snprintf(k->note, sizeof(k->note), "kernel symbols: /proc/kallsyms: %s",
			 strerror(-k->err));
}

/* kallsyms has the programs of now, and not of then; where the recording tells, it knows better. */
static bool is_stale(const struct kernel_names *k, const char *module)
{
	return k->ksyms.seen && !strcmp(module, "[bpf]");
}

struct symbol kernel_names_find(struct kernel_names *k, uint64_t ip)
{
	struct symbol symbol = { .name = "[unknown]", .dso = "[kernel]" };
	const char *name, *module;
	uint64_t start;

	if (k->same_boot && !k->kallsyms && !k->err)
		load(k);
	if (!k->kallsyms || kallsyms_find(k->kallsyms, ip, &name, &module, &start) ||
	    is_stale(k, module))
		return symbol;
	/* Both stay for as long as the table does, and are the same for all of a function. */
	return (struct symbol){ .name = name, .dso = module, .offset = ip - start };
}
