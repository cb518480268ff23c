import { messageOf } from "../errors.ts";
import type { Pool } from "./pool.ts";
import { Progressive } from "./show.ts";

const STYLE = "<style>:host{display:inline-block}img{display:block;width:100%;height:100%;object-fit:inherit}</style>";

/** Defines `<aez-img src alt>`, which shows an .aez file also where there are no service workers. */
export function defineElement(pool: Pool): void {
  class AezImage extends HTMLElement {
    static readonly observedAttributes = ["src", "alt"];
    readonly #image = document.createElement("img");
    #picture: Progressive | undefined;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = STYLE;
      root.append(this.#image);
    }

    attributeChangedCallback(name: string, before: string | null, value: string | null): void {
      if (name === "alt") this.#image.alt = value ?? "";
      else if (value !== before) void this.#show(value);
    }

    async #show(source: string | null): Promise<void> {
      this.#picture = undefined;
      if (source === null) return this.#image.removeAttribute("src");
      const picture = new Progressive(pool, new URL(source, document.baseURI).href);
      this.#picture = picture;
      try {
        const { file, width } = await picture.medium();
        await this.#put(picture, file);
        if (this.#image.getBoundingClientRect().width * devicePixelRatio > width) {
          await this.#put(picture, await picture.high());
        }
      } catch (error) {
        this.#fail(picture, error);
      } finally {
        void picture.close();
      }
    }

    async #put(picture: Progressive, file: Blob): Promise<void> {
      if (picture !== this.#picture) return; // another file was asked for in the meantime
      const url = URL.createObjectURL(file);
      this.#image.src = url;
      await this.#image.decode().finally(() => URL.revokeObjectURL(url));
      this.dispatchEvent(new Event("load"));
    }

    #fail(picture: Progressive, error: unknown): void {
      if (picture !== this.#picture) return;
      const message = messageOf(error);
      console.warn(`${this.getAttribute("src")?.slice(0, 200)}: ${message}`);
      this.dispatchEvent(new ErrorEvent("error", { message }));
    }
  }
  customElements.define("aez-img", AezImage);
}
