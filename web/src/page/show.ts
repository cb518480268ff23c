import { type Remote, releaseProxy } from "comlink";
import { messageOf } from "../errors.ts";
import { coveredWidth, isSized, mayShow, replaceAddress, showing, shownWidth } from "./elements.ts";
import { type Answer, highAddress, isQuestion, type Question } from "./messages.ts";
import type { DecoderWorker, Pool } from "./pool.ts";
import type { MediumFile, Opened } from "./worker.ts";

/** Images that have not loaded after so many milliseconds are not waited for. */
const PATIENCE = 10_000;

/** A file that is fetched and decoded by a worker as far as it is asked for. To be closed. */
export class Progressive {
  readonly #worker: DecoderWorker;
  readonly #opened: Promise<Remote<Opened>>;

  constructor(pool: Pool, url: string) {
    this.#worker = pool.next();
    this.#opened = this.#worker.run((decoder) => decoder.open(url) as Promise<Remote<Opened>>);
    this.#opened.catch(() => undefined);
  }

  medium(asLargeAsHigh: boolean): Promise<MediumFile> {
    return this.#worker.run(async () => (await this.#opened).medium(asLargeAsHigh));
  }

  high(): Promise<Blob> {
    return this.#worker.run(async () => (await this.#opened).high());
  }

  /** Fetch no more, and free what the worker holds. */
  async close(): Promise<void> {
    const opened = await this.#opened.catch(() => undefined);
    await opened?.close();
    opened?.[releaseProxy]();
  }
}

/** Answers what service workers ask: gives them the pictures that elements of this page want to show. */
export class Answers {
  /** High pictures that are about to be asked for. */
  readonly #ready = new Map<string, Blob>();
  /** Images for which the medium picture is enough, as long as they stay as small. */
  readonly #small = new WeakMap<Element, { url: string; width: number }>();
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) this.#look(target);
  });

  constructor(readonly pool: Pool) {}

  listen(): void {
    navigator.serviceWorker.addEventListener("message", ({ data, ports }) => {
      if (isQuestion(data)) void this.#answer(data, ports[0]);
    });
    navigator.serviceWorker.startMessages();
  }

  async #answer(question: Question, port: MessagePort): Promise<void> {
    const send = (answer: Answer) => port.postMessage(answer);
    send({ asked: true });
    try {
      send({ file: await (question.high ? this.#high(question.url) : this.#first(question.url)) });
    } catch (error) {
      console.warn(`${question.url}: ${messageOf(error)}`);
      send({ error: messageOf(error) });
    }
  }

  /** The medium picture for images, which can be given another one later; what else there is gets one answer. */
  async #first(url: string): Promise<Blob> {
    const picture = new Progressive(this.pool, url);
    await known(url);
    if (!mayShow(url).length) return this.#best(picture);
    try {
      const { file, width } = await picture.medium(!mayShow(url).every(isSized));
      void this.#improve(url, picture, width);
      return file;
    } catch (error) {
      void picture.close();
      throw error;
    }
  }

  async #high(url: string): Promise<Blob> {
    const ready = this.#ready.get(url);
    this.#ready.delete(url);
    return ready ?? this.#best(new Progressive(this.pool, url));
  }

  /** The high picture, or the medium one of a file that has nothing else. */
  async #best(picture: Progressive): Promise<Blob> {
    try {
      return await picture.high().catch(async () => (await picture.medium(true)).file);
    } finally {
      void picture.close();
    }
  }

  /** Once the medium picture is there, images that are wide enough get the high one. */
  async #improve(url: string, picture: Progressive, mediumWidth: number): Promise<void> {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    await Promise.race([Promise.all(mayShow(url).map(loaded)), patience]);
    try {
      if (shownWidth(url) > mediumWidth) await this.#replace(url, picture);
      else this.#watch(url, mediumWidth);
    } catch (error) {
      console.warn(`${url}: ${messageOf(error)}`);
    } finally {
      void picture.close();
    }
  }

  async #replace(url: string, picture: Progressive): Promise<void> {
    const file = await picture.high();
    const images = showing(url);
    if (images.length) this.#ready.set(url, file);
    for (const image of images) replaceAddress(image, url, highAddress(url));
  }

  #watch(url: string, width: number): void {
    for (const image of showing(url)) {
      this.#small.set(image, { url, width });
      this.#sizes.observe(image);
    }
  }

  /** An image has another size than before. */
  #look(image: Element): void {
    const known = this.#small.get(image);
    if (!known || coveredWidth(image) <= known.width) return;
    this.#small.delete(image);
    this.#sizes.unobserve(image);
    const picture = new Progressive(this.pool, known.url);
    this.#replace(known.url, picture)
      .catch((error) => console.warn(`${known.url}: ${messageOf(error)}`))
      .finally(() => picture.close());
  }
}

/** Browsers ask for images that they see coming before there are elements; wait for one, or the end of the page. */
function known(url: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.readyState === "loading" && !mayShow(url).length) return;
      changes.disconnect();
      document.removeEventListener("readystatechange", look);
      resolve();
    };
    const changes = new MutationObserver(look);
    changes.observe(document, { childList: true, subtree: true });
    document.addEventListener("readystatechange", look);
    look();
  });
}

function loaded(image: HTMLImageElement): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve();
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
  });
}
