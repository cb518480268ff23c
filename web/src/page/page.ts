import type { Resolution } from "../decode.ts";
import { info } from "../info.ts";
import { toImageData } from "./canvas.ts";
import { defineElement } from "./element.ts";
import { askAgain } from "./elements.ts";
import { Pool } from "./pool.ts";
import { Answers } from "./show.ts";

/** Makes .aez files show on the page that includes the script. */
export function startPage(): void {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) throw new Error("aez.js is to be included by a script element");
  const folder = new URL(script.dataset.folder ?? "aez/", script.src || document.baseURI).href;
  const pool = new Pool({ script: script.src, folder });
  defineElement(pool);
  Object.assign(globalThis, {
    aez: {
      info,
      decode: async (data: Uint8Array, { resolution = "high" }: { resolution?: Resolution } = {}) =>
        toImageData(await pool.next().run((decoder) => decoder.decode(data, resolution))),
      memory: () => pool.next().run((decoder) => decoder.memory()),
    },
  });
  if ("serviceWorker" in navigator && location.protocol.startsWith("http")) void serve(pool, script.src, folder);
}

async function serve(pool: Pool, script: string, folder: string): Promise<void> {
  new Answers(pool).listen();
  const { serviceWorker } = navigator;
  const served = serviceWorker.controller !== null;
  await serviceWorker.register(`${script}?folder=${encodeURIComponent(folder)}`);
  if (!served)
    await new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  askAgain(document);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node instanceof Element) askAgain(node.parentElement ?? node);
    }
  }).observe(document, { childList: true, subtree: true });
}
