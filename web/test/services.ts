import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Services } from '../src/decode.ts';
import { startZstd } from '../src/format/frame.ts';
import { Arrays } from '../src/model/arrays.ts';
import { Model } from '../src/model/model.ts';
import { Kernel } from '../src/networks/kernel.ts';
import { libwebp } from '../src/webp.ts';

const ROOT = join(import.meta.dirname, '..');

/** What decoding needs, from files. */
export async function services(): Promise<Services> {
  await startZstd();
  const kernel = await Kernel.start();
  const models = new Map<number, Model>();
  const wasm = join(ROOT, 'node_modules/@jsquash/webp/codec/dec/webp_dec.wasm');
  return {
    async model(id) {
      let model = models.get(id);
      if (!model) {
        const name = join(ROOT, 'build/models', id.toString(16).padStart(8, '0'));
        model = new Model(kernel, new Arrays([await readFile(`${name}.medium`), await readFile(`${name}.high`)]), 'high');
        models.set(id, model);
      }
      return model;
    },
    webp: [libwebp(async () => WebAssembly.compile(await readFile(wasm)))],
  };
}
