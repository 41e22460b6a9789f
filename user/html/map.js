/* SPDX-License-Identifier: GPL-2.0 */
/* A heat map on a canvas: time from left to right, rows from top to bottom. */

/* cells: [row, column, count]; rows: { label(row), group(row) }; says(cell or place) is text */
class HeatMap {
	constructor(name) {
		this.canvas = at(name + "-map");
		this.says = at(name + "-says");
		this.cells = [];
		this.canvas.addEventListener("keydown", e => this.key(e));
		this.canvas.addEventListener("pointerdown", e => this.press(e));
		this.canvas.addEventListener("pointermove", e => this.move(e));
		this.canvas.addEventListener("pointerup", e => this.release(e));
		this.canvas.addEventListener("pointercancel", () => this.drop_box());
		const zoom = at(name + "-zoom");
		for (const [text, what] of zoom ? [["Zoom in", "+"], ["Zoom out", "-"], ["Show all", "0"]] : []) {
			const b = element("button", text, { type: "button" });
			b.addEventListener("click", () => this.act(what));
			zoom.append(b, " ");
		}
	}

	set(model) {
		Object.assign(this, model);
		this.columns = Math.max(1, ...this.cells.map(c => c[1] + 1));
		this.whole();
		this.canvas.setAttribute("aria-label", this.title + ", " + this.nr_rows + " rows, " +
			count(this.cells.reduce((n, c) => n + c[2], 0)) + " events");
		this.draw();
	}

	whole() {
		this.view = { c: 0, w: this.columns, r: 0, h: this.nr_rows };
		this.cursor = { c: 0, r: 0 };
	}

	/* Where one cell of the view is on the canvas. */
	scale() {
		return { left: this.margin, x: (this.canvas.width - this.margin) / this.view.w,
			y: this.canvas.height / this.view.h };
	}

	draw() {
		const canvas = this.canvas, ratio = window.devicePixelRatio || 1;
		canvas.width = Math.max(200, canvas.clientWidth * ratio);
		canvas.height = Math.max(100, canvas.clientHeight * ratio);
		this.margin = Math.round(Math.min(170 * ratio, canvas.width * 0.3));
		const g = canvas.getContext("2d"), s = this.scale();
		g.fillStyle = color("--ground");
		g.fillRect(0, 0, canvas.width, canvas.height);
		this.paint(g, s);
		this.labels(g, s, ratio);
		this.mark(g, s);
	}

	/* Several cells may fall on one place of the canvas: they are added up there. */
	paint(g, s) {
		const wide = Math.max(1, s.x), high = Math.max(1, s.y), places = new Map();
		let most = 1;
		for (const [r, c, n] of this.cells) {
			if (r < this.view.r || r >= this.view.r + this.view.h || c < this.view.c ||
			    c >= this.view.c + this.view.w)
				continue;
			const x = Math.floor((c - this.view.c) * s.x), y = Math.floor((r - this.view.r) * s.y);
			const sum = (places.get(y * 65536 + x) || 0) + n;
			places.set(y * 65536 + x, sum);
			most = Math.max(most, sum);
		}
		const cold = color("--cold").split(",").map(Number), hot = color("--hot").split(",").map(Number);
		for (const [place, n] of places) {
			const part = most > 1 ? Math.log(n) / Math.log(most) : 1;
			g.fillStyle = "rgb(" + cold.map((v, i) => Math.round(v + (hot[i] - v) * part)) + ")";
			g.fillRect(s.left + place % 65536, Math.floor(place / 65536), Math.ceil(wide), Math.ceil(high));
		}
	}

	labels(g, s, ratio) {
		const size = 12 * ratio;
		let below = -size, group;
		g.font = size + "px monospace";
		g.textBaseline = "top";
		g.fillStyle = color("--ink");
		g.strokeStyle = color("--line");
		for (let r = Math.floor(this.view.r); r < this.view.r + this.view.h; r++) {
			const y = (r - this.view.r) * s.y, name = this.group(r);
			if (name === group)
				continue;
			group = name;
			if (y < below)
				continue;
			g.beginPath();
			g.moveTo(0, y);
			g.lineTo(g.canvas.width, y);
			g.stroke();
			g.fillText(shorten(name, Math.floor((s.left - 8) / g.measureText("m").width)), 4, y + 2);
			below = y + size * 1.3;
		}
	}

	mark(g, s) {
		if (document.activeElement !== this.canvas)
			return;
		g.strokeStyle = color("--mark");
		g.lineWidth = 2;
		g.strokeRect(s.left + (this.cursor.c - this.view.c) * s.x - 1, (this.cursor.r - this.view.r) * s.y - 1,
			Math.max(4, s.x) + 2, Math.max(4, s.y) + 2);
	}

	tell(c, r) {
		const sum = this.cells.reduce((n, cell) => n + (cell[0] === r && cell[1] === c ? cell[2] : 0), 0);
		this.says.textContent = this.label(r) + ", " + duration(c * this.column_ns) + " to " +
			duration((c + 1) * this.column_ns) + ": " + count(sum) + " events";
	}

	limit(v) {
		v.w = Math.min(this.columns, Math.max(1, v.w));
		v.h = Math.min(this.nr_rows, Math.max(1, v.h));
		v.c = Math.min(this.columns - v.w, Math.max(0, v.c));
		v.r = Math.min(this.nr_rows - v.h, Math.max(0, v.r));
		this.view = v;
	}

	zoom(factor) {
		const w = Math.max(1, Math.round(this.view.w * factor)), h = Math.max(1, Math.round(this.view.h * factor));
		this.limit({ c: this.cursor.c - (w >> 1), w, r: this.cursor.r - (h >> 1), h });
	}

	/* The view follows the cursor. */
	step(columns, rows) {
		const k = this.cursor, v = this.view;
		k.c = Math.min(this.columns - 1, Math.max(0, k.c + columns * Math.max(1, v.w >> 6)));
		k.r = Math.min(this.nr_rows - 1, Math.max(0, k.r + rows * Math.max(1, v.h >> 6)));
		this.limit({ ...v, c: Math.min(k.c, Math.max(v.c, k.c - v.w + 1)),
			r: Math.min(k.r, Math.max(v.r, k.r - v.h + 1)) });
		this.tell(k.c, k.r);
	}

	act(what) {
		({ "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
			"0": () => this.whole(), ArrowLeft: () => this.step(-1, 0), ArrowRight: () => this.step(1, 0),
			ArrowUp: () => this.step(0, -1), ArrowDown: () => this.step(0, 1) })[what]();
		this.draw();
	}

	key(e) {
		if (!["+", "=", "-", "0", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(e.key) ||
		    e.ctrlKey || e.altKey || e.metaKey)
			return;
		e.preventDefault();
		this.act(e.key);
	}

	place(e) {
		const box = this.canvas.getBoundingClientRect(), s = this.scale();
		const ratio = this.canvas.width / box.width;
		const c = Math.floor(((e.clientX - box.left) * ratio - s.left) / s.x + this.view.c);
		const r = Math.floor((e.clientY - box.top) * ratio / s.y + this.view.r);
		return { c: Math.min(this.columns - 1, Math.max(0, c)), r: Math.min(this.nr_rows - 1, Math.max(0, r)),
			x: e.clientX - box.left, y: e.clientY - box.top };
	}

	press(e) {
		this.from = this.place(e);
		this.box = element("div", null, { class: "box" });
		this.canvas.parentNode.append(this.box);
		this.canvas.setPointerCapture(e.pointerId);
	}

	move(e) {
		const to = this.place(e);
		if (!this.box) {
			this.tell(to.c, to.r);
			return;
		}
		Object.assign(this.box.style, { left: Math.min(this.from.x, to.x) + "px",
			top: Math.min(this.from.y, to.y) + "px", width: Math.abs(to.x - this.from.x) + "px",
			height: Math.abs(to.y - this.from.y) + "px" });
	}

	drop_box() {
		if (this.box)
			this.box.remove();
		this.box = null;
	}

	release(e) {
		const to = this.place(e), a = this.from;
		const far = a && (Math.abs(to.x - a.x) > 4 || Math.abs(to.y - a.y) > 4);
		this.drop_box();
		this.cursor = { c: to.c, r: to.r };
		if (far)
			this.limit({ c: Math.min(a.c, to.c), w: Math.abs(a.c - to.c) + 1,
				r: Math.min(a.r, to.r), h: Math.abs(a.r - to.r) + 1 });
		this.tell(to.c, to.r);
		this.draw();
	}
}

/* The end of a path, and the address behind it, tell more than its beginning. */
const shorten = (text, max) => text.length <= max ? text : "…" + text.slice(text.length - max + 1);

/* "cells" of the document are flat: row, column, count. */
function* triples(flat) {
	for (let i = 0; i < flat.length; i += 3)
		yield [flat[i], flat[i + 1], flat[i + 2]];
}

const events_of = series => series.cells.reduce((n, v, i) => n + (i % 3 === 2 ? v : 0), 0);
