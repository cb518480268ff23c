import { ModelError } from "../errors.ts";
import { type Address, type Kernel, LANES, padded } from "./kernel.ts";

/** A convolution of 1 x 1 in the kernel's memory, or one of more inputs that are gathered first. */
export class Pointwise {
  readonly outputs: number;
  readonly inputs: number;
  readonly #weights: Address;
  readonly #bias: Address;

  /**
   * @param weights [bias.length, inputs]
   */
  constructor(
    readonly kernel: Kernel,
    weights: ArrayLike<number>,
    bias: ArrayLike<number>,
  ) {
    this.inputs = weights.length / bias.length;
    this.outputs = padded(bias.length);
    const panels = new Float32Array(this.outputs * this.inputs);
    for (let output = 0; output < bias.length; output++) {
      const place = (output - (output % LANES)) * this.inputs + (output % LANES);
      for (let input = 0; input < this.inputs; input++) {
        panels[place + LANES * input] = weights[output * this.inputs + input];
      }
    }
    this.#weights = kernel.store(panels);
    this.#bias = kernel.store(bias);
  }

  /** x [cells, stride] -> out [cells, outputs], at least `floor`. */
  run(x: Address, stride: number, out: Address, cells: number, floor = Number.NEGATIVE_INFINITY): void {
    const { call } = this.kernel;
    call.pointwise(x, stride, this.inputs, this.#weights, this.#bias, out, this.outputs, cells, floor);
  }
}

/** A convolution of 3 x 3 of each channel by itself. */
export class Depthwise {
  readonly channels: number;
  readonly #weights: Address;
  readonly #bias: Address;

  /**
   * @param weights [channels, 3, 3]
   */
  constructor(
    readonly kernel: Kernel,
    weights: ArrayLike<number>,
    bias: ArrayLike<number>,
  ) {
    this.channels = padded(bias.length);
    const places = new Float32Array(9 * this.channels);
    for (let channel = 0; channel < bias.length; channel++) {
      for (let place = 0; place < 9; place++) places[place * this.channels + channel] = weights[9 * channel + place];
    }
    this.#weights = kernel.store(places);
    this.#bias = kernel.store(bias);
  }

  /** One row of x [rows, columns, channels] -> out [columns, channels]; with `skip`, of some columns only. */
  run(x: Address, rows: number, columns: number, row: number, out: Address, first = 0, skip = 1): void {
    const { call } = this.kernel;
    call.depthwise(x, rows, columns, this.channels, row, first, skip, this.#weights, this.#bias, out);
  }
}

/**
 * Rows of an array [rows, columns] in another order: channels 4 c + 2 i + j of a cell become 2 x 2 cells, and go to
 * row i, column j, channel c.
 *
 * @throws ModelError: those channels are no multiple of 8, which the loops need here.
 */
export function byPlace(rows: ArrayLike<number>, columns = 1): Float32Array {
  const channels = rows.length / columns / 4;
  if (channels % LANES) throw new ModelError(`this decoder wants multiples of ${LANES} channels, not ${channels}`);
  return Float32Array.from(rows, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return rows[(4 * (row % channels) + Math.floor(row / channels)) * columns + column];
  });
}
