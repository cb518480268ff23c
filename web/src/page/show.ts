import type { Remote } from "comlink";
import { replaceAddress, showing, shownWidth } from "./elements.ts";
import { type Answer, highAddress, isQuestion, type Question } from "./messages.ts";
import type { DecoderWorker, Pool } from "./pool.ts";
import type { Opened } from "./worker.ts";

/** A file that is shown first in medium resolution, and then in high where that can be seen. */
export class Progressive {
  readonly #worker: DecoderWorker;
  readonly #opened: Promise<Remote<Opened>>;

  constructor(pool: Pool, url: string) {
    this.#worker = pool.next();
    this.#opened = this.#worker.decoder.then((decoder) => decoder.open(url) as Promise<Remote<Opened>>);
    this.#opened.catch(() => undefined);
  }

  medium(): Promise<{ file: Blob; width: number }> {
    return this.#worker.run(async () => (await this.#opened).medium());
  }

  high(): Promise<Blob> {
    return this.#worker.run(async () => (await this.#opened).high());
  }

  close(): void {
    this.#opened.then((opened) => opened.close()).catch(() => undefined);
  }
}

/** Answers what service workers ask: gives them the pictures that elements of this page want to show. */
export class Answers {
  readonly #improved = new Map<string, Progressive>();

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
      console.warn(`${question.url}: ${error instanceof Error ? error.message : error}`);
      send({ error: String(error) });
    }
  }

  /** The medium picture for images, which can be given another one later; what else there is gets one answer. */
  async #first(url: string): Promise<Blob> {
    const picture = new Progressive(this.pool, url);
    if (!showing(url).length) return picture.high().catch(async () => (await picture.medium()).file);
    const { file, width } = await picture.medium();
    void this.#improve(url, picture, width);
    return file;
  }

  async #high(url: string): Promise<Blob> {
    const picture = this.#improved.get(url) ?? new Progressive(this.pool, url);
    this.#improved.delete(url);
    return picture.high();
  }

  /** Once the medium picture is there, images that are wide enough get the high one. */
  async #improve(url: string, picture: Progressive, mediumWidth: number): Promise<void> {
    await Promise.all(showing(url).map(loaded));
    if (shownWidth(url) <= mediumWidth) {
      picture.close();
      return;
    }
    try {
      await picture.high();
    } catch (error) {
      console.warn(`${url}: ${error instanceof Error ? error.message : error}`);
      return;
    }
    this.#improved.set(url, picture);
    for (const image of showing(url)) replaceAddress(image, url, highAddress(url));
  }
}

function loaded(image: HTMLImageElement): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve();
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
  });
}
