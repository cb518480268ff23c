import { messageOf, warn } from "../errors.ts";
import type { Size } from "../format/header.ts";
import { mayShow, refuseSources, replaceAddress, showing } from "./addresses.ts";
import { type Answer, highAddress, isQuestion, plainAddress, type Question } from "./messages.ts";
import type { Pool } from "./pool.ts";
import { Progressive } from "./progressive.ts";
import { isShownLarger, isSized, type Sizes } from "./sizes.ts";
import { urgencyAt, usual } from "./urgency.ts";

/** A network that fails may work again; a file that is damaged stays so. It is tried again after so many milliseconds. */
const FAILURES_MAX = 3;
const PAUSE = 2000;
/** What nobody has asked for after so many milliseconds is not kept for them any longer. */
const KEPT_FOR = 30_000;

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
  /** Addresses of which the service worker gave images the medium picture itself, since this page was busy. */
  readonly #late = new Set<string>();

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
    const send = (answer: Answer) => port.postMessage(answer);
    if (Date.now() > question.until) {
      send({ late: true });
      if (!question.high) this.#adopt(question.url);
      return;
    }
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
    const shown: Shown = { size, enlarged, file: picture, improving: false, failures: 0 };
    this.#mediums.set(url, shown);
    setTimeout(() => {
      shown.file = undefined;
    }, KEPT_FOR);
    return file;
  }

  #adopt(url: string): void {
    this.#late.add(url);
    for (const image of showing(url)) if (image.complete && image.naturalWidth) this.#watch(image);
  }

  async #high(url: string): Promise<Blob> {
    const ready = this.#ready.get(url);
    this.#ready.delete(url);
    return ready ?? new Progressive(this.pool, url).best(() => urgencyAt(url));
  }

  /** Browsers ask for it at once, unless they have it from another time. */
  #keepReady(url: string, file: Blob): void {
    this.#ready.set(url, file);
    setTimeout(() => {
      if (this.#ready.get(url) === file) this.#ready.delete(url);
    }, KEPT_FOR);
  }

  /** An image has loaded: see how large it is. */
  #watch(target: EventTarget | null): void {
    if (!(target instanceof HTMLImageElement)) return;
    const { url, high } = plainAddress(target.currentSrc);
    if (!high && this.#late.delete(url)) {
      const size = { width: Math.ceil(target.naturalWidth / 2), height: Math.ceil(target.naturalHeight / 2) };
      this.#mediums.set(url, { size, enlarged: true, file: undefined, improving: false, failures: 0 });
    }
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
      if (images.length) this.#keepReady(url, file);
      for (const image of images) replaceAddress(image, url, highAddress(url));
    } catch (error) {
      warn(url, error);
      const again = () => {
        for (const image of showing(url)) this.#look(image);
      };
      setTimeout(again, PAUSE * 2 ** medium.failures++);
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
