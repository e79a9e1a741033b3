// view-lifetimes.js: how long blocks of which size live, and which call sites make blocks that they
// free at once.
import { card, choice, csvButton, h } from "./dom.js";
import { bytes, count, duration, magnitude, percent } from "./format.js";
import { Heat, ramp } from "./heat.js";
import { Table } from "./table.js";
import { isDark, onTheme } from "./theme.js";

export function lifetimesView(report, state) {
  if (!report.lifetimes) return null;
  const { cells, endless_row: endless } = report.lifetimes;
  const view = card("lifetimes", "Lifetime and size", "Each field counts the blocks of one size (left to right) and one lifetime (upwards). Many small blocks at the bottom are temporary: cheap to avoid. The top row was never freed.", csvButton("lifetimes", () => [["lifetime_from", "size_from", "blocks", "bytes"], ...cells.map(([row, column, many, sum]) => [row === endless ? "never freed" : magnitude(row, Number), magnitude(column, Number), many, sum])]));
  if (cells.length === 0) return view;
  const used = cells.filter(([row]) => row !== endless).map(([row]) => row);
  const first = used.length ? Math.min(...used) : 0;
  const last = used.length ? Math.max(...used) : 0;
  const widths = cells.map(([, column]) => column);
  const left = Math.min(...widths);
  const right = Math.max(...widths);
  const rows = last - first + 2;
  const at = new Map(cells.map((cell) => [`${cell[0] === endless ? rows - 1 : cell[0] - first}/${cell[1] - left}`, cell]));
  let weight = 2;
  const most = () => Math.max(...cells.map((cell) => cell[weight]), 1);
  const time = (row) => (row === rows - 1 ? "never freed" : magnitude(row + first, (value) => duration(value, report.unit)));
  const size = (column) => magnitude(column + left, bytes);
  const heat = new Heat({
    label: "Heat map of lifetimes and sizes; arrow keys move",
    columns: right - left + 1,
    rows,
    cellHeight: 15,
    paint: (x, y) => {
      const cell = at.get(`${y}/${x}`);
      return cell && cell[weight] > 0 ? ramp(Math.log1p(cell[weight]) / Math.log1p(most()), isDark() ? [240, 164, 67] : [196, 84, 10], isDark()) : null;
    },
    describe: (x, y) => {
      const cell = at.get(`${y}/${x}`);
      const lives = y === rows - 1 ? "never freed" : `lived from ${time(y)} to twice that`;
      return [`${size(x)} to ${size(x + 1)}`, lives, cell ? `${count(cell[2])} blocks, ${bytes(cell[3])}` : "none"];
    },
    xLabel: size,
    yLabel: (y) => (y % 2 === 0 || y === rows - 1 ? time(y) : ""),
  });
  onTheme(() => heat.draw());
  const measure = choice("Shade", [[2, "blocks"], [3, "bytes"]], weight, (value) => {
    weight = value;
    heat.draw();
  });
  view.append(h("div", { class: "controls" }, measure), heat.element, h("h3", {}, "Temporary allocations"), temporaryText(report));
  if (report.hasSites) view.append(temporaryTable(report, state));
  return view;
}

function temporaryText(report) {
  const many = report.lifetimes.temporary.reduce((sum, cell) => sum + cell[2], 0);
  return h("p", { id: "temporary", "data-value": many }, `${count(many)} of ${count(report.totals.allocs)} allocations (${percent(many, report.totals.allocs)}) were freed by the next thing that their thread did with memory.`);
}

function temporaryTable(report, state) {
  const table = new Table({
    label: "Temporary allocations by call site",
    sort: 1,
    columns: [
      { name: "call site", value: (row) => report.siteText(row.site), text: (row) => siteCell(report, row.site) },
      { name: "temporary", value: (row) => row.temporary, text: (row) => count(row.temporary), isNumber: true },
      { name: "of its allocations", value: (row) => row.temporary / row.allocs, text: (row) => percent(row.temporary, row.allocs), isNumber: true },
    ],
    pick: (row) => state.set({ site: row.site }),
    isLit: (row) => row.site === state.site && state.site !== 0,
  });
  state.listen((changed) => changed.includes("site") && table.draw());
  table.show(report.sites.filter((site) => site.temporary > 0));
  return table.element;
}

// Function, and file with line below it.
export function siteCell(report, site) {
  return h("span", { title: report.siteStack(site).join("\n") }, report.siteText(site), h("span", { class: "where" }, report.siteWhere(site)));
}
