import decodeWebp, { init } from '@jsquash/webp/decode.js';
import type { WebpDecoder } from './format/sheet.ts';

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

/** RGB of RGBA. */
export function withoutAlpha(rgba: Uint8ClampedArray | Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(3 * pixels);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
