import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode as decodePng } from "fast-png";
import { describe, expect, it } from "vitest";
import type { Resolution } from "../src/decode.ts";
import { localEngine } from "./engine.ts";

const GOLDEN = join(import.meta.dirname, "../../tests/golden");

describe("golden files", () => {
  const engine = localEngine();
  for (const name of readdirSync(GOLDEN).filter((file) => file.endsWith(".png"))) {
    it(name, async () => {
      const [stem, resolution] = name.split(".");
      const expected = decodePng(readFileSync(join(GOLDEN, name)));
      const found = await engine.decode(readFileSync(join(GOLDEN, `${stem}.aez`)), resolution as Resolution);
      expect([found.width, found.height]).toEqual([expected.width, expected.height]);
      let different = 0;
      let most = 0;
      const { channels } = expected;
      const colours = channels < 3 ? 1 : 3;
      for (let place = 0; place < found.width * found.height; place++) {
        for (let channel = 0; channel < channels; channel++) {
          const value = channel >= colours ? found.alpha![place] : found.rgb[3 * place + channel];
          const difference = Math.abs(value - expected.data[channels * place + channel]);
          most = Math.max(most, difference);
          different += Number(difference > 0);
        }
      }
      expect(most).toBeLessThanOrEqual(1);
      expect(different / expected.data.length).toBeLessThanOrEqual(0.001);
    });
  }
});
