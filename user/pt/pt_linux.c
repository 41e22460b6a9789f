// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_linux.h"
#include "pt_os.h"

#define V(major, minor) PT_LINUX_VERSION(major, minor)
#define FLAG(name)	offsetof(struct pt_linux, name)
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/* Kernels [from, before) have it; 0 for @before: up to now. */
struct span {
	unsigned int from, before;
};

static bool holds(const struct span *span, unsigned int version)
{
	version &= ~PT_LINUX_DEVICE_PRIVATE;
	return version >= span->from && (!span->before || version < span->before);
}

/* A flag and its bit. */
struct flag {
	pt_u8 member, bit;
	struct span when;
};

/*
 * Of a page, present or PROT_NONE: pgtable_types.h. _PAGE_DEVMAP gave its bit to _PAGE_SAVED_DIRTY
 * in 6.6 (D of a page that must not look like a shadow stack), and went in 6.17.
 */
static const struct flag page_flags[] = {
	{ FLAG(special), 9, { 0, 0 } },		  /* no struct page, or one not to be touched */
	{ FLAG(uffd_wp), 10, { V(5, 7), 0 } },	  /* write-protected by userfaultfd */
	{ FLAG(soft_dirty), 11, { 0, 0 } },	  /* written to since clear_refs */
	{ FLAG(dev), 58, { 0, V(6, 6) } },	  /* memory of a device: DAX */
	{ FLAG(dev), 57, { V(6, 6), V(6, 17) } }, /* the same */
	{ FLAG(saved_dirty), 58, { V(6, 6), 0 } },
};

/* Of a swap entry: pgtable_64.h. */
static const struct flag swap_flags[] = {
	{ FLAG(soft_dirty), 1, { 0, 0 } },
	{ FLAG(uffd_wp), 2, { V(5, 7), 0 } },
	{ FLAG(exclusive), 3, { V(5, 19), 0 } },
};

/*
 * The uses of swap types besides swap: include/linux/swap.h numbers them in this order so that
 * the last one has type 31.
 */
static const struct special {
	pt_u8 kind;
	const char *sub;
	struct span when;
} specials[] = {
	{ PT_LINUX_HWPOISON, NULL, { 0, 0 } },
	{ PT_LINUX_MIGRATION, "read", { 0, 0 } },
	{ PT_LINUX_MIGRATION, "read-exclusive", { V(5, 19), 0 } },
	{ PT_LINUX_MIGRATION, "write", { 0, 0 } },
	{ PT_LINUX_DEVICE, "private-write", { 0, 0 } },
	{ PT_LINUX_DEVICE, "private-read", { 0, 0 } },
	{ PT_LINUX_DEVICE, "exclusive", { V(6, 15), 0 } },
	{ PT_LINUX_DEVICE, "exclusive-write", { V(5, 14), V(6, 15) } },
	{ PT_LINUX_DEVICE, "exclusive-read", { V(5, 14), V(6, 15) } },
	{ PT_LINUX_MARKER, NULL, { V(5, 19), 0 } },
	{ PT_LINUX_SWAPIN_ERROR, NULL, { V(5, 19), V(6, 2) } },
};

/* swapops.h. The last one found is the one to be named. */
static const struct marker {
	pt_u8 bits;
	const char *sub;
	struct span when;
} markers[] = {
	{ PT_MARKER_UFFD_WP, "uffd-wp", { V(5, 19), 0 } },
	{ PT_MARKER_POISONED, "swapin-error", { V(6, 2), V(6, 6) } },
	{ PT_MARKER_POISONED, "poisoned", { V(6, 6), 0 } },
	{ PT_MARKER_GUARD, "guard", { V(6, 13), 0 } },
};

#define MAX_TYPE 31

static void set_flags(struct pt_linux *out, const struct flag *flags, unsigned int n, pt_u64 entry,
		      unsigned int version)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (holds(&flags[i].when, version) && entry >> flags[i].bit & 1)
			((pt_u8 *)out)[flags[i].member] = 1;
}

/* What the swap type is used for; NULL: swap. */
static const struct special *find_special(unsigned int type, unsigned int version)
{
	bool device = version & PT_LINUX_DEVICE_PRIVATE;
	unsigned int i, t = MAX_TYPE;

	for (i = NR(specials); i-- > 0;) {
		if (!holds(&specials[i].when, version))
			continue;
		if (specials[i].kind == PT_LINUX_DEVICE && !device)
			continue;
		if (t-- == type)
			return &specials[i];
	}
	return NULL;
}

static void decode_marker(struct pt_linux *out, unsigned int version)
{
	unsigned int i;

	for (i = 0; i < NR(markers); i++)
		if (holds(&markers[i].when, version) && out->offset & markers[i].bits)
			out->sub = markers[i].sub;
	out->uffd_wp |= out->offset & PT_MARKER_UFFD_WP;
}

/*
 * The offset of a special entry is a page frame number of as many bits as the kernel knows
 * (MAX_PHYSMEM_BITS); above it, since 6.1, are A and D of a page that is being moved.
 */
static void decode_pfn(struct pt_linux *out, unsigned int top, pt_u64 offset, unsigned int version)
{
	static const struct span has_ad = { V(6, 1), 0 };
	unsigned int bits = (top == 5 ? 52 : 46) - 12;

	out->pfn = offset & (PT_BIT(bits) - 1);
	if (out->kind != PT_LINUX_MIGRATION || !holds(&has_ad, version))
		return;
	out->young = offset >> bits & 1;
	out->dirty = offset >> (bits + 1) & 1;
}

/* pgtable_64.h: type in bits 63..59, offset inverted in 58..9. */
static void decode_swap(const struct pt_fmt *fmt, pt_u64 entry, unsigned int version,
			struct pt_linux *out)
{
	pt_u64 offset = ~entry << 5 >> 14;
	const struct special *special;

	out->type = (pt_u8)(entry >> 59);
	special = find_special(out->type, version);
	set_flags(out, swap_flags, NR(swap_flags), entry, version);
	out->kind = special ? special->kind : PT_LINUX_SWAP;
	out->sub = special ? special->sub : NULL;
	if (out->kind == PT_LINUX_SWAP) {
		out->offset = offset;
	} else if (out->kind == PT_LINUX_MARKER) {
		out->offset = offset;
		decode_marker(out, version);
	} else if (out->kind != PT_LINUX_SWAPIN_ERROR) {
		decode_pfn(out, fmt->top, offset, version);
	}
}

/* A page in all but P: its address is inverted (pgtable-invert.h). */
static void decode_protnone(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
			    unsigned int version, struct pt_linux *out)
{
	pt_u64 offset = pt_level_size(fmt, level) - 1;

	out->kind = PT_LINUX_PROTNONE;
	out->sub = entry & PT_G ? NULL : "invalid";
	out->pfn = (~entry & fmt->addr_mask & ~offset) >> 12;
	set_flags(out, page_flags, NR(page_flags), entry, version);
}

/*
 * What stands in the place of a leaf. A large page keeps PS when it loses P (pmd_present()); swap
 * is by 4 KiB pages.
 */
static void decode_hole(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
			unsigned int version, struct pt_linux *out)
{
	bool large = level > 1;

	if (entry & (large ? PT_PS : PT_G))
		decode_protnone(fmt, level, entry, version, out);
	else if (!(entry & PT_G))
		decode_swap(fmt, entry, version, out);
	if (out->kind == PT_LINUX_NONE || (large && out->kind == PT_LINUX_SWAP))
		*out = (struct pt_linux){ .kind = PT_LINUX_UNKNOWN };
}

void pt_linux_decode(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
		     unsigned int version, struct pt_linux *out)
{
	bool x86_64 =
		(fmt->mode == PT_MODE_4LEVEL || fmt->mode == PT_MODE_5LEVEL) && !fmt->feat.npt;

	*out = (struct pt_linux){ .kind = PT_LINUX_NONE };
	if (entry & fmt->present) {
		out->kind = PT_LINUX_PRESENT;
		if (x86_64 && pt_entry_is_leaf(fmt, level, entry))
			set_flags(out, page_flags, NR(page_flags), entry, version);
	} else if (x86_64 && (level == 1 || fmt->leaf_levels >> level & 1)) {
		if (entry & ~(PT_A | PT_D))
			decode_hole(fmt, level, entry, version, out);
	} else if (entry & ~(PT_A | PT_D)) {
		out->kind = PT_LINUX_UNKNOWN;
	}
}

const char *pt_linux_kind_name(enum pt_linux_kind kind)
{
	static const char *const names[] = {
		[PT_LINUX_NONE] = "empty",
		[PT_LINUX_PRESENT] = "present",
		[PT_LINUX_PROTNONE] = "protnone",
		[PT_LINUX_SWAP] = "swap",
		[PT_LINUX_MIGRATION] = "migration",
		[PT_LINUX_DEVICE] = "device",
		[PT_LINUX_HWPOISON] = "hwpoison",
		[PT_LINUX_MARKER] = "marker",
		[PT_LINUX_SWAPIN_ERROR] = "swapin-error",
		[PT_LINUX_UNKNOWN] = "unknown",
	};

	return kind < NR(names) ? names[kind] : "?";
}
