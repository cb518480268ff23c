/** The networks that make samples of latents; see format_spec.md, "Samples". */

import { interpolate, KNOTS } from "../format/quality.ts";
import type { Arrays } from "../model/arrays.ts";
import { type Address, after, type Kernel, padded } from "./kernel.ts";
import { byPlace, Depthwise, Pointwise } from "./layers.ts";

const PATCH = 8;
const OVERLAP = 2;
const SIDE = PATCH + 2 * OVERLAP;

/** Takes the finished row `row` of a picture, RGB. */
export type TakeRow = (row: number, samples: Uint8Array) => void;

/** x + gain(quality) project(relu(expand(depthwise(x)))) */
class Block {
  readonly channels: number;
  readonly #depthwise: Depthwise;
  readonly #expand: Pointwise;
  readonly #project: Pointwise;
  readonly #gains: Float32Array;

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
    name: string,
  ) {
    const get = (part: string) => arrays.get(`${name}.${part}`);
    this.#depthwise = new Depthwise(kernel, get("depthwise.weight"), get("depthwise.bias"));
    this.#expand = new Pointwise(kernel, get("expand.weight"), get("expand.bias"));
    this.#project = new Pointwise(kernel, get("project.weight"), get("project.bias"));
    this.#gains = Float32Array.from(get("gain"));
    this.channels = this.#depthwise.channels;
  }

  /** x [rows, columns, channels] -> out, row by row, so that what is between stays in the processor's cache. */
  run(x: Address, out: Address, rows: number, columns: number, quality: number): void {
    const { kernel, channels } = this;
    kernel.within(() => {
      const gain = kernel.store(interpolate(this.#gains, this.#gains.length / KNOTS, quality));
      const line = kernel.allocate(channels, columns);
      const hidden = kernel.allocate(this.#expand.outputs, columns);
      for (let row = 0; row < rows; row++) {
        const passed = channels * columns * row;
        this.#depthwise.run(x, rows, columns, row, line);
        this.#expand.run(line, channels, hidden, columns, 0);
        this.#project.run(hidden, this.#expand.outputs, line, columns);
        kernel.call.addScaled(after(x, passed), line, gain, after(out, passed), channels, columns);
      }
    });
  }
}

/** Blocks one after the other. */
class Blocks {
  readonly #blocks: Block[] = [];

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
    name: string,
  ) {
    while (arrays.has(`${name}.blocks.${this.#blocks.length}.gain`)) {
      this.#blocks.push(new Block(kernel, arrays, `${name}.blocks.${this.#blocks.length}`));
    }
  }

  /** x [rows, columns, channels] -> an array like it, which is x or `spare`. */
  run(x: Address, spare: Address, rows: number, columns: number, quality: number): Address {
    for (const block of this.#blocks) {
      block.run(x, spare, rows, columns, quality);
      [x, spare] = [spare, x];
    }
    return x;
  }
}

/** The last layer: each cell adds a patch of 12 x 12 samples around its own 8 x 8; the outermost cells are repeated. */
class OverlappingPatches {
  readonly channels: number;
  readonly #patches: Pointwise;
  readonly #bias: Float32Array;

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
    name: string,
  ) {
    const weight = arrays.get(`${name}.weight`);
    const outputs = 3 * SIDE * SIDE;
    const inputs = weight.length / outputs;
    this.channels = padded(inputs);
    const byRow = Float32Array.from(weight, (_, at) => {
      const [output, input] = [Math.floor(at / inputs), at % inputs];
      const [place, colour] = [Math.floor(output / 3), output % 3];
      return 255 * weight[(input * 3 + colour) * SIDE * SIDE + place];
    });
    this.#patches = new Pointwise(kernel, byRow, new Float32Array(outputs));
    this.#bias = Float32Array.from(arrays.get(`${name}.bias`), (bias) => 255 * bias + 127.5);
  }

  /** x [rows, columns, channels] -> samples [8 rows, 8 columns, 3], row by row. */
  run(x: Address, rows: number, columns: number, take: TakeRow): void {
    const { kernel, channels } = this;
    const width = PATCH * (columns + 2) + 2 * OVERLAP;
    const line = 3 * width;
    const cells = channels * columns;
    kernel.within(() => {
      const wider = kernel.allocate(channels, columns + 2);
      const patches = kernel.allocate(3 * SIDE * SIDE, columns + 2);
      const strip = kernel.allocate(SIDE * line);
      const finished = kernel.allocate(PATCH * line);
      const samples = kernel.floats(strip, SIDE * line);
      this.#fill(samples);
      for (let row = -1; row <= rows; row++) {
        const from = after(x, cells * Math.min(Math.max(row, 0), rows - 1));
        const copy = kernel.floats(wider, channels * (columns + 2));
        copy.set(kernel.floats(from, cells), channels);
        copy.copyWithin(0, channels, 2 * channels);
        copy.copyWithin(channels + cells, cells, channels + cells);
        this.#patches.run(wider, channels, patches, columns + 2);
        kernel.call.addPatches(patches, columns + 2, SIDE, PATCH, strip, width);
        kernel.call.toBytes(strip, PATCH * line, finished);
        const bytes = kernel.bytes(finished, PATCH * line);
        for (let inside = 0; inside < PATCH; inside++) {
          const place = PATCH * row - OVERLAP + inside;
          if (place < 0 || place >= PATCH * rows) continue;
          const start = inside * line + 3 * (PATCH + OVERLAP);
          take(place, bytes.subarray(start, start + 3 * PATCH * columns));
        }
        samples.copyWithin(0, PATCH * line);
        this.#fill(samples.subarray((SIDE - PATCH) * line));
      }
    });
  }

  #fill(samples: Float32Array): void {
    for (let place = 0; place < samples.length; place++) samples[place] = this.#bias[place % 3];
  }
}

/** A network from latents to samples. */
export interface Renderer {
  /** Channels of a cell. */
  readonly inputs: number;
  /** How many times 64 pixels of the full-size picture it looks at around a tile. */
  readonly pixelsPerBlock: number;
  /** x [rows, columns, inputs], latents times their step sizes -> rows of samples; x is overwritten. */
  run(x: Address, rows: number, columns: number, quality: number, take: TakeRow): void;
}

/** All latents -> the high picture. */
export class Synthesis implements Renderer {
  readonly inputs: number;
  readonly pixelsPerBlock = 64;
  readonly #sixteenth: Blocks;
  readonly #up: Pointwise;
  readonly #eighth: Blocks;
  readonly #last: OverlappingPatches;

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
  ) {
    const [weight, bias] = [arrays.get("synthesis.up.weight"), arrays.get("synthesis.up.bias")];
    this.inputs = weight.length / bias.length;
    this.#sixteenth = new Blocks(kernel, arrays, "synthesis.sixteenth");
    this.#up = new Pointwise(kernel, byPlace(weight, this.inputs), byPlace(bias));
    this.#eighth = new Blocks(kernel, arrays, "synthesis.eighth");
    this.#last = new OverlappingPatches(kernel, arrays, "synthesis.last");
  }

  run(x: Address, rows: number, columns: number, quality: number, take: TakeRow): void {
    const { kernel } = this;
    const { channels } = this.#last;
    kernel.within(() => {
      const finer = kernel.allocate(channels, 4 * rows * columns);
      kernel.within(() => {
        const stride = padded(this.inputs);
        const latents = this.#sixteenth.run(x, kernel.allocate(stride, rows * columns), rows, columns, quality);
        const wide = kernel.allocate(4 * channels, columns);
        for (let row = 0; row < rows; row++) {
          this.#up.run(after(latents, stride * columns * row), stride, wide, columns);
          kernel.call.shuffle(wide, columns, channels, after(finer, 4 * channels * columns * row));
        }
      });
      const spare = kernel.allocate(channels, 4 * rows * columns);
      this.#last.run(this.#eighth.run(finer, spare, 2 * rows, 2 * columns, quality), 2 * rows, 2 * columns, take);
    });
  }
}

/** Base latents -> the medium picture. */
export class MediumSynthesis implements Renderer {
  readonly inputs: number;
  readonly pixelsPerBlock = 32;
  readonly #sixteenth: Blocks;
  readonly #last: OverlappingPatches;

  constructor(
    readonly kernel: Kernel,
    arrays: Arrays,
  ) {
    this.#sixteenth = new Blocks(kernel, arrays, "medium_synthesis.sixteenth");
    this.#last = new OverlappingPatches(kernel, arrays, "medium_synthesis.last");
    this.inputs = this.#last.channels;
  }

  run(x: Address, rows: number, columns: number, quality: number, take: TakeRow): void {
    this.kernel.within(() => {
      const spare = this.kernel.allocate(this.inputs, rows * columns);
      this.#last.run(this.#sixteenth.run(x, spare, rows, columns, quality), rows, columns, take);
    });
  }
}
