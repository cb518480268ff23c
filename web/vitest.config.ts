import { readFile } from "node:fs/promises";
import { defineConfig, type Plugin } from "vitest/config";

/** What esbuild's loader "binary" does. */
const wasm: Plugin = {
  name: "wasm",
  enforce: "pre",
  async load(id) {
    if (!id.endsWith(".wasm")) return undefined;
    const text = (await readFile(id)).toString("base64");
    return `export default Uint8Array.from(atob(${JSON.stringify(text)}), (letter) => letter.charCodeAt(0));`;
  },
};

export default defineConfig({
  plugins: [wasm],
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
