/// <reference lib="webworker" />
import { messageOf, warn } from "../errors.ts";
import type { RenderAlone } from "./alone.ts";
import { type Answer, CLAIM, FOLDER, isAez, plainAddress, type Question } from "./messages.ts";
import { DECODER } from "./names.ts";
import { viewerPage } from "./viewer.ts";

declare const self: ServiceWorkerGlobalScope & {
  aezRenderAlone: RenderAlone;
  /** Said by sites that import the script, where the folder is not `/aez/`. */
  aezFolder?: string;
};

/** What servers answer that do not know HEAD. */
const NO_HEAD = [405, 501];

/** After so many milliseconds a page that does not say that it was asked has no script of aez, or is busy. */
const PATIENCE = 1500;
/** Pages that did not, until they say that they have one. */
const silent = new Set<string>();

type Result = Exclude<Answer, { asked: true }>;

/** Routes requests for pictures in .aez files to the page that shows them, whose workers decode. */
export function startServiceWorker(): void {
  const { script, folder, own } = places();
  self.addEventListener("message", (event) => {
    if (event.data !== CLAIM) return;
    if (event.source && "id" in event.source) silent.delete(event.source.id);
    event.waitUntil(self.clients.claim().then(() => event.ports[0].postMessage(CLAIM)));
  });
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !isAez(request.url)) return;
    if (request.mode === "navigate") event.respondWith(view(request, script, folder));
    else if (request.destination === "image") event.respondWith(picture(event, folder));
  });
  try {
    self.importScripts(folder + DECODER); // later than now it would not be allowed
  } catch (error) {
    if (own) throw error;
    warn(folder, error); // pages decode all the same, and the site's service worker has other things to do
  }
}

/** Where the script and its folder are, and whether the service worker is ours. */
function places(): { script: string; folder: string; own: boolean } {
  const address = new URL(self.location.href);
  const folder = address.searchParams.get(FOLDER);
  if (folder === null) {
    // The service worker of a site that imports the script, which goes on as it likes.
    const said = new URL(self.aezFolder ?? "/aez/", address).href;
    return { script: new URL("../aez.js", said).href, folder: said, own: false };
  }
  if (new URL(folder).origin !== address.origin) throw new Error(`${folder} is on another server`);
  self.addEventListener("install", () => void self.skipWaiting());
  address.searchParams.delete(FOLDER);
  return { script: address.href, folder, own: true };
}

/** A page for the picture at an address, unless there is something else, or nothing. */
async function view(request: Request, script: string, folder: string): Promise<Response> {
  const { ok, status, redirected, headers } = await fetch(request.url, { method: "HEAD" });
  const isPage = headers.get("Content-Type")?.startsWith("text/html");
  if (redirected || isPage || (!ok && !NO_HEAD.includes(status))) return fetch(request);
  return viewerPage(plainAddress(request.url).url, script, folder);
}

async function picture({ request, clientId }: FetchEvent, folder: string): Promise<Response> {
  const question = { aez: "show", until: Date.now() + PATIENCE, ...plainAddress(request.url) } as const;
  const result = (await askPage(clientId, question)) ?? (await renderHere(question.url, folder));
  if ("file" in result) return new Response(result.file);
  return fetch(question.high ? question.url : request); // it may be none of ours, for all its name
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
