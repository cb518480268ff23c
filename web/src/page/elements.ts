/** The elements of a page that show .aez files. */

import { isAez, plainAddress } from "./messages.ts";

/** Images of a document whose current file is that of an address. */
export function showing(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter((image) => isFor(image, url));
}

/** How many pixels of the screen the widest of them covers. */
export function shownWidth(url: string): number {
  const widths = showing(url).map((image) => image.getBoundingClientRect().width);
  return Math.max(0, ...widths) * devicePixelRatio;
}

/** Whether an image is as wide as the page says, whatever it shows. */
export function isSized(image: HTMLImageElement): boolean {
  // Not in all browsers; then other images only get a file that is larger.
  const width = image.computedStyleMap?.().get("width");
  return image.hasAttribute("width") || (width !== undefined && String(width) !== "auto");
}

/** Whether an image shows a file, or may be about to: then browsers do not say which one it is. */
function isFor(image: HTMLImageElement, url: string): boolean {
  if (image.currentSrc) return plainAddress(image.currentSrc).url === url;
  return [image, ...sourcesOf(image)].some(
    (element) => element.srcset.match(CANDIDATE)?.some((one) => isSame(one, url)) || isSame(element.src, url),
  );
}

/** Let an image show another file in the place of one, wherever it has that from. */
export function replaceAddress(image: HTMLImageElement, from: string, to: string): void {
  for (const element of [image, ...sourcesOf(image)]) {
    if (!element.srcset) continue;
    const changed = element.srcset.replace(CANDIDATE, (one) => (isSame(one, from) ? to : one));
    if (changed !== element.srcset) element.srcset = changed;
  }
  if (isSame(image.src, from)) image.src = to;
}

/** An address in a list of candidates, each followed by its width or density. */
const CANDIDATE = /(?<=^|[\s,])[^\s,]\S*?(?=,?(\s|$))/g;

function sourcesOf(image: HTMLImageElement): HTMLSourceElement[] {
  const parent = image.parentElement;
  return parent instanceof HTMLPictureElement ? [...parent.querySelectorAll("source")] : [];
}

function isSame(url: string, expected: string): boolean {
  try {
    return new URL(url, document.baseURI).href === expected;
  } catch {
    return false;
  }
}

/** Browsers pass over sources of types that they do not know; now this one is known. */
export function admitSources(root: ParentNode): void {
  for (const source of root.querySelectorAll('source[type="image/aez"]')) source.removeAttribute("type");
}

/** Let everything that was asked for before anybody could answer be asked for again. */
export function askAgain(): void {
  for (const image of document.images) {
    if (isAez(image.currentSrc || image.src) && image.complete && !image.naturalWidth) askImageAgain(image);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[style]")) declareAgain(element.style);
  for (const sheet of document.styleSheets) for (const rule of rulesOf(sheet)) askRuleAgain(rule);
}

/** Setting an address, be it the same one, makes browsers fetch again what failed. */
function askImageAgain(image: HTMLImageElement): void {
  if (image.hasAttribute("srcset")) image.setAttribute("srcset", image.srcset);
  else if (sourcesOf(image).length) image.replaceWith(image);
  else image.setAttribute("src", image.src);
}

/** Rules of style sheets from elsewhere cannot be seen. */
function rulesOf(sheet: CSSStyleSheet | CSSGroupingRule): CSSRule[] {
  try {
    return [...sheet.cssRules];
  } catch {
    return [];
  }
}

function askRuleAgain(rule: CSSRule): void {
  if (rule instanceof CSSStyleRule) declareAgain(rule.style);
  if (rule instanceof CSSImportRule && rule.styleSheet) rulesOf(rule.styleSheet).forEach(askRuleAgain);
  if (rule instanceof CSSGroupingRule || rule instanceof CSSStyleRule) [...rule.cssRules].forEach(askRuleAgain);
}

/** An image that failed stays failed as long as its declaration stays. */
function declareAgain(style: CSSStyleDeclaration): void {
  for (const property of [...style]) {
    const value = style.getPropertyValue(property);
    if (!/url\(.*\.aez/i.test(value)) continue;
    const priority = style.getPropertyPriority(property);
    style.removeProperty(property);
    style.setProperty(property, value, priority);
  }
}
