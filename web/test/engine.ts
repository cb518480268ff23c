import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_PIXELS } from "../src/decode.ts";
import { Engine } from "../src/engine.ts";
import { ModelError } from "../src/errors.ts";
import { libwebp } from "../src/webp.ts";

const ROOT = join(import.meta.dirname, "..");
const WEBP = join(ROOT, "node_modules/@jsquash/webp/codec/dec/webp_dec.wasm");

/** An engine that has its weights from files. */
export function localEngine(maxPixels = MAX_PIXELS): Engine {
  const weights = (name: string) =>
    readFile(join(ROOT, "build/site/aez", name)).catch(() => {
      throw new ModelError(`${name} is not here`);
    });
  return new Engine(weights, [libwebp(async () => WebAssembly.compile(await readFile(WEBP)))], maxPixels);
}
