import { DamagedError, FormatError } from "../errors.ts";
import { crc32, viewOf } from "./bytes.ts";

/** Bits of the header's flags. */
export const Flag = { ENHANCEMENT: 1, ZSTD: 2, ALL_CODED: 4, GRAY: 8, ALPHA: 16, EXACT: 32, ALL_EXACT: 64 } as const;

/** What a section holds. */
export const SectionType = {
  COLOUR: 1,
  EXACT: 2,
  MEDIUM_ALPHA: 3,
  BASE: 4,
  ENHANCEMENT: 5,
  ALPHA: 6,
  EXIF: 128,
  XMP: 129,
} as const;

export const HEADER_BYTES = 32;
export const VERSION = 2;
export const QUALITY_MAX = 57344;
const MAGIC = [0x89, 0x41, 0x45, 0x5a];
const SIDE_MAX = 1 << 24;
const BITS = 8;
/** Colour primaries and transfer characteristics by the numbers of CICP (ITU-T H.273). */
export type CodePoints = readonly [primaries: number, transfer: number];

export const SRGB: CodePoints = [1, 13];
/** Unspecified by CICP: the ICC profile says it. */
export const BY_PROFILE: CodePoints = [2, 2];
const OF_LAYERS = Flag.ENHANCEMENT | Flag.ZSTD | Flag.ALL_CODED | Flag.EXACT;

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The first 32 bytes of a file; see format_spec.md, "Header". */
export interface Header extends Size {
  readonly flags: number;
  /** The stored quality Q. */
  readonly quality: number;
  readonly model: number;
  /** How many bytes of the file, from its start, the medium picture needs. */
  readonly mediumBytes: number;
  readonly colours: CodePoints;
}

export function are([primaries, transfer]: CodePoints, others: CodePoints): boolean {
  return primaries === others[0] && transfer === others[1];
}

export function has(header: Header, flag: number): boolean {
  return (header.flags & flag) !== 0;
}

/** Of the medium picture. */
export function mediumSize({ width, height }: Header): Size {
  return { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
}

/** The last section that the front part can have. */
export function frontEnd(header: Header): number {
  return has(header, Flag.ALL_EXACT) ? SectionType.ALPHA : SectionType.BASE;
}

/**
 * Read the header at the start of a file.
 *
 * @throws FormatError: not an aez file, or of another version.
 * @throws DamagedError: truncated or altered.
 */
export function parseHeader(data: Uint8Array): Header {
  const magic = MAGIC.slice(0, data.length);
  if (!data.length || magic.some((byte, place) => byte !== data[place])) throw new FormatError("not an aez file");
  const version = data[MAGIC.length] ?? VERSION;
  if (version !== VERSION) {
    throw new FormatError(`format version ${version} is not supported, only ${VERSION} is`);
  }
  if (data.length < HEADER_BYTES) throw new DamagedError("the header is truncated");
  const view = viewOf(data);
  if (view.getUint32(28, true) !== crc32(data.subarray(0, 28))) throw new DamagedError("the header is damaged");
  const flags = data[5];
  if (flags & 0x80) throw new FormatError("unknown header flags; a newer version of aez may read this file");
  if (data[24] !== BITS) throw new FormatError(`${data[24]} bits a sample are not supported, only ${BITS} are`);
  if (data[27]) throw new FormatError("unknown header field; a newer version of aez may read this file");
  const header: Header = {
    flags,
    quality: view.getUint16(6, true),
    width: view.getUint32(8, true),
    height: view.getUint32(12, true),
    model: view.getUint32(16, true),
    mediumBytes: view.getUint32(20, true),
    colours: [data[25], data[26]],
  };
  const { width, height } = header;
  if (!(0 < width && width <= SIDE_MAX && 0 < height && height <= SIDE_MAX)) {
    throw new DamagedError(`the header declares ${width} x ${height} pixels`);
  }
  const contradictory = has(header, Flag.ALL_EXACT) && has(header, OF_LAYERS);
  if (header.quality > QUALITY_MAX || header.mediumBytes < HEADER_BYTES || contradictory) {
    throw new DamagedError("the header declares impossible values");
  }
  return header;
}
