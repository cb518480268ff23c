import * as comlink from "comlink";
import type { Resolution } from "../decode.ts";
import { Engine, type Weights } from "../engine.ts";
import type { Size } from "./elements.ts";
import { asBlob, enlarged, FetchedPicture } from "./picture.ts";
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

  /** Begin to fetch a file. */
  open(url: string): Opened & comlink.ProxyMarked {
    return comlink.proxy(new Opened(new FetchedPicture(url, this.#engine)));
  }
}

/** The medium picture in a file, which may be made as large as that of the high one, and what size it really has. */
export interface MediumFile {
  readonly file: Blob;
  readonly size: Size;
}

/** A file that a worker fetches. */
export class Opened {
  readonly #picture: FetchedPicture;

  constructor(picture: FetchedPicture) {
    this.#picture = picture;
  }

  async medium(asLargeAsHigh: boolean): Promise<MediumFile> {
    const rendered = await this.#picture.render("medium");
    const file = asLargeAsHigh ? enlarged(rendered) : asBlob(rendered);
    return { file, size: { width: Math.ceil(rendered.width / 2), height: Math.ceil(rendered.height / 2) } };
  }

  async high(): Promise<Blob> {
    return asBlob(await this.#picture.render("high"));
  }
}
