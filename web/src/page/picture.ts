import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Resolution } from "../decode.ts";
import type { Engine } from "../engine.ts";
import { mediumSize, parseHeader } from "../format/header.ts";
import { toPng } from "../png.ts";
import { keepPicture, keptPicture } from "./kept.ts";

/** A picture as browsers show it, and the size of the high one. */
export interface Rendered {
  readonly png: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Decode a file, or its front part, unless that is kept from another time; throws what `decodeSamples` does. */
export async function render(engine: Engine, data: Uint8Array, resolution: Resolution): Promise<Rendered> {
  const header = parseHeader(data);
  const { width, height } = header;
  const name = `${bytesToHex(sha256(data))}.${resolution}`;
  const size = resolution === "high" ? header : mediumSize(header);
  const pixels = size.width * size.height;
  const kept = await keptPicture(name, pixels);
  if (kept) return { png: kept, width, height };
  const png = toPng(await engine.decode(data, resolution));
  keepPicture(name, pixels, png).catch(() => undefined);
  return { png, width, height };
}

/** As a file that is as large as the picture. */
export function asBlob({ png }: Rendered): Blob {
  return new Blob([png], { type: "image/png" });
}

/** The medium picture as a file that is as large as the high one: an SVG with a PNG in it. */
export function enlarged({ png, width, height }: Rendered): Blob {
  const place = `width="${2 * Math.ceil(width / 2)}" height="${2 * Math.ceil(height / 2)}"`;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none"`;
  const image = `<image ${place} preserveAspectRatio="none" href="data:image/png;base64,${base64(png)}"/>`;
  return new Blob([`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${image}</svg>`], { type: "image/svg+xml" });
}

/** A multiple of 3, so that no padding stands between two parts. */
const BASE64_PART = 3 * 8192;

function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += BASE64_PART) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(start, start + BASE64_PART))));
  }
  return parts.join("");
}
