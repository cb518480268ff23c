/// <reference lib="webworker" />
import { messageOf, warn } from "../errors.ts";
import type { RenderAlone } from "./alone.ts";
import { type Answer, CLAIM, FOLDER, isAez, plainAddress, type Question } from "./messages.ts";
import { viewerPage } from "./viewer.ts";

declare const self: ServiceWorkerGlobalScope & { aezRenderAlone: RenderAlone };

/** After so many milliseconds a page that does not say that it was asked has no script of aez. */
const PATIENCE = 1500;
/** Pages that did not. */
const silent = new Set<string>();

type Result = Exclude<Answer, { asked: true }>;

/** Routes requests for pictures in .aez files to the page that shows them, whose workers decode. */
export function startServiceWorker(): void {
  const { script, folder } = places();
  self.importScripts(`${folder}decoder.js`); // later than now it would not be allowed
  self.addEventListener("message", (event) => {
    if (event.data === CLAIM) event.waitUntil(self.clients.claim().then(() => event.ports[0].postMessage(CLAIM)));
  });
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !isAez(request.url)) return;
    if (request.mode === "navigate") event.respondWith(viewerPage(request.url, script, folder));
    else if (request.destination === "image") event.respondWith(picture(event, folder));
  });
}

/** Where the script and its folder are. */
function places(): { script: string; folder: string } {
  const { href, origin } = self.location;
  const own = new URL(href);
  const folder = own.searchParams.get(FOLDER);
  // The service worker of a site that imports the script, which goes on as it likes.
  if (folder === null) return { script: new URL("/aez.js", href).href, folder: new URL("/aez/", href).href };
  if (new URL(folder).origin !== origin) throw new Error(`${folder} is on another server`);
  self.addEventListener("install", () => void self.skipWaiting());
  own.searchParams.delete(FOLDER);
  return { script: own.href, folder };
}

async function picture({ request, clientId }: FetchEvent, folder: string): Promise<Response> {
  const question = { aez: "show", ...plainAddress(request.url) } as const;
  const result = (await askPage(clientId, question)) ?? (await renderHere(question.url, folder));
  return "file" in result ? new Response(result.file) : fetch(request); // it may be none of ours, for all its name
}

/** What the page answers that shows the picture; nothing if it does not listen. */
async function askPage(id: string, question: Question): Promise<Result | undefined> {
  const client = silent.has(id) ? undefined : await self.clients.get(id);
  if (!client) return undefined;
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const impatience = setTimeout(() => {
      silent.add(id);
      resolve(undefined);
    }, PATIENCE);
    port1.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ("asked" in data) clearTimeout(impatience);
      else resolve(data);
    };
    client.postMessage(question, [port2]);
  });
}

/** For pages without a script of aez. */
async function renderHere(url: string, folder: string): Promise<Result> {
  try {
    return { file: await self.aezRenderAlone(url, folder) };
  } catch (error) {
    warn(url, error);
    return { error: messageOf(error) };
  }
}
