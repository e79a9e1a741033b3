// view-missing.js: views that are not there, each with what it takes to have it.
import { card, h } from "./dom.js";

const WHY_LIVE = {
  time: "One snapshot is one moment. Give larder report several of the same process.",
  lifetimes: "Who freed what, and when, is only in a recording: larder record.",
  flame: "Call sites are kept where the program was started with LARDER_DEBUG=U.",
  policies: "They need the requests, one after the other: larder record.",
};
const WHY = {
  time: "Nothing happened.",
  flame: "The trace has no call sites: larder record --stacks=frames, or unwind.",
  policies: "The trace is long, or they were not wanted: larder report --policies.",
};

// The rest of what a running process cannot tell.
const ALSO_LIVE = [["Sizes asked for", "malloc does not keep them. What is in use is in size classes; how much of that is rounding up is not known."]];

export function missingView(report, views) {
  const why = report.isLive ? WHY_LIVE : WHY;
  const lines = [...views.map(([id, name]) => [name, why[id] ?? "Not in this document."]), ...(report.isLive ? ALSO_LIVE : [])];
  if (lines.length === 0) return [];
  const view = card("missing", "Not on this page", report.isLive ? "What a snapshot of a running process cannot give, or this one does not." : "What this trace does not give.");
  view.append(h("dl", { class: "missing" }, ...lines.flatMap(([name, reason]) => [h("dt", {}, name), h("dd", {}, reason)])));
  return [view];
}
