import { DamagedError, FormatError } from "../errors.ts";
import { frontEnd, HEADER_BYTES, type Header, SectionType } from "./header.ts";

/** A section as it stands in a file: its content is still compressed. */
export interface Section {
  readonly type: number;
  readonly frame: Uint8Array;
}

const KNOWN = new Set<number>(Object.values(SectionType));
const OPTIONAL = 128;
const LENGTH_BYTES_MAX = 5;

/**
 * The sections that medium needs; unknown optional ones are left out.
 *
 * @throws DamagedError: the front part is truncated, or a section is out of place.
 * @throws FormatError: a critical section of unknown type.
 */
export function frontSections(data: Uint8Array, header: Header): Generator<Section> {
  if (data.length < header.mediumBytes) {
    throw new DamagedError(`truncated: ${data.length} bytes of the ${header.mediumBytes} that medium needs`);
  }
  return sections(data, HEADER_BYTES, header.mediumBytes, 0, frontEnd(header));
}

/**
 * The sections behind the front part, one by one; unknown optional ones are left out.
 *
 * @throws DamagedError: a section is truncated or out of place.
 * @throws FormatError: a critical section of unknown type.
 */
export function restSections(data: Uint8Array, header: Header): Generator<Section> {
  return sections(data, header.mediumBytes, data.length, frontEnd(header), SectionType.XMP);
}

/** The sections between two positions, of rising types behind `previous` and up to `last`. */
function* sections(data: Uint8Array, start: number, stop: number, previous: number, last: number): Generator<Section> {
  let position = start;
  while (position < stop) {
    const type = data[position];
    const length = readLength(data, position + 1, stop);
    position = length.next + length.value;
    if (position > stop) throw new DamagedError("the file is truncated");
    const known = KNOWN.has(type);
    if (type === 0 || (known && !(previous < type && type <= last))) {
      throw new DamagedError(`a section of type ${type} is out of place`);
    }
    if (known) {
      previous = type;
      yield { type, frame: data.subarray(length.next, position) };
    } else if (type < OPTIONAL) {
      throw new FormatError(`unknown section type ${type}; a newer version of aez may read this file`);
    }
  }
}

/** LEB128: seven bits a byte, lowest first, the top bit set on all but the last. */
function readLength(data: Uint8Array, start: number, stop: number): { value: number; next: number } {
  let value = 0;
  for (let place = 0; place < LENGTH_BYTES_MAX && start + place < stop; place++) {
    const byte = data[start + place];
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (!(byte & 0x80)) return { value, next: start + place + 1 };
  }
  throw new DamagedError("the file is truncated");
}
