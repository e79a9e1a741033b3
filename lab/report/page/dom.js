// dom.js: making elements.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Buttons of which one is pressed. `choices`: [value, label].
export function choice(label, choices, value, change) {
  const buttons = choices.map(([each, text]) =>
    h("button", { type: "button", "aria-pressed": String(each === value), "data-choice": each, onclick: () => choose(each) }, text),
  );
  function choose(chosen) {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(choices[i][0] === chosen)));
    change(chosen);
  }
  const group = h("div", { class: "choice", role: "group", "aria-label": label }, h("span", { class: "label" }, label), ...buttons);
  group.choose = choose;
  return group;
}

// A card with a heading, a sentence that says what one sees, and tools at the right.
export function card(id, title, text, ...tools) {
  return h(
    "section",
    { id, "aria-labelledby": `${id}-title`, class: "card" },
    h("div", { class: "head" }, h("h2", { id: `${id}-title` }, title), h("div", { class: "tools" }, ...tools)),
    h("p", { class: "about" }, text),
  );
}

export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// Fields as RFC 4180 wants them.
export function csv(rows) {
  const field = (value) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

// `rows()`: the first has the names.
export function csvButton(name, rows) {
  return h("button", { type: "button", class: "quiet", "data-csv": name, title: `Save ${name}.csv`, onclick: () => save(`${name}.csv`, "text/csv", csv(rows())) }, "CSV");
}

const tip = () => document.getElementById("tip");

// The one tooltip of the page, near a point of the window.
export function showTip(x, y, ...lines) {
  const box = tip();
  box.replaceChildren(...lines.map((line) => h("div", {}, line)));
  box.hidden = false;
  const left = Math.min(x + 14, window.innerWidth - box.offsetWidth - 8);
  const below = y + 16 + box.offsetHeight < window.innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${below ? y + 16 : Math.max(8, y - box.offsetHeight - 10)}px`;
}

export function hideTip() {
  tip().hidden = true;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
