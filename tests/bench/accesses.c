// SPDX-License-Identifier: GPL-2.0
/*
 * accesses: what a watched page costs a guest, and that one that was watched costs nothing any
 * more: writes in a loop, before, under and after a watch.
 */
#include "tests/bench/bench.h"
#include "tests/system/ept_access.h"

#define PLAIN	3000000u
#define WATCHED 20000u

struct bench {
	struct checks c;
	struct tiny_vm vm;
	char *p;
};

/* eax to (ebx), ecx times. */
__asm__(".pushsection .rodata\n"
	".code32\n"
	"loop_code: mov %eax, (%ebx); dec %ecx; jnz loop_code; out %eax, $0x10\n"
	"loop_end:\n"
	".code64\n"
	".popsection\n");
extern const char loop_code[], loop_end[];

/* Nanoseconds of each write; *@exits of all. */
static double measure(struct bench *b, uint32_t writes, uint64_t *exits)
{
	struct kvm_regs r = { .rax = 1, .rbx = TINY_GPA + PAGE, .rcx = writes };
	uint64_t before = vcpu_stat(&b->vm, 0, "exits");
	double start = now();

	if (!run_code(&b->vm, 0, TINY_GPA, &r))
		die("guest");
	start = now() - start;
	*exits = vcpu_stat(&b->vm, 0, "exits") - before;
	return start * 1e9 / writes;
}

static void report(const char *what, double ns, double plain, uint64_t exits, uint32_t writes)
{
	printf("%-44s %10.1f %9.2fx %10.4f\n", what, ns, ns / plain, (double)exits / writes);
	if (plain != ns)
		row("a guest's write to a page", "ns", (struct cost){ what, ns },
		    (struct cost){ "(itself) not watched", plain });
}

int main(void)
{
	static struct bench b;
	double plain, watched, after;
	uint64_t exits[3];
	int fd;

	b.c.dev = open_device();
	b.p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b.p == MAP_FAILED)
		die("mmap");
	memcpy(b.p, loop_code, (size_t)(loop_end - loop_code));
	tiny_make(&b.vm, b.p, 4 * PAGE);
	measure(&b, PLAIN, &exits[0]);
	plain = measure(&b, PLAIN, &exits[0]);
	fd = watch_range(&b.c, TINY_GPA + PAGE, PAGE, W);
	if (fd < 0)
		die("PTREMAP_ACCESS");
	watched = measure(&b, WATCHED, &exits[1]);
	close(fd);
	after = measure(&b, PLAIN, &exits[2]);
	printf("%-44s %10s %10s %10s\n", "a guest's writes to one page", "ns each", "ratio",
	       "exits each");
	report("as it is", plain, plain, exits[0], PLAIN);
	report("watched by `ptremap`'s module", watched, plain, exits[1], WATCHED);
	report("watched no more", after, plain, exits[2], PLAIN);
	tiny_end(&b.vm);
	return 0;
}
