// draw.mjs PACKAGES FOLDER OUTPUT: photograph the reports in FOLDER (docs/examples/draw).
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, folder, output] = process.argv.slice(2).map((path) => resolve(path));
const { chromium } = createRequire(join(packages, "package.json"))("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const executable = process.env.LARDER_CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath: executable, args: FLAGS });

// The quiet time, in which memory could go back: two seconds before the end.
function showQuiet() {
  const { moments, trace } = JSON.parse(document.getElementById("report").textContent);
  const slider = document.getElementById("slider");
  slider.value = moments.findLastIndex((moment) => moment.time < trace.end_time - 2e9);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

async function open(name, height) {
  const page = await browser.newPage({ viewport: { width: 1240, height }, colorScheme: "light" });
  await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  await page.waitForSelector("html[data-ready]");
  await page.evaluate(showQuiet);
  return page;
}

let page = await open("service", 1660);
await page.screenshot({ path: join(output, "report.png") });
await page.addStyleTag({ content: "nav, footer { display: none }" });
await page.locator("#pins").screenshot({ path: join(output, "report-pins.png") });
page = await open("moved", 700);
await page.addStyleTag({ content: "nav, footer { display: none }" });
await page.locator("#time").screenshot({ path: join(output, "report-moved.png") });
await browser.close();
