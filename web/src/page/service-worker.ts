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
/** High pictures are asked for by scripts of aez alone. */
const HIGH_PATIENCE = 60_000;
/** Pages that did not, until they say something. */
const silent = new Set<string>();
/** So often it is looked whether a page is still there that has not answered yet. */
const LOOK_EVERY = 5000;

type Result = Extract<Answer, { file: Blob } | { error: string }>;

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
  const { url, high } = plainAddress(request.url);
  const { ok, status, redirected, headers } = await fetch(url, { method: "HEAD" });
  const isPage = headers.get("Content-Type")?.startsWith("text/html");
  if (redirected || isPage || (!ok && !NO_HEAD.includes(status))) return high ? Response.redirect(url) : fetch(request);
  return viewerPage(url, script, folder);
}

async function picture({ request, clientId }: FetchEvent, folder: string): Promise<Response> {
  const { url, high } = plainAddress(request.url);
  const until = Date.now() + (high ? HIGH_PATIENCE : PATIENCE);
  const result = (await askPage(clientId, { aez: "show", url, high, until })) ?? (await renderHere(url, folder));
  // The page was allowed to read the file, so pages that are isolated may show it.
  if ("file" in result)
    return new Response(result.file, { headers: { "Cross-Origin-Resource-Policy": "cross-origin" } });
  return fetch(high ? url : request); // it may be none of ours, for all its name
}

/** What the page answers that shows the picture; nothing if it does not listen. */
async function askPage(id: string, question: Question): Promise<Result | undefined> {
  const client = await self.clients.get(id);
  if (!client) return undefined;
  const { port1, port2 } = new MessageChannel();
  if (silent.has(id) && !question.high) {
    port1.onmessage = () => silent.delete(id);
    client.postMessage({ ...question, until: 0 }, [port2]); // for when it listens again
    return undefined;
  }
  return new Promise((resolve) => {
    let looking: ReturnType<typeof setInterval> | undefined;
    const settle = (result: Result | undefined) => {
      clearTimeout(impatience);
      clearInterval(looking);
      resolve(result);
    };
    const impatience = setTimeout(() => {
      silent.add(id);
      settle(undefined);
    }, question.until - Date.now());
    port1.onmessage = ({ data }: MessageEvent<Answer>) => {
      silent.delete(id);
      if ("file" in data || "error" in data) return settle(data);
      if ("late" in data) return;
      clearTimeout(impatience);
      looking = setInterval(async () => {
        if (!(await self.clients.get(id))) settle({ error: "the page is gone" });
      }, LOOK_EVERY);
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
