/** PNG files whose samples are stored, not compressed: written in no time, and read by every browser with its colours. */

import type { Colours, Decoded } from "./decode.ts";
import { crc32, viewOf } from "./format/bytes.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BITS = 8;
/** Colour types of PNG. */
const GRAY = 0;
const RGB = 2;
const WITH_ALPHA = 4;
/** Of a block of deflate that is stored. */
const BLOCK_MAX = 0xffff;

/** A decoded picture as a PNG file. */
export function toPng(picture: Decoded): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = viewOf(header);
  view.setUint32(0, picture.width);
  view.setUint32(4, picture.height);
  header[8] = BITS;
  header[9] = (picture.gray ? GRAY : RGB) | (picture.alpha ? WITH_ALPHA : 0);
  const parts = [
    ...chunk("IHDR", [header]),
    ...(picture.colours ? coloursChunk(picture.colours) : []),
    ...chunk("IDAT", stored(scanlines(picture))),
    ...chunk("IEND", []),
  ];
  return joined([SIGNATURE, ...parts]);
}

function coloursChunk(colours: Colours): Uint8Array[] {
  if ("profile" in colours) return chunk("iCCP", [new TextEncoder().encode("ICC\0\0"), ...stored(colours.profile)]);
  return chunk("cICP", [Uint8Array.of(...colours.codePoints, 0, 1)]);
}

/** Rows of samples, each behind a byte that says that it is not filtered. */
function scanlines({ width, height, rgb, alpha, gray }: Decoded): Uint8Array {
  const line = (gray ? 1 : 3) * width + (alpha ? width : 0) + 1;
  const rows = new Uint8Array(line * height);
  for (let row = 0; row < height; row++) {
    let to = line * row + 1;
    if (!gray && !alpha) {
      rows.set(rgb.subarray(3 * width * row, 3 * width * (row + 1)), to);
      continue;
    }
    for (let place = width * row; place < width * (row + 1); place++) {
      rows[to++] = rgb[3 * place];
      if (!gray) {
        rows[to++] = rgb[3 * place + 1];
        rows[to++] = rgb[3 * place + 2];
      }
      if (alpha) rows[to++] = alpha[place];
    }
  }
  return rows;
}

/** A zlib stream of stored blocks (RFC 1950, 1951). */
function stored(data: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  for (let start = 0; start < data.length; start += BLOCK_MAX) {
    const block = data.subarray(start, start + BLOCK_MAX);
    const head = new Uint8Array(5);
    head[0] = Number(start + BLOCK_MAX >= data.length);
    viewOf(head).setUint16(1, block.length, true);
    viewOf(head).setUint16(3, ~block.length, true);
    parts.push(head, block);
  }
  const checksum = new Uint8Array(4);
  viewOf(checksum).setUint32(0, adler32(data));
  return [...parts, checksum];
}

function chunk(type: string, data: readonly Uint8Array[]): Uint8Array[] {
  const length = data.reduce((sum, part) => sum + part.length, 0);
  const [head, tail] = [new Uint8Array(8), new Uint8Array(4)];
  viewOf(head).setUint32(0, length);
  head.set(new TextEncoder().encode(type), 4);
  const crc = data.reduce((value, part) => crc32(part, value), crc32(head.subarray(4)));
  viewOf(tail).setUint32(0, crc);
  return [head, ...data, tail];
}

function adler32(data: Uint8Array): number {
  let [low, high] = [1, 0];
  for (let start = 0; start < data.length; start += 3800) {
    const stop = Math.min(start + 3800, data.length); // so that sums stay below 2^32
    for (let place = start; place < stop; place++) {
      low += data[place];
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 65536 + low;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
