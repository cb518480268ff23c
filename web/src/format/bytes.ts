import CRC32 from "crc-32";

/** A view of the bytes for reading numbers; all of them are little-endian. */
export function viewOf(bytes: Uint8Array): DataView<ArrayBufferLike> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** CRC-32 as in zlib, of bytes that follow those of which `crc` is the CRC. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  return CRC32.buf(bytes, crc) >>> 0;
}
