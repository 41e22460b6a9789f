#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Looks for harm in outputs about a program with nasty names (nasty.c), or a guest with nasty texts.

usage: nasty_check.py FOLDER

Each file's name begins with its kind: text, json, lines, csv, folded, html, openmetrics, errors. Prints "ok
..." or "not ok ...", one line a file; exit status 1 if some were not ok.
"""
import csv
import json
import os
import re
import sys
import unicodedata

NAME = '=\x1b[2J<b>\u202e"\n;'
# What is left of it to be read, and how it stands in quotes as the name of a guest's call.
SHOWN = "=?[2J<b>?"
QUOTED = r'"=\x1b[2J<b>\xe2\x80\xae\"\n; nr=0x7'
HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Cs")


def hidden(text):
    """What steers a terminal or an eye, but for the ends of lines and the page's own tabs."""
    return sorted({"U+%04X" % ord(c) for c in text if c not in "\n\t" and unicodedata.category(c) in HIDDEN})


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from strings(v)


def text(data):
    """One line for each event and group: a name with a newline makes none."""
    return None if SHOWN in data or QUOTED in data else "the name is not there"


def has_name(value):
    return None if any(s.startswith((NAME, QUOTED)) for s in strings(value)) else "the name is not what it was"


def json_document(data):
    return has_name(json.loads(data))


def json_lines(data):
    return has_name([json.loads(line) for line in data.splitlines()])


def csv_file(data):
    rows = list(csv.reader(data.splitlines()))
    cells = [cell for row in rows for cell in row]
    formulas = [c for c in cells if len(c) > 1 and c[0] in "=+-@" and not re.fullmatch(r"[-+]?[0-9.e+-]+", c)]
    if len({len(row) for row in rows}) != 1:
        return "lines of different lengths"
    if formulas:
        return "formulas: %s" % formulas
    return None if any(c.startswith(("'" + SHOWN, QUOTED)) for c in cells) else "the name is not there"


def folded(data):
    bad = [line for line in data.splitlines() if not re.fullmatch(r"[^ ;]+(;[^;]+)* [0-9]+", line)]
    return "lines that are no stacks: %s" % bad[:3] if bad else text(data)


def html(data):
    document = re.search(r'<script type="application/json" id="data">(.*)</script>\n<script>', data, re.S)
    if not document or "<" in document[1]:
        return "the document has a tag in it"
    names = list(strings(json.loads(document[1])))
    if any(hidden(n.replace("\n", "")) or "\t" in n for n in names):
        return "what is hidden is in names"
    return None if any(n.startswith((SHOWN, QUOTED)) for n in names) else "the name is not there"


def openmetrics(data):
    lines = data.splitlines()
    sample = r'[a-z_]+(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? [0-9.]+'
    bad = [line for line in lines if not line.startswith("# ") and not re.fullmatch(sample, line)]
    return "lines that are no samples: %s" % bad[:3] if bad else None


KINDS = {"text": text, "json": json_document, "lines": json_lines, "csv": csv_file, "folded": folded,
         "html": html, "openmetrics": openmetrics, "errors": lambda data: None}


def check(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        raw = f.read()
    try:
        data = raw.decode("utf-8")
        found = hidden(data)
        return "%s in it" % ", ".join(found) if found else KINDS[name.split("-")[0]](data)
    except (UnicodeDecodeError, json.JSONDecodeError) as e:
        return str(e)


def main():
    failures = 0
    for name in sorted(os.listdir(sys.argv[1])):
        wrong = check(sys.argv[1], name)
        failures += wrong is not None
        print("not ok %s: %s" % (name, wrong) if wrong else "ok %s: nasty names do no harm" % name)
    return failures > 0


sys.exit(main())
