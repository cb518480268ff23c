/** How large elements are on the screen. */

import type { Size } from "../format/header.ts";

/** Whether an image is shown with more pixels of the screen than a picture of such a size has. */
export function isShownLarger(image: Element, { width, height }: Size): boolean {
  const shown = image.getBoundingClientRect();
  if (!shown.width) return false; // not shown at all
  const { objectFit } = getComputedStyle(image);
  if (objectFit === "none") return true; // each pixel of the high picture covers one of the page
  const across = Math.floor(shown.width * devicePixelRatio) / width;
  const down = Math.floor(shown.height * devicePixelRatio) / height;
  return (objectFit === "contain" || objectFit === "scale-down" ? Math.min(across, down) : Math.max(across, down)) > 1;
}

/** Whether an image is as wide as the page says, whatever it shows. */
export function isSized(image: HTMLImageElement): boolean {
  // Not in all browsers; then other images only get a file that is larger.
  const width = image.computedStyleMap?.().get("width");
  return image.hasAttribute("width") || (width !== undefined && String(width) !== "auto");
}

/** Tells of elements when they are laid out, and whenever they cover another number of pixels of the screen. */
export class Sizes {
  readonly #looks = new WeakMap<Element, () => void>();
  readonly #observer = new ResizeObserver((entries) => {
    for (const { target } of entries) this.#looks.get(target)?.();
  });

  constructor() {
    // Nobody else tells that a page is zoomed, or on another screen, where its elements keep their size.
    window.addEventListener("resize", () => {
      for (const element of document.querySelectorAll("img, aez-img")) this.#looks.get(element)?.();
    });
  }

  /** Tell of an element, now and later, until something else is to be told. */
  watch(element: Element, look: () => void): void {
    this.unwatch(element);
    this.#looks.set(element, look);
    this.#observer.observe(element);
  }

  unwatch(element: Element): void {
    this.#looks.delete(element);
    this.#observer.unobserve(element);
  }
}
