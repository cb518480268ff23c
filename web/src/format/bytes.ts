import CRC32 from "crc-32";

/** Bytes in whatever scripts have them. */
export function bytesOf(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** A view of the bytes for reading numbers; all of them are little-endian. */
export function viewOf(bytes: Uint8Array): DataView<ArrayBufferLike> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** CRC-32 as in zlib, of bytes that follow those of which `crc` is the CRC. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  return CRC32.buf(bytes, crc) >>> 0;
}
