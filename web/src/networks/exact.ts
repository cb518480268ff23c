/** The networks that compute with whole numbers; see format_spec.md, "Exact networks". */

import type { Arrays } from "../model/arrays.ts";
import { type Address, after, type Kernel, padded } from "./kernel.ts";
import { byPlace, Depthwise, Pointwise } from "./layers.ts";

const ACTIVATION_MAX = 255;
const UNLIMITED = 1 << 24;

/** What `conv` is followed by: a division by a power of two of each output, rounded, and clipped. */
class Rescale {
  readonly #scale: Address;

  constructor(
    readonly kernel: Kernel,
    shifts: ArrayLike<number>,
    readonly low: number,
    readonly high: number,
  ) {
    this.#scale = kernel.store(Float32Array.from(shifts, (shift) => 2 ** -shift));
  }

  run(x: Address, channels: number, cells: number): void {
    this.kernel.call.rescale(x, this.#scale, channels, cells, this.low, this.high);
  }
}

/** Hyper latents -> features. */
export class HyperSynthesis {
  /** How many hyper latents a block has, and how many features a cell. */
  readonly inputs: number;
  readonly features: number;
  readonly #hidden: number;
  readonly #first: Pointwise;
  readonly #firstScale: Rescale;
  readonly #second: Pointwise;
  readonly #secondScale: Rescale;

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
  ) {
    const layer = (name: string) => ({
      weight: arrays.get(`hyper_synthesis.${name}.weight`),
      bias: arrays.get(`hyper_synthesis.${name}.bias`),
      shift: arrays.get(`hyper_synthesis.${name}.shift`),
    });
    const [first, second] = [layer("first"), layer("second")];
    this.inputs = first.weight.length / first.bias.length;
    this.#hidden = first.bias.length / 4;
    this.features = second.bias.length / 4;
    this.#first = new Pointwise(kernel, byPlace(first.weight, this.inputs), byPlace(first.bias));
    this.#firstScale = new Rescale(kernel, byPlace(first.shift), 0, ACTIVATION_MAX);
    const gathered = placesFirst(second.weight, this.#hidden);
    this.#second = new Pointwise(kernel, byPlace(gathered, 9 * this.#hidden), byPlace(second.bias));
    this.#secondScale = new Rescale(kernel, byPlace(second.shift), -UNLIMITED, UNLIMITED);
  }

  /** x [rows, columns, inputs] -> [4 rows, 4 columns, features], whole numbers from 0 to 255; offset [features]. */
  run(x: Address, rows: number, columns: number, offset: Float32Array): Address {
    const { kernel } = this;
    const [hidden, features] = [this.#hidden, this.features];
    const out = kernel.allocate(features, 16 * rows * columns);
    kernel.within(() => {
      const wide = kernel.allocate(4 * hidden, columns);
      const finer = kernel.allocate(hidden, 4 * rows * columns);
      const line = 4 * hidden * columns;
      for (let row = 0; row < rows; row++) {
        this.#first.run(after(x, padded(this.inputs) * columns * row), padded(this.inputs), wide, columns);
        this.#firstScale.run(wide, 4 * hidden, columns);
        kernel.call.shuffle(wide, columns, hidden, after(finer, line * row));
      }
      const gathered = kernel.allocate(9 * hidden, 2 * columns);
      const outputs = kernel.allocate(4 * features, 2 * columns);
      for (let row = 0; row < 2 * rows; row++) {
        kernel.call.around(finer, 2 * rows, 2 * columns, hidden, row, gathered);
        this.#second.run(gathered, 9 * hidden, outputs, 2 * columns);
        this.#secondScale.run(outputs, 4 * features, 2 * columns);
        kernel.call.shuffle(outputs, 2 * columns, features, after(out, 8 * features * columns * row));
      }
    });
    const values = kernel.floats(out, features * 16 * rows * columns);
    for (let place = 0; place < values.length; place++) {
      values[place] = Math.min(Math.max(values[place] + offset[place % features], 0), ACTIVATION_MAX);
    }
    return out;
  }
}

/** Features and known latents -> means and scale indices of the latents of one step. */
export class Context {
  /** Features and known latents, and the latents of the step, of a cell. */
  readonly inputs: number;
  readonly outputs: number;
  readonly #first: Pointwise;
  readonly #firstScale: Rescale;
  readonly #depthwise: Depthwise;
  readonly #depthwiseScale: Rescale;
  readonly #last: Pointwise;
  readonly #lastScale: Rescale;

  /**
   * @param oddFirst whether the step's positions are those where row + column is odd
   */
  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
    step: number,
    readonly oddFirst: boolean,
  ) {
    const get = (name: string) => arrays.get(`context_${step}.${name}`);
    this.#first = new Pointwise(kernel, get("first.weight"), get("first.bias"));
    this.#firstScale = new Rescale(kernel, get("first.shift"), 0, ACTIVATION_MAX);
    this.#depthwise = new Depthwise(kernel, get("depthwise.weight"), get("depthwise.bias"));
    this.#depthwiseScale = new Rescale(kernel, get("depthwise.shift"), 0, ACTIVATION_MAX);
    this.#last = new Pointwise(kernel, get("last.weight"), get("last.bias"));
    this.#lastScale = new Rescale(kernel, get("last.shift"), -UNLIMITED, UNLIMITED);
    this.inputs = this.#first.inputs;
    this.outputs = get("last.bias").length / 2;
  }

  /** Channels of a cell of the result, of which the first `outputs` are means and then as many indices. */
  get stride(): number {
    return this.#last.outputs;
  }

  /**
   * x [rows, columns, inputs] -> [rows, columns / 2, stride]: of the step's positions in each row.
   *
   * Means and indices are not clipped yet, and 24 not added to the indices.
   */
  run(x: Address, rows: number, columns: number): Address {
    const { kernel } = this;
    const width = this.#first.outputs;
    const half = columns / 2;
    const out = kernel.allocate(this.stride, rows * half);
    kernel.within(() => {
      const hidden = kernel.allocate(width, rows * columns);
      this.#first.run(x, padded(this.inputs), hidden, rows * columns);
      this.#firstScale.run(hidden, width, rows * columns);
      const line = kernel.allocate(width, half);
      for (let row = 0; row < rows; row++) {
        this.#depthwise.run(hidden, rows, columns, row, line, firstColumn(row, this.oddFirst), 2);
        this.#depthwiseScale.run(line, width, half);
        this.#last.run(line, width, after(out, this.stride * half * row), half);
      }
      this.#lastScale.run(out, this.stride, rows * half);
    });
    return out;
  }
}

/** Where the positions of a step begin in a row; they are every other column. */
export function firstColumn(row: number, oddFirst: boolean): number {
  return row % 2 === 0 ? Number(oddFirst) : Number(!oddFirst);
}

/** Weights [outputs, channels, 9] as [outputs, 9, channels]. */
function placesFirst(weights: ArrayLike<number>, channels: number): Float32Array {
  return Float32Array.from(weights, (_, at) => {
    const [output, rest] = [Math.floor(at / (9 * channels)), at % (9 * channels)];
    return weights[output * 9 * channels + 9 * (rest % channels) + Math.floor(rest / channels)];
  });
}
