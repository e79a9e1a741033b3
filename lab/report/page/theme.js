// theme.js: dark or light as the system says, until the switch says otherwise.
import { h } from "./dom.js";

const asks = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = [];
let chosen = null;

export function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

// For what is drawn on a canvas.
export function onTheme(listener) {
  listeners.push(listener);
}

// What was drawn is gone.
export function forgetDrawn() {
  listeners.length = 0;
}

function apply() {
  document.documentElement.dataset.theme = chosen ?? (asks.matches ? "dark" : "light");
  for (const listener of listeners) listener();
}

asks.addEventListener("change", apply);
apply();

export function themeButton() {
  const button = h("button", { type: "button", id: "theme", onclick: flip });
  const name = () => (button.textContent = isDark() ? "Light" : "Dark");
  function flip() {
    chosen = isDark() ? "light" : "dark";
    apply();
  }
  onTheme(name);
  name();
  return button;
}
