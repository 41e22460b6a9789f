/* SPDX-License-Identifier: GPL-2.0 */
/* The tabs, and all of it put together. */

const shown = {}; /* what a tab draws when it comes into view, and when colors or sizes change */
const { faults, vm_exits, remaps } = data.recording;
const tabs = [["overview", "Overview", true], ["space", "Address space", faults], ["latency", "Latency", true],
	["flame", "Flame graph", faults], ["tables", "Tables", true], ["walks", "Walks", faults],
	["vms", "VMs", vm_exits]].filter(t => t[2]);
let current = "overview";

function show(name, focus) {
	current = name;
	for (const [id] of tabs) {
		const tab = at("tab-" + id), here = id === name;
		tab.setAttribute("aria-selected", here);
		tab.tabIndex = here ? 0 : -1;
		at("panel-" + id).hidden = !here;
		if (here && focus)
			tab.focus();
	}
	redraw();
}

function redraw() {
	if (shown[current])
		shown[current]();
}

function make_tabs() {
	for (const [id, title] of tabs) {
		const tab = element("button", title, { type: "button", role: "tab", id: "tab-" + id,
			"aria-controls": "panel-" + id });
		tab.addEventListener("click", () => show(id));
		at("tabs").append(tab);
	}
	at("tabs").addEventListener("keydown", e => {
		const here = tabs.findIndex(t => t[0] === current), last = tabs.length - 1;
		const to = { ArrowRight: here < last ? here + 1 : 0, ArrowLeft: here ? here - 1 : last,
			Home: 0, End: last }[e.key];
		if (to === undefined)
			return;
		e.preventDefault();
		show(tabs[to][0], true);
	});
}

/* ---- all of it ---- */

at("theme").addEventListener("click", () => {
	const root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
	const now = root.dataset.theme || (dark ? "dark" : "light");
	root.dataset.theme = now === "dark" ? "light" : "dark";
	redraw();
});
window.addEventListener("resize", redraw);
make_tabs();
make_facts();
make_latency();
new Table();
if (faults || vm_exits || remaps)
	make_overview();
if (faults) {
	make_space();
	make_flame();
	make_walks();
}
if (vm_exits)
	make_vms();
show("overview");
