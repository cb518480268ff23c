/** Tables hold frequencies that sum to 2^PRECISION. */
export const PRECISION = 24;
const BUCKETS = 256;

/** Frequencies of the symbols -halfWidth to halfWidth and, last, of the escape. */
export class Table {
  readonly halfWidth: number;
  /** Bits of the likeliest symbol. */
  readonly leastBits: number;
  /** Where each entry starts, and at last 2^PRECISION. */
  readonly starts: Int32Array;
  readonly #firsts: Uint16Array;

  constructor(frequencies: Int32Array) {
    this.halfWidth = frequencies.length / 2 - 1;
    this.leastBits = PRECISION - Math.log2(frequencies.reduce((most, value) => Math.max(most, value), 1));
    this.starts = new Int32Array(frequencies.length + 1);
    for (const [entry, frequency] of frequencies.entries()) this.starts[entry + 1] = this.starts[entry] + frequency;
    this.#firsts = new Uint16Array(BUCKETS);
    for (let bucket = 0, entry = 0; bucket < BUCKETS; bucket++) {
      while (this.starts[entry + 1] <= bucket << (PRECISION - 8)) entry++;
      this.#firsts[bucket] = entry;
    }
  }

  /** The entry within which a number below 2^PRECISION falls. */
  entryAt(remainder: number): number {
    const { starts } = this;
    let entry = this.#firsts[remainder >>> (PRECISION - 8)];
    while (starts[entry + 1] <= remainder) entry++;
    return entry;
  }
}
