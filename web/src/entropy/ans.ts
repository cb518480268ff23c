import { DamagedError } from "../errors.ts";
import { viewOf } from "../format/bytes.ts";
import type { SymbolReader } from "./reader.ts";
import { PRECISION, Table } from "./tables.ts";

const PREFIX_MAX = 16;
const MASK = (1 << PRECISION) - 1;
const STATE_BITS = 64;
/** A symbol takes at least this share of its bits from the coder. */
const LEAST_SHARE = 1 - 2 ** -7;
const PREFIXES = new Table(
  Int32Array.from({ length: PREFIX_MAX + 1 }, (_, p) => 1 << (PRECISION - Math.min(p + 1, PREFIX_MAX))),
);

/** rANS (Duda 2013): a stack of 32-bit words and a state of 64 bits; see format_spec.md, "rANS". */
export class AnsReader implements SymbolReader {
  readonly #words: DataView;
  #left: number;
  #high = 0;
  #low = 0;

  constructor(data: Uint8Array) {
    if (data.length % 4) throw new DamagedError("a layer does not consist of whole 32-bit words");
    this.#words = viewOf(data);
    this.#left = data.length / 4;
    if (this.#left && !this.#words.getUint32(data.length - 4)) {
      throw new DamagedError("a layer ends in the wrong word");
    }
    if (this.#left) this.#low = this.#nextWord();
    if (this.#left) {
      this.#high = this.#low;
      this.#low = this.#nextWord();
    }
  }

  read(indices: Uint8Array, tables: readonly Table[]): Int32Array {
    const counts = new Uint32Array(tables.length);
    for (const index of indices) counts[index]++;
    this.#refuseTooMany(counts, tables);
    const sorted = new Int32Array(indices.length);
    const places = new Uint32Array(tables.length);
    let start = 0;
    for (const [index, count] of counts.entries()) {
      places[index] = start;
      this.#readRun(tables[index], sorted.subarray(start, start + count));
      start += count;
    }
    const symbols = new Int32Array(indices.length);
    for (let place = 0; place < indices.length; place++) symbols[place] = sorted[places[indices[place]]++];
    return symbols;
  }

  finish(): void {
    if (this.#left || this.#high || this.#low) throw new DamagedError("a layer has symbols left over");
  }

  /** Small files can declare large pictures: those that cannot hold the symbols are refused before the work. */
  #refuseTooMany(counts: Uint32Array, tables: readonly Table[]): void {
    const least = counts.reduce((sum, count, index) => sum + count * tables[index].leastBits, 0);
    if (LEAST_SHARE * least > 32 * (this.#left + 2) + STATE_BITS) {
      throw new DamagedError("a layer is too short for its symbols");
    }
  }

  /** The symbols of one table, and then their escapes. */
  #readRun(table: Table, symbols: Int32Array): void {
    const { halfWidth, starts } = table;
    let escapes = 0;
    for (let place = 0; place < symbols.length; place++) {
      const entry = this.#pop(table, starts);
      symbols[place] = entry - halfWidth;
      if (symbols[place] > halfWidth) escapes++;
    }
    if (!escapes) return;
    const prefixes = Uint8Array.from({ length: escapes }, () => this.#pop(PREFIXES, PREFIXES.starts));
    let next = 0;
    for (let place = 0; place < symbols.length; place++) {
      if (symbols[place] <= halfWidth) continue;
      const prefix = prefixes[next++];
      const suffix = this.#popUniform(prefix + 1);
      const magnitude = halfWidth + (1 << prefix) + (suffix >> 1);
      symbols[place] = suffix & 1 ? -magnitude : magnitude;
    }
  }

  #pop(table: Table, starts: Int32Array): number {
    const remainder = this.#low & MASK;
    const entry = table.entryAt(remainder);
    const start = starts[entry];
    this.#advance(remainder - start, starts[entry + 1] - start);
    return entry;
  }

  /** A value of so many bits, all equally likely. */
  #popUniform(bits: number): number {
    const remainder = this.#low & MASK;
    const value = remainder >> (PRECISION - bits);
    this.#advance(remainder & ((1 << (PRECISION - bits)) - 1), 1 << (PRECISION - bits));
    return value;
  }

  /** state = frequency * (state >> PRECISION) + rest, and the next word if the state is short of one. */
  #advance(rest: number, frequency: number): void {
    const high = this.#high >>> PRECISION;
    const low = ((this.#high << (32 - PRECISION)) | (this.#low >>> PRECISION)) >>> 0;
    // Products of 24 and 16 bits, since numbers are exact below 2^53 only.
    const lower = frequency * (low & 0xffff) + rest;
    const upper = frequency * (low >>> 16) + Math.floor(lower / 0x10000);
    this.#low = ((upper & 0xffff) * 0x10000 + (lower & 0xffff)) >>> 0;
    this.#high = Math.floor(upper / 0x10000) + frequency * high;
    if (this.#high === 0 && this.#left) {
      this.#high = this.#low;
      this.#low = this.#nextWord();
    }
  }

  #nextWord(): number {
    return this.#words.getUint32(4 * --this.#left, true);
  }
}
