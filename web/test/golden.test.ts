import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localEngine } from "./engine.ts";
import { GOLDEN, goldenFiles } from "./golden.ts";

describe("golden files", () => {
  const engine = localEngine();
  it.for(goldenFiles())("$name", async ({ file, resolution, width, height, rgba }) => {
    const found = await engine.decode(readFileSync(join(GOLDEN, file)), resolution);
    expect([found.width, found.height]).toEqual([width, height]);
    let [most, different] = [0, 0];
    for (let place = 0; place < rgba.length; place++) {
      const [pixel, channel] = [place >> 2, place & 3];
      const sample = channel < 3 ? found.rgb[3 * pixel + channel] : (found.alpha?.[pixel] ?? 255);
      const difference = Math.abs(sample - rgba[place]);
      most = Math.max(most, difference);
      different += Number(difference > 0);
    }
    expect(most).toBeLessThanOrEqual(1);
    expect(different).toBeLessThanOrEqual(0.001 * rgba.length);
  });
});
