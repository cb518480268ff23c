import * as comlink from "comlink";
import type { Resolution } from "../decode.ts";
import type { Weights } from "../engine.ts";
import { AezError, DamagedError, FormatError, ModelError, PictureError } from "../errors.ts";
import { bytesOf } from "../format/bytes.ts";
import { Flag, type Header, has } from "../format/header.ts";
import { bundleName, type Part } from "../model/bundle.ts";
import { keptWeights } from "./kept.ts";
import { DECODER, WEBP } from "./names.ts";
import { imageOf } from "./pixels.ts";
import { type Urgency, usual } from "./urgency.ts";
import type { Decoder } from "./worker.ts";

function workersMax(): number {
  return Math.min(navigator.hardwareConcurrency || 2, 4);
}

type RemoteDecoder = comlink.Remote<Decoder>;

/** What is to be done by the next worker that has nothing to do. */
interface Job {
  readonly urgency: Urgency;
  start(decoder: RemoteDecoder): Promise<void>;
  fail(reason: unknown): void;
}

/** Workers that decode; they are started as they are needed. */
export class Pool {
  readonly #waiting: Job[] = [];
  readonly #idle: RemoteDecoder[] = [];
  #starting = 0;
  #started = 0;
  /** How many there may be; fewer where one could not be started. */
  #most = workersMax();
  readonly #weights = new Map<string, Promise<Uint8Array>>();

  /**
   * @param folder - address of what workers need: their scripts, and weights
   */
  constructor(readonly folder: string) {}

  /** Let a worker do something: of all that waits the most urgent first, and of that what came first. */
  run<T>(work: (decoder: RemoteDecoder) => Promise<T>, urgency: Urgency = usual): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ urgency, start: (decoder) => work(decoder).then(resolve, reject), fail: reject });
      this.#go();
    });
  }

  #go(): void {
    while (this.#waiting.length && this.#idle.length) {
      void this.#do(this.#mostUrgent(), this.#idle.pop() as RemoteDecoder);
    }
    if (this.#starting < this.#waiting.length && this.#started + this.#starting < this.#most) void this.#start();
  }

  async #do(job: Job, decoder: RemoteDecoder): Promise<void> {
    await job.start(decoder);
    this.#idle.push(decoder);
    this.#go();
  }

  #mostUrgent(): Job {
    const urgencies = this.#waiting.map(({ urgency }) => urgency());
    return this.#waiting.splice(urgencies.indexOf(Math.max(...urgencies)), 1)[0];
  }

  async #start(): Promise<void> {
    this.#starting++;
    try {
      this.#idle.push(await this.#newWorker());
      this.#started++;
    } catch (error) {
      const others = this.#started + this.#starting - 1;
      this.#most = Math.max(1, others);
      if (!others) for (const { fail } of this.#waiting.splice(0)) fail(error);
    }
    this.#starting--;
    this.#go();
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
      const copy = bytesOf(data).slice(); // of a part of a buffer, all of it would go to the worker
      return imageOf(await this.run((decoder) => decoder.decode(comlink.transfer(copy, [copy.buffer]), resolution)));
    } catch (error) {
      throw revived(error);
    }
  }

  /** Have the weights that a file needs here before it takes a worker's time. */
  async prepare(header: Header, part: Part): Promise<void> {
    if (has(header, Flag.ALL_EXACT)) return;
    const parts: Part[] = part === "high" ? ["medium", "high"] : ["medium"];
    const fetching = parts.map((one) => this.#fetchWeights(bundleName(header.model, one), false));
    await Promise.allSettled(fetching); // what fails is said by the worker
  }

  async #newWorker(): Promise<RemoteDecoder> {
    const worker = new Worker(this.#script(DECODER));
    const weights: Weights = (name, afresh) => this.#fetchWeights(name, afresh);
    const started = new (comlink.wrap<typeof Decoder>(worker))(comlink.proxy(weights), this.#script(WEBP));
    try {
      return await Promise.race([started, failure(worker, `${this.folder}${DECODER} cannot be loaded`)]);
    } catch (error) {
      worker.terminate();
      throw error;
    }
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
