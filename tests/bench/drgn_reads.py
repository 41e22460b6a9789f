#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""drgn_reads.py FILE: makes FILE, a core of a machine whose kernel maps 256 MiB by 4 KiB pages,
and prints in how many seconds drgn reads these pages by virtual address, through those tables, the
best of five: 8 bytes of each in a call, where the interpreter has its share, and all in one call."""
import struct
import sys
import time

import drgn

PAGES = 1 << 16
START = 0xFFFFC90000000000
KERNEL = 0xFFFFFFFF80000000  # drgn finds the root by its virtual address in the kernel's image
BASE = 0x100000  # physical address of the memory in the core
ROOT, PUD, PMD, PTE = BASE + 0x1000, BASE + 0x2000, BASE + 0x3000, BASE + 0x4000
FRAME = PTE + PAGES * 8
P_RW_A_D = 0x63


def tables():
    memory = bytearray(FRAME + 4096 - BASE)

    def put(table, index, address):
        struct.pack_into("<Q", memory, table - BASE + 8 * index, address | P_RW_A_D)

    put(ROOT, START >> 39 & 511, PUD)
    put(PUD, START >> 30 & 511, PMD)
    for i in range(PAGES // 512):
        put(PMD, i, PTE + 4096 * i)
    for i in range(PAGES):
        put(PTE, i, FRAME)
    struct.pack_into("<Q", memory, FRAME - BASE, 42)
    return memory


def write_core(path):
    info = (
        "OSRELEASE=6.1.0\nPAGESIZE=4096\nKERNELOFFSET=0\nNUMBER(phys_base)=0\n"
        "SYMBOL(swapper_pg_dir)=%x\nNUMBER(pgtable_l5_enabled)=0\n" % (KERNEL + ROOT)
    ).encode()
    name = b"VMCOREINFO\0\0"
    note = struct.pack("<III", 11, len(info), 0) + name + info
    note += bytes(-len(note) % 4)
    memory = tables()
    with open(path, "wb") as f:
        f.write(b"\x7fELF\2\1\1" + bytes(9))
        f.write(struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0))
        f.write(struct.pack("<IIQQQQQQ", 4, 0, 4096, 0, 0, len(note), len(note), 4))
        f.write(struct.pack("<IIQQQQQQ", 1, 7, 8192, KERNEL + BASE, BASE, len(memory), len(memory), 0))
        f.seek(4096)
        f.write(note)
        f.seek(8192)
        f.write(memory)


def one_by_one(prog):
    for address in range(START, START + PAGES * 4096, 4096):
        if prog.read_u64(address) != 42:
            sys.exit("drgn_reads: wrong data")


def at_once(prog):
    if prog.read(START, PAGES * 4096)[-4096] != 42:
        sys.exit("drgn_reads: wrong data")


def measure(what, read, prog):
    times = []
    for _ in range(5):
        begin = time.monotonic()
        read(prog)
        times.append(time.monotonic() - begin)
    print("%s\t%.6f" % (what, min(times)))


def main():
    write_core(sys.argv[1])
    prog = drgn.Program()
    prog.set_core_dump(sys.argv[1])
    measure("drgn, `read_u64()` of each page", one_by_one, prog)
    measure("drgn, one `read()` of all pages, copied", at_once, prog)


main()
