// format.js: numbers as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export function bytes(number) {
  let unit = 0;
  let value = Math.abs(number);
  while (value >= 1023.95 && unit + 1 < UNITS.length) {
    value /= 1024;
    unit++;
  }
  const text = unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1);
  return `${number < 0 ? "−" : ""}${text} ${UNITS[unit]}`;
}

export function count(number) {
  return Math.round(number).toLocaleString("en-US").replaceAll(",", " ");
}

export function percent(part, whole) {
  if (!whole) return "0 %";
  const share = (100 * part) / whole;
  return `${share >= 10 || share === 0 ? share.toFixed(0) : share >= 0.1 ? share.toFixed(1) : "< 0.1"} %`;
}

function seconds(ns) {
  const steps = [
    [60e9, "min"],
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
  ];
  for (const [step, unit] of steps) {
    if (ns >= step * (unit === "min" ? 10 : 1)) {
      const value = ns / step;
      return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;
    }
  }
  return `${ns} ns`;
}

// A time or a duration of the trace, which counts in ns or in events.
export function duration(value, unit) {
  if (unit === "ns") return seconds(value);
  return `${count(value)} ${value === 1 ? "event" : "events"}`;
}

// "2^(n-1) to 2^n" as a label of a row or column: row 0 is 0.
export function magnitude(index, write) {
  return index === 0 ? write(0) : write(2 ** (index - 1));
}
