/** The elements of a page that show .aez files. */

import { isAez, plainAddress } from "./messages.ts";

/** Images of a document whose current file is that of an address. */
export function showing(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter((image) => addressOf(image) === url);
}

/** How many pixels of the screen the widest of them covers. */
export function shownWidth(url: string): number {
  const widths = showing(url).map((image) => image.getBoundingClientRect().width);
  return Math.max(0, ...widths) * devicePixelRatio;
}

/** The file that an image shows, or is about to. */
function addressOf(image: HTMLImageElement): string {
  const url = image.currentSrc || image.src;
  return url && plainAddress(url).url;
}

/** Let an image show another file in the place of one, wherever it has that from. */
export function replaceAddress(image: HTMLImageElement, from: string, to: string): void {
  const sources =
    image.parentElement instanceof HTMLPictureElement ? image.parentElement.querySelectorAll("source") : [];
  for (const element of [image, ...sources]) {
    if (element.srcset) {
      const changed = replacedInSet(element.srcset, from, to);
      if (changed !== element.srcset) element.srcset = changed;
    }
  }
  if (image.src && new URL(image.src).href === from) image.src = to;
}

/** A list of candidates, addresses each followed by its width or density, with an address replaced. */
function replacedInSet(set: string, from: string, to: string): string {
  return set.replace(/(^|[\s,])([^\s,]\S*?)(?=,?(\s|$))/g, (found, before: string, url: string) => {
    const same = URL.canParse(url, document.baseURI) && new URL(url, document.baseURI).href === from;
    return same ? before + to : found;
  });
}

/** Let everything that was asked for before anybody could answer be asked for again. */
export function askAgain(root: Document | Element): void {
  for (const source of root.querySelectorAll<HTMLSourceElement>('source[type="image/aez"]')) {
    source.removeAttribute("type"); // browsers pass over types that they do not know
  }
  for (const image of root.querySelectorAll("img")) {
    if (isAez(image.currentSrc || image.src) && image.complete && !image.naturalWidth) askImageAgain(image);
  }
  for (const element of root.querySelectorAll<HTMLElement>("*")) askBackgroundAgain(element);
}

function askImageAgain(image: HTMLImageElement): void {
  if (image.srcset) image.srcset = `${image.srcset}`;
  else image.src = `${image.src}`;
}

function askBackgroundAgain(element: HTMLElement): void {
  const { backgroundImage } = getComputedStyle(element);
  if (!/\.aez\b/i.test(backgroundImage)) return;
  const own = element.style.backgroundImage;
  element.style.backgroundImage = "none";
  getComputedStyle(element).backgroundImage; // takes effect now
  element.style.backgroundImage = own;
}
