import { AezError } from "../errors.ts";

/** Says that .aez itself is wanted, which servers that convert pictures go by. */
const ACCEPT = "image/aez, */*;q=0.1";

/** A file that is fetched no further than it is needed. */
export class Download {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /**
   * @throws AezError: it cannot be fetched.
   */
  static async start(url: string): Promise<Download> {
    const response = await fetch(url, { headers: { Accept: ACCEPT } }).catch(() => undefined);
    if (!response) throw new AezError("it cannot be fetched, or its server does not allow it (CORS)");
    if (!response.ok || !response.body) throw new AezError(`the server answers ${response.status}`);
    return new Download(response.body);
  }

  /** The first `count` bytes, or all if there are fewer. */
  async first(count: number): Promise<Uint8Array> {
    while (this.#length < count && !this.#ended) await this.#pull();
    return this.#joined().subarray(0, count);
  }

  /** All of it. */
  all(): Promise<Uint8Array> {
    return this.first(Number.POSITIVE_INFINITY);
  }

  /** Fetch no more. */
  cancel(): void {
    this.#ended = true;
    this.#reader.cancel().catch(() => undefined);
  }

  async #pull(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) {
      this.#ended = true;
    } else {
      this.#chunks.push(value);
      this.#length += value.length;
    }
  }

  #joined(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let place = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, place);
      place += chunk.length;
    }
    this.#chunks.splice(0, this.#chunks.length, whole);
    return whole;
  }
}
