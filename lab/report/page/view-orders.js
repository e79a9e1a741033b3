// view-orders.js: free blocks of each order over time, and what stands in the way of a request.
import { card, choice, csvButton, h } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { Heat, ramp } from "./heat.js";
import { isDark, onTheme } from "./theme.js";

export function ordersView(report, state) {
  const { time, rows, free_frames: free } = report.orders;
  const sizeOf = (order) => 2 ** order * report.frame_bytes;
  let what = "free";
  const most = Math.max(1, ...rows.flatMap((row) => row.free_blocks.map((many) => many * sizeOf(row.order))));
  const indexText = (index) => {
    if (index < 0) return "a request would be met";
    return `a request would need more memory: index ${(index / 1000).toFixed(2)}, ${index > 500 ? "for fragmentation" : "for lack of free memory"}`;
  };
  const paint = (x, y) => {
    const value = rows[y][what === "free" ? "free_blocks" : "index"][x];
    if (what === "free") return value > 0 ? ramp(Math.log1p(value * sizeOf(rows[y].order)) / Math.log1p(most), isDark() ? [88, 170, 242] : [29, 79, 159], isDark()) : null;
    if (value < 0) return ramp(0, [0, 0, 0], isDark());
    return ramp(0.2 + (0.8 * value) / 1000, isDark() ? [238, 115, 136] : [190, 40, 70], isDark());
  };
  const heat = new Heat({
    label: "Heat map of free blocks by order and time; arrow keys move",
    columns: time.length,
    rows: rows.length,
    cellHeight: 19,
    paint,
    describe: (x, y) => {
      const many = rows[y].free_blocks[x];
      return [`${duration(time[x], report.unit)}, order ${rows[y].order}: ${bytes(sizeOf(rows[y].order))}`, `${count(many)} free ${many === 1 ? "block" : "blocks"}, ${bytes(many * sizeOf(rows[y].order))} of ${bytes(free[x] * report.frame_bytes)} free`, indexText(rows[y].index[x])];
    },
    xLabel: (x) => duration(time[x], report.unit),
    yLabel: (y) => `${rows[y].order}  ${bytes(sizeOf(rows[y].order))}`,
    pick: (x) => state.set({ moment: report.momentAt(time[x]) }),
  });
  onTheme(() => heat.draw());
  const table = () => [["time", "order", "free_blocks", "index"], ...rows.flatMap((row) => time.map((at, i) => [at, row.order, row.free_blocks[i], row.index[i]]))];
  const view = card("orders", "Free blocks by order", "A free block of order k is 2^k frames, whole and aligned. Free memory at the top serves any request; at the bottom it is fragmented. The index of Linux says, of a request that no free block serves, whether memory is missing (towards 0) or in pieces (towards 1). The heap grows instead of failing.", csvButton("orders", table));
  const choose = choice("Shade", [["free", "free memory"], ["index", "fragmentation index"]], what, (value) => {
    what = value;
    heat.draw();
  });
  view.append(h("div", { class: "controls" }, choose), heat.element);
  return view;
}
