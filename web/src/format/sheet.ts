import { DamagedError } from "../errors.ts";
import { crc32, viewOf } from "./bytes.ts";

const SIDE_MAX = 16383;
const SIGNATURE = 0x2f;
const SIDE_BITS = 14;
const HEADER_BYTES = 5;

/** Makes samples [height, width, 3] of a VP8L bitstream in its RIFF container, or fails. */
export type WebpDecoder = (file: Uint8Array<ArrayBuffer>, width: number, height: number) => Promise<Uint8Array>;

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly stream: Uint8Array;
}

/**
 * The samples [height, width, 3] of a sheet; see format_spec.md, "Sheets".
 *
 * Decoders are tried one after the other, since some browsers alter what they let scripts read.
 *
 * @throws DamagedError: truncated, altered, or not of this size.
 */
export async function unpackSheet(
  data: Uint8Array,
  width: number,
  height: number,
  decoders: readonly WebpDecoder[],
): Promise<Uint8Array> {
  const { parts, crc } = split(data, width, height);
  for (const decode of decoders) {
    const sheet = await assemble(parts, width, height, crc, decode).catch(() => undefined);
    if (sheet) return sheet;
  }
  throw new DamagedError("the exact samples do not match their checksum");
}

/** The bitstreams of a sheet, whose headers are those of their sizes, and its CRC. */
function split(data: Uint8Array, width: number, height: number): { parts: Part[]; crc: number } {
  const view = viewOf(data);
  const parts: Part[] = [];
  let position = 0;
  const number = () => {
    if (position + 4 > data.length) throw new DamagedError("the exact samples are truncated");
    position += 4;
    return view.getUint32(position - 4, true);
  };
  for (let top = 0; top < height; top += SIDE_MAX) {
    for (let left = 0; left < width; left += SIDE_MAX) {
      const length = number();
      const stream = data.subarray(position, position + length);
      const part = {
        left,
        top,
        width: Math.min(SIDE_MAX, width - left),
        height: Math.min(SIDE_MAX, height - top),
        stream,
      };
      checkHeader(part);
      parts.push(part);
      position += length;
    }
  }
  const crc = number();
  if (position !== data.length) throw new DamagedError("the exact samples do not end where they should");
  return { parts, crc };
}

function checkHeader({ stream, width, height }: Part): void {
  if (stream.length < HEADER_BYTES) throw new DamagedError("a sheet of exact samples is truncated");
  const sides = ((height - 1) << SIDE_BITS) | (width - 1);
  if (stream[0] !== SIGNATURE || viewOf(stream).getUint32(1, true) !== sides >>> 0) {
    throw new DamagedError(`a sheet of exact samples is not one of ${width} x ${height} pixels`);
  }
}

/** The samples that a decoder makes of all parts, if they have the right CRC. */
async function assemble(
  parts: readonly Part[],
  width: number,
  height: number,
  expected: number,
  decode: WebpDecoder,
): Promise<Uint8Array | undefined> {
  const sheet = new Uint8Array(3 * width * height);
  let crc = 0;
  for (const part of parts) {
    const samples = await decode(inRiff(part.stream), part.width, part.height);
    crc = crc32(samples, crc);
    for (let row = 0; row < part.height; row++) {
      const line = samples.subarray(3 * part.width * row, 3 * part.width * (row + 1));
      sheet.set(line, 3 * ((part.top + row) * width + part.left));
    }
  }
  return crc === expected ? sheet : undefined;
}

/** Decoders want the container that files of aez leave out. */
function inRiff(stream: Uint8Array): Uint8Array<ArrayBuffer> {
  const even = stream.length + (stream.length % 2);
  const file = new Uint8Array(20 + even);
  const view = viewOf(file);
  file.set(new TextEncoder().encode("RIFF    WEBPVP8L"));
  view.setUint32(4, 12 + even, true);
  view.setUint32(16, stream.length, true);
  file.set(stream, 20);
  return file;
}
