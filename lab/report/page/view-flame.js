// view-flame.js: bytes by call stack, as a flame graph from the outermost call down. d3-hierarchy
// lays it out; the fields are buttons, so that keys and screen readers reach them.
import { hierarchy, partition } from "d3-hierarchy";
import { card, choice, csvButton, h, hideTip, showTip } from "./dom.js";
import { bytes, count, percent } from "./format.js";

const ROW = 22;
const LEAST_SHARE = 0.001; // of the width: what is narrower is not drawn

const MEASURES = [
  ["peak_bytes", "at the peak"],
  ["end_bytes", "at the end"],
  ["allocated_bytes", "ever allocated"],
  ["allocs", "allocations"],
  ["temporary", "temporary"],
];

// Stacks as one tree. What is known of a frame is its function; lines of one function are together.
export function treeOf(report, measure) {
  const root = { name: "all", value: 0, children: new Map(), site: 0 };
  for (const site of report.sites) {
    const value = site[measure];
    if (!value) continue;
    let node = root;
    const names = site.stack.length > 0 ? [...site.stack].reverse() : [null];
    for (const frame of names) {
      const name = frame === null ? (site.site ? `call site ${site.site}` : "(not recorded)") : report.frameText(frame);
      if (!node.children.has(name)) node.children.set(name, { name, where: frame === null ? "" : report.frameWhere(frame), value: 0, children: new Map(), site: 0 });
      node = node.children.get(name);
    }
    node.value += value;
    node.site = site.site;
  }
  return hierarchy(root, (node) => [...node.children.values()])
    .sum((node) => node.value)
    .sort((a, b) => b.value - a.value);
}

function hue(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 997;
  return `hsl(${18 + (hash % 38)} ${70 + (hash % 20)}% ${66 + (hash % 9)}%)`;
}

export function flameView(report, state) {
  if (!report.hasSites || report.frames.length === 0) return null;
  let measure = "peak_bytes";
  const known = MEASURES.filter(([key]) => key in report.sites[0]);
  let tree = null;
  let top = null; // the node that has the whole width
  const text = (value) => (measure.endsWith("bytes") ? bytes(value) : count(value));
  const graph = h("div", { class: "flame", role: "group", "aria-label": "Flame graph" });
  const search = h("input", { type: "search", placeholder: "Find a function", "aria-label": "Find a function", oninput: () => draw() });
  const found = h("output", { class: "label" });

  const field = (node, left, width, depth, isAbove) => {
    const { data } = node;
    const isFound = search.value !== "" && data.name.toLowerCase().includes(search.value.toLowerCase());
    const lines = [data.name, data.where, `${text(node.value)}, ${percent(node.value, tree.value)} of all`].filter(Boolean);
    const tip = (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      showTip(event.clientX || box.left, event.clientY || box.bottom, ...lines);
    };
    const choose = () => {
      top = node === top && node.parent ? node.parent : node;
      if (data.site) state.set({ site: data.site });
      draw();
      graph.querySelector(`[data-depth="${top.depth}"]`)?.focus();
    };
    return h(
      "button",
      {
        type: "button",
        class: [isAbove && "faint", isFound && "found"].filter(Boolean).join(" "),
        "aria-label": lines.join(", "),
        "data-depth": node.depth,
        "data-name": data.name,
        "data-value": node.value,
        style: { left: `${100 * left}%`, width: `${100 * width}%`, top: `${depth * ROW}px`, background: hue(data.name) },
        onclick: choose,
        onpointermove: tip,
        onfocus: tip,
        onpointerleave: hideTip,
        onblur: hideTip,
      },
      width > 0.02 ? data.name : "",
    );
  };

  const draw = () => {
    const scale = 1 / (top.x1 - top.x0 || 1);
    const fields = [];
    let depth = 0;
    for (const node of tree.descendants()) {
      const isAbove = node.x0 <= top.x0 && node.x1 >= top.x1 && node.depth < top.depth;
      const width = isAbove ? 1 : (node.x1 - node.x0) * scale;
      if (!isAbove && (node.x0 < top.x0 || node.x1 > top.x1 || node.depth < top.depth || width < LEAST_SHARE)) continue;
      depth = Math.max(depth, node.depth);
      fields.push(field(node, isAbove ? 0 : (node.x0 - top.x0) * scale, width, node.depth, isAbove));
    }
    graph.replaceChildren(...fields);
    graph.style.height = `${(depth + 1) * ROW}px`;
    const many = graph.querySelectorAll(".found").length;
    found.textContent = search.value ? `${many} found` : "";
  };
  const build = () => {
    tree = partition()(treeOf(report, measure));
    top = tree;
    draw();
  };
  const stacks = () => [["site", ...known.map(([key]) => key), "stack"], ...report.sites.map((site) => [site.site, ...known.map(([key]) => site[key]), [...site.stack].reverse().map((frame) => report.frameText(frame)).join(";")])];
  const view = card("flame", "Bytes by call site", "Each field is a function, below the one that called it; its width is what it and all below it asked for. Click to look closer, and again to step back.", csvButton("sites", stacks));
  const measures = choice("Bytes", known, measure, (value) => {
    measure = value;
    build();
  });
  view.append(h("div", { class: "controls" }, measures, h("span", { class: "choice" }, search, found)), graph);
  build();
  return view;
}
