// SPDX-License-Identifier: GPL-2.0
/* kvm_guest: the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

static const struct scenario scenarios[] = {
	{ "hypercalls", "N calls with known registers, at known instructions", 100, NULL,
	  calls_prepare, NULL, calls_report },
	{ "bitvisor", "N calls: rax 0 and a name in rbx for a number, calls by number", 28, NULL,
	  bitvisor_prepare, NULL, bitvisor_report },
	{ "capsule", "N calls: rdi reason, rsi address, rdx length", 10, NULL, capsule_prepare,
	  NULL, capsule_report },
	{ "touch", "N pages that nobody had touched are touched once each", 100, NULL,
	  touch_prepare, NULL, touch_report },
	{ "mmio", "N accesses to addresses without memory", 100, NULL, mmio_prepare, NULL, NULL },
	{ "pio", "N accesses to ports", 100, NULL, pio_prepare, NULL, NULL },
	{ "readonly", "N writes to a read-only slot, each read back", 100, NULL, readonly_prepare,
	  NULL, readonly_report },
	{ "selfmod", "runs N times what it has just written", 100, NULL, selfmod_prepare, NULL,
	  selfmod_report },
	{ "walks", "random tables with N pages, and what walks must give", 300, walks_tables,
	  walks_prepare, NULL, walks_report },
	{ "slots", "a slot deleted, made and moved N times under a guest", 100, NULL, slots_prepare,
	  slots_meanwhile, NULL },
	{ "moves", "a slot here, there and nowhere N times, or until a line on stdin", 100, NULL,
	  moves_prepare, moves_meanwhile, NULL },
	{ "dirty", "N rounds of writes, with and without KVM's log of them", 20, NULL,
	  dirty_prepare, NULL, dirty_report },
	{ "writes", "64 pages for others to write to, before the guest reads them", 64, NULL,
	  writes_prepare, NULL, writes_report },
	{ "memtest",
	  "N times VMCALL_MEM_TEST there and back: rsi, rdx are two pages, rbx the count", 8, NULL,
	  memtest_prepare, NULL, memtest_report },
	{ "memtest-half", "the same, there alone", 8, NULL, memtest_prepare, NULL, memtest_report },
	{ "copy", "the monitor copies N MiB of its guest's memory", 64, NULL, copy_prepare, NULL,
	  copy_report },
	{ "die", "hypercalls without end; the monitor is killed after N ms", 100, NULL, die_prepare,
	  die_meanwhile, NULL },
};

static const char usage_text[] =
	"usage: kvm_guest [OPTION]... SCENARIO [N]\n"
	"\n"
	"Runs a guest that does what the scenario says, and prints what that was.\n";

static const char options_text[] =
	"\n"
	"  --mode MODE      real, none, 32bit, pse, pae, 4level (default), 5level\n"
	"  --cpl 0|3        what the guest runs at\n"
	"  --leaf-level L   1: guest pages of 4 KiB, 2: of 2 or 4 MiB, 3: of 1 GiB\n"
	"  --backing KIND   4k (default), thp or hugetlb: memory of touch and selfmod\n"
	"  --access LETTERS of r, w and x: what touch does (default rwx)\n"
	"  --apart          touch has other virtual addresses than physical ones\n"
	"  --in-order       touch goes from the first page to the last\n"
	"  --gvas N         questions of walks (default 1000)\n"
	"  --vcpus N        up to 8, for hypercalls, slots, moves and die\n"
	"  --seed S         decides all that is random (default 1)\n"
	"  --wait           says \"ready\" when the VM is there; runs after a line on stdin\n"
	"  --hold spin|halt says \"held\" at its end; the guest goes on until a line on stdin\n"
	"  --nasty          texts of bitvisor and capsule begin with what harms a careless output\n"
	"  --quiet          no line for each operation\n"
	"  --name, --uuid, --id WORD  for those who look at the command line\n"
	"\n"
	"Each line is a word and what belongs to it, KEY=VALUE:\n"
	"  guest, slot      what runs here: mode, vm_fd; each memory slot\n"
	"  call             a hypercall: rip of the instruction, registers, ret, CPL, mode\n"
	"  page             a page touched: gpa, access, hva and the frame that the host has there\n"
	"  mmio, pio, readonly  an access that left the guest\n"
	"  walk             what a walk of gva gives: gpa, level of the leaf, what all entries\n"
	"                   allow, slot, hva, pfn, and the 8 bytes (word) there, if they are known;\n"
	"                   or hole: the level of the entry that is absent\n"
	"  buffer           what the next call points to, and its parts: ADDRESS:BYTES for each page\n"
	"                   or why not: hole (absent in the guest's tables), slot (no memory), host (not\n"
	"                   in the monitor's memory); absent: some are not there\n"
	"  named            the number of the call before has been given this name\n"
	"  change           a slot was changed, when\n"
	"  frame            a page that moves' slot may have: memory, page, hva, pfn, words\n"
	"  state            moves' slot: gpa (none: there is no such slot) and memory, after a change\n"
	"                   that began and ended then (CLOCK_REALTIME, us)\n"
	"  vcpu             a vCPU was made, begun and ended then\n"
	"  dirty            pages written, and those in KVM's log\n"
	"  memory, word, log, child  of writes: what the guest read of each page, which are in KVM's\n"
	"                   log, and whether a child of the monitor has them as they were\n"
	"  memtest, monitor  what two pages have after the call, for the guest and the monitor\n"
	"  copy             bytes copied by the monitor, and the ns it took\n"
	"  cpu, exits, stats  registers, exits to the monitor, KVM's own counters at the end\n"
	"  end              wrong: operations and checks that were not as they had to be\n"
	"\n"
	"Number K of thing I is splitmix64's finalizer of SEED + (16 * I + K + 1) * 0x9e3779b97f4a7c15.\n"
	"Call I has its register K (rax, rbx, rcx, rdx, rsi, rdi, r8 to r11) from that, with number 15\n"
	"of its vCPU as seed; rax chooses from the numbers of hypercalls that change nothing.\n"
	"\n"
	"Exit status: 0 all was as it had to be, 1 not, 2 wrong usage.\n";

void die(const char *what)
{
	fprintf(stderr, "kvm_guest: %s: %s\n", what, strerror(errno));
	exit(1);
}

void usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("kvm_guest: ", stderr);
	vfprintf(stderr, fmt, args);
	fputs(" (see --help)\n", stderr);
	va_end(args);
	exit(2);
}

static void help(void)
{
	size_t i;

	fputs(usage_text, stdout);
	for (i = 0; i < LENGTH(scenarios); i++)
		printf("\n  %-11s%s (N: %llu)", scenarios[i].name, scenarios[i].help,
		       (unsigned long long)scenarios[i].n);
	putchar('\n');
	fputs(options_text, stdout);
	exit(0);
}

enum {
	MODE = 256,
	CPL,
	LEVEL,
	BACKING,
	ACCESS,
	ORDER,
	APART,
	VCPUS,
	SEED,
	WAIT,
	HOLD,
	NASTY,
	QUIET,
	GVAS,
	IGNORED
};

static const struct option long_options[] = {
	{ "mode", 1, NULL, MODE },
	{ "cpl", 1, NULL, CPL },
	{ "leaf-level", 1, NULL, LEVEL },
	{ "backing", 1, NULL, BACKING },
	{ "access", 1, NULL, ACCESS },
	{ "in-order", 0, NULL, ORDER },
	{ "apart", 0, NULL, APART },
	{ "vcpus", 1, NULL, VCPUS },
	{ "seed", 1, NULL, SEED },
	{ "wait", 0, NULL, WAIT },
	{ "hold", 1, NULL, HOLD },
	{ "gvas", 1, NULL, GVAS },
	{ "nasty", 0, NULL, NASTY },
	{ "quiet", 0, NULL, QUIET },
	{ "name", 1, NULL, IGNORED },
	{ "uuid", 1, NULL, IGNORED },
	{ "id", 1, NULL, IGNORED },
	{ "help", 0, NULL, 'h' },
	{ 0 },
};

static u64 to_number(const char *text, u64 min, u64 max)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || end == text || value < min || value > max)
		usage_error("'%s' is no number that fits here", text);
	return value;
}

static unsigned int one_of(const char *word, const char *const *words)
{
	unsigned int i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(word, words[i]))
			return i;
	}
	usage_error("'%s' does not fit here", word);
}

static void set_option(struct options *o, int option, const char *arg)
{
	static const char *const backings[] = { "4k", "thp", "hugetlb", NULL };
	static const char *const holds[] = { "", "spin", "halt", NULL };

	switch (option) {
	case MODE:
		o->mode = mode_find(arg);
		if (!o->mode)
			usage_error("no mode '%s'", arg);
		break;
	case CPL:
		o->cpl = (unsigned int)to_number(arg, 0, 3);
		break;
	case LEVEL:
		o->level = (unsigned int)to_number(arg, 1, 3);
		break;
	case BACKING:
		o->backing = one_of(arg, backings);
		break;
	case ACCESS:
		if (!*arg || strspn(arg, "rwx") != strlen(arg))
			usage_error("an access is one of r, w and x, not '%s'", arg);
		o->access = arg;
		break;
	case APART:
		o->apart = true;
		break;
	case ORDER:
		o->in_order = true;
		break;
	case VCPUS:
		o->vcpus = (unsigned int)to_number(arg, 1, MAX_VCPUS);
		break;
	case SEED:
		o->seed = to_number(arg, 0, ~0ULL);
		break;
	case WAIT:
		o->wait = true;
		break;
	case HOLD:
		o->hold = one_of(arg, holds);
		break;
	case NASTY:
		o->nasty = true;
		break;
	case QUIET:
		o->quiet = true;
		break;
	case GVAS:
		o->gvas = to_number(arg, 0, 1000000);
		break;
	case 'h':
		help();
		break;
	case '?':
		usage_error("wrong options");
	}
}

static const struct scenario *find_scenario(const char *name)
{
	size_t i;

	for (i = 0; i < LENGTH(scenarios); i++) {
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	}
	usage_error("no scenario '%s'", name);
}

/* Combinations that no CPU has. */
static void check_options(struct options *o)
{
	if (!o->level)
		o->level = o->mode->level;
	if (o->mode->top && !(o->mode->leaves & 1u << o->level))
		usage_error("mode %s has no leaves of level %u", o->mode->name, o->level);
	if (o->cpl && (o->cpl != 3 || o->mode->bits == 16))
		usage_error("mode %s does not run at CPL %u here", o->mode->name, o->cpl);
	if (o->cpl && o->hold == THEN_HALT)
		usage_error("only CPL 0 may halt");
}

static const struct scenario *parse(int argc, char **argv, struct options *o)
{
	const struct scenario *s;
	int option;

	/* With one dash, too: so QEMU has its -name. */
	while ((option = getopt_long_only(argc, argv, "h", long_options, NULL)) != -1)
		set_option(o, option, optarg);
	if (optind == argc || argc - optind > 2)
		usage_error("a scenario and a number are expected");
	s = find_scenario(argv[optind]);
	o->scenario = s->name;
	o->n = optind + 1 < argc ? to_number(argv[optind + 1], 1, 1000000) : s->n;
	check_options(o);
	return s;
}

int main(int argc, char **argv)
{
	struct options o = {
		.seed = 1, .vcpus = 1, .gvas = 1000, .access = "rwx", .mode = mode_find("4level")
	};
	const struct scenario *s = parse(argc, argv, &o);
	struct vm vm = { 0 };
	int status;

	vm_create(&vm, &o);
	if (s->tables)
		s->tables(&vm);
	else
		tables_init(&vm, frame_in_order, 0);
	vm_map_self(&vm, 0, LOW_SIZE);
	s->prepare(&vm);
	vm_start_vcpus(&vm);
	if (o.wait)
		wait_for_word("ready");
	vm_run_start(&vm);
	if (s->meanwhile)
		s->meanwhile(&vm);
	vm_run_end(&vm);
	if (s->report)
		s->report(&vm);
	status = report_end(&vm);
	if (o.hold)
		vm_hold(&vm);
	return status;
}
