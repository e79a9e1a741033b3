// moment-bar.js: the slider at the foot of the page: which moment the map, the caches and the pins
// are of.
import { resident, used, wasted } from "./data.js";
import { h } from "./dom.js";
import { bytes } from "./format.js";

const PLAY_MS = 140;

export function momentBar(report, state) {
  const last = report.moments.length - 1;
  const slider = h("input", { type: "range", id: "slider", min: 0, max: last, value: state.moment, "aria-label": "Moment" });
  const said = h("output", { id: "when", for: "slider" });
  const play = h("button", { type: "button", id: "play", "aria-label": "Play", onclick: toggle }, "▶");
  let timer = 0;
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
  }
  function toggle() {
    if (timer) return stop();
    if (state.moment === last) state.set({ moment: 0 });
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => (state.moment < last ? state.set({ moment: state.moment + 1 }) : stop()), PLAY_MS);
  }
  // Who goes somewhere stays there.
  const go = (moment) => {
    stop();
    state.set({ moment });
  };
  const jump = (id, text, title, of) => h("button", { type: "button", id, title, onclick: () => go(of()) }, text);
  const jumps = h(
    "span",
    { class: "tools keysbar" },
    jump("to-peak", "Peak", "when most was in use", () => (report.totals ? report.momentAt(report.totals.peak.time) : report.momentOfMost(used))),
    jump("to-waste", "Most waste", "when most was resident, not in use, and not about to go back", () => report.momentOfMost(wasted)),
    jump("to-end", "End", "the end", () => last),
  );
  slider.addEventListener("input", () => go(Number(slider.value)));
  const draw = () => {
    const moment = report.moments[state.moment];
    slider.value = state.moment;
    const text = `${report.momentText(state.moment)}: ${bytes(used(moment))} of ${bytes(resident(moment))}`;
    said.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  state.listen((changed) => changed.includes("moment") && draw());
  draw();
  return h("div", { class: "line" }, play, slider, said, jumps);
}
