import type { Resolution } from "../decode.ts";
import { type Info, info } from "../info.ts";
import { defineElement } from "./element.ts";
import { admitSources, askAgain, askAgainWhatStillFails } from "./elements.ts";
import { CLAIM, FOLDER } from "./messages.ts";
import { Pool } from "./pool.ts";
import { Answers } from "./show.ts";

/** What scripts of the page find as `aez`. */
export interface PageInterface {
  info(data: Uint8Array): Info;
  decode(data: Uint8Array, options?: { resolution?: Resolution }): Promise<ImageData>;
}

declare global {
  var aez: PageInterface;
}

/** Makes .aez files show on the page that includes the script. */
export function startPage(): void {
  const element = document.currentScript;
  if (!(element instanceof HTMLScriptElement)) throw new Error("aez.js is no module: <script src=aez.js></script>");
  const folder = new URL(element.dataset.folder ?? "aez", element.src || document.baseURI).href.replace(/\/?$/, "/");
  const pool = new Pool(folder);
  defineElement(pool);
  globalThis.aez = {
    info,
    decode: (data, { resolution = "high" } = {}) => pool.decode(data, resolution),
  };
  if ("serviceWorker" in navigator && element.src) void serve(pool, element.src, folder).catch(console.warn);
}

/** Let a service worker route requests to this page, and ask again for what came before it. */
async function serve(pool: Pool, script: string, folder: string): Promise<void> {
  new Answers(pool).listen();
  const { serviceWorker } = navigator;
  const served = serviceWorker.controller !== null;
  const worker = new URL(script);
  worker.searchParams.set(FOLDER, folder);
  await serviceWorker.register(worker);
  if (!served) {
    const control = new Promise((resolve) =>
      serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
    );
    (await serviceWorker.ready).active?.postMessage(CLAIM); // reloads by force bypass it otherwise
    await control;
    askAgain();
    askAgainWhatStillFails();
  }
  admitSources(document);
  new MutationObserver(() => admitSources(document)).observe(document, { childList: true, subtree: true });
}
