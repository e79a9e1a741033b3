// data.js: the document (docs/report-format.md) and what is worked out from it.

import { duration } from "./format.js";

const CALLERS = 2;

export const BANDS = [
  { key: "requested", name: "requested", text: "what the program asked for and has not freed", colour: "--requested" },
  { key: "rounding", name: "rounding up", text: "to size classes and whole frames", colour: "--rounding" },
  { key: "cached", name: "cached", text: "free, in magazines, for the next request of a thread", colour: "--cached" },
  { key: "in_slabs", name: "free beside live", text: "free slots of slabs that a live object pins", colour: "--in-slabs" },
  { key: "free_backed", name: "free, not given back yet", text: "whole free frames that are still resident", colour: "--free" },
  { key: "metadata", name: "bookkeeping", text: "slots of threads, magazines, descriptors", colour: "--metadata" },
];

// A running process does not know what was asked for: its lowest band is in whole size classes.
const LIVE_BANDS = [{ key: "live", name: "in use", text: "with the program, as size classes and whole frames", colour: "--requested" }, ...BANDS.slice(2)];

// Of a point of the time line or of a moment: bytes of a band, and all of them.
export function band(point, key) {
  return key === "rounding" ? Math.max(0, point.live - point.requested) : point[key];
}

export function resident(point) {
  return BANDS.slice(2).reduce((sum, { key }) => sum + point[key], point.live);
}

// What the program has of it, as exactly as is known.
export function used(point) {
  return point.requested ?? point.live;
}

// Resident, not in use, and not going back by itself in a moment.
export function wasted(point) {
  return point.live - used(point) + point.cached + point.in_slabs;
}

export class Report {
  constructor(json) {
    Object.assign(this, json);
    this.unit = json.trace.time_unit;
    this.isLive = Boolean(json.snapshots);
    this.bands = this.isLive ? LIVE_BANDS : BANDS;
    this.hasSites = json.trace.has_sites && json.sites.length > 1;
    this.siteOf = new Map(json.sites.map((site) => [site.site, site]));
    this.points = json.timeline.time.map((_, i) => this.point(i));
    this.cached = { index: -1, cells: null };
    this.largest = Math.max(...json.moments.map((moment) => moment.cell_count), 1);
    this.used = this.usedCells();
  }

  point(i) {
    const point = {};
    for (const [name, column] of Object.entries(this.timeline)) point[name] = column[i];
    return point;
  }

  // Cells that were backed at one moment at least, by address: what was never used is not drawn.
  usedCells() {
    const isUsed = new Uint8Array(this.largest);
    for (const { cells } of this.moments) cells.index.forEach((cell, i) => (isUsed[cell] |= cells.owner[i] !== 0));
    return [...isUsed.keys()].filter((cell) => isUsed[cell]);
  }

  // The frame map at a moment: columns by cell. Moments only say what has changed.
  cells(index) {
    if (this.cached.index === index) return this.cached.cells;
    let { index: at, cells } = this.cached;
    if (at > index || at < 0) {
      at = -1;
      cells = { owner: [], fill: [], objects: [], oldest: [], youngest: [], sites: [] };
      for (const name of Object.keys(cells)) cells[name] = new Array(this.largest).fill(name === "sites" ? [] : 0);
    }
    while (++at <= index) {
      const changed = this.moments[at].cells;
      for (const name of Object.keys(cells)) {
        const from = changed[name] ?? []; // of a snapshot, ages are not known
        const to = cells[name];
        for (let i = 0; i < changed.index.length; i++) to[changed.index[i]] = from[i] ?? 0;
      }
    }
    this.cached = { index, cells };
    return cells;
  }

  // The moment of which there is most.
  momentOfMost(of) {
    return this.moments.reduce((best, moment, i) => (of(moment) > of(this.moments[best]) ? i : best), 0);
  }

  // When that is, for people.
  momentText(index) {
    const { time } = this.moments[index];
    if (!this.isLive) return duration(time, this.unit);
    return index ? `${this.snapshots[index].file}, ${duration(time, this.unit)} later` : this.snapshots[0].file;
  }

  // The moment nearest to a time.
  momentAt(time) {
    let best = 0;
    this.moments.forEach((moment, i) => {
      if (Math.abs(moment.time - time) < Math.abs(this.moments[best].time - time)) best = i;
    });
    return best;
  }

  frameText(index) {
    const frame = this.frames[index];
    if (frame.function) return frame.function;
    return `${frame.module || "?"}+0x${(frame.address ?? 0).toString(16)}`;
  }

  frameWhere(index) {
    const { file, line, module } = this.frames[index];
    if (!file) return module;
    return line ? `${file.split("/").pop()}:${line}` : file;
  }

  // A call site in a few words: its innermost frame; nothing is known of 0.
  siteText(number) {
    const site = this.siteOf.get(number);
    if (!number || !site) return number ? `call site ${number}` : "(not recorded)";
    if (site.stack.length === 0) return `call site ${number}`;
    return this.frameText(site.stack[0]);
  }

  // Where that is, and who called it: the innermost frame is often a wrapper of malloc.
  siteWhere(number) {
    const site = this.siteOf.get(number);
    if (!site || site.stack.length === 0) return "";
    return [this.frameWhere(site.stack[0]), ...site.stack.slice(1, 1 + CALLERS).map((frame) => this.frameText(frame))].join(" ← ");
  }

  siteStack(number) {
    const site = this.siteOf.get(number);
    return site ? site.stack.map((frame) => `${this.frameText(frame)}  ${this.frameWhere(frame)}`) : [];
  }
}
