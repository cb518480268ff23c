import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Table } from '../entropy/tables.ts';
import { ModelError } from '../errors.ts';
import { interpolate, interpolateExactly, KNOTS } from '../format/quality.ts';
import { Context, HyperSynthesis } from '../networks/exact.ts';
import { type Address, type Kernel, padded } from '../networks/kernel.ts';
import { MediumSynthesis, type Renderer, Synthesis } from '../networks/synthesis.ts';
import { type Grid, lengthOf, type Tile, tilesOf } from '../networks/tiles.ts';
import type { Arrays } from './arrays.ts';

const CELLS = 4;
const KNOWN_MIN = -128;
const KNOWN_MAX = 127;
const LATENT_MIN = -(1 << 15);
const LATENT_MAX = (1 << 15) - 1;
const INDEX_OFFSET = 24;
const SCALES = 64;
/** Latents become activations times this. */
const LATENT_UNIT = 1 / 16;

/** Latents of a picture in units of 1/16, [channels, 4 rows, 4 columns] of so many blocks. */
export interface Latents {
  readonly grid: Grid;
  readonly values: Int16Array;
}

/** Features of a picture, [4 rows, 4 columns, features] of so many blocks. */
export interface Features {
  readonly grid: Grid;
  readonly values: Uint8Array;
}

/** Means in units of 1/16 and scale indices of the latents of a step, [channels, 4 rows, 2 columns] of so many blocks. */
export interface Prediction {
  readonly means: Int16Array;
  readonly indices: Uint8Array;
}

/** The context steps of a layer, and its latent channels. */
export interface Layer {
  readonly steps: readonly [number, number];
  readonly start: number;
  readonly stop: number;
}

/** What is needed for medium alone, and for high. */
export type Part = 'medium' | 'high';

/** A model: its tables, and its networks as methods, which run tile by tile. */
export class Model {
  readonly name: string;
  readonly base: Layer;
  readonly enhancement: Layer;
  readonly scaleTables: readonly Table[];
  readonly #hyperTables = new Map<number, readonly Table[]>();
  readonly #hyper: HyperSynthesis;
  readonly #contexts: Context[];
  readonly #medium: MediumSynthesis;
  readonly #high: Synthesis | undefined;
  readonly #logSteps: Float32Array;

  /**
   * @throws ModelError: arrays are missing, or an exact network computes wrongly in this browser.
   */
  constructor(
    readonly kernel: Kernel,
    readonly arrays: Arrays,
    readonly part: Part,
  ) {
    const { name, base, enhancement } = arrays.description;
    this.name = name;
    this.base = { steps: [0, 1], start: 0, stop: base };
    this.enhancement = { steps: [2, 3], start: base, stop: base + enhancement };
    this.scaleTables = cut(arrays.get('scale_frequencies'), arrays.get('scale_lengths'));
    this.#hyper = new HyperSynthesis(kernel, arrays);
    const steps = part === 'medium' ? [0, 1] : [0, 1, 2, 3];
    this.#contexts = steps.map((step) => new Context(kernel, arrays, step, step % 2 === 0));
    this.#medium = new MediumSynthesis(kernel, arrays);
    this.#high = part === 'high' ? new Synthesis(kernel, arrays) : undefined;
    this.#logSteps = Float32Array.from(arrays.get('log_step'));
    this.#check();
  }

  /** How many hyper latents a block has. */
  get hyper(): number {
    return this.#hyper.inputs;
  }

  /** A table for each channel of the hyper latents, for the knot nearest to the quality. */
  hyperTables(knot: number): readonly Table[] {
    let tables = this.#hyperTables.get(knot);
    if (!tables) {
      const all = this.arrays.get('hyper_frequencies');
      const row = all.subarray((knot * all.length) / KNOTS, ((knot + 1) * all.length) / KNOTS);
      tables = cut(row, new Array<number>(this.hyper).fill(row.length / this.hyper));
      this.#hyperTables.set(knot, tables);
    }
    return tables;
  }

  /** Hyper latents [channels, rows, columns] -> features. */
  hyperSynthesis(hyper: Int32Array, grid: Grid, quality: number): Features {
    const { kernel } = this;
    const { features, inputs } = this.#hyper;
    const offset = interpolateExactly(this.arrays.get('offsets'), features, quality);
    const values = new Uint8Array(features * CELLS * CELLS * grid.rows * grid.columns);
    for (const tile of tilesOf(grid, this.#halo('hyper_synthesis'))) {
      kernel.within(() => {
        const [rows, columns] = [lengthOf(tile.outerRows), lengthOf(tile.outerColumns)];
        const x = this.#gather(hyper, inputs, grid, 1, tile, padded(inputs), 0, (value) => value);
        const out = this.#hyper.run(x, rows, columns, offset);
        const line = features * CELLS * lengthOf(tile.columns);
        for (const { from, to } of rowsWithin(tile, CELLS, grid)) {
          values.set(kernel.floats(out + 4 * features * from, line), features * to);
        }
      });
    }
    return { grid, values };
  }

  /** Means and scale indices of what a step decodes, given the latents decoded before. */
  context(step: number, features: Features, latents: Latents, layer: Layer): Prediction {
    const context = this.#contexts[step];
    const { grid } = features;
    const { outputs } = context;
    const area = outputs * CELLS * grid.rows * (CELLS / 2) * grid.columns;
    const prediction = { means: new Int16Array(area), indices: new Uint8Array(area) };
    const known = step === layer.steps[0] ? layer.start : layer.stop;
    for (const tile of tilesOf(grid, this.#halo(`context_${step}`))) {
      this.kernel.within(() => {
        const [rows, columns] = [CELLS * lengthOf(tile.outerRows), CELLS * lengthOf(tile.outerColumns)];
        const depth = this.#hyper.features;
        const stride = padded(context.inputs);
        const x = this.#gather(latents.values, known, grid, CELLS, tile, stride, depth, clipKnown);
        this.#copyFeatures(features, tile, x, stride);
        this.#scatter(context, context.run(x, rows, columns), tile, grid, prediction);
      });
    }
    return prediction;
  }

  /** All latents -> samples of the high picture [height, width, 3]. */
  synthesis(latents: Latents, quality: number, width: number, height: number): Uint8Array {
    if (!this.#high) throw new ModelError('the bundle for high pictures is missing');
    return this.#render(this.#high, 'synthesis', latents, quality, width, height);
  }

  /** Base latents -> samples of the medium picture [height, width, 3]; others are not looked at. */
  mediumSynthesis(latents: Latents, quality: number, width: number, height: number): Uint8Array {
    return this.#render(this.#medium, 'medium_synthesis', latents, quality, width, height);
  }

  #render(
    network: Renderer,
    name: string,
    latents: Latents,
    quality: number,
    width: number,
    height: number,
  ): Uint8Array {
    const { kernel } = this;
    const { grid } = latents;
    const { inputs, pixelsPerBlock } = network;
    const channels = this.enhancement.stop;
    const steps = interpolate(this.#logSteps, channels, quality).map((step) => Math.exp(step) * LATENT_UNIT);
    const picture = new Uint8Array(3 * width * height);
    for (const tile of tilesOf(grid, this.#halo(name))) {
      kernel.within(() => {
        const [rows, columns] = [CELLS * lengthOf(tile.outerRows), CELLS * lengthOf(tile.outerColumns)];
        const scaled = (value: number, channel: number) => value * steps[channel];
        const x = this.#gather(latents.values, inputs, grid, CELLS, tile, padded(inputs), 0, scaled);
        const top = pixelsPerBlock * tile.outerRows.start;
        const left = pixelsPerBlock * tile.columns.start;
        const skipped = pixelsPerBlock * (tile.columns.start - tile.outerColumns.start);
        const count = Math.min(pixelsPerBlock * tile.columns.stop, width) - left;
        const [first, end] = [pixelsPerBlock * tile.rows.start, Math.min(pixelsPerBlock * tile.rows.stop, height)];
        network.run(x, rows, columns, quality, (row, samples) => {
          const place = top + row;
          if (place < first || place >= end || count <= 0) return;
          picture.set(samples.subarray(3 * skipped, 3 * (skipped + count)), 3 * (place * width + left));
        });
      });
    }
    return picture;
  }

  #halo(network: string): number {
    return this.arrays.description.halos[network];
  }

  /** A tile with its halo of planes [channels, rows, columns], as cells of `stride` floats, from the `first` on. */
  #gather(
    planes: Int16Array | Int32Array,
    channels: number,
    grid: Grid,
    cells: number,
    tile: Tile,
    stride: number,
    first: number,
    change: (value: number, channel: number) => number,
  ): Address {
    const [rows, columns] = [cells * lengthOf(tile.outerRows), cells * lengthOf(tile.outerColumns)];
    const [top, left] = [cells * tile.outerRows.start, cells * tile.outerColumns.start];
    const width = cells * grid.columns;
    const area = cells * grid.rows * width;
    const address = this.kernel.allocate(stride, rows * columns);
    const out = this.kernel.floats(address, stride * rows * columns);
    if (stride !== channels) out.fill(0);
    for (let channel = 0; channel < channels; channel++) {
      for (let row = 0; row < rows; row++) {
        let from = area * channel + width * (top + row) + left;
        let to = stride * columns * row + first + channel;
        for (const end = from + columns; from < end; from++, to += stride) out[to] = change(planes[from], channel);
      }
    }
    return address;
  }

  #copyFeatures(features: Features, tile: Tile, x: Address, stride: number): void {
    const depth = this.#hyper.features;
    const columns = CELLS * lengthOf(tile.outerColumns);
    const rows = CELLS * lengthOf(tile.outerRows);
    const out = this.kernel.floats(x, stride * rows * columns);
    const width = CELLS * features.grid.columns;
    for (let row = 0; row < rows; row++) {
      const start = width * (CELLS * tile.outerRows.start + row) + CELLS * tile.outerColumns.start;
      for (let column = 0; column < columns; column++) {
        const from = depth * (start + column);
        out.set(features.values.subarray(from, from + depth), stride * (columns * row + column));
      }
    }
  }

  /** From a context's result for a tile, [rows, columns, means and indices], to planes of the whole picture. */
  #scatter(context: Context, result: Address, tile: Tile, grid: Grid, prediction: Prediction): void {
    const { stride, outputs } = context;
    const { means, indices } = prediction;
    const half = CELLS / 2;
    const outer = half * lengthOf(tile.outerColumns);
    const values = this.kernel.floats(result, stride * CELLS * lengthOf(tile.outerRows) * outer);
    const area = CELLS * grid.rows * half * grid.columns;
    const count = half * lengthOf(tile.columns);
    const skipped = half * (tile.columns.start - tile.outerColumns.start);
    for (let row = CELLS * tile.rows.start; row < CELLS * tile.rows.stop; row++) {
      const start = stride * (outer * (row - CELLS * tile.outerRows.start) + skipped);
      for (let channel = 0; channel < outputs; channel++) {
        let from = start + channel;
        let to = area * channel + half * (grid.columns * row + tile.columns.start);
        for (const end = to + count; to < end; to++, from += stride) {
          means[to] = Math.min(Math.max(values[from], LATENT_MIN), LATENT_MAX);
          indices[to] = Math.min(Math.max(values[from + outputs] + INDEX_OFFSET, 0), SCALES - 1);
        }
      }
    }
  }

  /** Compare what exact networks make of a fixed input with hashes of what they make everywhere else. */
  #check(): void {
    const { kernel } = this;
    const names = ['hyper_synthesis', ...this.#contexts.map((_, step) => `context_${step}`)];
    for (const [place, name] of names.entries()) {
      const digest = kernel.within(() => (place ? this.#checkContext(this.#contexts[place - 1]) : this.#checkHyper()));
      if (digest !== this.arrays.description.hashes[name]) {
        throw new ModelError(`${this.name}: ${name} computes wrongly in this browser, or was altered`);
      }
    }
  }

  #checkHyper(): string {
    const { features, inputs } = this.#hyper;
    const x = this.#gather(pattern(4 * inputs), inputs, CHECKED, 1, WHOLE, padded(inputs), 0, (value) => value);
    const out = this.#hyper.run(x, 2, 2, Float32Array.from(pattern(features)));
    const values = this.kernel.floats(out, features * 64);
    return hashOf(features * 64, (place) => values[features * (place % 64) + Math.floor(place / 64)]);
  }

  #checkContext(context: Context): string {
    const [depth, area] = [this.#hyper.features, (2 * CELLS) ** 2];
    const known = context.inputs - depth;
    const stride = padded(context.inputs);
    const x = this.#gather(pattern(area * known), known, CHECKED, CELLS, WHOLE, stride, depth, clipKnown);
    const features = this.#gather(pattern(area * depth), depth, CHECKED, CELLS, WHOLE, depth, 0, (value) => value);
    const cells = this.kernel.floats(x, stride * area);
    for (let cell = 0; cell < area; cell++) {
      cells.set(this.kernel.floats(features + 4 * depth * cell, depth), stride * cell);
    }
    const count = context.outputs * (area / 2);
    const prediction = { means: new Int16Array(count), indices: new Uint8Array(count) };
    this.#scatter(context, context.run(x, 2 * CELLS, 2 * CELLS), WHOLE, CHECKED, prediction);
    return hashOf(2 * count, (place) =>
      place < count ? prediction.means[place] : prediction.indices[place - count],
    );
  }
}

const CHECKED: Grid = { rows: 2, columns: 2 };
const WHOLE: Tile = {
  rows: { start: 0, stop: 2 },
  columns: { start: 0, stop: 2 },
  outerRows: { start: 0, stop: 2 },
  outerColumns: { start: 0, stop: 2 },
};

/** Numbers as the check of exact networks takes them. */
function pattern(count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, place) => ((place * 7919) % 251) - 125);
}

/** SHA-256 of numbers of 32 bits. */
function hashOf(count: number, number: (place: number) => number): string {
  const view = new DataView(new ArrayBuffer(4 * count));
  for (let place = 0; place < count; place++) view.setInt32(4 * place, number(place), true);
  return bytesToHex(sha256(new Uint8Array(view.buffer)));
}

function clipKnown(value: number): number {
  return Math.min(Math.max(value, KNOWN_MIN), KNOWN_MAX);
}

function cut(frequencies: ArrayLike<number>, lengths: ArrayLike<number>): Table[] {
  const all = Int32Array.from(frequencies);
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return new Table(all.slice(start - length, start));
  });
}

/** The rows of cells of a tile without its halo: where each begins in the tile with halo, and in the picture. */
function* rowsWithin(tile: Tile, cells: number, grid: Grid): Generator<{ from: number; to: number }> {
  const outer = cells * lengthOf(tile.outerColumns);
  const skipped = cells * (tile.columns.start - tile.outerColumns.start);
  for (let row = cells * tile.rows.start; row < cells * tile.rows.stop; row++) {
    yield {
      from: outer * (row - cells * tile.outerRows.start) + skipped,
      to: cells * (grid.columns * row + tile.columns.start),
    };
  }
}

