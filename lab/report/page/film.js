// film.js: the memory of each region heap after each event of a short trace: which chunk was taken,
// and what the free list looks like then.
import { colour, h } from "./dom.js";
import { bytes, count } from "./format.js";
import { onTheme } from "./theme.js";

const KINDS = ["malloc", "calloc", "aligned", "realloc", "free", "free", "failed", "thread starts", "thread ends", "resident"];
const HEIGHT = 34;
const PLAY_MS = 220;

function eventText([kind, id, size]) {
  const name = KINDS[kind] ?? "?";
  if (name === "free") return `free block ${id}`;
  return kind <= 3 ? `${name} block ${id}, ${bytes(size)}` : name;
}

// Used chunks filled, free ones hollow; those that are new in this step are marked.
function drawStrip(canvas, chunks, before, whole) {
  const width = canvas.parentElement.clientWidth;
  if (width <= 0) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  canvas.style.width = "100%";
  canvas.style.height = `${HEIGHT}px`;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const old = new Set();
  let at = 0;
  for (const size of before) {
    old.add(`${at}/${size}`);
    at += Math.abs(size);
  }
  at = 0;
  for (const size of chunks) {
    const left = (at / whole) * width;
    const wide = (Math.abs(size) / whole) * width;
    const isNew = !old.has(`${at}/${size}`);
    context.fillStyle = size > 0 ? colour(isNew ? "--lit" : "--requested") : colour("--unbacked");
    context.fillRect(left, 2, Math.max(wide - 1, 0.7), HEIGHT - 4);
    if (size < 0) {
      context.strokeStyle = colour(isNew ? "--lit" : "--free");
      context.lineWidth = isNew ? 2 : 1;
      context.strokeRect(left + 0.5, 2.5, Math.max(wide - 2, 0.5), HEIGHT - 5);
    }
    at += Math.abs(size);
  }
}

function freeText(chunks) {
  const free = chunks.filter((size) => size < 0).map((size) => -size);
  if (free.length === 0) return "no free chunk";
  const shown = free.slice(0, 12).join(" → ");
  return `${count(free.length)} free: ${shown}${free.length > 12 ? " → …" : ""}`;
}

export function filmBox(films) {
  const last = films.events.length - 1;
  let step = 0;
  let timer = 0;
  const whole = Math.max(...films.policies.flatMap(({ steps }) => steps.map((chunks) => chunks.reduce((sum, size) => sum + Math.abs(size), 0))), 1);
  const slider = h("input", { type: "range", id: "film", min: 0, max: last, value: 0, "aria-label": "Event" });
  const said = h("output", { id: "film-event", for: "film" });
  const play = h("button", { type: "button", onclick: toggle }, "Play");
  const strips = films.policies.map(({ name, title, steps }) => {
    const canvas = h("canvas", { role: "img", "aria-label": `Memory under ${title}` });
    const list = h("p", { class: "where", "data-film": name });
    return { canvas, list, steps, element: h("div", {}, h("strong", {}, title), h("div", {}, canvas), list) };
  });
  function show(value) {
    step = value;
    slider.value = step;
    said.textContent = `${step + 1} of ${last + 1}: ${eventText(films.events[step])}`;
    for (const { canvas, list, steps } of strips) {
      const chunks = steps[step] ?? [];
      drawStrip(canvas, chunks, steps[step - 1] ?? [], whole);
      list.textContent = freeText(chunks);
    }
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }
  function toggle() {
    if (timer) return stop();
    if (step === last) show(0);
    play.textContent = "Pause";
    timer = setInterval(() => (step < last ? show(step + 1) : stop()), PLAY_MS);
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  const box = h("div", { class: "films" }, h("div", { class: "line" }, play, slider, said), h("div", { class: "lists" }, ...strips.map(({ element }) => element)));
  onTheme(() => show(step));
  new ResizeObserver(() => show(step)).observe(box);
  return box;
}
