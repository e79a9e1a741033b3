// bundle.mjs PACKAGES OUTPUT: the page as one HTML file. PACKAGES is the folder that npm filled.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [packages, output] = process.argv.slice(2).map((path) => resolve(path));
const here = dirname(fileURLToPath(import.meta.url));
const { buildSync } = createRequire(join(packages, "package.json"))("esbuild");

const bundle = (entry) =>
  buildSync({
    entryPoints: [join(here, entry)],
    nodePaths: [join(packages, "node_modules")],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["chrome100", "firefox100", "safari15"],
    legalComments: "inline",
    charset: "utf8",
    logLevel: "warning",
  }).outputFiles[0].text;

// A function as replacement: in a string, $ would mean something.
const put = (page, mark, text) => {
  if (!page.includes(mark)) throw new Error(`index.html has no ${mark}`);
  return page.replace(mark, () => text);
};
let page = readFileSync(join(here, "index.html"), "utf8");
page = put(page, "/*@STYLE@*/", bundle("style.css").trim());
page = put(page, "/*@SCRIPT@*/", bundle("main.js").trim().replaceAll("</script", "<\\/script"));
writeFileSync(output, page);
