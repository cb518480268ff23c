/** Whether the exact networks compute in this browser what they compute everywhere else. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Context, HyperSynthesis } from "../networks/exact.ts";
import { padded } from "../networks/kernel.ts";
import { gather, HYPER_CELLS, LATENT_CELLS, newPrediction, takePrediction } from "../networks/planes.ts";
import { tilesOf } from "../networks/tiles.ts";
import { clipKnown } from "./model.ts";

const GRID = { rows: 2, columns: 2 };
const [TILE] = tilesOf(GRID, 0);
const AREA = (2 * LATENT_CELLS) ** 2;

/** SHA-256 of what the hyper synthesis makes of a fixed input of two by two blocks. */
export function hashOfHyper(network: HyperSynthesis): string {
  const { kernel, features, inputs } = network;
  return kernel.within(() => {
    const hyper = { values: pattern(4 * inputs), channels: inputs, grid: GRID, cells: HYPER_CELLS };
    const x = gather(kernel, hyper, TILE, 0, (value) => value);
    const out = network.run(x, GRID.rows, GRID.columns, Float32Array.from(pattern(features)));
    const values = kernel.floats(out, features * AREA);
    return hashOf(features * AREA, (place) => values[features * (place % AREA) + Math.floor(place / AREA)]);
  });
}

/** The same of a context network. */
export function hashOfContext(network: Context, features: number): string {
  const { kernel } = network;
  return kernel.within(() => {
    const known = network.inputs - features;
    const latents = { values: pattern(AREA * known), channels: known, grid: GRID, cells: LATENT_CELLS };
    const x = gather(kernel, latents, TILE, features, clipKnown);
    const cells = kernel.floats(x, padded(network.inputs) * AREA);
    for (const [place, value] of pattern(AREA * features).entries()) {
      cells[padded(network.inputs) * (place % AREA) + Math.floor(place / AREA)] = value;
    }
    const prediction = newPrediction(network.outputs, GRID);
    const side = 2 * LATENT_CELLS;
    takePrediction(kernel, network.run(x, side, side), network.stride, TILE, prediction);
    const { means, indices } = prediction;
    return hashOf(2 * means.length, (place) => (place < means.length ? means[place] : indices[place - means.length]));
  });
}

function pattern(count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, place) => ((place * 7919) % 251) - 125);
}

/** Of numbers of 32 bits. */
function hashOf(count: number, number: (place: number) => number): string {
  const view = new DataView(new ArrayBuffer(4 * count));
  for (let place = 0; place < count; place++) view.setInt32(4 * place, number(place), true);
  return bytesToHex(sha256(new Uint8Array(view.buffer)));
}
