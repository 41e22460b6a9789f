// SPDX-License-Identifier: GPL-2.0
/*
 * maps: mappings at new addresses of another process, from each source: where they are, what is
 * seen through them, what may be done with them, and which are refused.
 */
#include "tests/system/puppet.h"

#define RW  (PTREMAP_MAP_READ | PTREMAP_MAP_WRITE)
#define GIB (1ull << 30)

/* An address where nothing is, below 4 GiB. */
#define FREE_VA 0x50000000ull

static struct ptremap_map of_fresh(const struct puppet *p, uint64_t va, unsigned int pages)
{
	return (struct ptremap_map){
		.size = sizeof(struct ptremap_map),
		.pid = p->pid,
		.va = va,
		.len = pages * PAGE,
		.source = PTREMAP_MAP_FRESH,
		.prot = RW,
	};
}

static struct ptremap_map of_frames(const struct puppet *p, uint64_t va, unsigned int pages,
				    const struct puppet *lender, uint64_t from)
{
	struct ptremap_map m = of_fresh(p, va, pages);

	m.source = PTREMAP_MAP_FRAMES;
	m.other_pid = lender->pid;
	m.from = from;
	return m;
}

static struct ptremap_map of_phys(const struct puppet *p, uint32_t source, uint64_t pa)
{
	struct ptremap_map m = of_fresh(p, FREE_VA, 1);

	m.source = source;
	m.from = pa;
	m.prot = PTREMAP_MAP_READ;
	m.cache = source == PTREMAP_MAP_MMIO ? PTREMAP_CACHE_UC : PTREMAP_CACHE_WB;
	return m;
}

static int32_t refs(const struct checks *c, const struct puppet *p, uint64_t va)
{
	return fewest_refs(c, p->pid, va);
}

static int map(const struct checks *c, struct ptremap_map *m)
{
	return call(c, PTREMAP_MAP, m);
}

/* The line of /proc/PID/maps that begins at @va; false: there is none. */
static bool line_at(pid_t pid, uint64_t va, char *line, size_t len)
{
	char path[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && !found && fgets(line, (int)len, f))
		found = strtoull(line, NULL, 16) == va;
	if (f)
		fclose(f);
	if (found)
		line[strcspn(line, "\n")] = '\0';
	return found;
}

/* ---- where ----------------------------------------------------------------------------------- */

static void check_place(struct checks *c, const struct puppet *p, const char *what, uint64_t va,
			uint32_t flags)
{
	struct ptremap_map m = of_fresh(p, va, 2);
	char line[512] = "";
	uint64_t got;
	int err, error;

	m.flags = flags;
	err = map(c, &m);
	if (!check(c, !err, "%s: mapped (%s)", what, strerror(-err)))
		return;
	check(c, va ? m.va == va : !(flags & PTREMAP_MAP_LOW) || m.va < 2 * GIB, "%s: at 0x%llx",
	      what, (unsigned long long)m.va);
	check(c,
	      line_at(p->pid, m.va, line, sizeof(line)) && strstr(line, " rw-s ") &&
		      strstr(line, "[ptremap]"),
	      "%s: %s", what, line);
	error = puppet_write(p, m.va + PAGE, 0x1234);
	got = puppet_read(p, m.va + PAGE, &err);
	check(c, !error && !err && got == 0x1234, "%s: what was written is read", what);
	got = puppet_read(p, m.va, &err);
	check(c, !err && !got, "%s: a page of zeros", what);
	check(c, undo(c, m.id) == 1, "%s: undone", what);
	check(c, !line_at(p->pid, m.va, line, sizeof(line)), "%s: no line left", what);
	puppet_read(p, m.va, &err);
	check(c, err == -SIGSEGV, "%s: nothing is there", what);
}

static uint64_t min_addr(void)
{
	char text[32] = "";
	FILE *f = fopen("/proc/sys/vm/mmap_min_addr", "r");

	if (!f || !fgets(text, sizeof(text), f))
		die("mmap_min_addr");
	fclose(f);
	return strtoull(text, NULL, 10);
}

static void places(struct checks *c, const struct puppet *p)
{
	struct ptremap_features f = { .size = sizeof(f) };
	struct ptremap_map m;
	uint64_t min = min_addr();
	int err;

	err = call(c, PTREMAP_FEATURES, &f);
	check(c, !err && f.calls & 1 << 7, "the module maps");
	check_place(c, p, "lowest", min, 0);
	check_place(c, p, "below 4 GiB", 0xf0000000, 0);
	check_place(c, p, "any", 0, 0);
	check_place(c, p, "any low one", 0, PTREMAP_MAP_LOW);
	if (f.levels == 5)
		check_place(c, p, "with the 5th level", 1ull << 52, 0);
	m = of_fresh(p, min - PAGE, 1);
	err = map(c, &m);
	check(c, err == -EADDRNOTAVAIL, "below the lowest: %s", strerror(-err));
	m = of_fresh(p, p->pages + PAGE, 1);
	err = map(c, &m);
	check(c, err == -EEXIST, "where something is: %s", strerror(-err));
	m = of_fresh(p, p->pages - PAGE, 2);
	err = map(c, &m);
	check(c, err == -EEXIST, "where its end meets something: %s", strerror(-err));
}

/* A dry run says where, or why not, and leaves nothing behind: no mapping, page or transaction. */
static void dry_runs(struct checks *c, const struct puppet *p, const struct puppet *lender)
{
	const int32_t before = refs(c, lender, lender->pages);
	struct ptremap_map m = of_frames(p, 0, 2, lender, lender->pages), made;
	char line[512];
	int err, error;

	m.flags = PTREMAP_MAP_DRY_RUN | PTREMAP_MAP_LOW;
	m.id = 7;
	err = map(c, &m);
	check(c, !err && !m.id && m.va && m.va < 2 * GIB, "dry run: %s, id %u, at 0x%llx",
	      strerror(-err), m.id, (unsigned long long)m.va);
	puppet_read(p, m.va, &error);
	check(c, error == -SIGSEGV && !line_at(p->pid, m.va, line, sizeof(line)),
	      "dry run: nothing is there");
	check(c, !list(c, NULL, 0) && refs(c, lender, lender->pages) == before,
	      "dry run: nothing is listed or held");
	made = m;
	made.flags = 0;
	err = map(c, &made);
	check(c, !err && made.va == m.va, "dry run: a mapping can be there (%s)", strerror(-err));
	err = map(c, &m);
	check(c, err == -EINVAL, "dry run: with an address, and low: %s", strerror(-err));
	m.flags = PTREMAP_MAP_DRY_RUN;
	err = map(c, &m);
	check(c, err == -EEXIST, "dry run: where something is: %s", strerror(-err));
	undo(c, made.id);
	m = of_frames(p, FREE_VA, 1, lender, lender->read_only);
	m.flags = PTREMAP_MAP_DRY_RUN;
	err = map(c, &m);
	check(c, err == -EROFS, "dry run: writable, where its owner may only read: %s",
	      strerror(-err));
}

/* ---- what is seen ---------------------------------------------------------------------------- */

static void shared_frames(struct checks *c, const struct puppet *p, const struct puppet *lender)
{
	struct ptremap_map m = of_frames(p, FREE_VA, PUPPET_PAGES, lender, lender->pages);
	int32_t before = refs(c, lender, lender->pages);
	int err, error, i;
	bool same = true;

	err = map(c, &m);
	check(c, !err, "frames: mapped (%s)", strerror(-err));
	for (i = 0; i < PUPPET_PAGES && same; i++)
		same = puppet_read(p, m.va + i * PAGE, &err) == (uint64_t)(PUPPET_SEED + i) << 32;
	check(c, same, "frames: %d pages of the other are seen", i);
	error = puppet_write(p, m.va + 8, 0xabcd);
	check(c, !error && puppet_read(lender, lender->pages + 8, &err) == 0xabcd,
	      "frames: the other sees what is written");
	error = puppet_write(lender, lender->pages + PAGE + 8, 0xef01);
	check(c, !error && puppet_read(p, m.va + PAGE + 8, &err) == 0xef01,
	      "frames: and the other way round");
	check(c,
	      (leaf(c, p->pid, m.va) & FRAME_MASK) ==
		      (leaf(c, lender->pid, lender->pages) & FRAME_MASK),
	      "frames: one frame");
	puppet_do(lender, (struct order){ .what = ORDER_FORK, .args = { lender->pages } });
	error = puppet_write(lender, lender->pages + 16, 0x2345);
	check(c, !error && puppet_read(p, m.va + 16, &err) == 0x2345,
	      "frames: still one after the other has forked");
	check(c, undo(c, m.id) == 1, "frames: undone");
	check(c, refs(c, lender, lender->pages) == before, "frames: %d references again", before);
	check(c, puppet_read(lender, lender->pages + 8, &err) == 0xabcd,
	      "frames: the other keeps what was written");
}

static void read_only_frames(struct checks *c, const struct puppet *p, const struct puppet *lender)
{
	struct ptremap_map m = of_frames(p, FREE_VA, 2, lender, lender->read_only);
	int32_t before = refs(c, lender, lender->read_only);
	int err = map(c, &m), got;

	check(c, err == -EROFS, "read-only frames, to be written to: %s", strerror(-err));
	m.prot = PTREMAP_MAP_READ;
	err = map(c, &m);
	check(c, !err && puppet_read(p, m.va, &got) == (uint64_t)PUPPET_SEED << 32,
	      "read-only frames: seen");
	check(c, puppet_write(p, m.va, 1) == -SIGSEGV, "read-only frames: a write is SIGSEGV");
	check(c, undo(c, m.id) == 1, "read-only frames: undone");
	check(c, refs(c, lender, lender->read_only) == before,
	      "read-only frames: %d references again", before);
}

static void executable(struct checks *c, const struct puppet *p)
{
	struct ptremap_map m = of_fresh(p, FREE_VA, 1);
	struct order run = { .what = ORDER_CALL, .args = { FREE_VA } };
	struct reply r;
	int err;

	err = map(c, &m);
	/* mov $42, %eax; ret */
	puppet_write(p, FREE_VA, 0xc30000002ab8);
	r = puppet_do(p, run);
	check(c, !err && r.error == -SIGSEGV, "not executable: SIGSEGV");
	check(c, undo(c, m.id) == 1, "not executable: undone");
	m.prot |= PTREMAP_MAP_EXEC;
	err = map(c, &m);
	check(c, !err, "executable: mapped (%s)", strerror(-err));
	puppet_write(p, FREE_VA, 0xc30000002ab8);
	r = puppet_do(p, run);
	check(c, !r.error && r.value == 42, "executable: runs (%d)", r.error);
	check(c, undo(c, m.id) == 1, "executable: undone");
}

static void protections(struct checks *c, const struct puppet *p)
{
	struct ptremap_map m = of_fresh(p, FREE_VA, 2);
	int err, got;

	m.prot = PTREMAP_MAP_READ;
	err = map(c, &m);
	check(c, !err && !puppet_read(p, m.va, &got) && !got, "r--: read");
	check(c, puppet_write(p, m.va, 1) == -SIGSEGV, "r--: a write is SIGSEGV");
	err = (int)puppet_call(p, SYS_mprotect, m.va, PAGE, PROT_READ | PROT_WRITE, 0, 0);
	check(c, err == -EACCES, "r--: mprotect to rw-: %s", strerror(-err));
	err = (int)puppet_call(p, SYS_mprotect, m.va, PAGE, PROT_READ | PROT_EXEC, 0, 0);
	check(c, err == -EACCES, "r--: mprotect to r-x: %s", strerror(-err));
	err = (int)puppet_call(p, SYS_madvise, m.va, PAGE, MADV_DOFORK, 0, 0);
	check(c, err == -EINVAL, "madvise cannot have it inherited: %s", strerror(-err));
	undo(c, m.id);
	m.prot = RW;
	err = map(c, &m);
	check(c, !err && !puppet_write(p, m.va, 7), "rw-: written");
	puppet_call(p, SYS_mprotect, m.va, PAGE, PROT_READ, 0, 0);
	check(c, puppet_write(p, m.va, 8) == -SIGSEGV, "narrowed to r--: a write is SIGSEGV");
	err = (int)puppet_call(p, SYS_mprotect, m.va, PAGE, PROT_READ | PROT_WRITE, 0, 0);
	check(c, !err && !puppet_write(p, m.va, 9) && puppet_read(p, m.va, &got) == 9,
	      "and back to rw-: written");
	check(c, undo(c, m.id) == 1 && !list(c, NULL, 0), "protections: undone");
}

/* ---- cache types ----------------------------------------------------------------------------- */

/* Where Linux has them in its PAT: WC is entry 1, UC- 2. */
static void cached(struct checks *c, const struct puppet *p, const char *name, uint32_t cache,
		   uint64_t bits)
{
	struct ptremap_map m = of_fresh(p, FREE_VA, 2);
	uint64_t pte;
	int err, got;

	m.cache = cache;
	err = map(c, &m);
	puppet_write(p, m.va, 77);
	pte = leaf(c, p->pid, m.va);
	check(c, !err && pte & BIT_P && (pte & 0x98) == bits, "%s: entry %#" PRIx64, name, pte);
	check(c, puppet_read(p, m.va, &got) == 77, "%s: holds what was written", name);
	check(c, undo(c, m.id) == 1, "%s: undone", name);
}

static void caches(struct checks *c, const struct puppet *p, const struct puppet *lender)
{
	struct ptremap_map m = of_frames(p, FREE_VA, 1, lender, lender->pages);
	int err;

	cached(c, p, "write-back", PTREMAP_CACHE_WB, 0);
	cached(c, p, "uncached", PTREMAP_CACHE_UC, 0x10);
	cached(c, p, "write-combining", PTREMAP_CACHE_WC, 0x08);
	m.cache = PTREMAP_CACHE_UC;
	err = map(c, &m);
	check(c, err == -EMEDIUMTYPE, "another's frames uncached: %s", strerror(-err));
	m = of_phys(p, PTREMAP_MAP_MMIO, 0xfee00000);
	m.cache = PTREMAP_CACHE_WB;
	err = map(c, &m);
	check(c, err == -EMEDIUMTYPE, "device memory cached: %s", strerror(-err));
}

/* ---- physical addresses ---------------------------------------------------------------------- */

static void physical(struct checks *c, const struct puppet *p, const struct puppet *lender)
{
	uint64_t pa = leaf(c, lender->pid, lender->pages + 3 * PAGE) & FRAME_MASK;
	int32_t before = refs(c, lender, lender->pages + 3 * PAGE);
	struct ptremap_map m = of_phys(p, PTREMAP_MAP_PHYS, pa);
	int err, got;

	m.prot = RW;
	err = map(c, &m);
	check(c, !err && puppet_read(p, m.va, &got) == (uint64_t)(PUPPET_SEED + 3) << 32,
	      "RAM by address: seen (%s)", strerror(-err));
	puppet_write(p, m.va, 0x777);
	check(c, puppet_read(lender, lender->pages + 3 * PAGE, &got) == 0x777,
	      "RAM by address: its owner sees what is written");
	check(c, undo(c, m.id) == 1, "RAM by address: undone");
	check(c, refs(c, lender, lender->pages + 3 * PAGE) == before,
	      "RAM by address: %d references again", before);
}

/* Where @name begins, in /proc/iomem; 0: there is none. */
static uint64_t in_iomem(const char *name)
{
	char line[256];
	uint64_t pa = 0;
	FILE *f = fopen("/proc/iomem", "r");

	while (f && !pa && fgets(line, sizeof(line), f))
		if (strstr(line, name))
			pa = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	return pa;
}

static void device_memory(struct checks *c, const struct puppet *p, const char *name)
{
	uint64_t pa = in_iomem(name);
	struct ptremap_map m = of_phys(p, PTREMAP_MAP_PHYS, pa);
	uint32_t direct = 0, seen;
	struct ptremap_phys phys = { .size = sizeof(phys),
				     .flags = PTREMAP_PHYS_MMIO,
				     .pa = pa,
				     .len = 4,
				     .width = 4,
				     .buf = at(&direct) };
	int err;

	if (!check(c, pa, "%s: at 0x%llx", name, (unsigned long long)pa))
		return;
	err = map(c, &m);
	check(c, err == -ENODEV, "%s, taken for RAM: %s", name, strerror(-err));
	m = of_phys(p, PTREMAP_MAP_MMIO, pa);
	err = map(c, &m);
	check(c, !err, "%s: mapped (%s)", name, strerror(-err));
	call(c, PTREMAP_PHYS, &phys);
	seen = (uint32_t)puppet_read(p, m.va, &err);
	check(c, !err && seen && seen == direct, "%s: 0x%x, as the kernel reads it", name, seen);
	check(c, (leaf(c, p->pid, m.va) & 0x18) == 0x10, "%s: uncached", name);
	check(c, undo(c, m.id) == 1, "%s: undone", name);
}

/* The first page that has all of @flags in /proc/kpageflags, from 16 MiB on. */
static uint64_t page_with(uint64_t flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t pfn, seen[512], i;

	for (pfn = 4096; fd >= 0 && pread(fd, seen, sizeof(seen), (off_t)(pfn * 8)) > 0; pfn += 512)
		for (i = 0; i < 512; i++)
			if ((seen[i] & flags) == flags && !(seen[i] & 1ull << 20)) {
				close(fd);
				return (pfn + i) * PAGE;
			}
	if (fd >= 0)
		close(fd);
	return 0;
}

static void refused_page(struct checks *c, const struct puppet *p, const char *what, uint64_t pa,
			 int want)
{
	struct ptremap_map m = of_phys(p, PTREMAP_MAP_PHYS, pa);
	int err = pa ? map(c, &m) : -ENOENT;

	check(c, err == want, "%s, 0x%llx: %s", what, (unsigned long long)pa, strerror(-err));
	m.prot = RW;
	err = pa ? map(c, &m) : -ENOENT;
	check(c, err == want, "%s, to be written to: %s", what, strerror(-err));
}

static int map_page(const struct checks *c, const struct puppet *p, uint64_t pa)
{
	struct ptremap_map m = of_phys(p, PTREMAP_MAP_PHYS, pa);

	return map(c, &m);
}

static void refused_pages(struct checks *c, const struct puppet *p)
{
	struct ptremap_walk_entry e = { .va = p->pages };
	struct ptremap_walk w = { .size = sizeof(w), .pid = p->pid, .nr = 1, .entries = at(&e) };

	int err;

	call(c, PTREMAP_WALK, &w);
	refused_page(c, p, "a table of PTEs", e.entry[1] & FRAME_MASK, -ELOOP);
	refused_page(c, p, "a table of PMDs", e.entry[2] & FRAME_MASK, -ELOOP);
	/* Which of the upper ones the kernel marks as tables depends on its version. */
	err = map_page(c, p, e.entry[3] & FRAME_MASK);
	check(c, err == -ELOOP || err == -EADDRINUSE, "a table of PUDs: %s", strerror(-err));
	err = map_page(c, p, w.root & FRAME_MASK);
	check(c, err == -ELOOP || err == -EADDRINUSE, "the top table: %s", strerror(-err));
	refused_page(c, p, "slab", page_with(1ull << 7), -ENOTEMPTY);
	refused_page(c, p, "free", page_with(1ull << 10), -ENODATA);
	refused_page(c, p, "reserved", page_with(1ull << 32), -ENOTUNIQ);
	refused_page(c, p, "no memory", 1ull << 36, -ENODEV);
	refused_page(c, p, "no address", 1ull << 52, -ERANGE);
}

int main(void)
{
	struct checks c = { .dev = open_device() };
	struct puppet p, lender;

	puppet_start(&p);
	puppet_start(&lender);
	places(&c, &p);
	dry_runs(&c, &p, &lender);
	shared_frames(&c, &p, &lender);
	read_only_frames(&c, &p, &lender);
	executable(&c, &p);
	protections(&c, &p);
	caches(&c, &p, &lender);
	physical(&c, &p, &lender);
	device_memory(&c, &p, "HPET");
	refused_pages(&c, &p);
	check(&c, !list(&c, NULL, 0), "nothing is listed");
	puppet_end(&p);
	puppet_end(&lender);
	return c.failed > 0;
}
