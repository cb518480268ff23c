import decodeWebp, { init } from "@jsquash/webp/decode.js";
import type { WebpDecoder } from "./format/sheet.ts";
import { withoutAlpha } from "./samples.ts";

/** libwebp, compiled to WASM: for where a browser's own decoder cannot be used. */
export function libwebp(wasm: () => Promise<WebAssembly.Module>): WebpDecoder {
  let started: Promise<void> | undefined;
  return async (file, width, height) => {
    // The declared types lack the argument for a compiled module.
    started ??= wasm().then((module) => (init as (module: WebAssembly.Module) => Promise<void>)(module));
    await started;
    const { data } = await decodeWebp(file.buffer);
    return withoutAlpha(data, width * height);
  };
}
