/* SPDX-License-Identifier: GPL-2.0 */
/* What each tab shows, but for the flame graph. */

/* Series by process, those with most events first. */
function by_process(series) {
	const all = new Map();
	for (const s of series) {
		const key = s.pid === null ? -1 : s.pid;
		if (!all.has(key))
			all.set(key, { pid: s.pid, comm: s.comm, events: 0, series: [] });
		all.get(key).series.push(s);
		all.get(key).events += events_of(s);
	}
	return [...all.values()].sort((a, b) => b.events - a.events);
}

const process_name = p => p.comm + (p.pid === null ? "" : " " + p.pid) + ", " + count(p.events) + " events";

/* A choice that calls use(i), now with the first. */
function choose(id, names, use) {
	for (const [i, name] of names.entries())
		at(id).append(element("option", name, { value: i }));
	at(id).addEventListener("change", () => use(Number(at(id).value)));
	if (names.length)
		use(0);
}

/* ---- overview ---- */

function make_facts() {
	const r = data.recording, lost = r.lost && r.lost.total !== undefined ? r.lost.total : r.lost;
	const facts = [["events", count(r.events)], ["page faults", count(r.faults)], ["VM exits", count(r.vm_exits)],
		["remaps", count(r.remaps)],
		["lost", lost === null ? "not known" : count(lost)], ["duration", duration(r.duration_ns)],
		["events a second", r.duration_ns ? count(Math.round(r.events * 1e9 / r.duration_ns)) : "-"],
		["kernel", r.kernel], ["host", r.hostname], ["hook", r.hook],
		["walks", r.walks ? "recorded" : "not recorded"]];
	for (const [name, value] of facts) {
		const box = element("div");
		box.append(element("dt", name), element("dd", value));
		at("facts").append(box);
	}
	at("command").textContent = r.command;
	const warnings = [];
	if (!r.complete)
		warnings.push("This recording was cut: what was lost is not known.");
	if (lost)
		warnings.push(count(lost) + " events were lost.");
	if (r.note)
		warnings.push(r.note);
	at("warnings").textContent = warnings.join(" ");
}

function make_overview() {
	const map = new HeatMap("overview"), rows = [], cells = [];
	const column_ns = Math.max(data.space.column_ns, data.exits.column_ns, data.remaps.column_ns);
	const sources = [["page faults", data.space], ["VM exits", data.exits], ["remaps", data.remaps]];
	for (const [name, source] of sources.filter(([, source]) => source.series.length)) {
		for (const s of source.series)
			for (const [, c, n] of triples(s.cells))
				cells.push([rows.length, Math.floor(c * source.column_ns / column_ns), n]);
		rows.push(name);
	}
	map.set({ title: "Events over time", cells, nr_rows: rows.length, column_ns,
		label: r => rows[r], group: r => rows[r] });
	shown.overview = () => map.draw();
}

/* ---- address space ---- */

/* Rows are the places where faults were, in order of address; a gap begins a new group. */
function space_model(process) {
	const rows = [], cells = [], step = BigInt(data.space.row_bytes);
	for (const s of process.series)
		for (const [i, row] of s.rows.entries())
			rows.push({ address: BigInt(row) * step, name: s.name, series: s, index: i });
	rows.sort((a, b) => a.address < b.address ? -1 : a.address > b.address ? 1 : a.name < b.name ? -1 : 1);
	const numbers = new Map(process.series.map(s => [s, []]));
	rows.forEach((row, i) => { numbers.get(row.series)[row.index] = i; });
	for (const s of process.series)
		for (const [r, c, n] of triples(s.cells))
			cells.push([numbers.get(s)[r], c, n]);
	const text = r => "0x" + rows[r].address.toString(16) + " " + rows[r].name;
	let group = 0;
	const groups = rows.map((row, i) => {
		const before = rows[i - 1];
		if (before && (row.name !== before.name || row.address - before.address > step))
			group = i;
		return group;
	});
	return { title: "Faults of " + process.comm + " by time and address", cells, nr_rows: rows.length,
		column_ns: data.space.column_ns, label: text,
		group: r => rows[groups[r]].name + " " + rows[groups[r]].address.toString(16) };
}

function make_space() {
	const map = new HeatMap("space"), processes = by_process(data.space.series);
	choose("space-choice", processes.map(process_name), i => map.set(space_model(processes[i])));
	shown.space = () => map.draw();
}

/* ---- latency ---- */

function make_histogram(series) {
	const from = data.latency.from_ns, sums = new Map(), table = element("table");
	for (const [r, , n] of triples(series.cells)) {
		const octave = Math.floor(Number(series.rows[r]) / 4);
		sums.set(octave, (sums.get(octave) || 0) + n);
	}
	const octaves = [...sums.keys()].sort((a, b) => a - b), most = Math.max(1, ...sums.values());
	const head = element("tr");
	head.append(element("th", "from", { scope: "col" }), element("th", "events", { class: "number", scope: "col" }),
		element("td", "", { "aria-hidden": "true" }));
	table.append(head);
	for (const o of octaves) {
		const line = element("tr"), bar = element("td");
		bar.textContent = "█".repeat(Math.max(1, Math.round(40 * sums.get(o) / most)));
		bar.setAttribute("aria-hidden", "true");
		line.append(element("td", duration(from[o * 4])), element("td", count(sums.get(o)), { class: "number" }), bar);
		table.append(line);
	}
	at("histogram").replaceChildren(table);
}

function latency_model(series) {
	const numbers = series.rows.map(Number), low = Math.min(...numbers), high = Math.max(...numbers);
	const from = data.latency.from_ns, row = r => high - r; /* the longest are on top */
	const cells = [...triples(series.cells)].map(([r, c, n]) => [high - numbers[r], c, n]);
	return { title: "Latencies of " + series.name, cells, nr_rows: high - low + 1, column_ns: data.latency.column_ns,
		label: r => "from " + duration(from[row(r)]), group: r => duration(from[Math.floor(row(r) / 4) * 4]) };
}

function make_latency() {
	const map = new HeatMap("latency"), series = data.latency.series;
	choose("latency-choice", series.map(s => s.name), i => {
		map.set(latency_model(series[i]));
		make_histogram(series[i]);
	});
	if (!series.length) {
		map.set({ title: "No latencies", cells: [], nr_rows: 1, column_ns: 1, label: () => "none recorded",
			group: () => "none recorded" });
		at("histogram").textContent = "No latencies were recorded.";
	}
	shown.latency = () => map.draw();
}

/* ---- tables ---- */

class Table {
	constructor() {
		choose("table-choice", data.tables.map(t => t.title), i => this.set(data.tables[i]));
		at("table-filter").addEventListener("input", () => this.draw());
	}

	set(table) {
		const r = table.report;
		const number = (name, get, text) => ({ name, get, text: text || (v => v === null ? "-" : count(v)), number: true });
		const latency = which => g => g.latency_ns ? g.latency_ns[which] : null;
		const time = v => v === null ? "-" : duration(v);
		this.table = table;
		this.columns = [number("share", g => g.share, v => (100 * v).toFixed(2) + "%"), number("count", g => g.count)];
		if (r.groups.some(g => g.latency_ns))
			for (const which of ["p50", "p99", "max", "total"])
				this.columns.push(number(which, latency(which), time));
		for (const key of r.sort)
			this.columns.push({ name: key, get: g => g[key], text: v => v === null ? "[none]" : String(v), number: false });
		this.by = this.columns[1];
		this.down = true;
		this.draw();
	}

	sort(column) {
		this.down = this.by === column ? !this.down : column.number;
		this.by = column;
		this.draw();
		at("table").querySelectorAll("th button")[this.columns.indexOf(column)].focus();
	}

	rows() {
		const word = at("table-filter").value.toLowerCase(), get = this.by.get, turn = this.down ? -1 : 1;
		const order = (a, b) => a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * turn;
		return this.table.report.groups
			.filter(g => !word || this.columns.some(c => c.text(c.get(g)).toLowerCase().includes(word)))
			.sort((a, b) => order(get(a), get(b)));
	}

	head() {
		const line = element("tr");
		for (const c of this.columns) {
			const th = element("th", null, { scope: "col", "aria-sort": this.by !== c ? "none" :
				this.down ? "descending" : "ascending" });
			const b = element("button", c.name + (this.by !== c ? "" : this.down ? " ▼" : " ▲"), { type: "button" });
			if (c.number)
				th.className = "number";
			b.addEventListener("click", () => this.sort(c));
			th.append(b);
			line.append(th);
		}
		return line;
	}

	draw() {
		const head = element("thead"), body = element("tbody"), rows = this.rows();
		head.append(this.head());
		for (const g of rows) {
			const line = element("tr");
			for (const c of this.columns)
				line.append(element("td", c.text(c.get(g)), { class: c.number ? "number" : "text" }));
			body.append(line);
		}
		at("table").replaceChildren(element("caption", this.table.title, { class: "quiet" }), head, body);
		at("table-says").textContent = rows.length + " of " + count(this.table.report.groups_total) + " rows";
	}
}

/* ---- walks ---- */

const ENTRY_BITS = [[0, "P"], [1, "RW"], [2, "US"], [3, "PWT"], [4, "PCD"], [5, "A"], [6, "D"], [7, "PS/PAT"],
	[8, "G"], [63, "NX"]];

function entry_text(level) {
	if (!level)
		return "not read";
	const entry = BigInt(level.entry), bits = ENTRY_BITS.filter(([bit]) => entry >> BigInt(bit) & 1n).map(b => b[1]);
	if (!entry)
		return "0: empty";
	return level.entry + (entry & 1n ? " frame 0x" + ((entry & 0xffffffffff000n) >> 12n).toString(16) + " " +
		bits.join(" ") : " not present");
}

function end_text(walk) {
	if (!walk)
		return "not recorded";
	if (walk.stop === "leaf")
		return "leads to frame 0x" + walk.pfn.toString(16) + ", page of " + walk.page_size / 1024 + " KiB";
	const name = { hole: "nothing is mapped", bad: "reserved bits", cut: "a table could not be read" }[walk.stop];
	return "ends at level " + walk.stop_level + ": " + name + (walk.hole ? " (" + walk.hole + ")" : "");
}

function walk_levels(f) {
	const box = element("div"), walks = [f.walk_before, f.walk_after];
	const line = (name, texts, changed) => {
		const row = element("div", null, { class: "level" });
		row.append(element("div", name, { class: "name" }));
		texts.forEach((text, i) => row.append(element("div", text, { class: "code" + (changed && i ? " changed" : "") })));
		box.append(row);
	};
	line("level", ["before", "after"]);
	const levels = new Map();
	for (const [i, walk] of walks.entries())
		for (const level of walk ? walk.levels : [])
			levels.set(level.level, Object.assign(levels.get(level.level) || { name: level.name }, { [i]: level }));
	for (const number of [...levels.keys()].sort((a, b) => b - a)) {
		const l = levels.get(number);
		line(l.name, [entry_text(l[0]), entry_text(l[1])], walks[1] && (!l[0] || !l[1] || l[0].entry !== l[1].entry));
	}
	line("end", walks.map(end_text));
	return box;
}

function show_walk(f) {
	const facts = [["process", f.comm + " " + f.pid + "/" + f.tid], ["address", f.address], ["access", f.access + " (" + f.error_bits + ")"],
		["outcome", f.outcome], ["latency", f.latency_ns === null ? "not recorded" : duration(f.latency_ns)],
		["instruction", f.ip === null ? "none" : f.ip + " " + (f.symbol || "")],
		["mapping", f.vma ? f.vma.start + "-" + f.vma.end + " " + f.vma.perms + " " + (f.vma.name || "[anon]") : "none"]];
	const list = element("dl", null, { class: "facts" });
	for (const [name, value] of facts) {
		const box = element("div");
		box.append(element("dt", name), element("dd", value));
		list.append(box);
	}
	at("walk").replaceChildren(list, element("h3", "Page tables"), walk_levels(f));
}

function make_walks() {
	const faults = data.slowest;
	choose("walk-choice", faults.map((f, i) => (i + 1) + ". " + (f.latency_ns === null ? "" : duration(f.latency_ns) + " ") +
		f.outcome + " " + f.address + " " + f.comm), i => show_walk(faults[i]));
}

/* ---- virtual machines ---- */

function vm_model(process) {
	const series = [...process.series].sort((a, b) => events_of(b) - events_of(a));
	const cells = series.flatMap((s, r) => [...triples(s.cells)].map(([, c, n]) => [r, c, n]));
	return { title: "Exits of " + process.comm, cells, nr_rows: series.length,
		column_ns: data.exits.column_ns, label: r => series[r].name,
		group: r => series[r].name + " " + count(events_of(series[r])) };
}

function make_vms() {
	const map = new HeatMap("vms"), vms = by_process(data.exits.series);
	choose("vms-choice", vms.map(process_name), i => map.set(vm_model(vms[i])));
	shown.vms = () => map.draw();
}
