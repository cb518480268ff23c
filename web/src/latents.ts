import type { SymbolReader } from "./entropy/reader.ts";
import { DamagedError } from "./errors.ts";
import { crc32 } from "./format/bytes.ts";
import { nearestKnot } from "./format/quality.ts";
import type { Latents, Layer, Model } from "./model/model.ts";
import { firstColumn } from "./networks/exact.ts";
import { type Features, LATENT_CELLS, LATENT_MAX, LATENT_MIN } from "./networks/planes.ts";
import type { Grid } from "./networks/tiles.ts";

const HYPER_MAX = 127;
const LATENT_UNIT = 16;

/** Reads the layers of a picture, or generates them; see format_spec.md, "Layers". */
export class LayerDecoder {
  readonly latents: Latents;
  readonly #features: Features;

  /**
   * Reads the hyper latents, which the base layer begins with.
   *
   * @throws DamagedError: they are damaged.
   */
  constructor(
    readonly model: Model,
    reader: SymbolReader,
    grid: Grid,
    quality: number,
    readonly allCoded: boolean,
  ) {
    this.#features = model.hyperSynthesis(readHyper(model, reader, grid, quality), grid, quality);
    const area = LATENT_CELLS * LATENT_CELLS * grid.rows * grid.columns;
    this.latents = { grid, values: new Int16Array(model.enhancement.stop * area) };
  }

  /**
   * Read a layer and fill it in.
   *
   * @param crc - of its latents
   * @throws DamagedError: symbols do not fit the layer, or the latents not their CRC.
   */
  read(reader: SymbolReader, layer: Layer, crc: number): void {
    this.#fill(layer, (indices) => this.#readSymbols(reader, indices));
    reader.finish();
    const { values, grid } = this.latents;
    const area = LATENT_CELLS * LATENT_CELLS * grid.rows * grid.columns;
    const planes = values.subarray(area * layer.start, area * layer.stop);
    if (crc32(new Uint8Array(planes.buffer, planes.byteOffset, planes.byteLength)) !== crc) {
      throw new DamagedError("the decoded latents do not match their checksum");
    }
  }

  /** Fill a layer with its means: every symbol zero. */
  generate(layer: Layer): void {
    this.#fill(layer, (indices) => new Int32Array(indices.length));
  }

  /** All symbols of a step, of which those of scale index 0 are zero and not coded. */
  #readSymbols(reader: SymbolReader, indices: Uint8Array): Int32Array {
    const tables = this.model.scaleTables;
    if (this.allCoded) return reader.read(indices, tables);
    const coded = reader.read(
      indices.filter((index) => index !== 0),
      tables,
    );
    const symbols = new Int32Array(indices.length);
    let next = 0;
    for (let place = 0; place < indices.length; place++) if (indices[place]) symbols[place] = coded[next++];
    return symbols;
  }

  #fill(layer: Layer, symbolsOf: (indices: Uint8Array) => Int32Array): void {
    const { grid, values } = this.latents;
    const [rows, half] = [LATENT_CELLS * grid.rows, (LATENT_CELLS / 2) * grid.columns];
    for (const step of layer.steps) {
      const { means, indices } = this.model.context(step, this.#features, this.latents, layer);
      const symbols = symbolsOf(indices);
      let from = 0;
      for (let channel = layer.start; channel < layer.stop; channel++) {
        for (let row = 0; row < rows; row++) {
          let to = 2 * half * (rows * channel + row) + firstColumn(row, step === layer.steps[0]);
          for (const end = from + half; from < end; from++, to += 2) {
            const latent = LATENT_UNIT * symbols[from] + means[from];
            if (latent < LATENT_MIN || latent > LATENT_MAX) throw new DamagedError("latents are out of range");
            values[to] = latent;
          }
        }
      }
    }
  }
}

/** Hyper latents [channels, rows, columns]. */
function readHyper(model: Model, reader: SymbolReader, grid: Grid, quality: number): Int32Array {
  const area = grid.rows * grid.columns;
  const channels = Uint8Array.from({ length: model.hyper * area }, (_, place) => Math.floor(place / area));
  const hyper = reader.read(channels, model.hyperTables(nearestKnot(quality)));
  if (hyper.some((value) => Math.abs(value) > HYPER_MAX)) throw new DamagedError("hyper latents are out of range");
  return hyper;
}
