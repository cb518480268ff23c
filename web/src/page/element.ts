import { messageOf, warn } from "../errors.ts";
import type { Size } from "../format/header.ts";
import type { Pool } from "./pool.ts";
import { Progressive } from "./progressive.ts";
import { isShownLarger, type Sizes } from "./sizes.ts";
import { urgencyOf } from "./urgency.ts";

export const ELEMENT = "aez-img";
const STYLE = `
  :host { display: inline-block }
  img { display: block; width: 100%; height: 100%; object-fit: inherit; border-radius: inherit }
  img:not([src]) { visibility: hidden }
`;
/** Shows as broken. */
const BROKEN = "data:,";

/**
 * Defines `<aez-img src alt width height resolution loading>`, which shows an .aez file also where there are no service
 * workers.
 *
 * `width` and `height` are in pixels, and reserve its place; styles of the page go before. `resolution`: "medium" or
 * "high"; without it, high follows medium where it can be seen. `loading="lazy"` waits until the element is nearly in
 * view. It sends the events `load`, for each resolution, and `error`.
 */
export function defineElement(pool: Pool, sizes: Sizes): void {
  const style = new CSSStyleSheet(); // for all of them
  style.replaceSync(STYLE);

  class AezImage extends HTMLElement {
    static readonly observedAttributes = ["src", "alt", "width", "height", "resolution"];
    readonly #image = document.createElement("img");
    readonly #place = new CSSStyleSheet();
    /** Changes with each file that is to be shown; what belongs to an older one is dropped. */
    #turn = 0;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [style, this.#place]; // which policies against inline styles allow
      root.append(this.#image);
    }

    attributeChangedCallback(name: string, before: string | null, value: string | null): void {
      if (value === before) return;
      if (name === "alt") this.#image.alt = value ?? "";
      else if (name === "width" || name === "height") this.#reserve();
      else void this.#start();
    }

    /** Browsers do the same for images. */
    #reserve(): void {
      const [width, height] = ["width", "height"].map((name) => Number.parseInt(this.getAttribute(name) ?? "", 10));
      const rules = [width >= 0 && `width:${width}px`];
      if (width > 0 && height > 0) rules.push(`aspect-ratio:${width}/${height}`);
      else if (height >= 0) rules.push(`height:${height}px`);
      this.#place.replaceSync(`:host{${rules.filter(Boolean).join(";")}}`);
    }

    async #start(): Promise<void> {
      const turn = ++this.#turn;
      await Promise.resolve(); // until the other attributes are there
      if (turn !== this.#turn) return;
      const source = this.getAttribute("src");
      if (source === null) return this.#image.removeAttribute("src");
      if (this.getAttribute("loading") === "lazy") await nearlyInView(this);
      try {
        if (turn === this.#turn) await this.#show(new URL(source, document.baseURI).href, turn);
      } catch (error) {
        if (turn !== this.#turn) return;
        warn(source, error);
        this.#image.src = BROKEN;
        this.dispatchEvent(new ErrorEvent("error", { message: messageOf(error) }));
      }
    }

    async #show(url: string, turn: number): Promise<void> {
      const picture = new Progressive(pool, url);
      const urgency = () => urgencyOf(this);
      const wanted = this.getAttribute("resolution");
      if (wanted === "high") return this.#put(await picture.best(urgency), turn);
      const { file, size } = await picture.medium(urgency, wanted !== "medium");
      await this.#put(file, turn);
      if (wanted === "medium") return;
      await this.#untilShownLarger(size);
      if (turn !== this.#turn) return;
      const high = await picture.high(urgency).catch((error) => warn(url, error));
      if (high) await this.#put(high, turn);
    }

    #untilShownLarger(size: Size): Promise<void> {
      return new Promise((resolve) => {
        sizes.watch(this, () => {
          if (!isShownLarger(this, size)) return;
          sizes.unwatch(this);
          resolve();
        });
      });
    }

    async #put(file: Blob, turn: number): Promise<void> {
      if (turn !== this.#turn) return;
      const url = URL.createObjectURL(file);
      this.#image.src = url;
      await this.#image.decode().finally(() => URL.revokeObjectURL(url));
      this.dispatchEvent(new Event("load"));
    }
  }
  customElements.define(ELEMENT, AezImage);
}

function nearlyInView(element: Element): Promise<void> {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        resolve();
      },
      { rootMargin: "500px" },
    );
    observer.observe(element);
  });
}
