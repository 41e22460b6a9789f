# SPDX-License-Identifier: GPL-2.0
"""axe-core as Chromium's own developer tools bring it: no package of Debian 12 has it.

It is a string of the Lighthouse bundle, a resource of resources.pak (tools/grit/grit/format/
data_pack.py in Chromium's source), packed with brotli.
"""
import struct

import brotli

PAK = "/usr/lib/chromium/resources.pak"
PACKED = b"\x1e\x9b"  # then 6 bytes of the size
BUNDLE = b"/**\n * Lighthouse"
BEGIN = b"`/*! axe v"


def resources(data):
    """The resources of a pak file of version 5."""
    version, _, count = struct.unpack_from("<IIH", data)
    if version != 5:
        return
    places = [struct.unpack_from("<HI", data, 12 + 6 * i)[1] for i in range(count + 1)]
    for begin, end in zip(places, places[1:]):
        yield data[begin:end]


def literal(bundle):
    """The template literal with axe's source, its backquotes included; None: there is none."""
    begin = bundle.find(BEGIN)
    end = begin + 1
    while begin >= 0 and end < len(bundle):
        if bundle[end] == ord("`"):
            return bundle[begin:end + 1].decode()
        end += 2 if bundle[end] == ord("\\") else 1
    return None


def axe_literal():
    """JavaScript for a string with axe's source; None where this Chromium has none."""
    try:
        with open(PAK, "rb") as pak:
            data = pak.read()
    except OSError:
        return None
    for resource in resources(data):
        if resource[:2] != PACKED:
            continue
        text = brotli.decompress(resource[8:])
        if text.startswith(BUNDLE):
            return literal(text)
    return None
