// view-policies.js: the trace under every policy, side by side; and films of short ones.
import uPlot from "uplot";
import { card, colour, csvButton, h, hideTip, showTip } from "./dom.js";
import { filmBox } from "./film.js";
import { bytes, count } from "./format.js";
import { Table } from "./table.js";
import { onTheme } from "./theme.js";

const LINES = ["--c256", "--cached", "--c4k", "--in-slabs", "--free", "--run", "--c32k"];
const HEIGHT = 260;

const share = (permille) => `${(permille / 10).toFixed(1)} %`;

function figures(policies) {
  const number = (name, value, text, title) => ({ name, value, text: (row) => text(value(row)), isNumber: true, title });
  const table = new Table({
    label: "Policies",
    sort: 1,
    columns: [
      { name: "policy", value: (row) => row.title, text: (row) => h("span", {}, h("i", { class: "swatch", style: { background: `var(${LINES[policies.indexOf(row) % LINES.length]})` } }), row.title) },
      number("peak footprint", (row) => row.footprint_peak_bytes, bytes, "memory it had to be given"),
      number("of peak live", (row) => row.footprint_peak_bytes / (row.live_peak_bytes || 1), (ratio) => ratio.toFixed(2)),
      number("waste inside", (row) => row.internal_permille, share, "of what is held at the peak: headers, rounding up"),
      number("outside, mean", (row) => row.external_mean_permille, share, "of free memory: what lies outside the largest free piece"),
      number("outside, most", (row) => row.external_max_permille, share),
      number("chunks searched", (row) => row.searched / (row.searches || 1), (mean) => (mean ? mean.toFixed(1) : "–"), "on the mean, for one request"),
      number("most", (row) => row.searched_max, (many) => (many ? count(many) : "–")),
      number("metadata", (row) => row.metadata_bytes, bytes, "beside the footprint"),
    ],
  });
  table.descending = false;
  table.show(policies);
  return table;
}

// All lines on one axis of events; each policy was looked at when it was its turn.
function joined(policies) {
  const series = policies.map(({ samples }) => [samples.event, samples.footprint_bytes]);
  const first = policies[0].samples;
  return uPlot.join([[first.event, first.live_bytes], ...series], [[2], ...series.map(() => [2])]);
}

function chartOf(policies) {
  const holder = h("div", { class: "chart", role: "img", "aria-label": "Footprint of each policy over the events of the trace" });
  const data = joined(policies);
  let chart = null;
  const axis = () => ({ stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui, sans-serif" });
  const tell = (u) => {
    const { idx, left } = u.cursor;
    if (idx === null || idx === undefined || left < 0) return hideTip();
    const box = u.over.getBoundingClientRect();
    const lines = u.series.slice(1).map((each, i) => (data[i + 1][idx] == null ? "" : `${each.label}: ${bytes(data[i + 1][idx])}`));
    showTip(box.left + left, box.top + 20, `event ${count(data[0][idx])}`, ...lines.filter(Boolean));
  };
  const build = () => {
    chart?.destroy();
    if (holder.clientWidth === 0) return;
    const line = (label, stroke, width) => ({ label, stroke: colour(stroke), width, spanGaps: true, points: { show: false } });
    chart = new uPlot(
      {
        width: holder.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
        scales: { x: { time: false }, y: { range: (u, min, max) => [0, max * 1.05 || 1] } },
        axes: [{ ...axis(), values: (u, ticks) => ticks.map(count) }, { ...axis(), values: (u, ticks) => ticks.map(bytes), size: 76, incrs: Array.from({ length: 50 }, (_, i) => 2 ** i) }],
        series: [{}, { ...line("live", "--ink", 1), fill: colour("--wash") }, ...policies.map(({ title }, i) => line(title, LINES[i % LINES.length], 1.7))],
        hooks: { setCursor: [tell] },
      },
      data,
      holder,
    );
    chart.over.addEventListener("pointerleave", hideTip);
  };
  onTheme(build);
  new ResizeObserver(() => (chart ? chart.setSize({ width: holder.clientWidth, height: HEIGHT }) : build())).observe(holder);
  return holder;
}

export function policiesView(report) {
  const policies = (report.policies ?? []).filter((policy) => policy.samples);
  if (policies.length === 0) return null;
  const table = figures(policies);
  const view = card("policies", "Policies side by side", "The same requests under the policies of the textbooks. Each gets as much memory as it needs and gives none back, so its line is what a machine must have for it; the shaded ground is what the program had live.", csvButton("policies", () => table.csv()));
  view.append(chartOf(policies), table.element);
  if (report.films) view.append(h("h3", {}, "Step by step"), filmBox(report.films));
  return view;
}
