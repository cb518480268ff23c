/** The elements of a page that show .aez files. */

import { isAez, plainAddress } from "./messages.ts";

/** Images of a document that show a file. */
export function showing(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter(({ currentSrc }) => isSame(currentSrc, url));
}

/** Images that may show a file, or be about to: browsers do not say which of its files an image has asked for. */
export function mayShow(url: string): HTMLImageElement[] {
  return Array.from(document.images).filter((image) => addressesOf(image).some((address) => isSame(address, url)));
}

/** All addresses that an image can choose from. */
function addressesOf(image: HTMLImageElement): string[] {
  return [image, ...sourcesOf(image)].flatMap(({ src, srcset }) => [src, ...candidates(srcset)]);
}

/** How many pixels of the screen the widest of them covers. */
export function shownWidth(url: string): number {
  return Math.max(0, ...showing(url).map(coveredWidth));
}

/** How many pixels of the screen an element covers across. */
export function coveredWidth(element: Element): number {
  return element.getBoundingClientRect().width * devicePixelRatio;
}

/** Whether an image is as wide as the page says, whatever it shows. */
export function isSized(image: HTMLImageElement): boolean {
  // Not in all browsers; then other images only get a file that is larger.
  const width = image.computedStyleMap?.().get("width");
  return image.hasAttribute("width") || (width !== undefined && String(width) !== "auto");
}

/** Let an image show another file in the place of one, wherever it has that from. */
export function replaceAddress(image: HTMLImageElement, from: string, to: string): void {
  for (const element of [image, ...sourcesOf(image)]) {
    if (!candidates(element.srcset).some((one) => isSame(one, from))) continue;
    element.srcset = element.srcset.replace(CANDIDATE, (one) => (isSame(one, from) ? to : one));
  }
  if (isSame(image.src, from)) image.src = to;
}

/** An address in a list of candidates, each followed by its width or density. */
const CANDIDATE = /(?<=^|[\s,])[^\s,]\S*?(?=,?(\s|$))/g;

function sourcesOf(image: HTMLImageElement): HTMLSourceElement[] {
  const parent = image.parentElement;
  return parent instanceof HTMLPictureElement ? [...parent.querySelectorAll("source")] : [];
}

function candidates(srcset: string): string[] {
  return srcset.match(CANDIDATE) ?? [];
}

function isSame(address: string, url: string): boolean {
  if (!address) return false;
  try {
    return plainAddress(new URL(address, document.baseURI).href).url === url;
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
    if (image.complete && !image.naturalWidth && addressesOf(image).some(isAez)) askImageAgain(image);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[style]")) declareAgain(element.style);
  for (const sheet of document.styleSheets) for (const rule of rulesOf(sheet)) askRuleAgain(rule);
}

/** Images that have had their second chance. */
const askedAgain = new WeakSet<HTMLImageElement>();

/** The same of what was still on its way when somebody could answer at last. */
export function askAgainWhatStillFails(): void {
  const listen = ({ target }: Event) => {
    if (target instanceof HTMLImageElement && addressesOf(target).some(isAez)) askImageAgain(target);
  };
  document.addEventListener("error", listen, { capture: true });
  if (document.readyState !== "complete") window.addEventListener("load", askAgain, { once: true });
}

/** Setting `src`, be it to the same address, makes browsers fetch again what failed; `srcset` has to be another one. */
function askImageAgain(image: HTMLImageElement): void {
  if (askedAgain.has(image)) return;
  askedAgain.add(image);
  if (isAez(image.src)) image.setAttribute("src", image.src);
  for (const element of [image, ...sourcesOf(image)]) {
    if (!element.srcset) continue;
    element.srcset = element.srcset.replace(CANDIDATE, (one) => (isAez(one) ? `${one.replace(/#.*/, "")}#again` : one));
  }
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
