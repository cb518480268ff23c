import { ModelError } from "../errors.ts";

/** What is kept in the browser between visits: decoded pictures and weights. Insecure pages have no place to keep it. */

const PICTURES = "aez-pictures-2";
const WEIGHTS = "aez-weights-1";
/** Pictures are kept up to so many pixels, of up to four bytes; then the oldest go. */
const PIXELS_MAX = 64 << 20;
/** To look at all that is kept takes long, so each worker does it once for so many pixels. */
const TIDY_EVERY = 4 << 20;
let untidy = TIDY_EVERY;

/** A decoded picture by a name that follows from its file, and its pixels. */
export async function keptPicture(name: string, pixels: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const cache = await open(PICTURES);
  const found = await cache?.match(addressOf(name, pixels)).catch(() => undefined);
  return found && new Uint8Array(await found.arrayBuffer());
}

/** Keep a decoded picture, and let the oldest go if there is too much, or if the disk is full. */
export async function keepPicture(name: string, pixels: number, picture: Uint8Array<ArrayBuffer>): Promise<void> {
  const cache = await open(PICTURES);
  if (!cache) return;
  const put = () => cache.put(addressOf(name, pixels), new Response(picture));
  await put().catch(async () => {
    await tidy(cache, PIXELS_MAX / 2);
    await put();
  });
  untidy += pixels;
  if (untidy < TIDY_EVERY) return;
  untidy = 0;
  await tidy(cache, PIXELS_MAX);
}

async function tidy(cache: Cache, most: number): Promise<void> {
  const keys = await cache.keys();
  const sizes = keys.map(({ url }) => Number(new URL(url).searchParams.get("pixels")));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  for (let oldest = 0; total > most; oldest++) {
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

/** It says how large the picture is, so that nothing has to be read to add them up. */
function addressOf(name: string, pixels: number): string {
  return `https://kept.invalid/${name}?pixels=${pixels}`; // which is never fetched
}

/** Private windows, full disks and pages from files refuse. */
async function open(name: string): Promise<Cache | undefined> {
  try {
    return await self.caches?.open(name);
  } catch {
    return undefined;
  }
}
