// Builds the kernel, and from it and the sources what browsers run.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

// As package data of Python, and as a package of npm, to which `aez web` adds weights.
const [out = "../codec/web/static"] = process.argv.slice(2);
const PACKAGE = "dist";

mkdirSync("build", { recursive: true });
execFileSync("node_modules/.bin/asc", [
  ...["kernel/kernel.ts", "-o", "build/kernel.wasm", "-O3", "--noAssert", "--runtime", "stub", "--importMemory"],
  ...["--enable", "simd", "--enable", "bulk-memory"],
]);

const common = {
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  loader: { ".wasm": "binary" },
  legalComments: "inline",
  // Emscripten's code asks where it is; it gets all that it needs handed in.
  define: { "import.meta.url": '"https://nowhere.invalid/"' },
};
for (const [name, source] of Object.entries({ decoder: "decoder", webp: "libwebp" })) {
  await build({ ...common, entryPoints: [`src/page/${source}.ts`], outfile: `${out}/${name}.js` });
}
// What these two are called on a server: see codec/web/assets.py.
const hashed = (name) => {
  const hash = createHash("sha256")
    .update(readFileSync(`${out}/${name}.js`))
    .digest("hex");
  return JSON.stringify(`${name}-${hash.slice(0, 8)}.js`);
};
const names = { DECODER_NAME: hashed("decoder"), WEBP_NAME: hashed("webp") };
const define = { ...common.define, ...names };
await build({ ...common, define, entryPoints: ["src/page/aez.ts"], outfile: `${out}/aez.js` });
await build({ ...common, format: "esm", define: names, entryPoints: ["src/index.ts"], outfile: `${PACKAGE}/index.js` });
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.package.json"]);
