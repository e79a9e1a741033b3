#!/usr/bin/env node
// report.mjs: the page of a report in a real browser: every view shows what the document says, mouse
// and keys work, dark and light, large and small, and nothing is loaded from a network.
//
// Screenshots for people are left in build/web/.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const build = resolve(process.env.LARDER_BUILD ?? "build");
const pictures = join(build, "web");
const here = dirname(fileURLToPath(import.meta.url));
const packages = createRequire(join(pictures, "packages", "package.json"));
const { chromium } = packages("playwright-core");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const WAIT = { timeout: 60_000 }; // of a busy machine
const SETTLE_MS = 10_000;

let count = 0;
let failed = 0;

// What a function reads off the page may still be on its way there, on a busy machine.
async function settled(value, isGood) {
  if (typeof value !== "function") return value;
  let found = await value();
  for (const end = Date.now() + SETTLE_MS; !isGood(found) && Date.now() < end; found = await value()) await new Promise((done) => setTimeout(done, 100));
  return found;
}

async function check(read, name, note = "") {
  const isGood = await settled(read, Boolean);
  count++;
  if (!isGood) failed++;
  console.log(`${isGood ? "ok" : "not ok"} ${count} - ${name}`);
  if (!isGood && note) console.log(`# ${String(note).replaceAll("\n", "\n# ")}`);
}
async function same(read, wanted, name) {
  const text = JSON.stringify(wanted);
  const found = JSON.stringify(await settled(read, (value) => JSON.stringify(value) === text));
  await check(found === text, name, `found ${found}\nwanted ${text}`);
}

// ---- Reports ------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "larder-web-"));
const larder = (...words) => execFileSync(join(build, "larder"), words, { stdio: ["ignore", "inherit", "ignore"] });

function reportOf(path, ...files) {
  larder("report", ...files, "-o", path);
  const html = readFileSync(path, "utf8");
  const json = html.match(/<script type="application\/json" id="report">([^]*?)<\/script>/)[1];
  return { path, url: pathToFileURL(path).href, document: JSON.parse(json) };
}

function makeReport(name, text) {
  const at = (ending) => join(folder, `${name}.${ending}`);
  writeFileSync(at("txt"), text);
  larder("import", at("txt"), "-o", at("ltr"));
  return reportOf(at("html"), at("ltr"));
}

// A program that keeps one string in 50 of 20 MB, and says how far it is.
const HOLDER = `$| = 1; my @a = map { "x" x 1000 } 1 .. 20000; print "full\\n"; <STDIN>; for (0 .. $#a) { undef $a[$_] if $_ % 50 } print "sparse\\n"; <STDIN>`;

// Snapshots of it, as it runs: their paths.
async function snapshots(name, options) {
  const socket = join(folder, `${name}.sock`);
  const env = { ...process.env, ...options, LD_PRELOAD: join(build, "linux", "liblarder.so"), LARDER_CONTROL: socket };
  const holder = spawn("perl", ["-e", HOLDER], { env, stdio: ["pipe", "pipe", "inherit"] });
  const files = [];
  for await (const _ of holder.stdout) {
    files.push(join(folder, `${name}${files.length + 1}.json`));
    larder("snapshot", "-o", files.at(-1), socket);
    holder.stdin.write("\n");
  }
  return files;
}

const NASTY = `</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">`;
const HOSTILE = `larder trace text 1\nprogram: ${NASTY}\nnote: ${NASTY}\nhas: time sites\n\nsite 1\n\t0x1\t${NASTY}\t${NASTY}\t1\t${NASTY}\n` + Array.from({ length: 200 }, (_, i) => `${i * 1000} 0 malloc ${i} ${16 + i} @1`).join("\n") + "\n";
const PLAIN = "larder trace text 1\nprogram: plain\nhas:\n\n" + Array.from({ length: 3000 }, (_, i) => (i % 3 === 2 ? `0 0 free ${i - 1}` : `0 0 malloc ${i} ${8 + ((i * 37) % 5000)}`)).join("\n") + "\n";

const SHORT = "larder trace text 1\nprogram: short\nhas: time\n\n" + Array.from({ length: 120 }, (_, i) => (i % 4 === 3 ? `${i * 1000} 0 free ${i - 3}` : `${i * 1000} 0 malloc ${i} ${24 + ((i * 37) % 500)}`)).join("\n") + "\n";

// ---- The document, read here ---------------------------------------------------------------------

const BANDS = ["requested", "rounding", "cached", "in_slabs", "free_backed", "metadata"];
const amount = (point, key) => (key === "rounding" ? point.live - point.requested : point[key]);
const resident = (point) => BANDS.reduce((sum, key) => sum + amount(point, key), 0);
const endOf = (document) => document.moments.at(-1);

// Call sites of each cell at a moment.
function sitesAt(document, moment) {
  const sites = [];
  for (const { cells } of document.moments.slice(0, moment + 1)) cells.index.forEach((cell, i) => (sites[cell] = cells.sites[i]));
  return sites;
}

function pinned(moment, unit, most) {
  return moment.pins.filter((pin) => pin.unit === unit && pin.holders_max <= most).reduce((sum, pin) => sum + pin.alone_bytes + pin.shared_bytes, 0);
}

// ---- The browser ---------------------------------------------------------------------------------

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const executable = process.env.LARDER_CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath: executable, args: FLAGS, ...WAIT });

async function open(report, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT.timeout);
  page.trouble = [];
  page.asked = [];
  page.on("pageerror", (error) => page.trouble.push(error.stack));
  page.on("console", (message) => message.type() === "error" && page.trouble.push(message.text()));
  page.on("request", (request) => page.asked.push(request.url()));
  await page.goto(report.url);
  await page.waitForSelector("html[data-ready]");
  return page;
}

const valueOf = async (page, selector) => Number(await page.locator(selector).first().getAttribute("data-value"));
const textOf = (page, selector) => page.locator(selector).first().innerText();

// Different colours in a picture: a blank one has one or two.
const colours = (page, selector) =>
  page.locator(selector).first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

async function setMoment(page, index) {
  await page.locator("#slider").evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, index);
}

// ---- Tests ---------------------------------------------------------------------------------------

async function testLoading(page, report) {
  const size = statSync(report.path).size;
  await check(size < 15_000_000, `the page is ${size} bytes`);
  await same(page.asked.filter((url) => !url.startsWith("file:") && !url.startsWith("data:")), [], "nothing is asked of a network");
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  await check(policy.startsWith("default-src 'none'") && !policy.includes("http"), "and the page forbids itself to");
  await same(() => sectionsOf(page), ["time", "map", "pins", "caches", "lifetimes", "flame", "orders", ...(report.document.policies ? ["policies"] : [])], "every view is there");
}

async function testTiles(page, { document }) {
  const wasted = (moment) => moment.live - moment.requested + moment.cached + moment.in_slabs;
  const worst = document.moments.reduce((a, b) => (wasted(b) > wasted(a) ? b : a));
  await same(() => valueOf(page, "#answer strong"), resident(worst), "the moment of most waste is shown first");
  await page.click("#to-end");
  const { timeline, totals } = document;
  const points = timeline.time.map((_, i) => Object.fromEntries(Object.entries(timeline).map(([name, column]) => [name, column[i]])));
  const temporary = document.lifetimes.temporary.reduce((sum, cell) => sum + cell[2], 0);
  const wanted = { "requested at the peak": totals.peak.requested, "resident at most": Math.max(...points.map(resident)), "requested at the end": points.at(-1).requested, "resident at the end": resident(points.at(-1)), allocations: totals.allocs, "of those temporary": temporary, threads: document.trace.threads };
  for (const [name, value] of Object.entries(wanted)) await same(() => valueOf(page, `[data-tile="${name}"]`), value, `tile: ${name}`);
  for (const key of BANDS) await same(() => valueOf(page, `[data-band="${key}"]`), amount(endOf(document), key), `why: ${key}`);
}

async function testPictures(page) {
  for (const [name, selector, least] of [["time", "#time canvas", 8], ["map", "#frames", 8], ["lifetimes", "#lifetimes canvas", 5], ["orders", "#orders canvas", 5]]) {
    await check(async () => (await colours(page, selector)) >= least, `the picture of ${name} has ${least} colours or more`);
  }
}

async function testRange(page, { document }) {
  const box = await page.locator("#time .u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => !document.getElementById("whole").disabled);
  const [from, to] = [await valueOf(page, '[data-stretch="from"]'), await valueOf(page, '[data-stretch="to"]')];
  const { time, allocs, allocated_bytes: allocated } = document.timeline;
  const [first, last] = [time.indexOf(from), time.indexOf(to)];
  await check(first > 0 && last > first, "a stretch of time can be chosen", `${from} ${to}`);
  await same(() => valueOf(page, '[data-stretch="allocations"]'), allocs[last] - allocs[first], "and has its allocations");
  await same(() => valueOf(page, '[data-stretch="allocated"]'), allocated[last] - allocated[first], "and its bytes");
  await page.click("#whole");
  await same(() => valueOf(page, '[data-stretch="allocations"]'), document.totals.allocs, "and left again");
}

async function testMoments(page, { document }) {
  const index = Math.floor(document.moments.length / 3);
  const moment = document.moments[index];
  await setMoment(page, index);
  await same(() => valueOf(page, "#answer strong"), resident(moment), "the slider changes what is said");
  const cache = moment.caches.filter((each) => each.id && !each.is_internal && each.slabs)[0];
  const line = page.locator("#caches tbody tr", { has: page.locator(`th[data-value="${cache.name}"]`) });
  if ((await line.count()) === 0) await page.locator("#caches .more").click();
  await same(() => line.locator("td").evaluateAll((cells) => cells.slice(0, 3).map((cell) => Number(cell.dataset.value))), [cache.live, cache.slabs * cache.slab_bytes, cache.requested], `and cache ${cache.name}`);
  await page.locator("#slider").focus();
  await page.keyboard.press("ArrowLeft");
  await same(() => valueOf(page, "#answer strong"), resident(document.moments[index - 1]), "an arrow key moves it");
  await page.click("#play");
  await page.waitForFunction((from) => Number(document.getElementById("slider").value) > from + 1, index);
  await page.click("#play");
  await check(true, "it plays");
  await page.click("#to-end");
  await same(() => valueOf(page, "#answer strong"), resident(endOf(document)), "and jumps to the end");
}

// On a busy machine the picture of an earlier key or moment may still be on its way: it shall have come.
async function isHeld(page) {
  const sites = page.locator("#cell ul li");
  if ((await sites.count()) === 0) return false;
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return (await sites.count()) > 0;
}

async function testMap(page, { document }) {
  const last = document.moments.length - 1;
  const sites = sitesAt(document, last);
  await page.click("#to-end");
  await page.waitForFunction((moment) => Number(globalThis.document.getElementById("slider").value) === moment, last);
  await page.locator("#frames").scrollIntoViewIfNeeded();
  for (let i = 0; i < 600 && !(await isHeld(page)); i++) await page.locator("#frames").press("ArrowRight");
  await check(() => isHeld(page), "arrow keys find a cell that is held");
  await page.keyboard.press("Enter");
  const name = (await textOf(page, "#lit")).split(" ")[0];
  const found = document.sites.find((site) => site.stack.length && document.frames[site.stack[0]].function === name);
  await same(() => valueOf(page, "#lit"), sites.filter((each) => each?.includes(found?.site)).length, `and Enter lights all cells of ${name}`);
  await page.keyboard.press("Escape");
  await same(() => page.locator("#lit").count(), 0, "Escape puts them out");
  const box = await page.locator("#frames").boundingBox();
  await page.mouse.move(box.x + 8, box.y + 8);
  await check(async () => (await textOf(page, "#tip")).includes("into the heap"), "the mouse is told what a cell is");
  await page.locator("#cell ul button").first().click();
  await check(async () => (await page.locator("#lit").count()) === 1, "a click on a call site lights its cells");
  await page.click("#unlight");
  await page.mouse.move(5, 5);
}

// The numbers of a table's second column, from the top down.
async function isFalling(page, table) {
  const values = await page.locator(`${table} tbody tr td:nth-child(2)`).evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
  return values.length > 1 && values.every((value, i) => i === 0 || value <= values[i - 1]);
}

async function testPins(page, { document }) {
  for (const unit of ["frame", "slab", "page block"]) {
    for (const most of [1, 4, 16]) {
      await page.click(`#pins [data-choice="${unit}"]`);
      await page.click(`#pins [data-choice="${most}"]`);
      await same(() => valueOf(page, "#pinned strong"), pinned(endOf(document), unit, most), `what up to ${most} blocks pin: ${unit}`);
    }
  }
  await page.click('#pins [data-choice="slab"]');
  await check(() => isFalling(page, "#pins"), "most comes first");
  await page.locator("#pins tbody button").first().click();
  await check(async () => (await page.locator("#pins tr.lit").count()) === 1 && (await page.locator("#lit").count()) === 1, "a click on a line lights its frames in the map");
  await page.click("#unlight");
  await page.locator("#caches thead button").nth(1).click();
  await check(() => isFalling(page, "#caches"), "a click on a heading sorts");
}

async function testFlame(page, { document }) {
  const root = () => valueOf(page, '#flame [data-name="all"]');
  for (const key of ["peak_bytes", "end_bytes", "allocs"]) {
    await page.click(`#flame [data-choice="${key}"]`);
    await same(root, document.sites.reduce((sum, site) => sum + site[key], 0), `flame graph: ${key}`);
  }
  await page.click('#flame [data-choice="peak_bytes"]');
  await page.fill('#flame input[type="search"]', "table_make");
  await check(async () => (await page.locator("#flame .found").count()) === 1, "a function is found");
  await page.fill('#flame input[type="search"]', "");
  await page.click('#flame [data-name="handle"]');
  const width = () => page.locator('#flame [data-name="handle"]').evaluate((field) => field.style.width);
  await same(width, "100%", "a click looks closer");
  await page.keyboard.press("Enter");
  await check(async () => (await width()) !== "100%", "and steps back");
}

async function testHeat(page, { document }) {
  await page.mouse.move(5, 5); // a page that scrolls under the mouse is told where it is
  await page.locator("#orders canvas").focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowUp"]) await page.keyboard.press(key);
  const { rows } = document.orders;
  const y = Math.min(1, rows.length - 1);
  const many = rows[y].free_blocks[1];
  await check(async () => (await textOf(page, "#tip")).includes(`${many.toLocaleString("en-US").replaceAll(",", " ")} free`), "orders: keys read a field out", await textOf(page, "#tip"));
  await same(() => valueOf(page, "#temporary"), document.lifetimes.temporary.reduce((sum, cell) => sum + cell[2], 0), "temporary allocations");
}

async function testPolicies(page, { document }) {
  const found = await page.locator("#policies tbody tr").evaluateAll((lines) => lines.map((line) => [line.cells[0].dataset.value, Number(line.cells[1].dataset.value)]));
  const wanted = document.policies.map((policy) => [policy.title, policy.footprint_peak_bytes]).sort((a, b) => a[1] - b[1]);
  await same(found.map((each) => each[1]), wanted.map((each) => each[1]), "policies: the smallest footprint comes first");
  await same([...found].sort(), [...wanted].sort(), "and each has its own");
  await check(async () => (await colours(page, "#policies .chart canvas")) > 8, "with a picture");
}

// What the free list of a film says after an event.
async function testFilm(report) {
  const page = await open(report);
  const { films } = report.document;
  const step = Math.floor(films.events.length / 2);
  await page.locator("#film").evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, step);
  await check(async () => (await textOf(page, "#film-event")).startsWith(`${step + 1} of ${films.events.length}`), "a film is moved by its slider");
  for (const { name, steps } of films.policies) {
    const free = steps[step].filter((size) => size < 0).map((size) => -size);
    const said = await textOf(page, `[data-film="${name}"]`);
    await check(said.startsWith(free.length ? `${free.length} free: ${free.slice(0, 12).join(" → ")}` : "no free chunk"), `the free list of ${name}`, said);
  }
  await page.locator("#film").focus();
  await page.keyboard.press("ArrowRight");
  await check(async () => (await textOf(page, "#film-event")).startsWith(`${step + 2} of`), "and by keys");
  await same(page.trouble, [], "without errors");
  await page.context().close();
}

async function testFiles(page, { document }) {
  const saved = async (selector) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(selector).click()]);
    return readFileSync(await download.path(), "utf8");
  };
  await same(async () => JSON.parse(await saved("#json")), document, "the JSON can be saved");
  const lines = (await saved('[data-csv="timeline"]')).trim().split("\r\n");
  await same(lines.length, document.timeline.time.length + 1, "and the time line as CSV");
  await same(lines.at(-1).split(",")[1], String(endOf(document).requested), "with its numbers");
  for (const name of ["frames", "pins", "caches", "lifetimes", "sites", "orders", "policies"]) await check(async () => (await saved(`[data-csv="${name}"]`)).includes("\r\n"), `${name}.csv`);
}

async function testReach(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const wrong = result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).slice(0, 4).join("; ")}`);
  await check(wrong.length === 0, `contrast, names and roles are as they should be: ${name}`, wrong.join("\n"));
}

async function testThemes(report) {
  const page = await open(report, { colorScheme: "dark" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await same(() => page.locator("html").getAttribute("data-theme"), "dark", "dark as the system is");
  await testReach(page, "dark");
  await page.screenshot({ path: join(pictures, "dark.png"), fullPage: true });
  await page.click("#theme");
  await check(async () => (await background()) !== dark, "the switch makes it light");
  await same(page.trouble, [], "no errors in the dark");
  await page.context().close();
}

async function testPhone(report) {
  const page = await open(report, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  await check(wide <= 390, `a phone needs no sideways scrolling (${wide})`);
  const box = await page.locator("#frames").boundingBox();
  await check(box.width > 250 && box.width <= 390, "and has a map as wide as it is");
  await page.screenshot({ path: join(pictures, "phone.png"), fullPage: true });
  await page.context().close();
}

async function testOthers() {
  const hostile = makeReport("hostile", HOSTILE);
  let page = await open(hostile);
  await same(() => page.evaluate(() => window.pwned ?? null), null, "what a trace says is text");
  await same(() => textOf(page, "h1"), NASTY, "and shown as it is");
  await page.context().close();
  const plain = makeReport("plain", PLAIN);
  await testFilm(makeReport("short", SHORT));
  page = await open(plain);
  await same(page.trouble, [], "a trace without times and call sites is shown too");
  await same(() => page.locator("#flame").count(), 0, "without a flame graph");
  await check(async () => /^(At the end|After ).* are resident/.test((await textOf(page, "#answer")).replaceAll("\n", " ")), "and with an answer");
  await page.context().close();
}

// Two snapshots alone; then with a trace, behind a switch.
async function testLive() {
  const files = await snapshots("owner", { LARDER_DEBUG: "U" });
  await same(files.length, 2, "a running process gives snapshots");
  const report = reportOf(join(folder, "live.html"), ...files);
  const { document } = report;
  const page = await open(report);
  await same(() => sectionsOf(page), ["time", "map", "pins", "caches", "flame", "orders", "missing"], "snapshots have these views");
  await page.click("#to-end");
  const taken = JSON.parse(readFileSync(files[1], "utf8"));
  const held = ["live", "in_magazines", "in_slabs", "free_backed", "metadata"].reduce((sum, part) => sum + taken[part].now, 0);
  await same(() => valueOf(page, "#answer strong"), held, "what is resident is what the process said");
  await same(() => valueOf(page, '[data-band="live"]'), taken.live.now, "and what is in use");
  await same(() => valueOf(page, '[data-tile="resident at the end, process"]'), taken.resident.now, "and of the whole process");
  for (const unit of ["slab", "page block"]) {
    await page.click(`#pins [data-choice="${unit}"]`);
    await same(() => valueOf(page, "#pinned strong"), pinned(endOf(document), unit, 4), `what few objects pin: ${unit}`);
  }
  const one = taken.caches.reduce((a, b) => (b.slabs * b.slab_bytes > a.slabs * a.slab_bytes ? b : a));
  const line = page.locator("#caches tbody tr", { has: page.locator(`th[data-value="${one.name}"]`) });
  await same(() => line.locator("td").evaluateAll((cells) => cells.slice(0, 2).map((cell) => Number(cell.dataset.value))), [one.live, one.slabs * one.slab_bytes], `cache ${one.name}`);
  await page.click('#flame [data-choice="end_bytes"]');
  await same(() => valueOf(page, '#flame [data-name="all"]'), taken.leaks.sites.reduce((sum, site) => sum + site.bytes, 0), "call sites have what lives");
  await check(async () => (await colours(page, "#frames")) >= 4 && (await page.locator("#caches thead").innerText()).includes("used"), "with a map, and without sizes asked for");
  await testReach(page, "snapshots");
  await same(page.trouble, [], "without errors");
  await page.context().close();
  await testOneSnapshot();
  await testBoth(files);
}

const sectionsOf = (page) => page.locator("main > section").evaluateAll((all) => all.map((each) => each.id));

async function testOneSnapshot() {
  const [file] = await snapshots("plain", {});
  const page = await open(reportOf(join(folder, "one.html"), file));
  await same(() => sectionsOf(page), ["map", "pins", "caches", "orders", "missing"], "one snapshot has no time, and call sites only if they are kept");
  const missing = await textOf(page, "#missing");
  for (const reason of ["several of the same process", "LARDER_DEBUG=U", "larder record"]) await check(missing.includes(reason), `and says why: ${reason}`);
  await same(page.trouble, [], "without errors");
  await page.context().close();
}

async function testBoth(files) {
  const report = reportOf(join(folder, "both.html"), join(folder, "service.ltr"), ...files);
  const page = await open(report);
  await page.click("#to-end");
  await same(() => valueOf(page, "#answer strong"), resident(endOf(report.document)), "beside a trace, the trace is shown first");
  await page.click('#source [data-choice="live"]');
  await page.click("#to-end");
  const live = endOf(report.document.live);
  await same(() => valueOf(page, "#answer strong"), live.live + live.cached + live.in_slabs + live.free_backed + live.metadata, "and snapshots when they are chosen");
  await page.click("#theme");
  await page.click('#source [data-choice="recording"]');
  await same(() => valueOf(page, '[data-tile="allocations"]'), report.document.totals.allocs, "and the trace again");
  await same(page.trouble, [], "without errors");
  await page.context().close();
}

mkdirSync(pictures, { recursive: true });
try {
  const report = makeReport("service", execFileSync(join(here, "service.py"), ["1"], { encoding: "utf8", maxBuffer: 1 << 28 }));
  const page = await open(report);
  await testLoading(page, report);
  await testTiles(page, report);
  await testPictures(page);
  await page.screenshot({ path: join(pictures, "light.png"), fullPage: true });
  for (const test of [testRange, testMoments, testMap, testPins, testFlame, testHeat, testPolicies, testFiles]) await test(page, report);
  await testReach(page, "light");
  await same(page.trouble, [], "no errors on the way");
  await page.context().close();
  await testThemes(report);
  await testPhone(report);
  await testOthers();
  await testLive();
} catch (error) {
  await check(false, "nothing is thrown", error.stack);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`1..${count}`);
process.exit(failed > 0 ? 1 : 0);
