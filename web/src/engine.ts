import { type Decoded, decodeSamples, MAX_PIXELS, type Resolution, type Services } from "./decode.ts";
import { ModelError } from "./errors.ts";
import { startZstd } from "./format/frame.ts";
import type { WebpDecoder } from "./format/sheet.ts";
import { bundleName, type Part } from "./model/bundle.ts";
import { Model } from "./model/model.ts";
import { Kernel } from "./networks/kernel.ts";

/**
 * Where bundles of weights come from, by name; `afresh` is asked for where what came before is no good.
 *
 * @throws ModelError: there is none of that name.
 */
export type Weights = (name: string, afresh: boolean) => Promise<Uint8Array>;

/** All that decoding needs, started when it is first used. Files are decoded one after another. */
export class Engine {
  readonly #models = new Map<number, Model>();
  #kernel: Kernel | undefined;
  /** Bundles that failed twice, which will not change. */
  readonly #failures = new Map<string, ModelError>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly weights: Weights,
    readonly webp: readonly WebpDecoder[],
    readonly maxPixels = MAX_PIXELS,
  ) {}

  /** Decode a file; throws what `decodeSamples` does. */
  decode(data: Uint8Array, resolution: Resolution): Promise<Decoded> {
    // Side by side they would all be done at the same time, which is late, and need memory at the same time.
    const decoded = this.#last.then(() => this.#decode(data, resolution));
    this.#last = decoded.catch(() => undefined);
    return decoded;
  }

  async #decode(data: Uint8Array, resolution: Resolution): Promise<Decoded> {
    await startZstd();
    const services: Services = {
      model: (id, part) => this.#model(id, part),
      webp: this.webp,
      maxPixels: this.maxPixels,
    };
    return decodeSamples(data, resolution, services);
  }

  async #model(id: number, part: Part): Promise<Model> {
    this.#kernel ??= await Kernel.start();
    const kernel = this.#kernel;
    let model = this.#models.get(id);
    if (!model) {
      model = await this.#fromBundle(id, "medium", (bundle) => kernel.attempt(() => new Model(kernel, bundle)));
      this.#models.set(id, model);
    }
    const { complete } = model;
    if (part === "high" && !complete) {
      await this.#fromBundle(id, "high", (bundle) => kernel.attempt(() => model.add(bundle)));
    }
    return model;
  }

  /** What is made of a bundle, which is fetched once more if that fails: what was kept of it may be from a worse day. */
  async #fromBundle<T>(id: number, part: Part, make: (bundle: Uint8Array) => T): Promise<T> {
    const name = bundleName(id, part);
    let failure = this.#failures.get(name);
    for (const afresh of failure ? [] : [false, true]) {
      const bundle = await this.weights(name, afresh);
      try {
        return make(bundle);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        failure = error;
      }
    }
    if (failure) this.#failures.set(name, failure);
    throw failure;
  }
}
