// view-pins.js: what keeps memory from being given back at the moment shown, by who holds it.
import { card, choice, csvButton, h } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { Table } from "./table.js";
import { siteCell } from "./view-lifetimes.js";

const UNITS = [
  ["frame", "4 KiB frames"],
  ["slab", "slabs"],
  ["page block", "2 MiB blocks"],
];

// Lines of one unit and of up to `most` holders, those of one call site (and one size) added up.
export function pinRows(moment, unit, most, bySize) {
  const rows = new Map();
  for (const pin of moment.pins) {
    if (pin.unit !== unit || pin.holders_max > most) continue;
    const key = bySize ? `${pin.site}/${pin.usable_bytes}` : pin.site;
    const row = rows.get(key);
    if (!row) {
      rows.set(key, { ...pin, largest_bytes: pin.usable_bytes });
      continue;
    }
    for (const name of ["blocks", "live_bytes", "units", "alone_bytes", "shared_bytes"]) row[name] += pin[name];
    row.largest_bytes = Math.max(row.largest_bytes, pin.usable_bytes);
    row.usable_bytes = Math.min(row.usable_bytes, pin.usable_bytes);
    row.oldest = Math.min(row.oldest, pin.oldest);
    row.youngest = Math.max(row.youngest, pin.youngest);
  }
  return [...rows.values()];
}

export function pinsView(report, state) {
  let unit = "slab";
  let most = 4;
  const hasSites = report.hasSites && !report.isLive; // a snapshot does not know whose an object is
  let bySize = !hasSites;
  const back = (row) => row.alone_bytes + row.shared_bytes;
  const number = (name, value, text, title) => ({ name, value, text: (row) => text(value(row)), isNumber: true, title });
  const age = (born) => duration(report.moments[state.moment].time - born, report.unit);
  const who = { name: "held by", value: (row) => (hasSites ? report.siteText(row.site) : `${row.usable_bytes} B`), text: (row) => (hasSites ? siteCell(report, row.site) : `blocks of ${bytes(row.usable_bytes)}`) };
  const table = new Table({
    label: "What pins memory",
    sort: 1,
    columns: [
      who,
      number("comes back", back, bytes, "resident bytes that would be free if these blocks were freed"),
      number("theirs alone", (row) => row.alone_bytes, bytes, "of units that only these blocks hold"),
      number("shared", (row) => row.shared_bytes, bytes, "their share, by number, of units that others hold too"),
      number("blocks", (row) => row.blocks, count),
      number("in use", (row) => row.live_bytes, bytes, "what these blocks themselves are"),
      { name: "size", value: (row) => row.usable_bytes, text: (row) => (row.usable_bytes === row.largest_bytes ? bytes(row.usable_bytes) : `${bytes(row.usable_bytes)} to ${bytes(row.largest_bytes)}`), isNumber: true, title: "size class" },
      ...(report.isLive ? [] : [{ name: "ages", value: (row) => row.oldest, text: (row) => (row.blocks === 1 ? age(row.oldest) : `${age(row.youngest)} to ${age(row.oldest)}`), title: "youngest to oldest" }]),
    ],
    pick: hasSites ? (row) => state.set({ site: row.site === state.site ? 0 : row.site }) : null,
    isLit: (row) => row.site === state.site && state.site !== 0,
  });
  const sum = h("p", { id: "pinned" });
  const draw = () => {
    const rows = pinRows(report.moments[state.moment], unit, most, bySize);
    const bytesBack = rows.reduce((total, row) => total + back(row), 0);
    const held = rows.reduce((total, row) => total + row.live_bytes, 0);
    sum.replaceChildren(h("strong", { "data-value": bytesBack }, bytes(bytesBack)), ` would come back if ${bytes(held)} of blocks were freed, or had been put elsewhere.`);
    table.show(rows);
  };
  state.listen((changed) => {
    if (changed.includes("moment")) draw();
    else if (changed.includes("site")) table.draw();
  });
  const view = card("pins", "What pins memory", "Units that are at least half free, and cannot go back because a few live blocks lie in them. Freeing those, or making them elsewhere, gives the whole unit back.", csvButton("pins", () => table.csv()));
  const units = choice("Unit", UNITS.slice(report.isLive ? 1 : 0), unit, (value) => {
    unit = value;
    draw();
  });
  const holders = choice("Held by at most", [1, 2, 4, 8, 16].map((value) => [value, String(value)]), most, (value) => {
    most = value;
    draw();
  });
  const by = choice("Line", [[false, "call site"], [true, "call site and size"]], bySize, (value) => {
    bySize = value;
    draw();
  });
  view.append(h("div", { class: "controls" }, units, holders, hasSites ? by : null), sum, table.element);
  draw();
  return view;
}
