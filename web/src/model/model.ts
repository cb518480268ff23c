import { Table } from "../entropy/tables.ts";
import { ModelError } from "../errors.ts";
import { interpolate, interpolateExactly, KNOTS } from "../format/quality.ts";
import { Context, HyperSynthesis } from "../networks/exact.ts";
import { type Kernel, padded } from "../networks/kernel.ts";
import {
  type Features,
  gather,
  HYPER_CELLS,
  LATENT_CELLS,
  newPrediction,
  outerCells,
  type Prediction,
  putFeatures,
  takeFeatures,
  takePrediction,
} from "../networks/planes.ts";
import { MediumSynthesis, type Renderer, Synthesis } from "../networks/synthesis.ts";
import { type Grid, type Tile, tilesOf } from "../networks/tiles.ts";
import { Arrays, type Description } from "./arrays.ts";
import { hashOfContext, hashOfHyper } from "./check.ts";

const KNOWN_MIN = -128;
const KNOWN_MAX = 127;
/** Latents become activations times this. */
const LATENT_TO_ACTIVATION = 1 / 16;

/** Latents of a picture in units of 1/16, [channels, 4 rows, 4 columns] of so many blocks. */
export interface Latents {
  readonly grid: Grid;
  readonly values: Int16Array;
}

/** The context steps of a layer, and its latent channels. */
export interface Layer {
  readonly steps: readonly [number, number];
  readonly start: number;
  readonly stop: number;
}

/** A model: its tables, and its networks as methods, which run tile by tile. */
export class Model {
  readonly base: Layer;
  readonly enhancement: Layer;
  readonly scaleTables: readonly Table[];
  readonly #description: Description;
  readonly #arrays: Arrays;
  readonly #hyperTables = new Map<number, readonly Table[]>();
  readonly #hyper: HyperSynthesis;
  readonly #contexts: Context[] = [];
  readonly #mediumSynthesis: MediumSynthesis;
  #synthesis: Synthesis | undefined;

  /**
   * @param bundle - for medium pictures
   * @throws ModelError: the bundle is damaged, or an exact network computes wrongly in this browser.
   */
  constructor(
    readonly kernel: Kernel,
    bundle: Uint8Array,
  ) {
    const arrays = new Arrays(bundle);
    const { base, enhancement } = arrays.description;
    this.#arrays = arrays;
    this.#description = arrays.description;
    this.base = { steps: [0, 1], start: 0, stop: base };
    this.enhancement = { steps: [2, 3], start: base, stop: base + enhancement };
    this.scaleTables = cut(arrays.get("scale_frequencies"), arrays.get("scale_lengths"));
    this.#hyper = new HyperSynthesis(kernel, arrays);
    this.#makeSure("hyper_synthesis", hashOfHyper(this.#hyper));
    this.#addContexts(arrays, this.base);
    this.#mediumSynthesis = new MediumSynthesis(kernel, arrays);
  }

  /** Whether there is what high pictures need. */
  get complete(): boolean {
    return this.#synthesis !== undefined;
  }

  /**
   * Add what high pictures need besides.
   *
   * @throws ModelError: as the constructor.
   */
  add(bundle: Uint8Array): void {
    const arrays = new Arrays(bundle);
    if (arrays.description.id !== this.#description.id) throw new ModelError("the bundles are of different models");
    this.#addContexts(arrays, this.enhancement);
    this.#synthesis = new Synthesis(this.kernel, arrays);
  }

  /** How many hyper latents a block has. */
  get hyper(): number {
    return this.#hyper.inputs;
  }

  /** A table for each channel of the hyper latents, for the knot nearest to the quality. */
  hyperTables(knot: number): readonly Table[] {
    let tables = this.#hyperTables.get(knot);
    if (!tables) {
      const all = this.#arrays.get("hyper_frequencies");
      const row = all.subarray((knot * all.length) / KNOTS, ((knot + 1) * all.length) / KNOTS);
      tables = cut(row, new Array<number>(this.hyper).fill(row.length / this.hyper));
      this.#hyperTables.set(knot, tables);
    }
    return tables;
  }

  /** Hyper latents [channels, rows, columns] -> features. */
  hyperSynthesis(values: Int32Array, grid: Grid, quality: number): Features {
    const { kernel } = this;
    const channels = this.#hyper.features;
    const offset = interpolateExactly(this.#arrays.get("offsets"), channels, quality);
    const hyper = { values, channels: this.hyper, grid, cells: HYPER_CELLS };
    const count = channels * LATENT_CELLS ** 2 * grid.rows * grid.columns;
    const features = { values: new Uint8Array(count), channels, grid };
    this.#overTiles("hyper_synthesis", grid, (tile) => {
      const { rows, columns } = outerCells(tile, HYPER_CELLS);
      const x = gather(kernel, hyper, tile, 0, (value) => value);
      takeFeatures(kernel, this.#hyper.run(x, rows, columns, offset), tile, features);
    });
    return features;
  }

  /** Means and scale indices of what a step decodes, given the latents decoded before. */
  context(step: number, features: Features, { values, grid }: Latents, layer: Layer): Prediction {
    const { kernel } = this;
    const network = this.#contexts[step];
    const prediction = newPrediction(network.outputs, grid);
    const channels = step === layer.steps[0] ? layer.start : layer.stop;
    const known = { values, channels, grid, cells: LATENT_CELLS };
    this.#overTiles(`context_${step}`, grid, (tile) => {
      const { rows, columns } = outerCells(tile, LATENT_CELLS);
      const x = gather(kernel, known, tile, features.channels, clipKnown);
      putFeatures(kernel, features, tile, x, padded(network.inputs));
      takePrediction(kernel, network.run(x, rows, columns), network.stride, tile, prediction);
    });
    return prediction;
  }

  /** All latents -> samples of the high picture [height, width, 3]. */
  synthesis(latents: Latents, quality: number, width: number, height: number): Uint8Array {
    if (!this.#synthesis) throw new ModelError("the bundle for high pictures is missing");
    return this.#render("synthesis", this.#synthesis, latents, quality, width, height);
  }

  /** Base latents -> samples of the medium picture [height, width, 3]; others are not looked at. */
  mediumSynthesis(latents: Latents, quality: number, width: number, height: number): Uint8Array {
    return this.#render("medium_synthesis", this.#mediumSynthesis, latents, quality, width, height);
  }

  #render(
    name: string,
    network: Renderer,
    { values, grid }: Latents,
    quality: number,
    width: number,
    height: number,
  ): Uint8Array {
    const { kernel } = this;
    const { inputs, pixelsPerBlock } = network;
    const logSteps = Float32Array.from(this.#arrays.get("log_step"));
    const steps = interpolate(logSteps, logSteps.length / KNOTS, quality).map(
      (step) => Math.exp(step) * LATENT_TO_ACTIVATION,
    );
    const latents = { values, channels: inputs, grid, cells: LATENT_CELLS };
    const picture = new Uint8Array(3 * width * height);
    this.#overTiles(name, grid, (tile) => {
      const { rows, columns } = outerCells(tile, LATENT_CELLS);
      const x = gather(kernel, latents, tile, 0, (value, channel) => value * steps[channel]);
      const left = pixelsPerBlock * tile.columns.start;
      const count = Math.min(pixelsPerBlock * tile.columns.stop, width) - left;
      const skipped = pixelsPerBlock * (tile.columns.start - tile.outerColumns.start);
      const [first, end] = [pixelsPerBlock * tile.rows.start, Math.min(pixelsPerBlock * tile.rows.stop, height)];
      network.run(x, rows, columns, quality, (row, samples) => {
        const place = pixelsPerBlock * tile.outerRows.start + row;
        if (place < first || place >= end || count <= 0) return;
        picture.set(samples.subarray(3 * skipped, 3 * (skipped + count)), 3 * (place * width + left));
      });
    });
    return picture;
  }

  #overTiles(network: string, grid: Grid, run: (tile: Tile) => void): void {
    for (const tile of tilesOf(grid, this.#description.halos[network])) this.kernel.within(() => run(tile));
  }

  #addContexts(arrays: Arrays, layer: Layer): void {
    for (const step of layer.steps) {
      const network = new Context(this.kernel, arrays, step, step === layer.steps[0]);
      this.#makeSure(`context_${step}`, hashOfContext(network, this.#hyper.features));
      this.#contexts[step] = network;
    }
  }

  #makeSure(network: string, hash: string): void {
    const { name, hashes } = this.#description;
    if (hash !== hashes[network]) {
      throw new ModelError(`${name}: ${network} computes wrongly in this browser, or was altered`);
    }
  }
}

/** How contexts see known latents. */
export function clipKnown(value: number): number {
  return Math.min(Math.max(value, KNOWN_MIN), KNOWN_MAX);
}

/** Frequencies of many tables, one after the other. */
function cut(frequencies: ArrayLike<number>, lengths: ArrayLike<number>): Table[] {
  const all = Int32Array.from(frequencies);
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return new Table(all.slice(start - length, start));
  });
}
