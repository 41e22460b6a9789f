// SPDX-License-Identifier: GPL-2.0
/*
 * ept_watch: what a guest does in watched pages is seen, each access, and the guest goes on as if
 * nobody looked.
 *
 * This process is its own VMM, so that it knows each instruction that the guest runs.
 */
#include "tests/system/ept_access.h"
#include "tests/system/huge.h"

#define PAGES	   16
#define DATA	   4 /* first page of data */
#define MAX_EVENTS 64

struct test {
	struct checks c;
	struct tiny_vm vm;
	char *p; /* the guest's memory at TINY_GPA */
	bool amd;
};

/* Each ends with an access to a port. ebx: the address. */
__asm__(".pushsection .rodata\n"
	".code32\n"
	"kinds_code:\n"
	"k_load: mov (%ebx), %eax; out %eax, $0x10\n"
	"k_loadb: movzbl (%ebx), %eax; out %eax, $0x10\n"
	"k_store: mov %eax, (%ebx); out %eax, $0x10\n"
	"k_storeb: mov %al, (%ebx); out %eax, $0x10\n"
	"k_add: add %eax, (%ebx); out %eax, $0x10\n"
	"k_xadd: lock xadd %eax, (%ebx); out %eax, $0x10\n"
	"k_cmpxchg: lock cmpxchg %ecx, (%ebx); out %eax, $0x10\n"
	"k_xchg: xchg %eax, (%ebx); out %eax, $0x10\n"
	"k_movs: rep movsl; out %eax, $0x10\n"
	"k_stos: rep stosb; out %eax, $0x10\n"
	"k_push: mov %ebx, %esp; push %eax; out %eax, $0x10\n"
	"k_call: mov %ebx, %esp; call 1f; 1: out %eax, $0x10\n"
	"k_pop: mov %ebx, %esp; pop %eax; out %eax, $0x10\n"
	"k_pushm: mov %edx, %esp; push (%ebx); out %eax, $0x10\n"
	"k_sse_store: movups %xmm0, (%ebx); out %eax, $0x10\n"
	"k_sse_load: movups (%ebx), %xmm0; movups %xmm0, (%edi); out %eax, $0x10\n"
	"k_paddd: paddd (%ebx), %xmm0; out %eax, $0x10\n"
	"k_avx: vmovups (%ebx), %ymm1; vmovups %ymm1, (%edi); out %eax, $0x10\n"
	"k_exec: call *%ebx; out %eax, $0x10\n"
	"k_farcall: mov %edx, %esp; lcall *(%ebx); out %eax, $0x10\n"
	"k_iret: mov %ebx, %esp; iret\n"
	"k_out: out %eax, $0x10\n"
	"kinds_end:\n"
	".code64\n"
	".popsection\n");
extern const char kinds_code[], k_load[], k_loadb[], k_store[], k_storeb[], k_add[], k_xadd[],
	k_cmpxchg[], k_xchg[], k_movs[], k_stos[], k_push[], k_call[], k_pop[], k_pushm[],
	k_sse_store[], k_sse_load[], k_paddd[], k_avx[], k_exec[], k_farcall[], k_iret[], k_out[],
	kinds_end[];

static uint64_t code_at(const char *label)
{
	return ACCESS_CODE + (uint64_t)(label - kinds_code);
}

static uint64_t page_at(unsigned int n)
{
	return TINY_GPA + n * (uint64_t)PAGE;
}

static uint32_t *word_at(const struct test *t, uint64_t gpa)
{
	return (uint32_t *)(t->p + (gpa - TINY_GPA));
}

/* ---- instructions ------------------------------------------------------------------------------
 */

/* What is to be seen: R, W or X at an offset in the first watched page; @size 0: not checked. */
struct seen {
	int offset;
	uint8_t access, size;
};

struct kind {
	const char *name, *code;
	int offset; /* of ebx in the page */
	uint32_t on;
	uint32_t eax, ecx, before,
		after;	 /* the word at ebx, before and after; ->after 0: as before */
	uint32_t result; /* eax after it; 0: not looked at */
	bool opened;	 /* the emulator cannot do it */
	struct seen seen[10];
};

static const struct kind kinds[] = {
	{ "mov, read", k_load, 8, RWX, .before = 7, .result = 7, .seen = { { 8, R, 4 } } },
	{ "mov, byte read", k_loadb, 9, R, .before = 7, .seen = { { 9, R, 1 } } },
	{ "mov, write", k_store, 16, RWX, .eax = 5, .after = 5, .seen = { { 16, W, 4 } } },
	{ "mov, write, reads watched", k_store, 16, R, .eax = 5, .after = 5 },
	{ "mov, byte written", k_storeb, 17, W, .eax = 5, .after = 5, .seen = { { 17, W, 1 } } },
	{ "add to memory", k_add, 32, R | W, 3, 0, 4, 7, .seen = { { 32, R, 4 }, { 32, W, 4 } } },
	{ "add to memory, writes watched", k_add, 32, W, 3, 0, 4, 7, .seen = { { 32, W, 4 } } },
	{ "lock xadd", k_xadd, 32, R | W, 3, 0, 4, 7, 4, .seen = { { 32, R, 4 }, { 32, W, 4 } } },
	{ "lock cmpxchg", k_cmpxchg, 32, W, 4, 9, 4, 9, .seen = { { 32, W, 4 } } },
	{ "lock cmpxchg that finds another", k_cmpxchg, 32, R, 5, 9, 4, 4, 4,
	  .seen = { { 32, R, 4 } } },
	{ "xchg", k_xchg, 40, R | W, 3, 0, 4, 3, 4, .seen = { { 40, R, 4 }, { 40, W, 4 } } },
	{ "push", k_push, 64, W, .eax = 6, .seen = { { 60, W, 4 } } },
	{ "call", k_call, 64, RWX, .seen = { { 60, W, 4 } } },
	{ "pop", k_pop, 64, RWX, .before = 3, .result = 3, .seen = { { 64, R, 4 } } },
	{ "movups, write", k_sse_store, 128, W, .seen = { { 128, W, 16 } } },
	{ "movups, read", k_sse_load, 128, R, .before = 9, .seen = { { 128, R, 16 } } },
	{ "a call into the page", k_exec, 256, RWX, .before = 0xc3, .seen = { { 256, X, 0 } } },
	{ "paddd", k_paddd, 512, R, .opened = true, .before = 1 },
	{ "vmovups", k_avx, 512, R, .opened = true, .before = 11 },
	{ "a write across two pages", k_store, 4094, W, .eax = 0x55667788, .after = 0x55667788,
	  .seen = { { 4094, W, 2 }, { 4096, W, 2 } } },
	{ "a read across two pages", k_load, 4093, R, .before = 0x1234567, .result = 0x1234567,
	  .seen = { { 4093, R, 3 }, { 4096, R, 1 } } },
};

static void print_event(const struct ptremap_access *a)
{
	printf("#   type %u access %u size %u gpa 0x%llx value 0x%llx rip 0x%llx flags %u lost %u\n",
	       a->type, a->access, a->size, (unsigned long long)a->gpa,
	       (unsigned long long)a->value, (unsigned long long)a->rip, a->flags, a->lost);
}

static bool is_as_seen(const struct ptremap_access *a, const struct seen *s, uint64_t base)
{
	return a->type == PTREMAP_ACCESS_DONE && a->gpa == base + (uint64_t)s->offset &&
	       a->access == s->access && (!s->size || a->size == s->size) && !a->lost;
}

/* Of what the emulator cannot do OPENED is told; CLOSED may have come by now. */
static bool was_opened(const struct ptremap_access *a, size_t n, uint64_t gpa)
{
	return n && a[0].type == PTREMAP_ACCESS_OPENED && a[0].gpa == gpa &&
	       (n == 1 || a[1].type == PTREMAP_ACCESS_CLOSED);
}

static bool events_fit(const struct kind *k, const struct ptremap_access *a, size_t n,
		       uint64_t base)
{
	size_t want = 0, i;

	if (k->opened)
		return was_opened(a, n, base + (uint64_t)k->offset);
	while (want < 10 && k->seen[want].access)
		want++;
	for (i = 0; i < want && i < n; i++)
		if (!is_as_seen(&a[i], &k->seen[i], base))
			return false;
	return n == want;
}

/* The instruction does what it does without a watch, and the watch sees what it has to. */
static void test_kind(struct test *t, const struct kind *k)
{
	uint64_t base = page_at(DATA), gpa = base + (uint64_t)k->offset;
	struct kvm_regs r = { .rax = k->eax, .rbx = gpa, .rcx = k->ecx };
	struct ptremap_access a[MAX_EVENTS];
	uint32_t word, after = k->after ? k->after : k->before;
	int fd = watch_range(&t->c, base, 2 * PAGE, k->on);
	bool ran, fits;
	size_t n, i;

	memcpy(t->p + (gpa - TINY_GPA), &k->before, 4);
	r.rdi = page_at(8);
	r.rdx = r.rsp = page_at(9) + 64;
	ran = fd >= 0 && run_code(&t->vm, 0, code_at(k->code), &r);
	memcpy(&word, t->p + (gpa - TINY_GPA), 4);
	n = fd >= 0 ? take_events(fd, a, MAX_EVENTS) : 0;
	fits = events_fit(k, a, n, base);
	for (i = 0; !fits && i < n; i++)
		print_event(&a[i]);
	check(&t->c, ran && word == after && (!k->result || (uint32_t)r.rax == k->result) && fits,
	      "%s: done (%d), 0x%x is there, eax 0x%x, %zu events (%d)", k->name, ran, word,
	      (uint32_t)r.rax, n, fd);
	if (fd >= 0)
		close(fd);
}

/* Each word of a string is an access, of both ends if both are watched. */
static void test_strings(struct test *t)
{
	struct kvm_regs r = { .rcx = 8,
			      .rsi = page_at(DATA) + 16,
			      .rdi = page_at(DATA + 1) + 4064 };
	struct ptremap_access a[MAX_EVENTS];
	int fd = watch_range(&t->c, page_at(DATA), 3 * PAGE, R | W);
	size_t n, i, reads = 0, writes = 0;
	bool ran;

	for (i = 0; i < 8; i++)
		word_at(t, page_at(DATA) + 16)[i] = (uint32_t)i + 100;
	ran = run_code(&t->vm, 0, code_at(k_movs), &r);
	n = take_events(fd, a, MAX_EVENTS);
	for (i = 0; i < n; i++) {
		bool first = a[i].access == R;
		size_t k = first ? reads : writes;
		uint64_t want = (first ? page_at(DATA) + 16 : page_at(DATA + 1) + 4064) + 4 * k;

		if (a[i].gpa == want && a[i].size == 4 && a[i].value == k + 100)
			*(first ? &reads : &writes) += 1;
		else
			print_event(&a[i]);
	}
	check(&t->c, ran && reads == 8 && writes == 8 && n == 16 && !r.rcx,
	      "rep movs: %zu reads and %zu writes of 8 seen, with their values", reads, writes);
	close(fd);
}

static void make_vm(struct test *t)
{
	t->p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->p == MAP_FAILED)
		die("mmap");
	tiny_make(&t->vm, t->p, PAGES * PAGE);
	memcpy(t->p, kinds_code, (size_t)(kinds_end - kinds_code));
	use_vectors(&t->vm, 0);
}

int main(int argc, char **argv)
{
	struct test t = { .amd = is_amd() };
	size_t i;

	(void)argc;
	(void)argv;
	t.c.dev = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (t.c.dev < 0)
		die(PTREMAP_DEVICE);
	make_vm(&t);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(&t, &kinds[i]);
	test_strings(&t);
	tiny_end(&t.vm);
	return t.c.failed ? 1 : 0;
}
