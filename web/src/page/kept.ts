import { ModelError } from "../errors.ts";

/** What is kept in the browser between visits: decoded pictures and weights. Insecure pages have no place to keep it. */

const PICTURES = "aez-pictures-1";
const WEIGHTS = "aez-weights-1";
/** Pictures are kept up to so many bytes; then the oldest go. */
const PICTURE_BYTES_MAX = 256 << 20;

/** A decoded picture by a name that follows from its file. */
export async function keptPicture(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const cache = await open(PICTURES);
  const found = await cache?.match(addressOf(name), { ignoreSearch: true });
  return found && new Uint8Array(await found.arrayBuffer());
}

/** Keep a decoded picture, and let the oldest go if there are too many bytes. */
export async function keepPicture(name: string, picture: Uint8Array<ArrayBuffer>): Promise<void> {
  const cache = await open(PICTURES);
  if (!cache) return;
  // The address says how many bytes there are, so that nothing has to be read to add them up.
  await cache.put(`${addressOf(name)}?bytes=${picture.length}`, new Response(picture));
  const keys = await cache.keys();
  const sizes = keys.map(({ url }) => Number(new URL(url).searchParams.get("bytes")));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  for (let oldest = 0; total > PICTURE_BYTES_MAX; oldest++) {
    total -= sizes[oldest];
    await cache.delete(keys[oldest]);
  }
}

/**
 * A file of weights, fetched once and then kept, or `afresh`.
 *
 * @throws ModelError: it cannot be fetched.
 */
export async function keptWeights(url: string, afresh: boolean): Promise<Uint8Array> {
  const cache = await open(WEIGHTS);
  const kept = afresh ? undefined : await cache?.match(url);
  if (kept) return new Uint8Array(await kept.arrayBuffer());
  const response = await fetch(url, { cache: afresh ? "reload" : "default" }).catch(() => undefined);
  if (!response?.ok) throw new ModelError(`there are no weights at ${url}`);
  const weights = new Uint8Array(await response.arrayBuffer());
  await cache?.put(url, new Response(weights)).catch(() => undefined); // a full disk keeps nothing
  return weights;
}

function addressOf(name: string): string {
  return `https://kept.invalid/${name}`; // which is never fetched
}

/** Private windows, full disks and pages from files refuse. */
async function open(name: string): Promise<Cache | undefined> {
  try {
    return await self.caches?.open(name);
  } catch {
    return undefined;
  }
}
