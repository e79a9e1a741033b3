// view-caches.js: the object caches at the moment shown, by size and by what they lose.
import { card, csvButton, h } from "./dom.js";
import { bytes, count, percent } from "./format.js";
import { Table } from "./table.js";

// Where the bytes of a cache are.
export function lossOf(cache) {
  const total = cache.slabs * cache.slab_bytes;
  const isRuns = cache.id === 0;
  const live = isRuns ? total : cache.live * cache.object_bytes;
  const requested = cache.requested ?? live;
  const cached = isRuns ? 0 : cache.cached * cache.object_bytes;
  return { total, requested, rounding: live - requested, cached, inSlabs: total - live - cached, loss: total - requested };
}

function meter(cache, largest) {
  const { requested, rounding, cached, inSlabs, total } = lossOf(cache);
  const part = (value, variable) => h("i", { style: { width: `${(100 * value) / (largest || 1)}%`, background: `var(${variable})` } });
  return h("span", { class: "meter", role: "img", "aria-label": `${bytes(requested)} of ${bytes(total)} in use` }, part(requested, "--requested"), part(rounding, "--rounding"), part(cached, "--cached"), part(inSlabs, "--in-slabs"));
}

export function cachesView(report, state) {
  let largest = 1;
  const number = (name, value, text, title) => ({ name, value, text: (row) => text(value(row)), isNumber: true, title });
  const table = new Table({
    label: "Caches",
    sort: 6,
    columns: [
      { name: "cache", value: (row) => row.name, title: "heap-64 holds requests of 49 to 64 bytes; runs are larger than the largest class" },
      number("live", (row) => row.live, count, "objects with the program"),
      number("resident", (row) => lossOf(row).total, bytes, "all slabs of the cache"),
      report.isLive
        ? number("used", (row) => lossOf(row).requested, bytes, "live objects, as size classes")
        : number("requested", (row) => row.requested, bytes, "what the program asked for"),
      number("cached", (row) => lossOf(row).cached, bytes, "free, in magazines and the depot"),
      number("beside live", (row) => lossOf(row).inSlabs, bytes, "free slots in slabs"),
      number("loss", (row) => lossOf(row).loss, bytes, report.isLive ? "resident less used" : "resident less requested"),
      number("in use", (row) => lossOf(row).requested / (lossOf(row).total || 1), (share) => percent(share, 1)),
      { name: "where it is", value: (row) => lossOf(row).total, text: (row) => meter(row, largest) },
    ],
  });
  const view = card("caches", "Caches, by size and by loss", "Every size class is a cache of equal objects, cut from slabs. What is resident and was not asked for is its loss. Click a heading to sort.", csvButton("caches", () => table.csv()));
  const draw = () => {
    const rows = report.moments[state.moment].caches.filter((cache) => !cache.is_internal && cache.slabs > 0);
    largest = Math.max(1, ...rows.map((row) => lossOf(row).total));
    table.show(rows);
  };
  state.listen((changed) => changed.includes("moment") && draw());
  draw();
  view.append(table.element);
  return view;
}
