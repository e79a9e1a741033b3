// table.js: a table that sorts by the heading one clicks, and shows more when asked.
import { h } from "./dom.js";

const SHOWN = 20;

// columns: {name, value(row), text(row) → string or element, isNumber, title}. `pick(row)`: what a
// row is good for when it is clicked; `isLit(row)`.
export class Table {
  constructor({ label, columns, sort, pick, isLit }) {
    Object.assign(this, { label, columns, pick, isLit });
    this.rows = [];
    this.sort = sort ?? 0;
    this.descending = true;
    this.shown = SHOWN;
    this.element = h("div", { class: "table", tabindex: "0", role: "region", "aria-label": `Table: ${label}` });
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  sorted() {
    const { value, isNumber } = this.columns[this.sort];
    const order = (a, b) => (isNumber ? value(a) - value(b) : String(value(a)).localeCompare(String(value(b))));
    return [...this.rows].sort((a, b) => (this.descending ? order(b, a) : order(a, b)));
  }

  heading(column, i) {
    const sorted = i === this.sort ? (this.descending ? "descending" : "ascending") : "none";
    const click = () => {
      this.descending = i === this.sort ? !this.descending : Boolean(column.isNumber);
      this.sort = i;
      this.draw();
      this.element.querySelectorAll("th button")[i].focus();
    };
    const mark = sorted === "none" ? "" : this.descending ? " ↓" : " ↑";
    return h("th", { scope: "col", "aria-sort": sorted, class: column.isNumber ? "number" : "" }, h("button", { type: "button", title: column.title, onclick: click }, column.name + mark));
  }

  line(row) {
    const cells = this.columns.map((column, i) => {
      const text = column.text ? column.text(row) : String(column.value(row));
      const content = i === 0 && this.pick ? h("button", { type: "button", class: "link", onclick: () => this.pick(row) }, text) : text;
      return h(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: column.isNumber ? "number" : "", "data-value": column.value(row) }, content);
    });
    return h("tr", { class: this.isLit?.(row) ? "lit" : "" }, ...cells);
  }

  draw() {
    const rows = this.sorted();
    const head = h("thead", {}, h("tr", {}, ...this.columns.map((column, i) => this.heading(column, i))));
    const body = h("tbody", {}, ...rows.slice(0, this.shown).map((row) => this.line(row)));
    const left = rows.length - this.shown;
    const parts = [h("table", {}, head, body)];
    if (rows.length === 0) parts.push(h("p", { class: "none" }, "Nothing."));
    if (left > 0) {
      const more = () => {
        this.shown = Infinity;
        this.draw();
      };
      parts.push(h("button", { type: "button", class: "more", onclick: more }, `${left} more`));
    }
    this.element.replaceChildren(...parts);
  }

  csv() {
    return [this.columns.map((column) => column.name), ...this.sorted().map((row) => this.columns.map((column) => column.value(row)))];
  }
}
