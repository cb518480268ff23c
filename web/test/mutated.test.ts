import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Decoded, Resolution } from "../src/decode.ts";
import { AezError } from "../src/errors.ts";
import { crc32 } from "../src/format/bytes.ts";
import { localEngine } from "./engine.ts";

/** What Python says of a file; see tests/browser_inputs.py. */
interface Judged {
  readonly data: string;
  readonly resolution: Resolution;
  readonly error?: string;
  readonly size?: [number, number];
  readonly mean?: number;
  readonly alpha?: number | null;
}

const FILES: Judged[] = readFileSync(join(import.meta.dirname, "../build/mutated.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));

it("gives Python's verdict on files that are not right", { timeout: 600_000 }, async () => {
  const engine = localEngine(130 * 130);
  const verdicts = { accepted: 0, refused: 0 };
  for (const [place, judged] of FILES.entries()) {
    const found = await verdictOf(
      engine.decode(Uint8Array.from(Buffer.from(judged.data, "base64")), judged.resolution),
    );
    if (typeof found === "string") {
      verdicts.refused++;
      expect(found, `file ${place}`).toBe(judged.error);
    } else {
      verdicts.accepted++;
      expect([found.width, found.height], `file ${place}`).toEqual(judged.size);
      expect(mean(found.rgb), `file ${place}`).toBeCloseTo(judged.mean!, 1);
      expect(found.alpha ? crc32(found.alpha) : null, `file ${place}`).toBe(judged.alpha);
    }
  }
  expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(0.1 * FILES.length);
});

/** The picture, or the class of the error; anything else that is thrown is a fault of the decoder. */
async function verdictOf(decoding: Promise<Decoded>): Promise<Decoded | string> {
  try {
    return await decoding;
  } catch (error) {
    if (error instanceof AezError) return error.name;
    throw error;
  }
}

function mean(samples: Uint8Array): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}
