/// <reference lib="webworker" />
import { Engine } from "../engine.ts";
import { ModelError, messageOf } from "../errors.ts";
import { keptWeights } from "./kept.ts";
import { type Answer, CLAIM, isAez, plainAddress, type Question } from "./messages.ts";
import { FetchedPicture } from "./picture.ts";
import { viewerPage } from "./viewer.ts";
import { webpDecoders } from "./webp.ts";
import { asBlob } from "./worker.ts";

declare const self: ServiceWorkerGlobalScope;

/** After so many milliseconds a page that does not say that it was asked has no script of aez. */
const PATIENCE = 3000;

/** Routes requests for pictures in .aez files to the page that shows them, whose workers decode. */
export function startServiceWorker(): void {
  const folder = new URL(self.location.href).searchParams.get("folder") ?? new URL("aez/", self.location.href).href;
  const engine = new Engine(
    async (model, part) => {
      const weights = await keptWeights(`${folder}${model}.${part}`);
      if (!weights) throw new ModelError(`the weights of model ${model} are missing`);
      return weights;
    },
    webpDecoders(`${folder}webp.js`),
  );
  self.addEventListener("install", () => void self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("message", ({ data }) => void (data === CLAIM && self.clients.claim()));
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !isAez(request.url)) return;
    if (request.mode === "navigate") event.respondWith(viewerPage(request.url, self.location.href));
    else if (request.destination === "image") event.respondWith(picture(event, engine));
  });
}

async function picture(event: FetchEvent, engine: Engine): Promise<Response> {
  const question = { aez: "show", ...plainAddress(event.request.url) } as const;
  const client = await self.clients.get(event.clientId);
  const answer = (client && (await ask(client, question))) ?? (await decodeHere(question.url, engine));
  return "file" in answer ? new Response(answer.file) : Response.error();
}

/** What a page answers; nothing if it does not listen. */
function ask(client: Client, question: Question): Promise<Exclude<Answer, { asked: true }> | undefined> {
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
async function decodeHere(url: string, engine: Engine): Promise<Answer & ({ file: Blob } | { error: string })> {
  const fetched = new FetchedPicture(url, engine);
  try {
    return { file: asBlob(await fetched.render("high").catch(() => fetched.render("medium"))) };
  } catch (error) {
    return { error: messageOf(error) };
  } finally {
    fetched.close();
  }
}
