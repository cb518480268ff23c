import wasm from "../../build/kernel.wasm";

/** Where an array begins in the kernel's memory. */
export type Address = number;

/** What `kernel/kernel.ts` exports; there is said what each does. */
interface Exports {
  pointwise(
    x: Address,
    stride: number,
    inputs: number,
    weights: Address,
    bias: Address,
    out: Address,
    outputs: number,
    cells: number,
    floor: number,
  ): void;
  depthwise(
    x: Address,
    rows: number,
    columns: number,
    channels: number,
    row: number,
    first: number,
    skip: number,
    weights: Address,
    bias: Address,
    out: Address,
  ): void;
  addScaled(x: Address, y: Address, gain: Address, out: Address, channels: number, cells: number): void;
  rescale(x: Address, scale: Address, channels: number, cells: number, low: number, high: number): void;
  around(x: Address, rows: number, columns: number, channels: number, row: number, out: Address): void;
  shuffle(x: Address, columns: number, channels: number, out: Address): void;
  addPatches(patches: Address, columns: number, side: number, pitch: number, strip: Address, width: number): void;
  toBytes(x: Address, count: number, out: Address): void;
}

const PAGE = 1 << 16;
const ALIGNMENT = 64;
const FIRST = 1 << 10;

/** Channels are padded to a multiple of this. */
export const LANES = 8;
/** Rows of garbage that may be written behind an array. */
const SPARE = 3;

/** How many floats a cell of so many channels takes. */
export function padded(channels: number): number {
  return Math.ceil(channels / LANES) * LANES;
}

/** Where an array goes on after so many floats. */
export function after(address: Address, floats: number): Address {
  return address + 4 * floats;
}

/** The compiled loops of the networks, and the memory in which they work: a stack of arrays. */
export class Kernel {
  readonly call: Exports;
  readonly #memory: WebAssembly.Memory;
  #top = FIRST;

  private constructor(call: Exports, memory: WebAssembly.Memory) {
    this.call = call;
    this.#memory = memory;
  }

  static async start(): Promise<Kernel> {
    const memory = new WebAssembly.Memory({ initial: 16 });
    const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
    return new Kernel(instance.exports as unknown as Exports, memory);
  }

  /** Room for activations of so many cells, or for one row of so many floats. */
  allocate(channels: number, cells = 1): Address {
    return this.#allocateBytes(4 * padded(channels) * (cells + SPARE));
  }

  /** A copy of an array that the kernel can read, padded with zeros. */
  store(values: ArrayLike<number>): Address {
    const address = this.#allocateBytes(4 * padded(values.length));
    const floats = this.floats(address, padded(values.length));
    floats.fill(0);
    floats.set(values);
    return address;
  }

  /** An array as a view, which is good until more is allocated. */
  floats(address: Address, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, count);
  }

  /** The same of bytes. */
  bytes(address: Address, count: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, count);
  }

  /** Do something, and then free what it allocated. */
  within<T>(work: () => T): T {
    const top = this.#top;
    try {
      return work();
    } finally {
      this.#top = top;
    }
  }

  /** Do something, and free what it allocated if it fails. */
  attempt<T>(work: () => T): T {
    const top = this.#top;
    try {
      return work();
    } catch (error) {
      this.#top = top;
      throw error;
    }
  }

  #allocateBytes(count: number): Address {
    const address = this.#top;
    this.#top = Math.ceil((address + count) / ALIGNMENT) * ALIGNMENT;
    const missing = this.#top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    return address;
  }
}
