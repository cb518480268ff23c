import { AezError } from "../errors.ts";

/** Says that .aez itself is wanted, which servers that convert pictures go by. */
export const ACCEPT = "image/aez, */*;q=0.1";
const PARTIAL = 206;
/** A rest of fewer bytes is fetched along rather than asked for by itself. */
const REST_MIN = 1 << 15;

/** A file that is fetched no further than it is needed. */
export class Download {
  readonly #url: string;
  readonly #chunks: Uint8Array[] = [];
  /** How many bytes there are, and how many there will be: 0 where the server does not say. */
  #length = 0;
  #total = 0;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #ended = false;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * The first `count` bytes, or all if there are fewer.
   *
   * @throws AezError: they cannot be fetched.
   */
  async first(count: number): Promise<Uint8Array> {
    while (this.#length < count && !this.#ended) await this.#pull();
    return this.#joined().subarray(0, count);
  }

  /** All of it; throws what `first` does. */
  all(): Promise<Uint8Array> {
    return this.first(Number.POSITIVE_INFINITY);
  }

  /** The same, and nothing else is fetched until it is asked for; throws what `first` does. */
  async noMoreThan(count: number): Promise<Uint8Array> {
    const part = await this.first(count);
    this.#pause().catch(() => undefined);
    return part;
  }

  /** Browsers have few connections to a server, which stay taken by what is not read. */
  async #pause(): Promise<void> {
    if (this.#total - this.#length < REST_MIN) {
      await this.all();
    } else {
      this.#reader?.cancel().catch(() => undefined);
      this.#reader = undefined;
    }
  }

  async #pull(): Promise<void> {
    try {
      this.#reader ??= await this.#open();
      const { done, value } = await this.#reader.read();
      if (done) this.#ended = true;
      else this.#add(value);
    } catch (error) {
      this.#reader = undefined;
      throw error instanceof AezError
        ? error
        : new AezError("its server does not send it, or does not allow it (CORS)");
    }
  }

  /** What is still missing of the file, or all of it, as the server likes. */
  async #open(): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const range = this.#length ? { Range: `bytes=${this.#length}-` } : undefined;
    const response = await fetch(this.#url, { headers: { Accept: ACCEPT, ...range } });
    if (!response.ok || !response.body) throw new AezError(`the server answers ${response.status}`);
    if (response.status !== PARTIAL) this.#startOver();
    this.#total = this.#length + Number(response.headers.get("Content-Length"));
    return response.body.getReader();
  }

  #startOver(): void {
    this.#chunks.length = 0;
    this.#length = 0;
  }

  #add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
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
