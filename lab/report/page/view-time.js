// view-time.js: memory over time, in bands by cause; and what happened in the stretch that was chosen.
import uPlot from "uplot";
import { band, resident, used } from "./data.js";
import { card, colour, csvButton, h, hideTip, showTip } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { onTheme } from "./theme.js";

const HEIGHT = 340;

// uPlot stacks nothing: each line is the sum of the bands below it, and fills down to the next.
function columns(report) {
  const sums = report.points.map(() => 0);
  const lines = report.bands.map(({ key }) => report.points.map((point, i) => (sums[i] += band(point, key))));
  const recorded = report.points.map((point) => point.process_resident || null);
  return [report.timeline.time, ...lines.reverse(), recorded];
}

function options(report, state, width, hooks) {
  const drawn = [...report.bands].reverse();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
    select: { show: true },
    scales: { x: { time: false }, y: { range: (u, min, max) => [0, Math.max(max, 1) * 1.04] } },
    axes: [
      { ...axis, values: (u, ticks) => ticks.map((tick) => duration(tick, report.unit)), space: 90 },
      { ...axis, values: (u, ticks) => ticks.map((tick) => bytes(tick)), size: 76, incrs: binarySteps() },
    ],
    series: [
      {},
      ...drawn.map(({ name, colour: variable }) => ({ label: name, stroke: colour(variable), fill: colour(variable), width: 0.5, points: { show: false } })),
      { label: "resident, as recorded", stroke: colour("--resident"), width: 2, dash: [6, 4], points: { show: false } },
    ],
    bands: drawn.slice(1).map((_, i) => ({ series: [i + 1, i + 2], fill: colour(drawn[i].colour) })),
    hooks,
  };
}

function binarySteps() {
  const steps = [];
  for (let power = 0; power < 50; power++) steps.push(2 ** power);
  return steps;
}

// What the moment bar shows, as a line in the chart.
function drawMoment(report, state) {
  return (u) => {
    const x = u.valToPos(report.moments[state.moment].time, "x", true);
    u.ctx.save();
    u.ctx.strokeStyle = colour("--ink");
    u.ctx.lineWidth = 2 * devicePixelRatio;
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
    u.ctx.restore();
  };
}

function rangeText(report, range) {
  const first = range && range[0] > 0 ? report.points[range[0] - 1] : null;
  const last = report.points[range ? range[1] : report.points.length - 1];
  const since = (name) => last[name] - (first ? first[name] : 0);
  const start = first ? first.time : 0;
  const change = used(last) - (first ? used(first) : 0);
  const grown = resident(last) - (first ? resident(first) : 0);
  return [
    ["from", start, duration(start, report.unit)],
    ["to", last.time, duration(last.time, report.unit)],
    ...(report.isLive
      ? []
      : [
          ["allocations", since("allocs"), count(since("allocs"))],
          ["frees", since("frees"), count(since("frees"))],
          ["allocated", since("allocated_bytes"), bytes(since("allocated_bytes"))],
        ]),
    [report.bands[0].name, change, `${change > 0 ? "+" : ""}${bytes(change)}`],
    ["resident", grown, `${grown > 0 ? "+" : ""}${bytes(grown)}`],
  ];
}

export function timeView(report, state) {
  if (report.points.length < 2) return null;
  const holder = h("div", { class: "chart", tabindex: "0", role: "img", "aria-label": "Memory over time, in bands by cause; arrow keys move the moment" });
  const stretch = h("ul", { class: "keys", id: "stretch" });
  const whole = h("button", { type: "button", id: "whole", onclick: () => state.set({ range: null }) }, "All of it");
  const keys = report.bands.map(({ key }) => key);
  const table = () => [["time", ...keys, "resident", "process_resident", "blocks"], ...report.points.map((point) => [point.time, ...keys.map((key) => band(point, key)), resident(point), point.process_resident, point.blocks ?? ""])];
  const view = card("time", "Memory over time", "The lowest band is what the program uses; all above it is resident and not in use, by cause. Drag to look at a stretch of time; click to set the moment that the views below show.", whole, csvButton("timeline", table));
  let chart = null;
  const data = columns(report);

  const tell = (u) => {
    const { idx, left } = u.cursor;
    if (idx === null || idx === undefined || left < 0) return hideTip();
    const point = report.points[idx];
    const box = u.over.getBoundingClientRect();
    const lines = [...report.bands].reverse().map(({ key, name }) => `${name}: ${bytes(band(point, key))}`);
    const recorded = point.process_resident ? [`${recordedText(report)}: ${bytes(point.process_resident)}`] : [];
    showTip(box.left + left, box.top + 30, duration(point.time, report.unit), `resident: ${bytes(resident(point))}`, ...lines, ...recorded);
  };
  const selected = (u) => {
    if (u.select.width < 4) return;
    const first = u.posToIdx(u.select.left);
    const last = u.posToIdx(u.select.left + u.select.width);
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (last > first) state.set({ range: [first, last] });
  };
  const build = () => {
    chart?.destroy();
    if (holder.clientWidth === 0) return;
    chart = new uPlot(options(report, state, holder.clientWidth, { setCursor: [tell], setSelect: [selected], draw: [drawMoment(report, state)] }), data, holder);
    chart.over.addEventListener("click", () => chart.cursor.idx !== null && state.set({ moment: report.momentAt(report.points[chart.cursor.idx].time) }));
    chart.over.addEventListener("pointerleave", hideTip);
    show();
  };
  const show = () => {
    const [first, last] = state.range ?? [0, report.points.length - 1];
    chart?.setScale("x", { min: state.range ? report.points[first].time : 0, max: report.points[last].time });
    whole.disabled = !state.range;
    stretch.replaceChildren(...rangeText(report, state.range).map(([name, value, text]) => h("li", { "data-stretch": name, "data-value": value }, `${name} `, h("b", {}, text))));
  };
  holder.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    state.set({ moment: Math.max(0, Math.min(report.moments.length - 1, state.moment + step)) });
  });
  state.listen((changed) => {
    if (changed.includes("range")) show();
    if (changed.includes("moment")) chart?.redraw(false);
  });
  onTheme(build);
  new ResizeObserver(() => (chart ? chart.setSize({ width: holder.clientWidth, height: HEIGHT }) : build())).observe(holder);
  view.append(holder, legend(report), stretch);
  return view;
}

// The heap is not all of a process.
function recordedText(report) {
  return report.isLive ? "resident, of the whole process" : "resident, as recorded";
}

function legend(report) {
  const entries = report.bands.map(({ name, text, colour: variable }) => h("li", { title: text }, h("i", { style: { background: `var(${variable})` } }), name));
  if (report.points.some((point) => point.process_resident)) entries.push(h("li", {}, h("i", { style: { background: "var(--resident)", height: "3px", "vertical-align": "middle" } }), recordedText(report)));
  return h("ul", { class: "keys" }, ...entries);
}
