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

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether an image is shown with more pixels of the screen than a picture of such a size has. */
export function isShownLarger(image: HTMLImageElement, { width, height }: Size): boolean {
  const shown = image.getBoundingClientRect();
  if (!shown.width) return false; // not shown at all
  const { objectFit } = getComputedStyle(image);
  if (objectFit === "none") return true; // each pixel of the high picture covers one of the page
  const across = Math.floor(shown.width * devicePixelRatio) / width;
  const down = Math.floor(shown.height * devicePixelRatio) / height;
  return (objectFit === "contain" || objectFit === "scale-down" ? Math.min(across, down) : Math.max(across, down)) > 1;
}

/** Resolves as soon as that is so. */
export function untilShownLarger(image: HTMLImageElement, size: Size): Promise<void> {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (!isShownLarger(image, size)) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(image);
  });
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

/** Let everything that was asked for before anybody could answer be asked for again, as soon as it has failed. */
export function askAgain(): void {
  for (const image of document.images) {
    if (!addressesOf(image).some(isAez)) continue;
    if (!image.complete) image.addEventListener("error", () => askImageAgain(image), { once: true });
    else if (!image.naturalWidth) askImageAgain(image);
  }
  askStylesAgain();
  if (document.readyState !== "complete") window.addEventListener("load", askStylesAgain, { once: true });
}

function askStylesAgain(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[style]")) declareAgain(element.style);
  for (const sheet of document.styleSheets) for (const rule of rulesOf(sheet)) askRuleAgain(rule);
}

/** Setting `src`, be it to the same address, makes browsers fetch again what failed; `srcset` has to be another one. */
function askImageAgain(image: HTMLImageElement): void {
  if (isAez(image.src)) image.setAttribute("src", image.src);
  for (const element of [image, ...sourcesOf(image)]) {
    if (!element.srcset) continue;
    element.srcset = element.srcset.replace(CANDIDATE, (one) => (isAez(one) ? `${one.replace(/#.*/, "")}#again` : one));
  }
}

/** Rules within; those of style sheets from elsewhere cannot be seen, and not all browsers have rules within rules. */
function rulesOf(outer: CSSStyleSheet | CSSRule): CSSRule[] {
  try {
    return "cssRules" in outer ? [...(outer.cssRules as CSSRuleList)] : [];
  } catch {
    return [];
  }
}

function askRuleAgain(rule: CSSRule): void {
  if (rule instanceof CSSStyleRule) declareAgain(rule.style);
  if (rule instanceof CSSImportRule && rule.styleSheet) rulesOf(rule.styleSheet).forEach(askRuleAgain);
  rulesOf(rule).forEach(askRuleAgain);
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
