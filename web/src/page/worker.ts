import * as comlink from "comlink";
import type { Resolution } from "../decode.ts";
import { Engine, type Weights } from "../engine.ts";
import { asBlob, enlarged, render } from "./picture.ts";
import { type Pixels, toPixels } from "./pixels.ts";
import { webpDecoders } from "./webp.ts";

/** What a worker does for its page. */
export class Decoder {
  readonly #engine: Engine;

  constructor(weights: Weights, webpScript: string) {
    this.#engine = new Engine(weights, webpDecoders(webpScript));
  }

  /** Pixels of a file. */
  async decode(data: Uint8Array, resolution: Resolution): Promise<Pixels> {
    const pixels = await toPixels(await this.#engine.decode(data, resolution));
    return comlink.transfer(pixels, [pixels.data.buffer]);
  }

  /** What browsers show of a file, or of its front part: the medium picture, which may be made as large as high. */
  async medium(front: Uint8Array, asLargeAsHigh: boolean): Promise<Blob> {
    const rendered = await render(this.#engine, front, "medium");
    return asLargeAsHigh ? enlarged(rendered) : asBlob(rendered);
  }

  /** The same of the high picture. */
  async high(data: Uint8Array): Promise<Blob> {
    return asBlob(await render(this.#engine, data, "high"));
  }
}
