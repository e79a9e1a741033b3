// open.mjs PACKAGES PAGE: how long a browser takes to open a report: from asking for the file to the
// first picture after everything is drawn. The median of five, each in a window of its own, in ms.
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const ROUNDS = 5;
const [packages, path] = process.argv.slice(2).map((name) => resolve(name));
const { chromium } = createRequire(join(packages, "package.json"))("playwright-core");
const executable = process.env.LARDER_CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"] });

const times = [];
for (let round = 0; round < ROUNDS; round++) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector("html[data-ready]");
  // Two frames later everything stands on the screen; performance.now() began with the navigation.
  times.push(await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))));
  await page.close();
}
await browser.close();
console.log(Math.round(times.sort((a, b) => a - b)[ROUNDS >> 1]));
