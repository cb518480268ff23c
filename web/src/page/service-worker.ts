/// <reference lib="webworker" />
import { messageOf } from "../errors.ts";
import type { RenderAlone } from "./alone.ts";
import { type Answer, CLAIM, FOLDER, isAez, plainAddress, type Question } from "./messages.ts";
import { viewerPage } from "./viewer.ts";

declare const self: ServiceWorkerGlobalScope & { aezRenderAlone: RenderAlone };

/** After so many milliseconds a page that does not say that it was asked has no script of aez. */
const PATIENCE = 3000;

type Result = Exclude<Answer, { asked: true }>;

/** Routes requests for pictures in .aez files to the page that shows them, whose workers decode. */
export function startServiceWorker(): void {
  const folder = new URL(self.location.href).searchParams.get(FOLDER) ?? new URL("aez/", self.location.href).href;
  self.importScripts(`${folder}decoder.js`); // later than now it would not be allowed
  self.addEventListener("install", () => void self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("message", ({ data }) => void (data === CLAIM && self.clients.claim()));
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !isAez(request.url)) return;
    if (request.mode === "navigate") event.respondWith(viewerPage(request.url, self.location.href, folder));
    else if (request.destination === "image") event.respondWith(picture(event, folder));
  });
}

async function picture(event: FetchEvent, folder: string): Promise<Response> {
  const question = { aez: "show", ...plainAddress(event.request.url) } as const;
  const client = await self.clients.get(event.clientId);
  const result = (client && (await ask(client, question))) ?? (await renderHere(question.url, folder));
  return "file" in result ? new Response(result.file) : Response.error();
}

/** What a page answers; nothing if it does not listen. */
function ask(client: Client, question: Question): Promise<Result | undefined> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const impatience = setTimeout(() => resolve(undefined), PATIENCE);
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
    console.warn(`${url}: ${messageOf(error)}`);
    return { error: messageOf(error) };
  }
}
