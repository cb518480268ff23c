/** From a file to samples: container, base layer, enhancement layer, synthesis, exact blocks over it. */

import { AnsReader } from "./entropy/ans.ts";
import { PlainReader } from "./entropy/plain.ts";
import type { SymbolReader } from "./entropy/reader.ts";
import { DamagedError, FormatError, PictureError } from "./errors.ts";
import { viewOf } from "./format/bytes.ts";
import { Contents, nameOf } from "./format/contents.ts";
import { type ExactBlocks, putExact, unpackAllExact, unpackExact } from "./format/exact.ts";
import { unpackFrame } from "./format/frame.ts";
import {
  are,
  BY_PROFILE,
  type CodePoints,
  Flag,
  type Header,
  has,
  mediumSize,
  SectionType,
  type Size,
  SRGB,
} from "./format/header.ts";
import { unpackSheet, type WebpDecoder } from "./format/sheet.ts";
import { LayerDecoder } from "./latents.ts";
import type { Part } from "./model/bundle.ts";
import type { Layer, Model } from "./model/model.ts";
import { LATENT_CELLS } from "./networks/planes.ts";
import { gridOf } from "./networks/tiles.ts";
import { doubleSize, halfOf, halfSeen, makeGray, type Samples } from "./samples.ts";

export type Resolution = "medium" | "high";

const BYTES_PER_SYMBOL = 8;
const CONTENT_MARGIN = 64;
const EXACT_MARGIN = 1 << 16;
const ICC_MAX = 4 << 20;

/** Beyond which pictures are refused before anything is allocated. */
export const MAX_PIXELS = 128_000_000;
const PADDED_MIN = 1 << 20;

/** What samples mean where they are not sRGB: an ICC profile, or the numbers of CICP. */
export type Colours = { readonly profile: Uint8Array } | { readonly codePoints: CodePoints };

/** A decoded picture: samples (three alike where it is gray), alpha [height, width], if there is any, and colours but sRGB. */
export interface Decoded extends Samples {
  readonly alpha: Uint8Array | undefined;
  readonly gray: boolean;
  readonly colours: Colours | undefined;
}

/** What decoding takes from its surroundings. */
export interface Services {
  /** The model of an id, with what a part of its networks needs. */
  model(id: number, part: Part): Promise<Model>;
  readonly webp: readonly WebpDecoder[];
  readonly maxPixels: number;
}

/**
 * Decode a file; for "medium", the first `mediumBytes` of its header suffice.
 *
 * @throws FormatError: not an aez file, or one of a newer version.
 * @throws DamagedError: truncated or altered.
 * @throws PictureError: it declares too many pixels.
 * @throws ModelError: the model that it needs is not there, or does not work.
 */
export async function decodeSamples(data: Uint8Array, resolution: Resolution, services: Services): Promise<Decoded> {
  const contents = new Contents(data);
  checkSize(contents.header, services.maxPixels);
  const { header } = contents;
  const decoder = new PictureDecoder(contents, services);
  const decoded = has(header, Flag.ALL_EXACT)
    ? await decoder.exact(resolution)
    : resolution === "medium"
      ? await decoder.medium()
      : await decoder.high();
  const gray = has(header, Flag.GRAY);
  if (gray) makeGray(decoded.rgb);
  return { ...decoded, gray, colours: coloursOf(contents) };
}

type Planes = Samples & { alpha: Uint8Array | undefined };

class PictureDecoder {
  readonly #header: Header;
  readonly #mediumSize: Size;

  constructor(
    readonly contents: Contents,
    readonly services: Services,
  ) {
    this.#header = contents.header;
    this.#mediumSize = mediumSize(this.#header);
  }

  /** A picture whose blocks are all exact. */
  async exact(resolution: Resolution): Promise<Planes> {
    if (resolution === "high") this.#refuseNewer();
    const { width, height } = this.#header;
    const picture = await unpackAllExact(this.#exactContent(), width, height, this.services.webp);
    const alpha = await this.#alpha(SectionType.ALPHA, width, height);
    if (resolution === "high") return { ...picture, alpha };
    const rgb = alpha ? halfSeen(picture, alpha) : halfOf(picture.rgb, width, height, 3);
    return { ...this.#mediumSize, rgb, alpha: alpha && halfOf(alpha, width, height, 1) };
  }

  async medium(): Promise<Planes> {
    const { width, height } = this.#mediumSize;
    const alpha = await this.#alpha(SectionType.MEDIUM_ALPHA, width, height);
    const exact = await this.#exactBlocks();
    const { model, latents } = await this.#base("medium");
    const picture = { width, height, rgb: model.mediumSynthesis(latents, this.#header.quality, width, height) };
    if (exact) {
      const { sheet } = exact;
      const half = { width: Math.ceil(sheet.width / 2), height: Math.ceil(sheet.height / 2) };
      putExact(picture, exact, { ...half, rgb: halfOf(sheet.rgb, sheet.width, sheet.height, 3) }, 2);
    }
    return { ...picture, alpha };
  }

  async high(): Promise<Planes> {
    const { width, height, quality } = this.#header;
    const exact = await this.#exactBlocks();
    const decoder = await this.#base("high");
    this.#refuseNewer();
    const { model } = decoder;
    const alpha = await this.#highAlpha();
    if (has(this.#header, Flag.ENHANCEMENT)) {
      decoder.read(...this.#open(SectionType.ENHANCEMENT, model.enhancement, 0));
    } else {
      decoder.generate(model.enhancement);
    }
    const picture = { width, height, rgb: model.synthesis(decoder.latents, quality, width, height) };
    if (exact) putExact(picture, exact, exact.sheet, 1);
    return { ...picture, alpha };
  }

  /** Decode the base layer; the enhancement layer can follow. */
  async #base(part: Part): Promise<LayerDecoder> {
    const header = this.#header;
    const model = await this.services.model(header.model, part);
    const grid = gridOf(header.width, header.height);
    const [reader, layer, crc] = this.#open(SectionType.BASE, model.base, model.hyper * grid.rows * grid.columns);
    const decoder = new LayerDecoder(model, reader, grid, header.quality, has(header, Flag.ALL_CODED));
    decoder.read(reader, layer, crc);
    return decoder;
  }

  /** A reader over a layer's symbols, among them `hyper` of hyper latents, and the CRC of its latents. */
  #open(type: number, layer: Layer, hyper: number): [SymbolReader, Layer, number] {
    const grid = gridOf(this.#header.width, this.#header.height);
    const symbols = hyper + (layer.stop - layer.start) * LATENT_CELLS ** 2 * grid.rows * grid.columns;
    const content = required(this.contents, type, BYTES_PER_SYMBOL * symbols + CONTENT_MARGIN);
    if (content.length < 4) throw new DamagedError(`section ${nameOf(type)} is too short`);
    const payload = content.subarray(0, -4);
    const reader = has(this.#header, Flag.ZSTD) ? new PlainReader(payload) : new AnsReader(payload);
    return [reader, layer, viewOf(content).getUint32(content.length - 4, true)];
  }

  #exactContent(): Uint8Array {
    return required(this.contents, SectionType.EXACT, 4 * this.#header.width * this.#header.height + EXACT_MARGIN);
  }

  async #exactBlocks(): Promise<ExactBlocks | undefined> {
    if (!has(this.#header, Flag.EXACT)) return undefined;
    return unpackExact(this.#exactContent(), this.#header.width, this.#header.height, this.services.webp);
  }

  async #highAlpha(): Promise<Uint8Array | undefined> {
    const { width, height } = this.#header;
    if (has(this.#header, Flag.ENHANCEMENT)) return this.#alpha(SectionType.ALPHA, width, height);
    const medium = this.#mediumSize;
    const alpha = await this.#alpha(SectionType.MEDIUM_ALPHA, medium.width, medium.height);
    return alpha && doubleSize(alpha, width, height);
  }

  async #alpha(type: number, width: number, height: number): Promise<Uint8Array | undefined> {
    if (!has(this.#header, Flag.ALPHA)) return undefined;
    const content = required(this.contents, type, width * height);
    if (content.length === width * height) return content;
    const sheet = await unpackSheet(content, width, height, this.services.webp);
    const alpha = new Uint8Array(width * height);
    for (let place = 0; place < alpha.length; place++) alpha[place] = sheet[3 * place + 1];
    return alpha;
  }

  #refuseNewer(): void {
    if (this.contents.newer) throw new FormatError(`${this.contents.error?.message}; medium still decodes`);
  }
}

/** The content of a section without which there is no picture; throws DamagedError. */
function required(contents: Contents, type: number, limit: number): Uint8Array {
  const frame = contents.frames.get(type);
  if (!frame) throw new DamagedError(`section ${nameOf(type)} is missing`);
  return unpackFrame(frame, limit);
}

function coloursOf(contents: Contents): Colours | undefined {
  const { colours } = contents.header;
  if (are(colours, BY_PROFILE) || contents.frames.has(SectionType.COLOUR)) {
    return { profile: required(contents, SectionType.COLOUR, ICC_MAX) };
  }
  return are(colours, SRGB) ? undefined : { codePoints: colours };
}

/** Refuse what is too large, also when its padding is what makes it large. */
function checkSize({ width, height }: Header, maxPixels: number): void {
  const grid = gridOf(width, height);
  if (width * height > maxPixels || 4096 * grid.rows * grid.columns > Math.max(1.25 * maxPixels, PADDED_MIN)) {
    throw new PictureError(`${width} x ${height} is more than ${maxPixels / 1e6} megapixels`);
  }
}
