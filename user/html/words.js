/* SPDX-License-Identifier: GPL-2.0 */
/* What all of the page's script uses: the document, elements, numbers in words. The files are one script, in the order of assets.c. */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);

function element(tag, text, attributes) {
	const e = document.createElement(tag);
	if (text !== undefined && text !== null)
		e.textContent = text;
	for (const [name, value] of Object.entries(attributes || {}))
		e.setAttribute(name, value);
	return e;
}

const count = n => n.toLocaleString("en");

function duration(ns) {
	for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "us"]])
		if (ns >= size)
			return (ns / size).toPrecision(3) + " " + unit;
	return Math.round(ns) + " ns";
}

const percent = (part, all) => (all ? 100 * part / all : 0).toFixed(2) + "%";

function color(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
