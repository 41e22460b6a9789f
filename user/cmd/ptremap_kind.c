// SPDX-License-Identifier: GPL-2.0
/* ptremap kind: what an address is to the kernel. */
#include <unistd.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/cmd.h"
#include "user/cmd/numbers.h"
#include "user/cmd/output.h"
#include "user/kernel/helper.h"
#include "user/kernel/region.h"
#include "user/show/words.h"
#include "user/sym/kallsyms.h"

#define USAGE "ptremap kind [OPTIONS] ADDR..."

struct kind_opts {
	bool pa, json;
};

static const struct opt options[] = {
	{ 0, "pa", NULL, "ADDRs are physical: say where the kernel has them", OPT_FLAG,
	  offsetof(struct kind_opts, pa), NULL },
	{ 0, "json", NULL, "one JSON object per address", OPT_FLAG,
	  offsetof(struct kind_opts, json), NULL },
	{ 0 },
};

struct naming {
	const struct kind_opts *opts;
	struct layout layout;
	struct kallsyms *symbols; /* NULL: not loaded, or not to be had */
	bool tried_symbols;
	struct line line;
	struct json json;
};

/* What there is to say of one address. */
struct kind {
	uint64_t va, pa;
	struct region region;
	bool has_pa, has_ram;
	bool has_pfn; /* of the struct page that ->va lies in */
	uint64_t pfn, page_offset;
	const char *symbol, *module; /* NULL: none */
	uint64_t symbol_start;
};

static void find_symbol(struct naming *n, struct kind *k)
{
	if (k->region.kind != REGION_MODULES &&
	    (k->region.kind != REGION_TEXT || k->va < n->layout.text || k->va >= n->layout.etext))
		return;
	if (!n->tried_symbols)
		kallsyms_load(&n->symbols, "/proc/kallsyms");
	n->tried_symbols = true;
	if (n->symbols &&
	    kallsyms_find(n->symbols, k->va, &k->symbol, &k->module, &k->symbol_start))
		k->symbol = NULL;
}

static void find_kind(struct naming *n, uint64_t va, struct kind *k)
{
	const struct layout *l = &n->layout;

	*k = (struct kind){ .va = va, .region = layout_find(l, va) };
	k->has_pa = layout_pa(l, va, &k->pa);
	k->has_ram = k->has_pa && k->pa <= l->ram_last;
	if (k->region.kind == REGION_VMEMMAP) {
		k->has_pfn = true;
		k->pfn = (va - l->vmemmap_base) / l->page_struct;
		k->page_offset = (va - l->vmemmap_base) % l->page_struct;
	}
	find_symbol(n, k);
}

/* ---- text ------------------------------------------------------------------------------- */

static void put_details(struct line *l, const struct kind *k)
{
	if (k->has_pa) {
		line_str(l, ", physical ");
		line_0x(l, k->pa);
		line_str(l, k->has_ram ? "" : " (beyond RAM)");
	}
	if (k->has_pfn) {
		line_str(l, ", struct page of pfn ");
		line_0x(l, k->pfn);
		line_str(l, " + ");
		line_0x(l, k->page_offset);
	}
	if (k->symbol) {
		line_str(l, ", ");
		line_text(l, k->symbol);
		line_char(l, '+');
		line_0x(l, k->va - k->symbol_start);
		line_char(l, ' ');
		line_text(l, k->module);
	}
}

static int print_text(struct naming *n, const struct kind *k)
{
	struct line *l = &n->line;

	line_0x(l, k->va);
	line_str(l, ": ");
	line_str(l, region_name(k->region.kind));
	line_char(l, ' ');
	line_0x(l, k->region.start);
	line_char(l, '-');
	line_0x(l, k->region.last);
	put_details(l, k);
	line_char(l, '\n');
	return line_write(l, stdout);
}

static int print_json(struct naming *n, const struct kind *k)
{
	struct json *j = &n->json;

	json_object(j, NULL);
	json_hex(j, "address", k->va);
	json_str(j, "kind", region_name(k->region.kind));
	json_hex(j, "start", k->region.start);
	json_hex(j, "last", k->region.last);
	if (k->has_pa) {
		json_hex(j, "pa", k->pa);
		json_bool(j, "ram", k->has_ram);
	}
	if (k->has_pfn) {
		json_hex(j, "pfn", k->pfn);
		json_hex(j, "offset", k->page_offset);
	}
	if (k->symbol) {
		json_str(j, "symbol", k->symbol);
		json_hex(j, "offset", k->va - k->symbol_start);
		json_str(j, "module", k->module);
	}
	json_end_object(j);
	json_end_line(j);
	return output_error();
}

static int print(void *ctx, uint64_t va)
{
	struct naming *n = ctx;
	struct kind k;

	find_kind(n, va, &k);
	return n->opts->json ? print_json(n, &k) : print_text(n, &k);
}

/* ---- physical addresses ----------------------------------------------------------------- */

/* Where the kernel has a physical address; 0: nowhere. */
struct places {
	uint64_t pa, direct, page, image;
	bool ram;
};

static void find_places(const struct layout *l, uint64_t pa, struct places *p)
{
	uint64_t image = l->text - KERNEL_MAP + l->phys_base;

	*p = (struct places){ .pa = pa, .ram = pa <= l->ram_last };
	if (!p->ram)
		return;
	p->direct = l->page_offset + pa;
	if (l->vmemmap_base)
		p->page = l->vmemmap_base + (pa >> 12) * l->page_struct;
	if (l->has_phys_base && pa >= image && pa - image < l->end - l->text)
		p->image = l->text + (pa - image);
}

static void put_place(struct line *l, const char *what, uint64_t address)
{
	if (!address)
		return;
	line_str(l, what);
	line_0x(l, address);
}

static int print_pa(void *ctx, uint64_t pa)
{
	struct naming *n = ctx;
	struct places p;

	find_places(&n->layout, pa, &p);
	if (n->opts->json) {
		json_object(&n->json, NULL);
		json_hex(&n->json, "pa", pa);
		json_bool(&n->json, "ram", p.ram);
		if (p.direct)
			json_hex(&n->json, "direct_map", p.direct);
		if (p.page)
			json_hex(&n->json, "struct_page", p.page);
		if (p.image)
			json_hex(&n->json, "kernel_image", p.image);
		json_end_object(&n->json);
		json_end_line(&n->json);
		return output_error();
	}
	line_str(&n->line, "physical ");
	line_0x(&n->line, pa);
	line_str(&n->line, p.ram ? ":" : ": beyond RAM");
	put_place(&n->line, " direct map ", p.direct);
	put_place(&n->line, ", struct page ", p.page);
	put_place(&n->line, ", kernel image ", p.image);
	line_char(&n->line, '\n');
	return line_write(&n->line, stdout);
}

/* ---- the command ------------------------------------------------------------------------ */

static int detect(struct naming *n)
{
	int fd = ptremap_open();

	layout_detect(&n->layout, fd);
	if (fd >= 0)
		close(fd);
	if (n->layout.page_offset)
		return EXIT_DONE;
	if (n->opts->pa) {
		msg_error("the direct map's base: %s", ptremap_strerror(fd));
		return EXIT_FAILED;
	}
	msg_note("the bases of direct map, vmalloc and vmemmap are not known: %s",
		 ptremap_strerror(fd));
	return EXIT_DONE;
}

int cmd_kind(int argc, char **argv)
{
	struct kind_opts o = { 0 };
	struct naming n = { .opts = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE, "An ADDR of '-' stands for the addresses on stdin.", argc,
			 argv, &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	json_init(&n.json, stdout);
	status = detect(&n);
	if (!status)
		status = numbers_each(argc, argv, rest, "an address", USAGE,
				      o.pa ? print_pa : print, &n);
	kallsyms_free(n.symbols);
	line_free(&n.line);
	return status;
}
