import type { Resolution } from "../decode.ts";
import { type Info, info } from "../info.ts";
import { admitSources } from "./addresses.ts";
import { askAgain } from "./again.ts";
import { defineElement, ELEMENT } from "./element.ts";
import { CLAIM, FOLDER } from "./messages.ts";
import { DECODER } from "./names.ts";
import { Pool } from "./pool.ts";
import { Answers } from "./show.ts";
import { Sizes } from "./sizes.ts";

/** A service worker that does not answer for so many milliseconds does not know aez. */
const PATIENCE = 5000;

/** What scripts of the page find as `aez`. */
export interface PageInterface {
  info(data: BufferSource): Info;
  decode(data: BufferSource, options?: { resolution?: Resolution }): Promise<ImageData>;
}

declare global {
  var aez: PageInterface | undefined;
}

/** Makes .aez files show on the page that includes the script. */
export function startPage(): void {
  if (customElements.get(ELEMENT)) return; // the page includes it twice
  const element = document.currentScript;
  if (!(element instanceof HTMLScriptElement)) throw new Error("aez.js is no module: <script src=aez.js></script>");
  const folder = new URL(element.dataset.folder ?? "aez", element.src || document.baseURI).href.replace(/\/?$/, "/");
  const pool = new Pool(folder);
  const sizes = new Sizes();
  defineElement(pool, sizes);
  globalThis.aez = {
    info,
    decode: (data, { resolution = "high" } = {}) => pool.decode(data, resolution),
  };
  const answers = new Answers(pool, sizes);
  if (element.src) {
    serve(answers, new URL(element.src), folder).catch((error) => console.warn(`aez.js: ${error.message}`));
  }
}

/**
 * Let a service worker route requests to this page, and ask again for what came before it.
 *
 * @throws Error: that cannot be, and why.
 */
async function serve(answers: Answers, script: URL, folder: string): Promise<void> {
  const scope = new URL(".", script).href;
  if (!("serviceWorker" in navigator)) throw new Error("images need https or localhost; <aez-img> does without");
  for (const address of [script.href, folder]) {
    if (new URL(address).origin !== location.origin) throw new Error(`${address} has to be on the page's own server`);
  }
  if (!location.href.startsWith(scope)) throw new Error(`it shows images of pages below ${scope} only, where it lies`);
  const { serviceWorker } = navigator;
  answers.listen();
  const served = serviceWorker.controller !== null;
  const control = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  await register(script, scope, folder);
  const worker = (await serviceWorker.ready).active;
  if (worker && !(await claim(worker)) && !isOurs(worker, script)) {
    throw new Error(`the site's service worker ${worker.scriptURL} has to importScripts("${script.pathname}")`);
  }
  if (!served) {
    if (!serviceWorker.controller) await control;
    askAgain();
  }
  admitSources();
  const changes = { childList: true, subtree: true, attributeFilter: ["srcset", "type"] };
  new MutationObserver(admitSources).observe(document, changes);
}

/** Register the script as a service worker, but never in the place of one that the site has already. */
async function register(script: URL, scope: string, folder: string): Promise<void> {
  const { serviceWorker } = navigator;
  const present = await serviceWorker.getRegistration(scope);
  const workers = [present?.active, present?.waiting, present?.installing].filter(
    (worker) => worker instanceof ServiceWorker,
  );
  if (present && !workers.every((worker) => isOurs(worker, script))) return;
  const worker = new URL(script);
  worker.searchParams.set(FOLDER, folder);
  const decoder = folder + DECODER;
  await serviceWorker.register(worker).catch(async (error) => {
    const { status } = await fetch(decoder);
    throw status === 200 ? error : new Error(`the server answers ${status} for ${decoder}`);
  });
}

function isOurs(worker: ServiceWorker, script: URL): boolean {
  return new URL(worker.scriptURL).pathname === script.pathname;
}

/** Be served from now on, also after a reload by force, which bypasses service workers; whether somebody said so. */
function claim(worker: ServiceWorker): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(true);
    worker.postMessage(CLAIM, [port2]);
    setTimeout(() => resolve(false), PATIENCE);
  });
}
