#!/usr/bin/env node
// pictures.mjs [--write]: what the views of a report look like, against pictures in reference/.
//
// So that a machine's fonts and its allocator do not matter: the document is one that is kept
// (reference/report.json.gz), all text is in a font that npm brings and hinted in one way, and pictures are compared after
// they have been made small: each of their points is the mean of some 8 by 8 on the screen. A view
// fails if more than FEW of them have another colour, or if it is not as high as it was.
//
// --write (make web-pictures) makes document and pictures anew, to be looked at before they are kept.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

const build = resolve(process.env.LARDER_BUILD ?? "build");
const here = dirname(fileURLToPath(import.meta.url));
const references = join(here, "reference");
const found = join(build, "web", "pictures");
const packages = createRequire(join(build, "web", "packages", "package.json"));
const { chromium } = packages("playwright-core");
const isWriting = process.argv.includes("--write");
const WAIT = { timeout: 60_000 }; // of a busy machine

const SMALLER = 8;
const OTHER = 24; // of 255: from there on it is another colour
const FEW = 0.02; // of the points
const HEIGHT = 0.03; // that a view may be higher or lower by
const ALL = ["top", "time", "map", "pins", "caches", "lifetimes", "flame", "orders", "policies", "moment"];
const SCREENS = {
  light: { views: ALL, viewport: { width: 1240, height: 900 } },
  dark: { views: ["top", "map", "caches", "policies"], viewport: { width: 1240, height: 900 }, colorScheme: "dark" },
  phone: { views: ["top", "time", "map", "pins"], viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

// What must be seen if it happens: a map without its frames, a table without bars or a line.
const BROKEN = { map: "#frames { visibility: hidden }", caches: ".meter { visibility: hidden }", pins: "#pins tbody tr:first-child { display: none }" };

// Text in the font that npm brings, and nothing that moves or floats over a view.
const font = (weight) => `@font-face { font-family: Reference; font-weight: ${weight}; src: url(data:font/woff2;base64,${readFileSync(packages.resolve(`@fontsource/roboto/files/roboto-latin-${weight}-normal.woff2`)).toString("base64")}) }`;
const FACES = `${font(400)} ${font(700)}`;
const STYLE = `*, *::before { font-family: Reference, monospace !important; transition: none !important; scroll-behavior: auto !important } nav { position: static !important } footer { position: static !important }`;

let count = 0;
let failed = 0;
function check(isGood, name, note) {
  count++;
  if (!isGood) failed++;
  console.log(`${isGood ? "ok" : "not ok"} ${count} - ${name}`);
  if (!isGood) console.log(`# ${note}`);
}

// ---- The page ------------------------------------------------------------------------------------

function makeDocument() {
  const folder = mkdtempSync(join(tmpdir(), "larder-pictures-"));
  const larder = (...words) => execFileSync(join(build, "larder"), words, { stdio: ["ignore", "inherit", "ignore"] });
  const [text, trace, report] = ["service.txt", "service.ltr", "report.json"].map((name) => join(folder, name));
  writeFileSync(text, execFileSync(join(here, "service.py"), ["0.1"], { maxBuffer: 1 << 28 }));
  larder("import", text, "-o", trace);
  larder("report", "--json", trace, "-o", report);
  const json = readFileSync(report, "utf8").replace(trace, "service.ltr");
  rmSync(folder, { recursive: true });
  writeFileSync(join(references, "report.json.gz"), gzipSync(json, { level: 9 }));
}

// The page as the command has it, with the document that is kept.
function makePage() {
  const json = gunzipSync(readFileSync(join(references, "report.json.gz"))).toString();
  const path = join(found, "page.html");
  writeFileSync(path, readFileSync(join(build, "lab", "page.html"), "utf8").replace("@LARDER_REPORT@", () => json));
  return pathToFileURL(path).href;
}

// ---- Pictures ------------------------------------------------------------------------------------

// In the browser, which can read PNG: a picture's size and points, made smaller.
async function readPicture([base64, smaller]) {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
  const [width, height] = [image.width, image.height].map((length) => Math.max(1, Math.round(length / smaller)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  return { width, height, points: [...context.getImageData(0, 0, width, height).data], png: btoa(String.fromCharCode(...bytes)) };
}

// The share of points that have another colour, where both are.
function difference(a, b) {
  let other = 0;
  const [width, height] = [Math.min(a.width, b.width), Math.min(a.height, b.height)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [i, j] = [4 * (y * a.width + x), 4 * (y * b.width + x)];
      if ([0, 1, 2].some((part) => Math.abs(a.points[i + part] - b.points[j + part]) >= OTHER)) other++;
    }
  }
  return other / (width * height);
}

// [whether they are the same to a person, in what they differ]
function compare(now, then) {
  const other = difference(now, then);
  const isSame = now.width === then.width && Math.abs(now.height - then.height) <= Math.max(1, HEIGHT * then.height) && other <= FEW;
  return [isSame, `${(100 * other).toFixed(2)} % of it has another colour; it is ${8 * now.width} by ${8 * now.height} and was ${8 * then.width} by ${8 * then.height}`];
}

// Charts name their font by themselves.
function letChartsUseReference() {
  const { get, set } = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "font");
  Object.defineProperty(CanvasRenderingContext2D.prototype, "font", {
    get,
    set(font) {
      set.call(this, font.replace(/system-ui.*/, "Reference, monospace"));
    },
  });
}

async function openPage(context, url) {
  const page = await context.newPage();
  await page.addInitScript(letChartsUseReference);
  page.setDefaultTimeout(WAIT.timeout);
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
  await page.addStyleTag({ content: FACES });
  await page.evaluate(() => Promise.all([document.fonts.load("400 12px Reference"), document.fonts.load("700 12px Reference")]));
  await page.addStyleTag({ content: STYLE }); // after them: 1ch stays what it was at first
  for (let i = 0; i < 2; i++) await page.click("#theme"); // draws charts anew
  await settle(page);
  return page;
}

// What the style has moved is drawn anew in the next frame, or the one after it.
const settle = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))));

async function look(page, reader, view, name) {
  const whole = await page.locator(`#${view}`).screenshot({ path: join(found, `${name}.png`), animations: "disabled" });
  const now = await reader.evaluate(readPicture, [whole.toString("base64"), SMALLER]);
  writeFileSync(join(found, `small.${name}.png`), Buffer.from(now.png, "base64"));
  return now;
}

const kept = (reader, name) => reader.evaluate(readPicture, [readFileSync(join(references, `${name}.png`)).toString("base64"), 1]);

async function testView(page, reader, view, name) {
  const path = join(references, `${name}.png`);
  const now = await look(page, reader, view, name);
  if (isWriting) return writeFileSync(path, Buffer.from(now.png, "base64"));
  if (!existsSync(path)) return check(false, `${name} looks as it did`, "there is no picture of it: make web-pictures");
  const [isSame, how] = compare(now, await kept(reader, name));
  check(isSame, `${name} looks as it did`, `${how}; see ${join(found, name)}.png and small.${name}.png`);
  if (process.env.V) console.log(`# ${how}`);
}

async function testBroken(page, reader) {
  for (const [view, style] of Object.entries(BROKEN)) {
    const tag = await page.addStyleTag({ content: style });
    await settle(page);
    const [isSame, how] = compare(await look(page, reader, view, `broken-${view}`), await kept(reader, `light-${view}`));
    check(!isSame, `a broken ${view} does not`, how);
    if (process.env.V) console.log(`# ${how}`);
    await tag.evaluate((element) => element.remove());
  }
}

async function testScreen(browser, url, screen) {
  const { views, ...options } = SCREENS[screen];
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: "reduce", ...options });
  const reader = await context.newPage();
  const page = await openPage(context, url);
  for (const view of views) await testView(page, reader, view, `${screen}-${view}`);
  if (screen === "light" && !isWriting) await testBroken(page, reader);
  await context.close();
}

// Hinting changes how wide text is, so no machine's settings count.
const FONTCONFIG = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><cachedir>${join(found, "fonts")}</cachedir>
<match target="pattern"><edit name="hintstyle" mode="assign"><const>hintslight</const></edit><edit name="antialias" mode="assign"><bool>true</bool></edit><edit name="rgba" mode="assign"><const>none</const></edit></match></fontconfig>
`;

mkdirSync(found, { recursive: true });
mkdirSync(references, { recursive: true });
if (isWriting) makeDocument();
const executable = process.env.LARDER_CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], { encoding: "utf8" }).trim();
writeFileSync(join(found, "fonts.conf"), FONTCONFIG);
const env = { ...process.env, FONTCONFIG_FILE: join(found, "fonts.conf") };
const browser = await chromium.launch({ executablePath: executable, env, args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--no-first-run", "--disable-background-networking"], ...WAIT });
try {
  const url = makePage();
  for (const screen of Object.keys(SCREENS)) await testScreen(browser, url, screen);
} catch (error) {
  check(false, "nothing is thrown", error.stack.replaceAll("\n", "\n# "));
} finally {
  await browser.close();
}
if (!isWriting) console.log(`1..${count}`);
process.exit(failed > 0 ? 1 : 0);
