import { warn } from "../errors.ts";
import { HEADER_BYTES, type Header, mediumSize, parseHeader, type Size } from "../format/header.ts";
import { Download } from "./download.ts";
import type { Pool } from "./pool.ts";
import { less, type Urgency } from "./urgency.ts";

/** The medium picture as a file for browsers, and what size it really has. */
export interface Medium {
  readonly file: Blob;
  readonly size: Size;
}

/** A file that is fetched, and decoded by workers, as far as it is asked for. Throws what `decodeSamples` does. */
export class Progressive {
  readonly #download: Download;
  readonly #header: Promise<Header>;

  constructor(
    readonly pool: Pool,
    readonly url: string,
  ) {
    this.#download = new Download(url);
    this.#header = this.#download.first(HEADER_BYTES).then(parseHeader);
    this.#header.catch(() => undefined); // it is said to who asks for a picture
  }

  async medium(urgency: Urgency, asLargeAsHigh: boolean): Promise<Medium> {
    const header = await this.#header;
    const front = await this.#download.noMoreThan(header.mediumBytes);
    await this.pool.prepare(header, "medium");
    const file = await this.pool.run((decoder) => decoder.medium(front, asLargeAsHigh), urgency);
    return { file, size: mediumSize(header) };
  }

  async high(urgency: Urgency): Promise<Blob> {
    const header = await this.#header;
    const data = await this.#download.all();
    await this.pool.prepare(header, "high");
    return this.pool.run((decoder) => decoder.high(data), less(urgency));
  }

  /** The high picture, or the medium one where the rest is damaged. */
  async best(urgency: Urgency): Promise<Blob> {
    try {
      return await this.high(urgency);
    } catch (error) {
      const { file } = await this.medium(urgency, true);
      warn(this.url, error);
      return file;
    }
  }
}
