import type { Remote } from "comlink";
import { messageOf, warn } from "../errors.ts";
import { isShownLarger, isSized, mayShow, replaceAddress, type Size, showing } from "./elements.ts";
import { type Answer, highAddress, isQuestion, plainAddress, type Question } from "./messages.ts";
import type { DecoderWorker, Pool } from "./pool.ts";
import type { MediumFile, Opened } from "./worker.ts";

/** A file that is fetched and decoded by a worker as far as it is asked for. */
export class Progressive {
  readonly #worker: DecoderWorker;
  readonly #opened: Promise<Remote<Opened>>;

  constructor(
    pool: Pool,
    readonly url: string,
  ) {
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

  /** The high picture, or the medium one of a file that has nothing else. */
  async best(): Promise<Blob> {
    try {
      return await this.high();
    } catch (error) {
      const { file } = await this.medium(true);
      warn(this.url, error);
      return file;
    }
  }
}

/** A medium picture that images may show, and the file that it is from as long as nobody knows whether it suffices. */
interface Medium {
  readonly size: Size;
  /** Whether it was made as large as the high one. */
  readonly enlarged: boolean;
  file: Progressive | undefined;
}

/** Answers what service workers ask: gives them the pictures that elements of this page want to show. */
export class Answers {
  /** High pictures that are about to be asked for. */
  readonly #ready = new Map<string, Blob>();
  /** What images have that were given the medium picture of an address. */
  readonly #mediums = new Map<string, Medium>();
  /** Says when images are laid out, and when they grow. */
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) this.#look(target as HTMLImageElement);
  });

  constructor(readonly pool: Pool) {}

  listen(): void {
    navigator.serviceWorker.addEventListener("message", ({ data, ports }) => {
      if (isQuestion(data)) void this.#answer(data, ports[0]);
    });
    navigator.serviceWorker.startMessages();
    document.addEventListener("load", ({ target }) => this.#watch(target), { capture: true });
  }

  async #answer(question: Question, port: MessagePort): Promise<void> {
    const send = (answer: Answer) => port.postMessage(answer);
    send({ asked: true });
    try {
      send({ file: await (question.high ? this.#high(question.url) : this.#first(question.url)) });
    } catch (error) {
      warn(question.url, error);
      send({ error: messageOf(error) });
    }
  }

  /** The medium picture for images, which can be given another one later; what else there is gets one answer. */
  async #first(url: string): Promise<Blob> {
    const picture = new Progressive(this.pool, url);
    await known(url);
    const waiting = mayShow(url).filter(({ complete }) => !complete);
    if (!waiting.length) return picture.best();
    const enlarged = !waiting.every(isSized);
    const { file, size } = await picture.medium(enlarged);
    this.#mediums.set(url, { size, enlarged, file: picture });
    return file;
  }

  async #high(url: string): Promise<Blob> {
    const ready = this.#ready.get(url);
    this.#ready.delete(url);
    return ready ?? new Progressive(this.pool, url).best();
  }

  /** An image has loaded. */
  #watch(target: EventTarget | null): void {
    if (!(target instanceof HTMLImageElement)) return;
    this.#sizes.unobserve(target);
    if (this.#mediums.has(plainAddress(target.currentSrc).url)) this.#sizes.observe(target);
  }

  /** An image has another size than before: it gets the high picture if it is larger than the medium one. */
  #look(image: HTMLImageElement): void {
    const { url, high } = plainAddress(image.currentSrc);
    const medium = this.#mediums.get(url);
    if (!medium || high) {
      this.#sizes.unobserve(image);
    } else {
      // Browsers give an image without a width what they have for one that has a width: it is half as large as it should be.
      const tooSmall = !medium.enlarged && !isSized(image);
      if (tooSmall || isShownLarger(image, medium.size)) {
        this.#mediums.delete(url); // until it is asked for again
        void this.#improve(url, medium.file ?? new Progressive(this.pool, url));
      }
      medium.file = undefined;
    }
  }

  async #improve(url: string, picture: Progressive): Promise<void> {
    try {
      const file = await picture.high();
      const images = showing(url);
      if (images.length) this.#ready.set(url, file);
      for (const image of images) replaceAddress(image, url, highAddress(url));
    } catch (error) {
      warn(url, error);
    }
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
