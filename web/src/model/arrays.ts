import { ModelError, messageOf } from "../errors.ts";
import { viewOf } from "../format/bytes.ts";
import { unpackWholeFrame } from "../format/frame.ts";

/** Numbers of a model, in the order of their rows. */
export type Numbers = Int8Array | Int16Array | Int32Array | Float32Array;

/** Values of the last bit of a float16, by its exponent. */
const SCALES = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));
const BYTES_MAX = 1 << 28;
const READERS: Record<string, (bytes: Uint8Array) => Numbers> = {
  I8: (bytes) => new Int8Array(bytes.slice().buffer),
  I16: (bytes) => numbers(bytes, 2, Int16Array, (view, at) => view.getInt16(at, true)),
  I32: (bytes) => numbers(bytes, 4, Int32Array, (view, at) => view.getInt32(at, true)),
  F16: (bytes) => numbers(bytes, 2, Float32Array, (view, at) => halfToFloat(view.getUint16(at, true))),
};

/** The arrays of a bundle of weights by name; see format_spec.md, "Bundles". */
export class Arrays {
  readonly #arrays = new Map<string, Numbers>();
  readonly description: Description;

  /**
   * @throws ModelError: the bundle is damaged.
   */
  constructor(bundle: Uint8Array) {
    this.description = this.#read(bundle);
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  /**
   * @throws ModelError: there is no such array.
   */
  get(name: string): Numbers {
    const found = this.#arrays.get(name);
    if (!found) throw new ModelError(`the bundle of the model has no ${name}`);
    return found;
  }

  #read(bundle: Uint8Array): Description {
    try {
      const data = unpackWholeFrame(bundle, BYTES_MAX);
      const length = Number(viewOf(data).getBigUint64(0, true));
      const header = JSON.parse(new TextDecoder().decode(data.subarray(8, 8 + length)));
      const { __metadata__: metadata, ...entries } = header as { __metadata__: { description: string } } & Entries;
      for (const [name, { dtype, data_offsets: offsets }] of Object.entries(entries)) {
        const [start, stop] = offsets.map((offset) => 8 + length + offset);
        this.#arrays.set(name, READERS[dtype](data.subarray(start, stop)));
      }
      return JSON.parse(metadata.description) as Description;
    } catch (error) {
      throw new ModelError(`the bundle of the model is damaged (${messageOf(error)})`);
    }
  }
}

/** What `model.json` says, as far as decoding needs it. */
export interface Description {
  readonly name: string;
  readonly id: string;
  readonly base: number;
  readonly enhancement: number;
  readonly hashes: Readonly<Record<string, string>>;
  readonly halos: Readonly<Record<string, number>>;
  readonly qualities: readonly number[];
}

type Entries = Record<string, { dtype: string; data_offsets: [number, number] }>;

function numbers<T extends Numbers>(
  bytes: Uint8Array,
  size: number,
  kind: new (length: number) => T,
  read: (view: DataView, at: number) => number,
): T {
  const found = new kind(bytes.length / size);
  const view = viewOf(bytes);
  for (let place = 0; place < found.length; place++) found[place] = read(view, size * place);
  return found;
}

/** The value of a float16, which JavaScript has had since 2025 only. */
function halfToFloat(half: number): number {
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  const magnitude = exponent ? (1024 + fraction) * SCALES[exponent] : fraction * SCALES[1];
  return half & 0x8000 ? -magnitude : magnitude;
}
