/** What scripts import of this package. Pages that only show pictures include `aez.js` instead. */

import type { Resolution } from "./decode.ts";
import { Pool } from "./page/pool.ts";

export type { Resolution } from "./decode.ts";
export { AezError, DamagedError, FormatError, ModelError, PictureError } from "./errors.ts";
export { type Info, info } from "./info.ts";

let pool: Pool | undefined;

/** Say where the workers' scripts and the weights are, as `aez web` writes them: before the first `decode`. */
export function configure({ folder }: { folder: string | URL }): void {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  pool = new Pool(new URL(folder, base).href.replace(/\/?$/, "/"));
}

/**
 * Decode a file; for "medium", its first `mediumBytes` suffice. Workers do it, and it can be called several times at once.
 *
 * @returns pixels in sRGB, or in Display P3 where the file has other colours and the browser knows it
 * @throws FormatError: not an aez file, or one of a newer version.
 * @throws DamagedError: truncated or altered.
 * @throws PictureError: it declares more than 128 megapixels.
 * @throws TypeError: there is no such resolution.
 * @throws ModelError: the weights that it needs are not there, or the browser computes wrongly.
 */
export async function decode(
  data: BufferSource,
  { resolution = "high" }: { resolution?: Resolution } = {},
): Promise<ImageData> {
  pool ??= new Pool(new URL("./aez/", import.meta.url).href);
  return pool.decode(data, resolution);
}
