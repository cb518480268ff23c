/** Between planes of a whole picture, [channels, rows, columns], and a tile of cells in the kernel's memory. */

import { type Address, after, type Kernel, padded } from "./kernel.ts";
import { type Grid, lengthOf, type Tile } from "./tiles.ts";

/** Cells, across and down, of a block of 64 x 64 pixels: latents have 4, hyper latents 1. */
export const LATENT_CELLS = 4;
export const HYPER_CELLS = 1;

/** Rows and columns of cells of a tile with its halo. */
export function outerCells(tile: Tile, cells: number): Grid {
  return { rows: cells * lengthOf(tile.outerRows), columns: cells * lengthOf(tile.outerColumns) };
}

/** Planes of a picture of `grid` blocks, with so many cells in each direction of a block. */
export interface Planes {
  readonly values: Int16Array | Int32Array;
  readonly channels: number;
  readonly grid: Grid;
  readonly cells: number;
}

/** What becomes of a value on its way into the kernel's memory. */
export type Change = (value: number, channel: number) => number;

/** A tile with its halo, as rows of cells; the planes begin at channel `first` of each, and more may be put before. */
export function gather(kernel: Kernel, planes: Planes, tile: Tile, first: number, change: Change): Address {
  const { values, channels, grid, cells } = planes;
  const { rows, columns } = outerCells(tile, cells);
  const [top, left] = [cells * tile.outerRows.start, cells * tile.outerColumns.start];
  const width = cells * grid.columns;
  const area = cells * grid.rows * width;
  const stride = padded(first + channels);
  const address = kernel.allocate(stride, rows * columns);
  const out = kernel.floats(address, stride * rows * columns);
  if (stride !== channels) out.fill(0);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row++) {
      let from = area * channel + width * (top + row) + left;
      let to = stride * columns * row + first + channel;
      for (const end = from + columns; from < end; from++, to += stride) out[to] = change(values[from], channel);
    }
  }
  return address;
}

/** Features of a picture, [4 rows, 4 columns, channels] of so many blocks. */
export interface Features {
  readonly values: Uint8Array;
  readonly channels: number;
  readonly grid: Grid;
}

/** Put the features of a tile with its halo at the beginning of each of its cells. */
export function putFeatures(kernel: Kernel, features: Features, tile: Tile, x: Address, stride: number): void {
  const { rows, columns } = outerCells(tile, LATENT_CELLS);
  const out = kernel.floats(x, stride * rows * columns);
  const width = LATENT_CELLS * features.grid.columns;
  for (let row = 0; row < rows; row++) {
    const start = width * (LATENT_CELLS * tile.outerRows.start + row) + LATENT_CELLS * tile.outerColumns.start;
    for (let column = 0; column < columns; column++) {
      const from = features.channels * (start + column);
      out.set(features.values.subarray(from, from + features.channels), stride * (columns * row + column));
    }
  }
}

/** Features of a tile with its halo, as the hyper synthesis gives them, without that into those of the picture. */
export function takeFeatures(kernel: Kernel, x: Address, tile: Tile, features: Features): void {
  const outer = LATENT_CELLS * lengthOf(tile.outerColumns);
  const skipped = LATENT_CELLS * (tile.columns.start - tile.outerColumns.start);
  const count = features.channels * LATENT_CELLS * lengthOf(tile.columns);
  for (let row = LATENT_CELLS * tile.rows.start; row < LATENT_CELLS * tile.rows.stop; row++) {
    const from = outer * (row - LATENT_CELLS * tile.outerRows.start) + skipped;
    const to = LATENT_CELLS * (features.grid.columns * row + tile.columns.start);
    features.values.set(kernel.floats(after(x, features.channels * from), count), features.channels * to);
  }
}

export const LATENT_MIN = -(1 << 15);
export const LATENT_MAX = (1 << 15) - 1;
const INDEX_OFFSET = 24;
const SCALES = 64;

/** Means in units of 1/16 and scale indices of the latents of a step, [channels, 4 rows, 2 columns] of so many blocks. */
export interface Prediction {
  readonly means: Int16Array;
  readonly indices: Uint8Array;
  readonly channels: number;
  readonly grid: Grid;
}

export function newPrediction(channels: number, grid: Grid): Prediction {
  const count = (channels * LATENT_CELLS * grid.rows * LATENT_CELLS * grid.columns) / 2;
  return { means: new Int16Array(count), indices: new Uint8Array(count), channels, grid };
}

/** What a context makes of a tile with its halo, [rows, columns / 2, stride], without that into that of the picture. */
export function takePrediction(kernel: Kernel, x: Address, stride: number, tile: Tile, prediction: Prediction): void {
  const { means, indices, channels, grid } = prediction;
  const half = LATENT_CELLS / 2;
  const outer = half * lengthOf(tile.outerColumns);
  const values = kernel.floats(x, stride * LATENT_CELLS * lengthOf(tile.outerRows) * outer);
  const area = LATENT_CELLS * grid.rows * half * grid.columns;
  const count = half * lengthOf(tile.columns);
  const skipped = half * (tile.columns.start - tile.outerColumns.start);
  for (let row = LATENT_CELLS * tile.rows.start; row < LATENT_CELLS * tile.rows.stop; row++) {
    const start = stride * (outer * (row - LATENT_CELLS * tile.outerRows.start) + skipped);
    for (let channel = 0; channel < channels; channel++) {
      let from = start + channel;
      let to = area * channel + half * (grid.columns * row + tile.columns.start);
      for (const end = to + count; to < end; to++, from += stride) {
        means[to] = Math.min(Math.max(values[from], LATENT_MIN), LATENT_MAX);
        indices[to] = Math.min(Math.max(values[from + channels] + INDEX_OFFSET, 0), SCALES - 1);
      }
    }
  }
}
