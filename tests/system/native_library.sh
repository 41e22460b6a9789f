#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libptw as others get it: installed into a folder, found by pkg-config, linked both ways. The
# example program translates addresses by tables that are written here, byte for byte.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

dest=$work/dest
export PKG_CONFIG_PATH=$dest/opt/ptw/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest
include=$dest/opt/ptw/include/ptw
lib=$dest/opt/ptw/lib
memory=$work/memory
warnings=(-std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror)

# flags ARG... - of pkg-config
flags()
{
	pkg-config "$@" libptw
}

# alone COMPILER - each header compiles by itself, whatever was included before
alone()
{
	local header bad=0

	for header in "$include"/*.h; do
		printf '#include <ptw/%s>\n' "${header##*/}"{,} >"$work/alone.c"
		# shellcheck disable=SC2046 # several flags
		"$1" "${warnings[@]}" -Wno-unused-function -fsyntax-only $(flags --cflags) "$work/alone.c" ||
			bad=$((bad + 1))
	done
	equal "$1: headers that do not stand alone" $bad 0
}

# declared - prints the functions that the installed headers declare
declared()
{
	# shellcheck disable=SC2046 # several flags
	gcc -fsyntax-only -aux-info "$work/aux" $(flags --cflags) "$work/all.c"
	grep -F "$include/" "$work/aux" | grep -v ' static ' | sed -E 's/.*[ *](\w+) \(.*/\1/' | sort
}

# build OUTPUT FLAG... - the example
build()
{
	gcc "${warnings[@]}" "$top/user/pt/example/guest_translate.c" "${@:2}" -o "$1"
	equal "${1##*/}: build: status" $? 0
}

# put SIZE ADDRESS VALUE - an entry of 4 or 8 bytes in the guest's memory
put()
{
	local i bytes=''

	for ((i = 0; i < $1; i++)); do
		bytes+=$(printf '\\x%02x' $(($3 >> 8 * i & 255)))
	done
	printf '%b' "$bytes" | dd of="$memory" bs=1 seek=$(($2)) conv=notrunc status=none
}

# leads WHAT ADDRESS ANSWER - by the tables that $registers point to
leads()
{
	local program

	for program in shared static; do
		# shellcheck disable=SC2086 # several registers
		equal "$1, $program" "$("$work/$program" "$memory" $registers "$2" | tail -n +2)" "$2$3"
	done
}

mode()
{
	# shellcheck disable=SC2086 # several registers
	equal "$1" "$("$work/shared" "$memory" $registers 0 | head -n 1)" "mode $1"
}

make_tables()
{
	truncate -s 64K "$memory"
	# 4 levels from 0x1000: 4 KiB, 2 MiB and 1 GiB leaves, a reserved bit, memory that is not there
	put 8 0x1000 0x2067 # read, write, user
	put 8 $((0x1000 + 8 * 511)) 0x2063
	put 8 0x2000 0x3067
	put 8 0x2008 0x400000e7
	put 8 0x2010 0x7fff000067
	put 8 $((0x2000 + 8 * 510)) 0x3063
	put 8 0x3000 0x4025
	put 8 0x3008 0x8000000000e000e7 # no-execute
	put 8 0x3010 0x20e7 # address bit 13 of a 2 MiB leaf
	put 8 0x4008 0x123067
	# 5 levels from 0x5000: the same, one level up
	put 8 0x5000 0x1067
	# PAE from 0x6020
	put 8 0x6020 0x3001
	# 32 bits from 0x7000
	put 4 0x7000 0x8067
	put 4 0x7004 0x8040e7 # bit 14 is address bit 33
	put 4 0x8004 0x9027
}

test_example()
{
	local registers

	registers="0x80010001 0x1fff 0x20 0xd00" # PCID bits and flags are no part of the root
	mode 4level
	leads "4 KiB" 0x1234 " -> 0x123234, page of 4 KiB, r-x user"
	leads "2 MiB" 0x212345 " -> 0xe12345, page of 2048 KiB, rw- user"
	leads "1 GiB" 0x40000fff " -> 0x40000fff, page of 1048576 KiB, rwx user"
	leads "kernel half" 0xffffffff80001000 " -> 0x123000, page of 4 KiB, r-x"
	leads "hole" 0x2008 ": not present: PTE at 0x4010 is 0x0"
	leads "hole of 512 GiB" 0x8000000000 ": not present: PML4E at 0x1008 is 0x0"
	leads "reserved bit" 0x400000 ": reserved bit set: PDE at 0x3010 is 0x20e7"
	leads "no memory" 0x80000000 ": memory unreadable: PDE at 0x7fff000000"
	leads "not canonical" 0x800000000000 ": address not canonical"
	registers="0x80010001 0x1000 0x20 0x500"
	leads "NX without EFER.NXE" 0x212345 ": reserved bit set: PDE at 0x3008 is 0x8000000000e000e7"
	registers="0x80010001 0x5000 0x1020 0xd00"
	mode 5level
	leads "5 levels" 0x1234 " -> 0x123234, page of 4 KiB, r-x user"
	leads "5 levels, hole" 0x1000000000000 ": not present: PML5E at 0x5008 is 0x0"
	registers="0x80010001 0x6020 0x20 0x800"
	mode pae
	leads "PAE" 0x1234 " -> 0x123234, page of 4 KiB, r-x user"
	leads "PAE, hole" 0x40000000 ": not present: PDPTE at 0x6028 is 0x0"
	registers="0x80010001 0x7000 0x10 0"
	mode 32bit
	leads "32 bits" 0x1fff " -> 0x9fff, page of 4 KiB, rwx user"
	leads "PSE-36" 0x400001 " -> 0x200800001, page of 4096 KiB, rwx user"
	registers="0x11 0 0 0"
	mode none
	leads "no paging" 0x1234 " -> 0x1234, paging is off"
}

# man_example N - of the installed ptw(3)
man_example()
{
	awk -v want="$1" '/^\.EE/ { here = 0 } here; /^\.EX/ { here = ++n == want }' \
		"$dest/opt/ptw/share/man/man3/ptw.3" | sed 's/\\-/-/g; s/\\e/\\/g'
}

make -C "$top" --no-print-directory O="$bin" DESTDIR="$dest" prefix=/opt/ptw install >"$work/log" 2>&1
equal "make install: status" $? 0
equal "ABIs that the installed program finds" \
	"$("$dest/opt/ptw/bin/ptrace-pf" script --abi help | xargs)" "bitvisor capsule hyperv kvm xen"
echo '#include <ptw/ptw.h>' >"$work/all.c"
# shellcheck disable=SC2046 # several flags
gcc -M $(flags --cflags) "$work/all.c" | grep -oE '[^ /]*\.h' | grep -E '^ptw?(_|\.)' | sort -u >"$work/got"
find "$include" -name '*.h' -printf '%f\n' | sort >"$work/want"
same_lines "headers installed and included by ptw.h" "$work/want" "$work/got"
equal "installed headers that are not for others" "$(find "$include" -name '*_priv.h' | wc -l)" 0

alone gcc
alone clang
declared >"$work/want"
nm -D --defined-only "$lib/libptw.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/got"
same_lines "functions: headers and libptw.so" "$work/want" "$work/got"
equal "names of libptw.a outside pt_" \
	"$(nm --defined-only -g "$lib/libptw.a" | awk 'NF == 3 && $3 !~ /^pt_/' | wc -l)" 0
equal "what libptw.so needs" "$(readelf -d "$lib/libptw.so" | grep -c NEEDED)" 1 "the C library"
equal "soname" "$(readelf -d "$lib/libptw.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')" libptw.so.0

# shellcheck disable=SC2046 # several flags
build "$work/shared" $(flags --cflags --libs) -Wl,-rpath,"$lib"
# shellcheck disable=SC2046 # several flags
build "$work/static" -static $(flags --cflags --libs --static)
equal "shared: libptw.so.0 is used" "$(ldd "$work/shared" | grep -c "$lib/libptw.so.0")" 1
make_tables
test_example

# The examples of ptw(3) compile as they stand, those that are parts of functions in one; and the
# library moves with its prefix.
{
	cat <<-END
		#include <stdio.h>
		#include <ptw/ptw.h>
		int my_read_guest_memory(pt_u64 gpa, void *buf, pt_u32 len);
		int guest_va_to_pa(const struct pt_cregs *regs, pt_u64 va, pt_u64 *pa);
		int parts(struct pt_space space, void *buffer, pt_u64 base, pt_u64 size);
	END
	man_example 1
	cat <<-END
		int parts(struct pt_space space, void *buffer, pt_u64 base, pt_u64 size)
		{
		struct pt_merge m;
		struct pt_item item;
		struct pt_arena arena;
		int err;
	END
	man_example 2
	man_example 3
	printf 'return err;\n}\n'
} >"$work/example.c"
# shellcheck disable=SC2046 # several flags
gcc "${warnings[@]}" -fsyntax-only $(flags --cflags) "$work/example.c"
equal "ptw(3): examples: status" $? 0
equal "ptw(3): examples" "$(grep -c '^\.EX' "$dest/opt/ptw/share/man/man3/ptw.3")" 3
equal "libptw.pc: folders" \
	"$(grep -E '^(lib|include)dir=' "$lib/pkgconfig/libptw.pc" | tr '\n' ' ')" \
	"libdir=\${prefix}/lib includedir=\${prefix}/include "

groff -man -ww -z -Tutf8 "$dest/opt/ptw/share/man/man3/ptw.3" 2>"$work/warnings"
equal "ptw(3): groff's warnings" "$(wc -l <"$work/warnings")" 0
cat "$work/warnings"
grep -ohE '\bpt_[a-z_]+ \(\)|^\.BR pt_[a-z_]+ ' "$dest/opt/ptw/share/man/man3/ptw.3" |
	grep -oE 'pt_[a-z_]+' | sort -u >"$work/named"
equal "ptw(3): functions that no header has" \
	"$(grep -ohE '\bpt_[a-z_]+\(' "$include"/*.h | tr -d '(' | sort -u | comm -13 - "$work/named" |
		wc -l)" 0

# libptremap, which native programs cannot do much with: the device needs its module.
sed -nE 's/^(int|void|const char \*)\s*(ptremap_[a-z_]+)\(.*/\2/p' \
	"$dest/opt/ptw/include/ptremap/"{libptremap,mirror}.h | sort >"$work/want"
nm -D --defined-only "$lib/libptremap.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort >"$work/got"
same_lines "functions: libptremap.h, mirror.h and libptremap.so" "$work/want" "$work/got"
for link in "" -static; do
	# shellcheck disable=SC2046,SC2086 # several flags, or none
	gcc "${warnings[@]}" "$top/user/kernel/example/swap_pages.c" $link \
		$(pkg-config --cflags --libs libptremap) \
		-Wl,-rpath,"$lib" -o "$work/swap_pages"
	equal "libptremap${link:+, static}: example: status" $? 0
done
equal "libptremap: example without the module" \
	"$("$work/swap_pages" 1 0 1 0x1000 2>&1)" \
	"/dev/ptremap: the helper module is not loaded; build it (make kmod) and load it with insmod"
finish
