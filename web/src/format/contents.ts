import { DamagedError, FormatError } from "../errors.ts";
import { Flag, type Header, has, parseHeader, SectionType } from "./header.ts";
import { frontSections, restSections } from "./sections.ts";

/**
 * The sections of a file or of its front part. What is wrong behind the front part is kept in `error`, not thrown.
 *
 * @throws FormatError: not an aez file, or one of a newer version.
 * @throws DamagedError: the header or the front part is truncated or altered.
 */
export class Contents {
  readonly header: Header;
  readonly error: FormatError | undefined;
  /** Compressed contents of sections, by their types. */
  readonly frames = new Map<number, Uint8Array>();

  constructor(data: Uint8Array) {
    this.header = parseHeader(data);
    for (const section of frontSections(data, this.header)) this.frames.set(section.type, section.frame);
    try {
      for (const section of restSections(data, this.header)) this.frames.set(section.type, section.frame);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.error = error;
    }
  }

  /** Whether nothing is missing, as far as can be seen without decoding. */
  get complete(): boolean {
    const { header } = this;
    if (this.error) return false;
    if (!has(header, Flag.ENHANCEMENT)) return true;
    return this.frames.has(SectionType.ENHANCEMENT) && (!has(header, Flag.ALPHA) || this.frames.has(SectionType.ALPHA));
  }

  /** Whether something behind the front part belongs to a newer format. */
  get newer(): boolean {
    return this.error !== undefined && !(this.error instanceof DamagedError);
  }
}

/** What a section is called in messages. */
export function nameOf(type: number): string {
  const found = Object.entries(SectionType).find(([, value]) => value === type);
  return found ? found[0].toLowerCase() : `${type}`;
}
