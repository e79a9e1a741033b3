// main.js: reads the document out of the page, and puts the views in.
import { Report, band, resident, used } from "./data.js";
import { choice, h, save } from "./dom.js";
import { bytes, count, duration, percent } from "./format.js";
import { momentBar } from "./moment-bar.js";
import { State } from "./state.js";
import { forgetDrawn, themeButton } from "./theme.js";
import { cachesView } from "./view-caches.js";
import { flameView } from "./view-flame.js";
import { lifetimesView } from "./view-lifetimes.js";
import { mapView } from "./view-map.js";
import { missingView } from "./view-missing.js";
import { ordersView } from "./view-orders.js";
import { pinsView } from "./view-pins.js";
import { policiesView } from "./view-policies.js";
import { timeView } from "./view-time.js";

const VIEWS = [
  ["time", "Over time", timeView],
  ["map", "Frame map", mapView],
  ["pins", "What pins memory", pinsView],
  ["caches", "Caches", cachesView],
  ["lifetimes", "Lifetimes", lifetimesView],
  ["flame", "Call sites", flameView],
  ["orders", "Free blocks", ordersView],
  ["policies", "Policies", policiesView],
];

function tile(name, value, text) {
  return h("div", { class: "tile", "data-tile": name, "data-value": value }, h("b", {}, text), h("span", {}, name));
}

function liveTiles(report) {
  const end = report.points.at(-1);
  const grown = used(end) - used(report.points[0]);
  return h(
    "div",
    { class: "tiles" },
    tile("in use at the end", used(end), bytes(used(end))),
    tile("resident at the end, heap", resident(end), bytes(resident(end))),
    tile("resident at the end, process", end.process_resident, bytes(end.process_resident)),
    tile("snapshots", report.snapshots.length, count(report.snapshots.length)),
    report.points.length > 1 && tile("grown since the first", grown, bytes(grown)),
    report.points.length > 1 && tile("from first to last", report.trace.end_time, duration(report.trace.end_time, report.unit)),
  );
}

function tiles(report) {
  if (report.isLive) return liveTiles(report);
  const { totals, trace } = report;
  const end = report.points.at(-1);
  const highest = Math.max(...report.points.map(resident));
  const temporary = report.lifetimes.temporary.reduce((sum, [, , many]) => sum + many, 0);
  return h(
    "div",
    { class: "tiles" },
    tile("requested at the peak", totals.peak.requested, bytes(totals.peak.requested)),
    tile("resident at most", highest, bytes(highest)),
    tile("requested at the end", end.requested, bytes(end.requested)),
    tile("resident at the end", resident(end), bytes(resident(end))),
    tile("allocations", totals.allocs, count(totals.allocs)),
    tile("of those temporary", temporary, percent(temporary, totals.allocs)),
    tile("threads", trace.threads, count(trace.threads)),
    tile(trace.time_unit === "ns" ? "duration" : "events", trace.end_time, duration(trace.end_time, trace.time_unit)),
  );
}

function whenText(report, index) {
  if (report.isLive) return `In ${report.momentText(index)},`;
  return index === report.moments.length - 1 ? "At the end" : `After ${report.momentText(index)}`;
}

// The answer first: what is resident at the moment shown, and why.
function whyBox(report, state) {
  const answer = h("p", { class: "answer", id: "answer" });
  const bar = h("div", { class: "bar", role: "img" });
  const keys = h("ul", { class: "keys" });
  const draw = () => {
    const moment = report.moments[state.moment];
    const all = resident(moment);
    const wasted = all - used(moment);
    const most = report.bands.slice(1).reduce((a, b) => (band(moment, b.key) > band(moment, a.key) ? b : a));
    answer.replaceChildren(
      `${whenText(report, state.moment)} `,
      h("strong", { "data-value": all }, bytes(all)),
      " are resident, and the program uses ",
      h("strong", { "data-value": used(moment) }, bytes(used(moment))),
      `. Of the other ${bytes(wasted)}, most is ${most.name}: ${most.text} (${bytes(band(moment, most.key))}).`,
    );
    bar.setAttribute("aria-label", report.bands.map(({ key, name }) => `${name} ${percent(band(moment, key), all)}`).join(", "));
    bar.replaceChildren(...report.bands.map(({ key, colour }) => h("i", { style: { width: `${(100 * band(moment, key)) / (all || 1)}%`, background: `var(${colour})` } })));
    keys.replaceChildren(
      ...report.bands.map(({ key, name, text, colour }) => h("li", { title: text, "data-band": key, "data-value": band(moment, key) }, h("i", { style: { background: `var(${colour})` } }), `${name} `, h("b", {}, bytes(band(moment, key))))),
    );
  };
  state.listen((changed) => changed.includes("moment") && draw());
  draw();
  return h("section", { class: "why", "aria-label": "Why is memory not free?" }, answer, bar, keys);
}

function metaOf(report) {
  const { trace } = report;
  const what = report.isLive ? `process ${trace.pid}` : `${count(trace.events)} events`;
  const files = report.isLive ? report.snapshots.map(({ file }) => file).join(", ") : trace.file;
  return [what, trace.recorded_by && `by ${trace.recorded_by}`, trace.start_unix_ms && new Date(trace.start_unix_ms).toISOString().slice(0, 16).replace("T", " "), files].filter(Boolean).join(" · ");
}

function header(report) {
  const { trace } = report;
  const json = () => save("report.json", "application/json", document.getElementById("report").textContent);
  const parts = [
    h("div", { class: "titles" }, h("div", {}, h("div", { class: "brand" }, "larder report"), h("h1", {}, trace.program || trace.file)), h("div", { class: "tools" }, h("button", { type: "button", id: "json", onclick: json }, "JSON"), themeButton())),
    h("p", { class: "meta" }, metaOf(report)),
  ];
  if (trace.note) parts.push(h("p", { class: "note" }, trace.note));
  if (trace.error) parts.push(h("p", { class: "note" }, `The trace ends early: ${trace.error.what} (byte ${trace.error.offset}). This is what came before.`));
  return parts;
}

// All of the page, of one document.
function show(json, sources) {
  const report = new Report(json);
  const state = new State(report);
  const at = (id) => document.getElementById(id);
  forgetDrawn();
  document.title = `${report.trace.program || report.trace.file} — larder report`;
  const shown = VIEWS.map(([id, name, view]) => [id, name, view(report, state)]).filter(([, , element]) => element);
  const missing = missingView(report, VIEWS.filter(([id]) => !shown.some(([other]) => other === id)));
  at("top").replaceChildren(...header(report), ...sources, tiles(report), whyBox(report, state));
  at("main").replaceChildren(...shown.map(([, , element]) => element), ...missing);
  at("nav").replaceChildren(h("ul", {}, ...shown.map(([id, name]) => h("li", {}, h("a", { href: `#${id}` }, name)))));
  at("moment").replaceChildren(momentBar(report, state));
  document.documentElement.dataset.ready = "true";
}

// A recording, snapshots, or a switch between the two.
function start() {
  const json = JSON.parse(document.getElementById("report").textContent);
  const documents = { recording: json, live: json.live };
  const change = (source) => show(documents[source], [switcher]);
  const switcher = choice("Shown", [["recording", "the recording, replayed"], ["live", "snapshots of the running process"]], "recording", change);
  switcher.id = "source";
  show(json, json.live ? [switcher] : []);
}

start();
