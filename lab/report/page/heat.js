// heat.js: a heat map on a canvas, with a cursor for mouse, finger and arrow keys.
import { h, hideTip, showTip } from "./dom.js";

export class Heat {
  // paint(x, y) → a colour or null; describe(x, y) → lines; xLabel(x), yLabel(y) → text or "".
  constructor({ label, columns, rows, cellHeight, paint, describe, xLabel, yLabel, pick }) {
    Object.assign(this, { columns, rows, cellHeight, paint, describe, xLabel, yLabel, pick });
    this.cursor = null;
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": label });
    this.element = h("div", { class: "heat" }, this.canvas);
    this.said = h("p", { class: "said", "aria-live": "polite" });
    this.element.append(this.said);
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.leave());
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  resize(columns, rows) {
    this.columns = columns;
    this.rows = rows;
    this.draw();
  }

  geometry() {
    const width = this.element.clientWidth;
    const left = Math.min(76, width / 4);
    const cell = (width - left - 2) / Math.max(1, this.columns);
    return { width, left, cell, height: this.rows * this.cellHeight + 22 };
  }

  draw() {
    const { width, left, cell, height } = this.geometry();
    if (width <= 0) return;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    context.clearRect(0, 0, width, height);
    const gap = cell > 5 ? 1 : 0;
    for (let y = 0; y < this.rows; y++) {
      for (let x = 0; x < this.columns; x++) {
        const fill = this.paint(x, y);
        if (!fill) continue;
        context.fillStyle = fill;
        context.fillRect(left + x * cell, this.top(y), Math.max(cell - gap, 0.5), this.cellHeight - 1);
      }
    }
    this.drawLabels(context, left, cell, height);
    if (this.cursor) this.drawCursor(context, left, cell);
  }

  top(y) {
    return (this.rows - 1 - y) * this.cellHeight;
  }

  drawLabels(context, left, cell, height) {
    const style = getComputedStyle(this.element);
    context.fillStyle = style.color;
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let y = 0; y < this.rows; y++) {
      const text = this.yLabel(y);
      if (text) context.fillText(text, left - 6, this.top(y) + this.cellHeight / 2);
    }
    context.textAlign = "center";
    let free = left;
    for (let x = 0; x < this.columns; x++) {
      const text = this.xLabel(x);
      const at = left + (x + 0.5) * cell;
      const half = context.measureText(text).width / 2;
      if (!text || at - half < free || at + half > left + this.columns * cell + 1) continue;
      context.fillText(text, at, height - 9);
      free = at + half + 10;
    }
  }

  drawCursor(context, left, cell) {
    const [x, y] = this.cursor;
    context.strokeStyle = getComputedStyle(this.element).color;
    context.lineWidth = 2;
    context.strokeRect(left + x * cell, this.top(y), Math.max(cell, 2), this.cellHeight);
  }

  at(event) {
    const { left, cell } = this.geometry();
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left - left) / cell);
    const y = this.rows - 1 - Math.floor((event.clientY - box.top) / this.cellHeight);
    return x >= 0 && x < this.columns && y >= 0 && y < this.rows ? [x, y] : null;
  }

  hover(event) {
    this.cursor = this.at(event);
    this.draw();
    if (this.cursor) showTip(event.clientX, event.clientY, ...this.describe(...this.cursor));
    else hideTip();
  }

  leave() {
    this.cursor = null;
    hideTip();
    this.draw();
  }

  click(event) {
    const at = this.at(event);
    if (at && this.pick) this.pick(...at);
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], Home: [-this.columns, 0], End: [this.columns, 0] };
    const step = steps[event.key];
    if (event.key === "Enter" && this.cursor && this.pick) this.pick(...this.cursor);
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.cursor ?? [0, 0];
    const within = (value, limit) => Math.max(0, Math.min(limit - 1, value));
    this.cursor = this.cursor ? [within(x + step[0], this.columns), within(y + step[1], this.rows)] : [0, 0];
    this.draw();
    const lines = this.describe(...this.cursor);
    const { left, cell } = this.geometry();
    const box = this.canvas.getBoundingClientRect();
    showTip(box.left + left + (this.cursor[0] + 1) * cell, box.top + this.top(this.cursor[1]), ...lines);
    this.said.textContent = lines.join(", ");
  }
}

// From a pale to a strong colour, 0 to 1; of the page's accent unless another is named.
export function ramp(share, [red, green, blue], isDark) {
  const t = Math.max(0, Math.min(1, share));
  const from = isDark ? [30, 36, 46] : [232, 237, 244];
  const mix = (a, b) => Math.round(a + (b - a) * (0.15 + 0.85 * t));
  return `rgb(${mix(from[0], red)},${mix(from[1], green)},${mix(from[2], blue)})`;
}
