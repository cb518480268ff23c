import { DamagedError } from "../errors.ts";
import { viewOf } from "../format/bytes.ts";
import type { SymbolReader } from "./reader.ts";

const ESCAPE = -128;
const BYTE_MAX = 127;
const SYMBOL_MAX = 1 << 17;

/** Symbols as signed bytes, -128 standing for one of the wide ones behind; see format_spec.md, "zstd". */
export class PlainReader implements SymbolReader {
  readonly #view: DataView;
  readonly #end: number;
  #place = 0;
  #escape: number;

  constructor(data: Uint8Array) {
    this.#view = viewOf(data);
    const count = data.length < 4 ? Number.POSITIVE_INFINITY : this.#view.getUint32(data.length - 4, true);
    this.#end = data.length - 4 - 4 * count;
    this.#escape = this.#end;
    if (this.#end < 0) throw new DamagedError("a layer is too short");
    for (let place = this.#end; place < data.length - 4; place += 4) {
      const magnitude = Math.abs(this.#view.getInt32(place, true));
      if (magnitude > SYMBOL_MAX || magnitude <= BYTE_MAX) throw new DamagedError("a layer has an impossible symbol");
    }
  }

  read(indices: Uint8Array): Int32Array {
    if (indices.length > this.#end - this.#place) throw new DamagedError("a layer is too short for its symbols");
    const symbols = new Int32Array(indices.length);
    for (let place = 0; place < symbols.length; place++) {
      const symbol = this.#view.getInt8(this.#place++);
      symbols[place] = symbol === ESCAPE ? this.#nextWide() : symbol;
    }
    return symbols;
  }

  finish(): void {
    if (this.#place !== this.#end || this.#escape !== this.#view.byteLength - 4) {
      throw new DamagedError("a layer has symbols left over");
    }
  }

  #nextWide(): number {
    if (this.#escape === this.#view.byteLength - 4) throw new DamagedError("a layer has too few escapes");
    this.#escape += 4;
    return this.#view.getInt32(this.#escape - 4, true);
  }
}
