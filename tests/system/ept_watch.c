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
	"k_div: mov %ebx, %esp; xor %ecx, %ecx; div %ecx; ud2\n"
	"k_ud: mov %ebx, %esp; ud2\n"
	/* Checksums: edx of what was read, (esi) of what was written; (ebx) is everybody's. */
	"k_work: mov %ecx, (%edi); add (%edi), %edx; add %ecx, (%esi); lock incl (%ebx)\n"
	"	dec %ecx; jnz k_work; out %eax, $0x10\n"
	"kinds_end:\n"
	".code64\n"
	".popsection\n");
extern const char kinds_code[], k_load[], k_loadb[], k_store[], k_storeb[], k_add[], k_xadd[],
	k_cmpxchg[], k_xchg[], k_movs[], k_stos[], k_push[], k_call[], k_pop[], k_pushm[],
	k_sse_store[], k_sse_load[], k_paddd[], k_avx[], k_exec[], k_farcall[], k_iret[], k_out[],
	k_div[], k_ud[], k_work[], kinds_end[];

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

/* A page that is open for one watch's sake is not open for one that comes then. */
static void test_opened(struct test *t)
{
	uint64_t gpa = page_at(DATA) + 512;
	struct ptremap_access a[MAX_EVENTS];
	struct kvm_regs r;
	int rounds, told = 0, fd = -1, next;
	bool ran = true;

	for (rounds = 0; ran && rounds < 20; rounds++) {
		next = watch_range(&t->c, page_at(DATA), PAGE, R);
		if (fd >= 0)
			close(fd);
		fd = next;
		r = (struct kvm_regs){ .rbx = gpa };
		ran = fd >= 0 && run_code(&t->vm, 0, code_at(k_paddd), &r);
		told += ran && was_opened(a, take_events(fd, a, MAX_EVENTS), gpa);
	}
	check(&t->c, told == rounds, "a page that was opened: %d of %d watches that come then see it",
	      told, rounds);
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

/* ---- accesses that are no instruction's --------------------------------------------------------
 */

/* With paging on, the guest's table of 4 MiB pages is watched: the CPU walks it, and sets A. */
static void test_walk(struct test *t)
{
	uint64_t table = page_at(10), entry = table + 4 * (TINY_GPA >> 22);
	struct kvm_sregs before, s;
	struct kvm_regs r = { .rbx = page_at(DATA) };
	struct ptremap_access a[MAX_EVENTS];
	bool ran, walked = false;
	size_t n, i;
	int fd;

	if (ioctl(t->vm.vcpu[1].fd, KVM_GET_SREGS, &before))
		die("KVM_GET_SREGS");
	s = before;
	s.cr3 = table;
	s.cr4 |= 1u << 4;
	s.cr0 |= 1u << 31;
	*word_at(t, entry) = (uint32_t)TINY_GPA | 0x83;
	*word_at(t, page_at(DATA)) = 77;
	if (ioctl(t->vm.vcpu[1].fd, KVM_SET_SREGS, &s))
		die("KVM_SET_SREGS");
	fd = watch_range(&t->c, table, PAGE, RWX);
	ran = run_code(&t->vm, 1, code_at(k_load), &r);
	n = take_events(fd, a, MAX_EVENTS);
	for (i = 0; i < n; i++)
		walked = walked ||
			 (a[i].gpa >> 12 == table >> 12 && a[i].flags & PTREMAP_ACCESS_WALK);
	check(&t->c, ran && (uint32_t)r.rax == 77 && walked && *word_at(t, entry) & 0x20,
	      "page tables: the walk is seen (%zu events), and does what it does", n);
	close(fd);
	if (ioctl(t->vm.vcpu[1].fd, KVM_SET_SREGS, &before))
		die("KVM_SET_SREGS");
}

/* An exception is delivered on a watched stack: not the instruction's doing, nor the emulator's. */
static void test_event(struct test *t, const char *name, const char *code, unsigned int vector)
{
	uint64_t handler = code_at(k_out), idt = page_at(11), gdt = idt + 2048;
	struct kvm_regs r = { .rbx = page_at(DATA) + 128, .rax = 9 };
	uint32_t *gate = word_at(t, idt + 8 * vector),
		 *stack = word_at(t, page_at(DATA) + 128 - 12);
	struct ptremap_access a[MAX_EVENTS];
	struct kvm_sregs s;
	bool ran, opened = false;
	size_t n, i;
	int fd;

	memcpy(word_at(t, gdt + 8), (uint32_t[]){ 0xffff, 0xcf9a00, 0xffff, 0xcf9200 }, 16);
	gate[0] = 8u << 16 | (uint32_t)(handler & 0xffff);
	gate[1] = (uint32_t)(handler & 0xffff0000) | 0x8e00;
	if (ioctl(t->vm.vcpu[2].fd, KVM_GET_SREGS, &s))
		die("KVM_GET_SREGS");
	s.idt = (struct kvm_dtable){ .base = idt, .limit = 2047 };
	s.gdt = (struct kvm_dtable){ .base = gdt, .limit = 23 };
	if (ioctl(t->vm.vcpu[2].fd, KVM_SET_SREGS, &s))
		die("KVM_SET_SREGS");
	fd = watch_range(&t->c, page_at(DATA), PAGE, W);
	ran = run_code(&t->vm, 2, code_at(code), &r);
	n = take_events(fd, a, MAX_EVENTS);
	for (i = 0; i < n; i++)
		opened = opened || a[i].type == PTREMAP_ACCESS_OPENED ||
			 a[i].type == PTREMAP_ACCESS_DONE;
	check(&t->c,
	      ran && r.rip >= handler && stack[0] >= code_at(code) && stack[1] == 8 && opened,
	      "%s on a watched stack: delivered (%d), and seen (%zu events)", name, ran, n);
	close(fd);
}

/* ---- many at a time ----------------------------------------------------------------------------
 */

struct counts {
	uint64_t own_writes[TINY_VCPUS], own_reads[TINY_VCPUS], sums[TINY_VCPUS];
	uint64_t shared_writes, shared_reads, others, lost;
};

#define SHARED	  14
#define OWN(v)	  (DATA + 2 * (v))
#define UNSEEN(v) (DATA + 2 * (v) + 1)
#define AT_ONCE	  4096
#define PER_ROUND 6 /* accesses of k_work, each time */

static void count_event(struct counts *n, const struct ptremap_access *a)
{
	uint64_t page = (a->gpa - TINY_GPA) / PAGE;
	unsigned int v = (unsigned int)(page - DATA) / 2;

	n->lost += a->lost;
	if (page == SHARED) {
		*(a->access == W ? &n->shared_writes : &n->shared_reads) += 1;
	} else if (page >= DATA && v < TINY_VCPUS && page == OWN(v) && a->vcpu == v &&
		   a->type == PTREMAP_ACCESS_DONE) {
		(a->access == W ? n->own_writes : n->own_reads)[v]++;
		n->sums[v] += a->access == W ? a->value : 0;
	} else {
		n->others++;
		print_event(a);
	}
}

static size_t count_events(struct counts *n, int fd)
{
	static struct ptremap_access a[AT_ONCE];
	size_t got = take_events(fd, a, AT_ONCE), i;

	for (i = 0; i < got; i++)
		count_event(n, &a[i]);
	return got;
}

static volatile unsigned int working;

static void *work_thread(void *arg)
{
	struct tiny_vcpu *v = arg;

	if (!tiny_run(v))
		die("a guest stopped in the middle");
	__atomic_sub_fetch(&working, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start_work(struct test *t, unsigned int v, uint32_t rounds)
{
	struct tiny_vcpu *c = &t->vm.vcpu[v];
	struct kvm_regs r = { .rip = code_at(k_work),
			      .rflags = 2,
			      .rcx = rounds,
			      .rbx = page_at(SHARED),
			      .rsi = page_at(UNSEEN(v)),
			      .rdi = page_at(OWN(v)) };

	*word_at(t, page_at(UNSEEN(v))) = 0;
	if (ioctl(c->fd, KVM_SET_REGS, &r) || pthread_create(&c->thread, NULL, work_thread, c))
		die("vCPU");
}

/* A slot comes and goes: KVM drops all its entries, and makes them anew while the guest works. */
static void disturb(const struct test *t)
{
	static char other[PAGE] __attribute__((aligned(PAGE)));

	if (tiny_slot(&t->vm, 2, 0x80000000ull, other, PAGE, 0) ||
	    tiny_slot(&t->vm, 2, 0x80000000ull, other, 0, 0))
		die("slot 2");
	usleep(2000);
}

static bool work_is_right(struct test *t, unsigned int v, uint32_t rounds)
{
	uint32_t sum = (uint32_t)((uint64_t)rounds * (rounds + 1) / 2);
	struct kvm_regs r;

	return !ioctl(t->vm.vcpu[v].fd, KVM_GET_REGS, &r) && (uint32_t)r.rdx == sum &&
	       *word_at(t, page_at(UNSEEN(v))) == sum && !(uint32_t)r.rcx;
}

static bool counts_fit(const struct counts *n, uint32_t rounds)
{
	uint64_t sum = (uint64_t)rounds * (rounds + 1) / 2;
	bool fit = n->shared_writes == (uint64_t)rounds * TINY_VCPUS && !n->others && !n->lost &&
		   n->shared_reads >= n->shared_writes;
	unsigned int v;

	for (v = 0; v < TINY_VCPUS; v++) {
		fit = fit && n->own_writes[v] == rounds && n->own_reads[v] == rounds &&
		      n->sums[v] == sum;
		if (n->own_writes[v] != rounds || n->own_reads[v] != rounds)
			printf("# vCPU %u: %" PRIu64 " writes, %" PRIu64 " reads\n", v,
			       n->own_writes[v], n->own_reads[v]);
	}
	return fit;
}

/* All vCPUs work in watched pages and beside them, while entries are dropped again and again. */
static void test_many(struct test *t, uint32_t accesses)
{
	uint32_t rounds = accesses / TINY_VCPUS / PER_ROUND + 1;
	struct ptremap_access_range ranges[TINY_VCPUS + 1];
	struct counts n = { 0 };
	unsigned int v, disturbed = 0;
	bool right = true;
	int fd;

	for (v = 0; v < TINY_VCPUS; v++)
		ranges[v] = (struct ptremap_access_range){ page_at(OWN(v)), PAGE, R | W, 0 };
	ranges[v] = (struct ptremap_access_range){ page_at(SHARED), PAGE, R | W, 0 };
	*word_at(t, page_at(SHARED)) = 0;
	fd = watch_ranges(&t->c, getpid(), -1, ranges, TINY_VCPUS + 1, 1u << 18);
	working = TINY_VCPUS;
	for (v = 0; v < TINY_VCPUS; v++)
		start_work(t, v, rounds);
	for (; working; disturbed++) {
		count_events(&n, fd);
		disturb(t);
	}
	for (v = 0; v < TINY_VCPUS; v++) {
		pthread_join(t->vm.vcpu[v].thread, NULL);
		right = right && work_is_right(t, v, rounds);
	}
	while (count_events(&n, fd))
		;
	check(&t->c,
	      right && *word_at(t, page_at(SHARED)) == rounds * TINY_VCPUS &&
		      counts_fit(&n, rounds),
	      "%u accesses by %u vCPUs, entries dropped %u times: checksums right (%d), %" PRIu64
	      " locked writes, %" PRIu64 " lost, %" PRIu64 " that were none",
	      rounds * TINY_VCPUS * PER_ROUND, TINY_VCPUS, disturbed, right, n.shared_writes,
	      n.lost, n.others);
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

	if (argc > 2 || (argc == 2 && !atoi(argv[1]))) {
		fputs("usage: ept_watch [ACCESSES]\n", stderr);
		return 2;
	}
	t.c.dev = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (t.c.dev < 0)
		die(PTREMAP_DEVICE);
	make_vm(&t);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(&t, &kinds[i]);
	test_opened(&t);
	test_strings(&t);
	test_walk(&t);
	test_event(&t, "a division by zero", k_div, 0);
	test_event(&t, "an undefined instruction", k_ud, 6);
	test_many(&t, argc > 1 ? (uint32_t)atoi(argv[1]) : 100000);
	tiny_end(&t.vm);
	return t.c.failed ? 1 : 0;
}
