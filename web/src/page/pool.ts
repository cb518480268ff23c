import * as comlink from "comlink";
import type { Resolution } from "../decode.ts";
import type { Weights } from "../engine.ts";
import { AezError, DamagedError, FormatError, ModelError, PictureError } from "../errors.ts";
import { bytesOf } from "../format/bytes.ts";
import { keptWeights } from "./kept.ts";
import { imageOf } from "./pixels.ts";
import type { Decoder } from "./worker.ts";

function workersMax(): number {
  return Math.min(navigator.hardwareConcurrency || 2, 4);
}

/** A worker, and how much it has to do. */
export class DecoderWorker {
  jobs = 0;

  constructor(readonly decoder: Promise<comlink.Remote<Decoder>>) {}

  async run<T>(job: (decoder: comlink.Remote<Decoder>) => Promise<T>): Promise<T> {
    this.jobs++;
    try {
      return await job(await this.decoder);
    } finally {
      this.jobs--;
    }
  }
}

/** Workers that decode; they are started as they are needed. */
export class Pool {
  readonly #workers: DecoderWorker[] = [];
  readonly #weights = new Map<string, Promise<Uint8Array>>();

  /**
   * @param folder - address of what workers need: `decoder.js`, `webp.js`, weights
   */
  constructor(readonly folder: string) {}

  /** The worker with the least to do. */
  next(): DecoderWorker {
    const [least] = [...this.#workers].sort((one, other) => one.jobs - other.jobs);
    if (least && (least.jobs === 0 || this.#workers.length >= workersMax())) return least;
    const worker = new DecoderWorker(this.#start());
    this.#workers.push(worker);
    worker.decoder.catch(() => this.#workers.splice(this.#workers.indexOf(worker), 1));
    return worker;
  }

  /**
   * Pixels of a file, decoded by a worker.
   *
   * @throws TypeError: there is no such resolution. Otherwise what `decodeSamples` does.
   */
  async decode(data: BufferSource, resolution: Resolution): Promise<ImageData> {
    if (resolution !== "medium" && resolution !== "high") {
      throw new TypeError(`resolution is "medium" or "high", not ${JSON.stringify(resolution)}`);
    }
    try {
      return imageOf(await this.next().run((decoder) => decoder.decode(bytesOf(data), resolution)));
    } catch (error) {
      throw revived(error);
    }
  }

  async #start(): Promise<comlink.Remote<Decoder>> {
    const worker = new Worker(this.#script("decoder.js"));
    const weights: Weights = (name, afresh) => this.#fetchWeights(name, afresh);
    const started = new (comlink.wrap<typeof Decoder>(worker))(comlink.proxy(weights), this.#script("webp.js"));
    return Promise.race([started, failure(worker, `${this.folder}decoder.js cannot be loaded`)]);
  }

  /** Weights are fetched by the page, so that several workers need them once. */
  #fetchWeights(name: string, afresh: boolean): Promise<Uint8Array> {
    let fetching = afresh ? undefined : this.#weights.get(name);
    if (!fetching) {
      fetching = this.#find(name, afresh);
      this.#weights.set(name, fetching);
      fetching.catch(() => this.#weights.delete(name));
    }
    return fetching;
  }

  #script(name: string): string {
    const text = withinPage(name);
    if (text === undefined) return this.folder + name;
    return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  }

  async #find(name: string, afresh: boolean): Promise<Uint8Array> {
    const within = withinPage(name);
    if (within === undefined) return keptWeights(this.folder + name, afresh);
    const response = await fetch(`data:application/octet-stream;base64,${within}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

const KINDS = new Map(Object.entries({ AezError, FormatError, DamagedError, ModelError, PictureError }));

/** Errors come from workers without their class. */
function revived(error: unknown): unknown {
  const kind = error instanceof Error && KINDS.get(error.name);
  return kind ? new kind(error.message) : error;
}

/** Rejects when a script cannot be loaded; later errors are answers of their own. */
function failure(worker: Worker, message: string): Promise<never> {
  return new Promise((_, reject) => {
    worker.addEventListener("error", () => reject(new AezError(message)), { once: true });
  });
}

/** A file of the folder that is in an element of the page instead: scripts as text, weights in base64. */
function withinPage(name: string): string | undefined {
  return globalThis.document?.querySelector(`script[data-aez="${name}"]`)?.textContent ?? undefined;
}
