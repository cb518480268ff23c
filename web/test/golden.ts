import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import type { Resolution } from "../src/decode.ts";

export const GOLDEN = join(import.meta.dirname, "../../tests/golden");

/** A golden file, and what Python makes of it. */
export interface Golden {
  readonly name: string;
  /** The .aez file beside it. */
  readonly file: string;
  readonly resolution: Resolution;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha. */
  readonly rgba: Uint8Array;
}

/** All golden files, in both resolutions where they have them. */
export function goldenFiles(): Golden[] {
  return readdirSync(GOLDEN)
    .filter((name) => name.endsWith(".png"))
    .map((name) => {
      const [stem, resolution] = name.split(".");
      const { width, height, channels, data } = decode(readFileSync(join(GOLDEN, name)));
      const rgba = new Uint8Array(4 * width * height);
      for (let place = 0; place < width * height; place++) {
        const samples = data.subarray(channels * place, channels * (place + 1));
        const [alpha] = channels % 2 ? [255] : samples.subarray(-1);
        const [red] = samples;
        rgba.set(channels < 3 ? [red, red, red, alpha] : [...samples.subarray(0, 3), alpha], 4 * place);
      }
      return { name, file: `${stem}.aez`, resolution: resolution as Resolution, width, height, rgba };
    });
}
