/** The images of a page, by the addresses of what they show. */

import { isAez, plainAddress } from "./messages.ts";

/** Images of a document that show a file. */
export function showing(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter(({ currentSrc }) => plainUrl(currentSrc) === url);
}

/** Images that may show a file, or be about to: browsers do not say which of its files an image has asked for. */
export function mayShow(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter((image) => urlsOf(image).includes(url));
}

/** All files that an image can choose from. */
export function urlsOf(image: HTMLImageElement): string[] {
  const addresses = [image, ...sourcesOf(image)].flatMap(({ src, srcset }) => [src, ...candidates(srcset)]);
  return addresses.filter(isAez).map(plainUrl);
}

/** The files of a picture element besides those of its image. */
export function sourcesOf(image: HTMLImageElement): HTMLSourceElement[] {
  const parent = image.parentElement;
  return parent instanceof HTMLPictureElement ? [...parent.querySelectorAll("source")] : [];
}

/** Let an image show another file in the place of one. */
export function replaceAddress(image: HTMLImageElement, from: string, to: string): void {
  const lists = [image, ...sourcesOf(image)].filter(({ srcset }) =>
    candidates(srcset).some((one) => isSame(one, from)),
  );
  for (const element of lists) {
    element.srcset = replaceCandidates(element.srcset, (one) => (isSame(one, from) ? to : one));
  }
  if (!lists.length && isSame(image.src, from)) overrule(image, from, to);
}

/** Candidates go before `src`, which stays what the page has set, and counts again when it sets something else. */
function overrule(image: HTMLImageElement, from: string, to: string): void {
  image.srcset = to;
  const changes = new MutationObserver(() => {
    const ours = image.getAttribute("srcset") === to;
    if (ours && isSame(image.src, from)) return;
    changes.disconnect();
    if (ours) image.removeAttribute("srcset");
  });
  changes.observe(image, { attributeFilter: ["src", "srcset"] });
}

/**
 * A candidate of a list: its address, up to the next space; then its width or density, up to the next comma outside of
 * parentheses, unless the address ends with commas (HTML, "parse a srcset attribute").
 */
const CANDIDATE = /[\s,]*(\S*[^\s,])(?:,+(?=\s|$)|(?:\([^)]*\)?|[^,(])*(?:,|$))/g;

function candidates(srcset: string): string[] {
  return Array.from(srcset.matchAll(CANDIDATE), ([, address]) => address);
}

/** A list of candidates with other addresses. */
export function replaceCandidates(srcset: string, replace: (address: string) => string): string {
  return srcset.replace(CANDIDATE, (whole, address: string) => whole.replace(address, () => replace(address)));
}

function isSame(address: string, url: string): boolean {
  return isAez(address) && plainUrl(address) === url;
}

function plainUrl(address: string): string {
  return plainAddress(new URL(address, document.baseURI).href).url;
}

const TYPE = "image/aez";
/** Sources whose file does not show, and what they named then. */
const refused = new WeakMap<HTMLSourceElement, string>();

/** Browsers pass over sources of types that they do not know; now this one is known. */
export function admitSources(): void {
  for (const source of document.querySelectorAll<HTMLSourceElement>(`source[type="${TYPE}"]`)) {
    if (refused.get(source) !== source.srcset) source.removeAttribute("type");
  }
}

/** Let picture elements fall back on what they have besides a file that does not show. */
export function refuseSources(url: string): void {
  for (const source of mayShow(url).flatMap(sourcesOf)) {
    if (!candidates(source.srcset).some((one) => isSame(one, url))) continue;
    refused.set(source, source.srcset);
    source.type = TYPE;
  }
}
