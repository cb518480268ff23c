import { ZSTDDecoder } from "zstddec";
import { DamagedError } from "../errors.ts";
import { viewOf } from "./bytes.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
const RESERVED = 8;
const CHECKSUM_BYTES = 4;
const RLE = 1;

const decoder = new ZSTDDecoder();

/** To be awaited once before anything is decompressed. */
export async function startZstd(): Promise<void> {
  await decoder.init();
}

/**
 * Decompress a zstd frame without magic number, having checked first what it declares.
 *
 * @throws DamagedError: it is damaged, has no checksum, or declares nothing, or more than `limit` bytes.
 */
export function unpackFrame(frame: Uint8Array, limit: number): Uint8Array {
  const size = checkedSize(frame, limit);
  const whole = new Uint8Array(MAGIC.length + frame.length);
  whole.set(MAGIC);
  whole.set(frame, MAGIC.length);
  const content = decoder.decode(whole, size);
  if (content.length !== size) throw damaged();
  return content;
}

/**
 * Decompress a whole zstd frame, such as a bundle of weights.
 *
 * @throws DamagedError: it is damaged, or has no checksum or content size.
 */
export function unpackWholeFrame(data: Uint8Array, limit: number): Uint8Array {
  if (MAGIC.some((byte, place) => byte !== data[place])) throw damaged();
  return unpackFrame(data.subarray(MAGIC.length), limit);
}

/** The declared size of a frame that has a checksum and nothing behind it; see RFC 8878, section 3.1.1. */
function checkedSize(frame: Uint8Array, limit: number): number {
  if (!frame.length) throw damaged();
  const descriptor = frame[0];
  const oneSegment = (descriptor >> 5) & 1;
  const bytes = SIZE_BYTES[descriptor >> 6] || oneSegment;
  const place = 1 + (1 - oneSegment) + DICTIONARY_BYTES[descriptor & 3];
  const checked = (descriptor >> 2) & 1;
  if (descriptor & RESERVED || !bytes || !checked || frame.length < place + bytes) throw damaged();
  const size = readSize(viewOf(frame), place, bytes);
  if (!(0 < size && size <= limit))
    throw new DamagedError(`a section declares ${size} bytes, at most ${limit} make sense`);
  if (endOfBlocks(frame, place + bytes) + CHECKSUM_BYTES !== frame.length) throw damaged();
  return size;
}

function readSize(view: DataView, place: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(place);
  if (bytes === 2) return view.getUint16(place, true) + 256;
  if (bytes === 4) return view.getUint32(place, true);
  return Number(view.getBigUint64(place, true));
}

function endOfBlocks(frame: Uint8Array, start: number): number {
  let place = start;
  while (place + 3 <= frame.length) {
    const block = frame[place] | (frame[place + 1] << 8) | (frame[place + 2] << 16);
    place += 3 + (((block >> 1) & 3) === RLE ? 1 : block >> 3);
    if (block & 1) return place;
  }
  throw damaged();
}

function damaged(): DamagedError {
  return new DamagedError("a section is damaged");
}
