import { messageOf } from "../errors.ts";
import { coveredWidth } from "./elements.ts";
import type { Pool } from "./pool.ts";
import { Progressive } from "./show.ts";

const STYLE = "<style>:host{display:inline-block}img{display:block;width:100%;height:auto}</style>";
const ATTRIBUTES = ["src", "alt", "width", "height"] as const;

/**
 * Defines `<aez-img src alt width height resolution loading>`, which shows an .aez file also where there are no service
 * workers.
 *
 * `resolution`: "medium" or "high"; without it, high follows medium where it can be seen. `loading="lazy"` waits until
 * the element is nearly in view. It sends the events `load`, for each resolution, and `error`.
 */
export function defineElement(pool: Pool): void {
  class AezImage extends HTMLElement {
    static readonly observedAttributes = ATTRIBUTES;
    readonly #image = document.createElement("img");
    #source: string | undefined;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = STYLE;
      root.append(this.#image);
    }

    attributeChangedCallback(name: (typeof ATTRIBUTES)[number], before: string | null, value: string | null): void {
      if (value === before) return;
      if (name === "src") void this.#start(value ?? undefined);
      else if (value === null) this.#image.removeAttribute(name);
      else this.#image.setAttribute(name, value);
    }

    async #start(source: string | undefined): Promise<void> {
      this.#source = source;
      if (source === undefined) return this.#image.removeAttribute("src");
      await Promise.resolve(); // until the other attributes are there
      if (this.getAttribute("loading") === "lazy") await nearlyInView(this);
      if (source !== this.#source) return;
      const picture = new Progressive(pool, new URL(source, document.baseURI).href);
      try {
        await this.#show(picture, source);
      } catch (error) {
        this.#fail(source, messageOf(error));
      } finally {
        void picture.close();
      }
    }

    async #show(picture: Progressive, source: string): Promise<void> {
      const wanted = this.getAttribute("resolution");
      if (wanted === "high") return this.#put(source, await picture.high());
      const { file, width } = await picture.medium(wanted !== "medium" && !this.hasAttribute("width"));
      await this.#put(source, file);
      if (wanted === "medium") return;
      if (coveredWidth(this.#image) > width) {
        await this.#put(source, await picture.high());
      }
    }

    async #put(source: string, file: Blob): Promise<void> {
      if (source !== this.#source) return; // another file was asked for in the meantime
      const url = URL.createObjectURL(file);
      this.#image.src = url;
      await this.#image.decode().finally(() => URL.revokeObjectURL(url));
      this.dispatchEvent(new Event("load"));
    }

    #fail(source: string, message: string): void {
      if (source !== this.#source) return;
      console.warn(`${source.slice(0, 200)}: ${message}`);
      this.dispatchEvent(new ErrorEvent("error", { message }));
    }
  }
  customElements.define("aez-img", AezImage);
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
