/* SPDX-License-Identifier: GPL-2.0 */
/* The flame graph. */

const FRAME_HEIGHT = 22, FRAME_LEAST = 0.0008;

function flame_tree() {
	const nodes = [];
	for (const [parent, name, events] of triples(data.flame.nodes)) {
		const node = { name: data.flame.names[name], events, parent: nodes[parent] || null, callees: [], depth: 0 };
		if (node.parent) {
			node.depth = node.parent.depth + 1;
			node.parent.callees.push(node);
		}
		nodes.push(node);
	}
	for (const n of nodes)
		n.callees.sort((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1));
	return nodes;
}

class Flame {
	constructor() {
		this.place = at("flame");
		this.nodes = flame_tree();
		this.root = this.zoomed = this.nodes[0];
		this.word = "";
		this.place.addEventListener("click", e => this.pick(e));
		this.place.addEventListener("keydown", e => this.key(e));
		this.place.addEventListener("focusin", e => this.tell(e));
		this.place.addEventListener("pointerover", e => this.tell(e));
		at("flame-reset").addEventListener("click", () => this.zoom(this.root));
		at("flame-search").addEventListener("input", () => this.search(at("flame-search").value));
		at("flame-about").textContent = (data.flame.stacks ?
			"Who faulted: callers above their callees." :
			"No call chains were recorded (record -g does that): programs and the functions that faulted.") +
			" Click or Enter shows one frame's part; arrows move; Escape shows all.";
	}

	draw() {
		this.place.replaceChildren();
		this.elements = new Map();
		this.deepest = 0;
		for (let n = this.zoomed.parent, chain = []; ; n = n.parent) {
			if (n) {
				chain.unshift(n);
				continue;
			}
			chain.forEach(c => this.put(c, 0, 1));
			break;
		}
		this.put_all(this.zoomed, 0, 1);
		this.place.style.height = (this.deepest + 1) * FRAME_HEIGHT + 4 + "px";
		this.focusable(this.zoomed);
	}

	put_all(node, left, width) {
		const stack = [[node, left, width]];
		while (stack.length) {
			const [n, x, w] = stack.pop();
			this.put(n, x, w);
			let start = x;
			for (const c of n.callees) {
				const part = w * c.events / n.events;
				if (part >= FRAME_LEAST)
					stack.push([c, start, part]);
				start += part;
			}
		}
	}

	put(node, left, width) {
		const e = element("button", node.name, { type: "button", class: "frame", role: "treeitem", tabindex: "-1",
			"aria-level": node.depth + 1, "aria-label": this.words(node) });
		let hue = 0;
		for (const c of node.name)
			hue = (hue * 31 + c.codePointAt(0)) % 997;
		Object.assign(e.style, { left: 100 * left + "%", width: 100 * width + "%",
			top: node.depth * FRAME_HEIGHT + "px", background: "hsl(" + (20 + hue % 35) + " 85% " + (66 + hue % 12) + "%)" });
		if (this.word && node.name.toLowerCase().includes(this.word))
			e.classList.add("found");
		this.elements.set(node, e);
		this.deepest = Math.max(this.deepest, node.depth);
		this.place.append(e);
	}

	words(node) {
		return node.name + ": " + count(node.events) + " events, " + percent(node.events, this.root.events);
	}

	node_of(e) {
		for (const [node, here] of this.elements)
			if (here === e.target)
				return node;
		return null;
	}

	focusable(node) {
		for (const e of this.elements.values())
			e.tabIndex = -1;
		this.elements.get(node).tabIndex = 0;
	}

	tell(e) {
		const node = this.node_of(e);
		if (node)
			at("flame-says").textContent = this.words(node);
	}

	zoom(node) {
		this.zoomed = node;
		this.draw();
	}

	pick(e) {
		const node = this.node_of(e);
		if (!node)
			return;
		this.zoom(node);
		this.elements.get(node).focus();
	}

	key(e) {
		const node = this.node_of(e);
		if (!node)
			return;
		const shown_ones = node.parent ? node.parent.callees.filter(n => this.elements.has(n)) : [node];
		const i = shown_ones.indexOf(node);
		const to = { ArrowUp: node.parent, ArrowDown: node.callees.find(n => this.elements.has(n)),
			ArrowLeft: shown_ones[i - 1], ArrowRight: shown_ones[i + 1] }[e.key];
		if (e.key === "Escape")
			this.zoom(this.root);
		else if (!to || !this.elements.has(to))
			return;
		e.preventDefault();
		this.focusable(to || this.root);
		this.elements.get(to || this.root).focus();
	}

	/* Frames under one that was found are part of it. */
	search(text) {
		this.word = text.toLowerCase();
		this.draw();
		if (!this.word) {
			at("flame-says").textContent = "";
			return;
		}
		let frames = 0, events = 0;
		const stack = [this.root];
		while (stack.length) {
			const n = stack.pop();
			if (n.name.toLowerCase().includes(this.word)) {
				frames++;
				events += n.events;
			} else {
				stack.push(...n.callees);
			}
		}
		at("flame-says").textContent = frames + " found, " + percent(events, this.root.events) + " of all events";
	}
}

function make_flame() {
	const flame = new Flame();
	shown.flame = () => flame.draw();
}
