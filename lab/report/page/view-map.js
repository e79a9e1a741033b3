// view-map.js: every frame of the heap at the moment shown. Colour says whose it is, strength how full.
import { card, choice, colour, csvButton, h, hideTip, showTip } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { onTheme } from "./theme.js";

const OWNERS = ["not backed", "free, not given back yet", "the allocator's own, or cached", "run of frames"];

// Caches in a few groups by the size of their objects; what else a frame may be.
const KINDS = [
  { name: "objects up to 64 B", colour: "--c64", limit: 64 },
  { name: "up to 256 B", colour: "--c256", limit: 256 },
  { name: "up to 1 KiB", colour: "--c1k", limit: 1024 },
  { name: "up to 4 KiB", colour: "--c4k", limit: 4096 },
  { name: "up to 32 KiB", colour: "--c32k", limit: Infinity },
  { name: "larger: runs of frames", colour: "--run" },
  { name: "allocator's own, cached frames", colour: "--kept" },
  { name: "free, not given back yet", colour: "--free" },
  { name: "free, given back", colour: "--unbacked" },
];
const [RUN, KEPT, FREE, UNBACKED] = [5, 6, 7, 8];

function rgb(text) {
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

function mixed(from, to, share) {
  return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * share)).join(",")})`;
}

export class FrameMap {
  constructor(report, state) {
    Object.assign(this, { report, state });
    this.shade = "fill";
    this.cursor = -1;
    this.canvas = h("canvas", { id: "frames", tabindex: "0", role: "img", "aria-label": "Frame map; arrow keys move, Enter lights the frames of the same call site" });
    this.said = h("p", { class: "said", "aria-live": "polite" });
    this.holder = h("div", { class: "heat" }, this.canvas, this.said);
    this.detail = h("div", { id: "cell", class: "cell" });
    this.caches = new Map();
    for (const moment of report.moments) for (const cache of moment.caches) this.caches.set(cache.id, cache);
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => hideTip());
    canvas.addEventListener("click", (event) => this.choose(this.indexAt(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => hideTip());
    new ResizeObserver(() => this.draw()).observe(this.holder);
    onTheme(() => this.draw());
    this.state.listen((changed) => (changed.includes("moment") || changed.includes("site")) && this.update());
  }

  get moment() {
    return this.report.moments[this.state.moment];
  }

  get cells() {
    return this.report.cells(this.state.moment);
  }

  update() {
    this.draw();
    this.tell();
  }

  kindOf(owner) {
    if (owner < 4) return [UNBACKED, FREE, KEPT, RUN][owner];
    const cache = this.caches.get(owner);
    if (!cache || cache.is_internal) return KEPT;
    return KINDS.findIndex(({ limit }) => cache.object_bytes <= limit);
  }

  // The largest square cells with which all that there will ever be fit in.
  layout() {
    const width = this.holder.clientWidth;
    const most = this.report.used.length || 1;
    const room = width * Math.min(540, window.innerHeight * 0.62);
    const side = Math.min(22, Math.max(3, Math.floor(Math.sqrt(room / most))));
    const columns = Math.max(1, Math.floor(width / side));
    return { width, side, columns, height: Math.ceil(most / columns) * side };
  }

  strength(cells, i, kind) {
    if (kind > RUN) return 1;
    if (this.shade === "fill") return 0.12 + 0.88 * (cells.fill[i] / 100);
    const now = this.moment.time / this.report.point_width || 1;
    const born = this.shade === "oldest" ? cells.oldest[i] : cells.youngest[i];
    return cells.objects[i] ? 0.12 + (0.88 * (now - born)) / now : 0.12;
  }

  draw() {
    const { width, side, columns, height } = this.layout();
    if (width <= 0) return;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    const { cells } = this;
    const empty = rgb(colour("--card"));
    const full = KINDS.map((kind) => rgb(colour(kind.colour)));
    const lit = this.state.site;
    const gap = side > 4 ? 1 : side > 3 ? 0.5 : 0;
    for (let at = 0; at < this.report.used.length; at++) {
      const i = this.report.used[at];
      const kind = this.kindOf(cells.owner[i]);
      const isLit = lit !== 0 && cells.sites[i].includes(lit);
      const faded = lit !== 0 && !isLit ? 0.25 : 1;
      context.fillStyle = isLit ? colour("--lit") : mixed(empty, full[kind], this.strength(cells, i, kind) * faded);
      context.fillRect((at % columns) * side, Math.floor(at / columns) * side, side - gap, side - gap);
    }
    if (this.cursor >= 0) {
      context.strokeStyle = colour("--ink");
      context.lineWidth = 2;
      context.strokeRect((this.cursor % columns) * side - 0.5, Math.floor(this.cursor / columns) * side - 0.5, side, side);
    }
  }

  indexAt(event) {
    const { side, columns } = this.layout();
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / side);
    const index = Math.floor((event.clientY - box.top) / side) * columns + x;
    return x < columns && index >= 0 && index < this.report.used.length ? index : -1;
  }

  hover(event) {
    const index = this.indexAt(event);
    if (index < 0) return hideTip();
    showTip(event.clientX, event.clientY, ...this.lines(index));
  }

  ownerText(owner) {
    if (owner < OWNERS.length) return OWNERS[owner];
    const cache = this.caches.get(owner);
    return cache ? `cache ${cache.name}` : `cache ${owner}`;
  }

  age(born) {
    return duration(Math.max(0, this.moment.time - born * this.report.point_width), this.report.unit);
  }

  // Of the cell at a place of the picture.
  lines(at) {
    const { cells, report } = this;
    const i = report.used[at];
    const size = report.cell_frames * report.frame_bytes;
    const lines = [`${bytes(i * size)} into the heap, ${bytes(size)}: ${this.ownerText(cells.owner[i])}`];
    if (cells.objects[i] === 0) return lines;
    lines.push(`${count(cells.objects[i])} live ${cells.objects[i] === 1 ? "object" : "objects"}, ${cells.fill[i]} % full`);
    if (!report.isLive) lines.push(`ages ${this.age(cells.youngest[i])} to ${this.age(cells.oldest[i])}`);
    for (const site of cells.sites[i]) lines.push(`${report.siteText(site)}  ${report.siteWhere(site)}`);
    return lines;
  }

  // Light what the first call site of the cell holds, or put the light out.
  choose(index) {
    if (index < 0) return;
    this.cursor = index;
    const site = this.cells.sites[this.report.used[index]][0] ?? 0;
    this.state.set({ site: site === this.state.site ? 0 : site });
    this.update();
  }

  key(event) {
    const { columns } = this.layout();
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.choose(this.cursor);
    }
    if (event.key === "Escape") return this.state.set({ site: 0 });
    if (!step) return;
    event.preventDefault();
    this.cursor = Math.max(0, Math.min(this.report.used.length - 1, (this.cursor < 0 ? -step : this.cursor) + step));
    this.update();
    this.said.textContent = this.lines(this.cursor).join(", ");
  }

  // The cell that was chosen, at the right.
  tell() {
    const { cursor, report, cells, state } = this;
    const parts = [];
    if (state.site) {
      const many = cells.sites.filter((sites) => sites.includes(state.site)).length;
      const clear = h("button", { type: "button", id: "unlight", onclick: () => state.set({ site: 0 }) }, "Put out");
      parts.push(h("p", { id: "lit", "data-value": many }, h("i", { class: "swatch", style: { background: "var(--lit)" } }), `${report.siteText(state.site)} is in ${count(many)} of ${count(report.used.length)} cells. `, clear));
    }
    if (cursor < 0) {
      parts.push(h("p", { class: "about" }, report.hasSites ? "Point at a cell for what is in it. Click it, and every frame that the same call site holds lights up." : "Point at a cell for what is in it. Call sites are not known."));
    } else {
      const [head, ...rest] = this.lines(cursor);
      parts.push(h("p", {}, h("strong", {}, head)), ...rest.slice(0, report.isLive ? 1 : 2).map((line) => h("p", {}, line)));
      const button = (site) => h("li", {}, h("button", { type: "button", class: "link", title: report.siteStack(site).join("\n"), onclick: () => state.set({ site }) }, report.siteText(site)), h("span", { class: "where" }, report.siteWhere(site)));
      const sites = cells.sites[report.used[cursor]];
      if (sites.length > 0) parts.push(h("h3", {}, "Who holds it"), h("ul", {}, ...sites.map(button)));
    }
    this.detail.replaceChildren(...parts);
  }

  csv() {
    const { cells, report } = this;
    const rows = [["offset_bytes", "owner", "fill_percent", "objects", "oldest", "youngest", "sites"]];
    for (const i of report.used)
      rows.push([i * report.cell_frames * report.frame_bytes, this.ownerText(cells.owner[i]), cells.fill[i], cells.objects[i], cells.oldest[i] * report.point_width, cells.youngest[i] * report.point_width, cells.sites[i].join(" ")]);
    return rows;
  }
}

export function mapView(report, state) {
  const map = new FrameMap(report, state);
  const size = report.cell_frames * report.frame_bytes;
  const cell = report.cell_frames === 1 ? "A cell is a frame of 4 KiB" : `A cell is ${report.cell_frames} frames, ${bytes(size)}`;
  const ages = [["oldest", "age of the oldest"], ["youngest", "age of the youngest"]];
  const shades = choice("Strength", [["fill", "how full"], ...(report.isLive ? [] : ages)], "fill", (value) => {
    map.shade = value;
    map.draw();
  });
  const view = card("map", "Frame map", `The heap by address, at the moment of the slider below. ${cell}; colour says whose it is. Pale cells hold memory for little. What was never used is left out.`, csvButton("frames", () => map.csv()));
  const keys = h("ul", { class: "keys" }, ...KINDS.map(({ name, colour: variable }) => h("li", {}, h("i", { style: { background: `var(${variable})` } }), name)));
  view.append(h("div", { class: "controls" }, shades), keys, h("div", { class: "map" }, map.holder, map.detail));
  if (report.isLive) view.append(h("p", { class: "about" }, "A snapshot knows how many objects a slab has, not where: they are spread evenly over it, magazines' included. Call sites are known of runs."));
  map.tell();
  return view;
}
