import { type Decoded, decodeSamples, MAX_PIXELS, type Resolution, type Services } from "./decode.ts";
import { startZstd } from "./format/frame.ts";
import type { WebpDecoder } from "./format/sheet.ts";
import { modelName } from "./info.ts";
import { Model, type Part } from "./model/model.ts";
import { Kernel } from "./networks/kernel.ts";

/** Where bundles of weights come from: by the id of the model, eight hexadecimal digits. */
export type Weights = (model: string, part: Part) => Promise<Uint8Array>;

/** All that decoding needs, started when it is first used. */
export class Engine {
  readonly #models = new Map<number, Promise<Model>>();
  #kernel: Promise<Kernel> | undefined;

  constructor(
    readonly weights: Weights,
    readonly webp: readonly WebpDecoder[],
    readonly maxPixels = MAX_PIXELS,
  ) {}

  /** Decode a file; throws what `decodeSamples` does. */
  async decode(data: Uint8Array, resolution: Resolution): Promise<Decoded> {
    await startZstd();
    const services: Services = {
      model: (id, part) => this.#model(id, part),
      webp: this.webp,
      maxPixels: this.maxPixels,
    };
    return decodeSamples(data, resolution, services);
  }

  async #model(id: number, part: Part): Promise<Model> {
    let loading = this.#models.get(id);
    if (!loading) {
      loading = this.#load(id);
      this.#models.set(id, loading);
      loading.catch(() => this.#models.delete(id));
    }
    const model = await loading;
    if (part === "high") await model.complete(() => this.weights(modelName(id), "high"));
    return model;
  }

  async #load(id: number): Promise<Model> {
    this.#kernel ??= Kernel.start();
    const [kernel, bundle] = await Promise.all([this.#kernel, this.weights(modelName(id), "medium")]);
    return new Model(kernel, bundle);
  }
}
