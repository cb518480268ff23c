import { messageOf, warn } from "../errors.ts";
import type { Size } from "../format/header.ts";
import { mayShow, refuseSources, replaceAddress, showing } from "./addresses.ts";
import { type Answer, highAddress, isQuestion, plainAddress, type Question } from "./messages.ts";
import type { Pool } from "./pool.ts";
import { Progressive } from "./progressive.ts";
import { isShownLarger, isSized, type Sizes } from "./sizes.ts";
import { urgencyAt, usual } from "./urgency.ts";

/** A network that fails may work again; a file that is damaged stays so. */
const FAILURES_MAX = 3;

/** A medium picture that images show. */
interface Shown {
  readonly size: Size;
  /** Whether it was made as large as the high one. */
  readonly enlarged: boolean;
  /** The file that it is from, as long as nobody knows whether it suffices. */
  file: Progressive | undefined;
  /** Whether the high picture is on its way, and how often it did not come. */
  improving: boolean;
  failures: number;
}

/** Answers what service workers ask: gives them the pictures that elements of this page want to show. */
export class Answers {
  /** High pictures that are about to be asked for. */
  readonly #ready = new Map<string, Blob>();
  /** What images have that were given the medium picture of an address. */
  readonly #mediums = new Map<string, Shown>();

  constructor(
    readonly pool: Pool,
    readonly sizes: Sizes,
  ) {}

  listen(): void {
    navigator.serviceWorker.addEventListener("message", ({ data, ports }) => {
      if (isQuestion(data)) void this.#answer(data, ports[0]);
    });
    navigator.serviceWorker.startMessages();
    document.addEventListener("load", ({ target }) => this.#watch(target), { capture: true });
  }

  async #answer(question: Question, port: MessagePort): Promise<void> {
    if (Date.now() > question.until) return; // the service worker has given up on this page, which was busy
    const send = (answer: Answer) => port.postMessage(answer);
    send({ asked: true });
    try {
      send({ file: await (question.high ? this.#high(question.url) : this.#first(question.url)) });
    } catch (error) {
      warn(question.url, error);
      refuseSources(question.url);
      send({ error: messageOf(error) });
    }
  }

  /** The medium picture for images, which can be given another one later; what else there is gets one answer. */
  async #first(url: string): Promise<Blob> {
    const picture = new Progressive(this.pool, url);
    await known(url);
    const waiting = mayShow(url).filter(({ complete }) => !complete);
    if (!waiting.length) return picture.best(usual);
    const enlarged = !waiting.every(isSized); // which keeps the page's main thread busy for a while
    const { file, size } = await picture.medium(() => urgencyAt(url), enlarged);
    this.#mediums.set(url, { size, enlarged, file: picture, improving: false, failures: 0 });
    return file;
  }

  async #high(url: string): Promise<Blob> {
    const ready = this.#ready.get(url);
    this.#ready.delete(url);
    return ready ?? new Progressive(this.pool, url).best(() => urgencyAt(url));
  }

  /** An image has loaded: see how large it is. */
  #watch(target: EventTarget | null): void {
    if (!(target instanceof HTMLImageElement)) return;
    const { url, high } = plainAddress(target.currentSrc);
    if (this.#mediums.has(url) && !high) this.sizes.watch(target, () => this.#look(target));
    else this.sizes.unwatch(target);
  }

  /** It gets the high picture if it is larger than the medium one. */
  #look(image: HTMLImageElement): void {
    const { url, high } = plainAddress(image.currentSrc);
    const medium = this.#mediums.get(url);
    if (!medium || high) return;
    // Browsers give an image without a width what they have for one that has a width: it is half as large as it should be.
    const isHalf = !medium.enlarged && !isSized(image);
    if (isHalf || isShownLarger(image, medium.size)) void this.#improve(url, medium);
    else medium.file = undefined;
  }

  async #improve(url: string, medium: Shown): Promise<void> {
    if (medium.improving || medium.failures >= FAILURES_MAX) return;
    medium.improving = true;
    try {
      const picture = medium.file ?? new Progressive(this.pool, url);
      medium.file = undefined;
      const file = await picture.high(() => urgencyAt(url));
      const images = showing(url).filter(({ currentSrc }) => !plainAddress(currentSrc).high);
      if (images.length) this.#ready.set(url, file);
      for (const image of images) replaceAddress(image, url, highAddress(url));
    } catch (error) {
      medium.failures++;
      warn(url, error);
    } finally {
      medium.improving = false;
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
