import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GOLDEN, goldenFiles } from "../golden.ts";
import { type BrowserKind, isInstalled, Site, startBrowser } from "./site.ts";

const PHOTO = "/golden/eyes-2_plain.aez";
/** The bundle of its model for medium; the model's id stands at offset 16. */
const BUNDLE = `${readFileSync(join(GOLDEN, "eyes-2_plain.aez")).readUInt32LE(16).toString(16).padStart(8, "0")}-1.medium`;
const SIZE = [109, 81];
const FOLDER = join(import.meta.dirname, "../../build/site/aez");
const DECODER = readFileSync(join(FOLDER, "../aez.js"), "utf8").match(/decoder-\w+\.js/)?.[0] ?? "";
const RED_PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

let site: Site;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let said: string[];

/** Tests of pages in a browser, if it is installed. */
export function testPages(kind: BrowserKind): void {
  describe.skipIf(!isInstalled(kind))(kind, () => {
    beforeAll(async () => {
      site = await Site.start();
      browser = await startBrowser(kind);
    });

    afterAll(async () => {
      await browser.close();
      site.stop();
    });

    beforeEach(async () => {
      context = await browser.createBrowserContext(); // without a past
      page = await context.newPage();
      said = [];
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", (error) => said.push(String(error)));
      site.asked.length = 0;
    });

    afterEach(() => context.close());

    async function until(condition: string): Promise<void> {
      await page.waitForFunction(condition, { timeout: 20_000 });
    }

    /** Natural width and height of an image. */
    function sizeOf(selector: string): Promise<unknown> {
      return page.evaluate(
        `(({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight])(document.querySelector("${selector}"))`,
      );
    }

    /** The colour [red, green, blue] of a place of the page. */
    async function colourAt(x: number, y: number): Promise<number[]> {
      const shot = await page.screenshot({ clip: { x, y, width: 1, height: 1 }, encoding: "base64" });
      return (await page.evaluate(`(async () => {
    const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64,${shot}")).blob());
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  })()`)) as number[];
    }

    function asked(pattern: RegExp): string[] {
      return site.asked.filter(({ path }) => pattern.test(path)).map(({ path }) => path);
    }

    const IS_HIGH = 'document.querySelector("img").currentSrc.includes("aez-high")';

    describe("at the first visit, without a reload", () => {
      it("an image shows, first in medium and then in high resolution, of one size", async () => {
        const sizes = `new Promise((resolve) => {
      const sizes = [];
      document.querySelector("img").addEventListener("load", ({ target }) => {
        sizes.push([target.naturalWidth, target.naturalHeight]);
        if (sizes.length === 2) resolve(sizes);
      });
    })`;
        await page.goto(site.page(`<img src="${PHOTO}"><script>sizes = ${sizes}</script>`));
        expect(await page.evaluate("sizes")).toEqual([SIZE, SIZE]);
        expect(site.asked.filter(({ path }) => path === PHOTO).at(-1)?.accept).toMatch(/^image\/aez/);
        expect(said.filter((line) => line.includes("aez"))).toEqual([]);
      });

      it("so do candidates of srcset", async () => {
        await page.goto(site.page(`<img srcset="/golden/eyes-2_tall.aez 3x, ${PHOTO} 1x" src="/none.png">`));
        await until(IS_HIGH);
        expect(await page.evaluate("document.querySelector('img').currentSrc")).toContain(`${PHOTO}?`);
        await until("document.querySelector('img').naturalWidth > 0");
        expect(await sizeOf("img")).toEqual(SIZE);
      });

      it("a picture element shows its source instead of its fallback", async () => {
        const source = `<source type="image/aez" srcset="${PHOTO}">`;
        await page.goto(site.page(`<picture>${source}<img src="${RED_PIXEL}"></picture>`));
        await until(IS_HIGH);
        await until("document.querySelector('img').naturalWidth === 109");
      });

      it("so does what is still on its way when the service worker is there", async () => {
        site.delay = 2000;
        try {
          await page.goto(site.page(`<img src="${PHOTO}"><img srcset="/golden/eyes-2_tall.aez 1x">`));
          await until("[...document.images].every((image) => image.naturalWidth > 0)");
        } finally {
          site.delay = 0;
        }
      });

      it("a background shows", async () => {
        const style = `width: 109px; height: 81px; background: url(${PHOTO})`;
        await page.goto(site.page(`<style>body { margin: 0 } div { ${style} }</style><div></div>`));
        const deadline = Date.now() + 20_000;
        let colour = [255, 255, 255];
        while (colour.every((value) => value === 255) && Date.now() < deadline) colour = await colourAt(60, 10);
        expect(colour).not.toEqual([255, 255, 255]);
      });
    });

    it("shows what is added later, and a reload by force does no harm", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.evaluate(`document.body.insertAdjacentHTML("beforeend",
    '<picture><source type="image/aez" srcset="/golden/eyes-2_tall.aez"><img id="later" src="${RED_PIXEL}"></picture>')`);
      await until("document.querySelector('#later').naturalHeight > 1");
      await page.reload(kind === "chrome" ? { ignoreCache: true } : {});
      await until("document.querySelector('img')?.naturalWidth === 109");
    });

    it("fetches only the front part and the weights of medium for small pictures, and the rest when they grow", async () => {
      await page.goto(site.page(`<img src="${PHOTO}" width="50">`));
      await until("document.querySelector('img').naturalWidth === 55");
      await sleep(500);
      expect(asked(/\.medium$/)).toHaveLength(1);
      expect(asked(/\.high$/)).toHaveLength(0);
      expect(await page.evaluate(IS_HIGH)).toBe(false);
      await page.evaluate("document.querySelector('img').width = 100");
      await until(IS_HIGH);
      expect(asked(/\.high$/)).toHaveLength(1);
    });

    it("shows medium pictures of any size where the page does not say how wide they are", async () => {
      await page.goto(site.page('<img src="/large.aez" style="max-width: 200px">'));
      await until("document.querySelector('img').naturalWidth === 768");
      const seen = `(() => {
      const canvas = new OffscreenCanvas(200, 133).getContext("2d");
      canvas.drawImage(document.querySelector("img"), 0, 0, 200, 133);
      return [...canvas.getImageData(100, 66, 1, 1).data];
    })()`;
      await expect.poll(() => page.evaluate(seen)).toHaveProperty("3", 255);
      expect(await page.evaluate(IS_HIGH)).toBe(false);
    });

    it("gives large images the high picture, whatever else shows the same file", async () => {
      await page.goto(site.page(`<img src="${PHOTO}" width="50">`));
      await until("document.querySelector('img').naturalWidth === 55");
      await page.evaluate(`document.body.insertAdjacentHTML("beforeend", '<img id="large" src="${PHOTO}">')`);
      await until('document.querySelector("#large").currentSrc.includes("aez-high")');
      await until("document.querySelector('#large').naturalWidth === 109");
    });

    it("gives images the high picture when the page is zoomed", async () => {
      await page.setViewport({ width: 800, height: 600, deviceScaleFactor: 1 });
      await page.goto(site.page(`<img src="${PHOTO}" width="50">`));
      await until("document.querySelector('img').naturalWidth === 55");
      await sleep(300);
      expect(await page.evaluate(IS_HIGH)).toBe(false);
      await page.setViewport({ width: 400, height: 300, deviceScaleFactor: 2 });
      await until(IS_HIGH);
    });

    it("leaves addresses as the page has set them, and shows what it sets later", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      expect(await page.evaluate("document.querySelector('img').getAttribute('src')")).toBe(PHOTO);
      await page.evaluate("document.querySelector('img').src = '/golden/eyes-2_tall.aez'");
      await until("document.querySelector('img').currentSrc.includes('tall.aez?aez-high')");
      await until("document.querySelector('img').naturalHeight === 301");
      await page.evaluate(`document.querySelector('img').src = "${RED_PIXEL}"`);
      await until("document.querySelector('img').naturalWidth === 1");
    });

    it("a picture element whose file is damaged shows its fallback", async () => {
      site.pages.set("/damaged.aez", "not a picture");
      const source = '<source type="image/aez" srcset="/damaged.aez">';
      const address = site.page(`<picture>${source}<img src="${RED_PIXEL}"></picture>`);
      for (const visit of ["first", "second"]) {
        await page.goto(address);
        await expect
          .poll(() => said.filter((line) => line.includes("/damaged.aez: ")), { message: visit })
          .not.toHaveLength(0);
        await until("document.querySelector('img').naturalWidth === 1");
        said.length = 0;
      }
    });

    it("a source that is given another file shows that", async () => {
      site.pages.set("/damaged.aez", "not a picture");
      const source = '<source type="image/aez" srcset="/damaged.aez">';
      await page.goto(site.page(`<picture>${source}<img src="${RED_PIXEL}"></picture>`));
      await expect.poll(() => said.filter((line) => line.includes("/damaged.aez: "))).not.toHaveLength(0);
      await until("document.querySelector('img').naturalWidth === 1");
      await page.evaluate(`document.querySelector('source').srcset = "${PHOTO}"`);
      await until("document.querySelector('img').naturalWidth === 109");
    });

    it("reads candidates that no space divides, and addresses with commas", async () => {
      site.pages.set("/a,b.aez", readFileSync(join(GOLDEN, "eyes-2_plain.aez")));
      await page.goto(site.page('<img srcset="/none.aez 9x,/a,b.aez 1x">'));
      await until("document.querySelector('img').currentSrc.endsWith('/a,b.aez?aez-high=1')");
      await until("document.querySelector('img').naturalWidth === 109");
    });

    it("tries again where the high picture did not come", async () => {
      const weights = `/aez/${BUNDLE.replace("medium", "high")}`;
      site.missing.add(weights);
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await expect.poll(() => said.filter((line) => line.includes("there are no weights at"))).not.toHaveLength(0);
      site.missing.delete(weights);
      await until(IS_HIGH);
    });

    it("works on pages that are isolated", async () => {
      site.isolated = true;
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await until("document.querySelector('img').naturalWidth === 109");
      site.isolated = false;
    });

    it("tells no server which addresses are those of high pictures", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(`${site.url}${PHOTO}?aez-high=1`);
      expect(await page.title()).toBe("eyes-2_plain.aez");
      expect(asked(/aez-high/)).toEqual([]);
    });

    it("decodes first what can be seen", async () => {
      const far = Array.from(
        { length: 12 },
        (_, number) => `<img src="/large.aez?${number}" style="margin-top: 3000px">`,
      );
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      const order = "document.addEventListener('load', ({ target }) => order.push(target.id), { capture: true })";
      await page.goto(
        site.page(`<script>order = []; ${order}</script>${far.join("")}<img id="seen" src="${PHOTO}"
      style="position: fixed; top: 0">`),
      );
      await until("order.includes('seen')");
      expect(await page.evaluate("order.indexOf('seen')")).toBeLessThan(6);
    });

    it("shows an address again as it has shown it before", async () => {
      await page.goto(site.page(`<img src="${PHOTO}" width="100">`));
      await until(IS_HIGH);
      await page.evaluate(
        `document.body.insertAdjacentHTML("beforeend", '<img id="second" src="${PHOTO}" width="100">')`,
      );
      await until("document.querySelector('#second').currentSrc.includes('aez-high')");
      await page.evaluate("for (const image of [...document.images]) image.remove()");
      await page.evaluate(`document.body.insertAdjacentHTML("beforeend", '<img src="${PHOTO}" width="100">')`);
      await until(IS_HIGH);
    });

    it("waits for pages that are busy, and leaves what is no picture to the server", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      const busy = "<script>for (const end = Date.now() + 3000; Date.now() < end; );</script>";
      await page.goto(site.page(`<img src="${PHOTO}" width="50">`, `${busy}<script src="/aez.js"></script>`));
      await until("document.querySelector('img').naturalWidth > 0");
      expect(await page.evaluate(IS_HIGH)).toBe(false);
      await page.evaluate("document.querySelector('img').width = 100");
      await until(IS_HIGH);
      await page.evaluate("document.querySelector('img').src = '/golden/eyes-2_tall.aez'");
      await until("document.querySelector('img').currentSrc.includes('tall.aez?aez-high')");
      site.types.set("/File:x.aez", "text/html");
      site.pages.set("/File:x.aez", "<title>about x</title>");
      await page.goto(`${site.url}/File:x.aez`);
      expect(await page.title()).toBe("about x");
    });

    it("goes by the height of images that cut what they show, too", async () => {
      const style = "width: 50px; height: 81px; object-fit";
      await page.goto(site.page(`<img src="${PHOTO}" style="${style}: contain">`));
      await until("document.querySelector('img').naturalWidth > 0");
      await sleep(300);
      expect(await page.evaluate(IS_HIGH)).toBe(false);
      await page.evaluate("document.querySelector('img').style.objectFit = 'cover'");
      await page.evaluate("document.querySelector('img').style.width = '51px'");
      await until(IS_HIGH);
    });

    it("fetches of a large file what medium needs, and then what is missing", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      try {
        site.trickles = true;
        await page.goto(site.page('<img src="/best.aez">'));
        await until(IS_HIGH);
        await until("document.querySelector('img').naturalWidth === 768");
      } finally {
        site.trickles = false;
      }
      const ranges = site.asked.filter(({ path }) => path === "/best.aez").map(({ range }) => range);
      expect(ranges).toEqual(["", expect.stringMatching(/^bytes=\d+-$/)]);
    });

    it("shows the samples that Python decodes", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await until("document.querySelector('img').complete");
      const seen = (await page.evaluate(`(() => {
      const canvas = new OffscreenCanvas(...${JSON.stringify(SIZE)}).getContext("2d");
      canvas.drawImage(document.querySelector("img"), 0, 0);
      return [...canvas.getImageData(0, 0, ...${JSON.stringify(SIZE)}).data];
    })()`)) as number[];
      const golden = goldenFiles().find(({ name }) => name === "eyes-2_plain.high.png");
      expect(seen.filter((value, place) => Math.abs(value - (golden?.rgba[place] ?? -9)) > 1)).toEqual([]);
    });

    it("keeps weights and decoded pictures", async () => {
      const address = site.page(`<img src="${PHOTO}">`);
      await page.goto(address);
      await until(IS_HIGH);
      await sleep(500);
      site.asked.length = 0;
      await page.goto(address);
      await until(IS_HIGH);
      await until("document.querySelector('img').naturalWidth === 109");
      expect(asked(/\.(medium|high)$/)).toEqual([]);
    });

    it("shows pictures of pages without its script, once a page with it was visited", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(site.page(`<img src="${PHOTO}">`, ""));
      await until("document.querySelector('img').naturalWidth === 109");
    });

    it("has a page for a picture that is opened by itself", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(site.url + PHOTO);
      await until("document.querySelector('img').naturalWidth === 109");
      expect(await page.title()).toBe("eyes-2_plain.aez");
    });

    it("has that page for names of all kinds, and says there what is wrong", async () => {
      site.pages.set("/100%.aez", readFileSync(join(GOLDEN, "eyes-2_plain.aez")));
      site.pages.set("/text.aez", "not a picture");
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(`${site.url}/100%.aez`);
      await until("document.querySelector('img').naturalWidth === 109");
      expect(await page.title()).toBe("100%.aez");
      await page.goto(`${site.url}/text.aez`);
      await until("document.body.innerText.includes('not an aez file')");
      expect((await page.goto(`${site.url}/none.aez`))?.status()).toBe(404);
    });

    it("offers the file itself there", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(site.url + PHOTO);
      const saved = `new Promise((resolve) => {
      addEventListener("click", async (event) => {
        if (event.target.protocol !== "blob:") return;
        event.preventDefault();
        resolve([event.target.download, ...new Uint8Array(await (await fetch(event.target.href)).arrayBuffer())]);
      });
      document.querySelector("a").click();
    })`;
      expect(await page.evaluate(saved)).toEqual([
        "eyes-2_plain.aez",
        ...readFileSync(join(GOLDEN, "eyes-2_plain.aez")),
      ]);
    });

    it("leaves to the browser what is no .aez file for all its name", async () => {
      site.pages.set("/other.aez", Buffer.from(RED_PIXEL.split(",")[1], "base64"));
      await page.goto(site.page('<img src="/other.aez">'));
      await until("document.querySelector('img').naturalWidth === 1");
      await page.reload();
      await until("document.querySelector('img').naturalWidth === 1");
    });

    it("leaves a service worker of the site alone, which can import it", async () => {
      site.pages.set("/own.js", "");
      const register = "<script>navigator.serviceWorker.register('/own.js')</script>";
      await page.goto(site.page(register, ""));
      await page.evaluate("navigator.serviceWorker.ready.then(() => 1)");
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await expect
        .poll(() => said.filter((line) => line.includes("/own.js has to importScripts")), { timeout: 10_000 })
        .toHaveLength(1);
      site.pages.set("/own.js", 'importScripts("/aez.js")');
      await page.evaluate("navigator.serviceWorker.getRegistration().then((own) => own.unregister())");
      await page.goto(site.page(register, ""));
      await page.evaluate("navigator.serviceWorker.ready.then(() => 1)");
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      await page.goto(site.url + PHOTO);
      await until("document.querySelector('img').naturalWidth === 109");
    });

    it("goes away as the guide says", async () => {
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
      site.pages.set("/aez.js", "self.registration?.unregister()");
      try {
        await page.evaluate(
          "navigator.serviceWorker.ready.then((registration) => registration.update()).catch(() => 1)",
        );
        await until("navigator.serviceWorker.getRegistration().then((registration) => !registration)");
        await page.goto(site.page(`<img src="${PHOTO}">`));
        expect(await page.evaluate("navigator.serviceWorker.controller")).toBe(null);
      } finally {
        site.pages.delete("/aez.js");
      }
    });

    it("does not take the site's service worker with it where its own files are missing there", async () => {
      site.pages.set("/own.js", 'self.aezFolder = "/nowhere/"; importScripts("/aez.js")');
      await page.goto(site.page("<script>navigator.serviceWorker.register('/own.js')</script>", ""));
      await page.evaluate("navigator.serviceWorker.ready.then(() => 1)");
      await page.goto(site.page(`<img src="${PHOTO}">`));
      await until(IS_HIGH);
    });

    it("takes no pages away from a service worker of a wider scope", async () => {
      site.pages.set("/own.js", "");
      site.pages.set("/below/aez.js", readFileSync(join(import.meta.dirname, "../../build/site/aez.js")));
      site.pages.set("/below/page.html", '<script src="/below/aez.js" data-folder="/aez"></script>');
      await page.goto(site.page("", ""));
      await page.evaluate("navigator.serviceWorker.register('/own.js').then(() => navigator.serviceWorker.ready)");
      await page.goto(`${site.url}/below/page.html`);
      await expect.poll(() => said, { timeout: 10_000 }).toHaveLength(1);
      expect(said[0]).toContain('/own.js has to importScripts("/below/aez.js")');
      expect(await page.evaluate("navigator.serviceWorker.getRegistrations().then(({ length }) => length)")).toBe(1);
    });

    it("says which of its own files is missing", async () => {
      await page.goto(site.page("", '<script src="/aez.js" data-folder="/nowhere"></script>'));
      await expect.poll(() => said.filter((line) => line.startsWith("aez.js: the server answers 404"))).toHaveLength(1);
      expect(said.filter((line) => line.endsWith(`/nowhere/${DECODER}`))).toHaveLength(1);
    });

    it("says where it cannot show images, and does no harm where it is included twice", async () => {
      site.pages.set("/below/aez.js", readFileSync(join(import.meta.dirname, "../../build/site/aez.js")));
      const script = '<script src="/below/aez.js" data-folder="/aez"></script>';
      await page.goto(site.page("", script + script));
      await expect.poll(() => said).toHaveLength(1);
      expect(said[0]).toBe(`aez.js: it shows images of pages below ${site.url}/below/ only, where it lies`);
    });

    it("says in one line what is wrong with a picture, which then shows as broken", async () => {
      const damaged = Uint8Array.from(readFileSync(join(GOLDEN, "eyes-2_plain.aez")));
      damaged[60] ^= 255;
      site.pages.set("/damaged.aez", damaged);
      await page.goto(site.page(`<img src="${PHOTO}"><img id="damaged" src="/damaged.aez">`));
      await until(IS_HIGH);
      await expect.poll(() => said.filter((line) => line.includes("/damaged.aez: "))).toHaveLength(1);
      expect(await sizeOf("#damaged")).toEqual([0, 0]);
    });

    it.each(["p3", "p3-code-points"])(
      "shows colours of %s as the browser shows those of other formats",
      async (name) => {
        await page.goto(site.page(`<style>body { margin: 0 }</style><img src="/${name}.aez">`));
        await until(IS_HIGH);
        await until("document.querySelector('img').naturalWidth === 80");
        const [red, green, blue] = await colourAt(40, 30); // Display P3 200, 100, 50 in sRGB
        expect(Math.abs(red - 214) + Math.abs(green - 95) + Math.abs(blue - 36)).toBeLessThan(20);
      },
    );

    it("shows medium where only the rest is damaged", async () => {
      const file = readFileSync(join(GOLDEN, "eyes-2_plain.aez"));
      site.pages.set("/cut.aez", file.subarray(0, file.length - 5));
      await page.goto(site.page('<img src="/cut.aez">'));
      await until("document.querySelector('img').naturalWidth === 109");
      await expect.poll(() => said.filter((line) => line.includes("/cut.aez: "))).toHaveLength(1);
    });

    describe("without service workers", () => {
      const insecure = () => site.url.replace("127.0.0.1", "insecure.test");

      it("<aez-img> shows a file, and says when it does not", async () => {
        const address = site.page(
          `<aez-img src="${PHOTO}" alt="a parrot"></aez-img><aez-img src="/none.aez"></aez-img><aez-img src="http://["></aez-img>`,
        );
        await page.goto(address.replace(site.url, insecure()));
        expect(await page.evaluate("isSecureContext")).toBe(false);
        await until("document.querySelector('aez-img').shadowRoot.querySelector('img').naturalWidth === 109");
        expect(await page.evaluate("document.querySelector('aez-img').getBoundingClientRect().width")).toBe(109);
        await expect.poll(() => said.filter((line) => line.includes("/none.aez: "))).toHaveLength(1);
        await expect.poll(() => said.filter((line) => line.includes("http://[: "))).toHaveLength(1);
      });

      it("<aez-img> keeps its place free, and may be styled, also under a strict policy", async () => {
        const policy = "style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src blob:";
        const elements = `<aez-img width="40" height="30"></aez-img><aez-img width="40" src="${PHOTO}"></aez-img>`;
        const head = `<meta http-equiv="Content-Security-Policy" content="${policy}"><script src="/aez.js"></script>`;
        const address = site.page(elements, head);
        await page.goto(address.replace(site.url, insecure()));
        const sizes = `Array.from(document.querySelectorAll("aez-img"), (element) => {
        const { width, height } = element.getBoundingClientRect();
        return [width, Math.round(height)];
      })`;
        await expect
          .poll(() => page.evaluate(sizes), { timeout: 10_000 })
          .toEqual([
            [40, 30],
            [40, 30],
          ]);
        await page.evaluate("document.querySelector('aez-img').style.width = '80px'");
        expect(await page.evaluate(sizes)).toEqual([
          [80, 60],
          [40, 30],
        ]);
      });

      it("<aez-img> gets the high picture as soon as it is large enough to show it", async () => {
        const address = site.page(`<aez-img width="50" src="${PHOTO}"></aez-img>`);
        await page.goto(address.replace(site.url, insecure()));
        await until("document.querySelector('aez-img').shadowRoot.querySelector('img').naturalWidth === 109");
        await sleep(300);
        expect(asked(/\.high$/)).toHaveLength(0);
        await page.evaluate("document.querySelector('aez-img').setAttribute('width', '100')");
        await expect.poll(() => asked(/\.high$/)).toHaveLength(1);
      });

      it("a picture element shows its fallback", async () => {
        const source = `<source type="image/aez" srcset="${PHOTO}">`;
        const address = site.page(`<picture>${source}<img src="${RED_PIXEL}"></picture>`);
        await page.goto(address.replace(site.url, insecure()));
        await until("document.querySelector('img').naturalWidth === 1");
      });
    });

    describe("aez.decode", () => {
      /** The picture of a file that lies beside the page, as width, height, space, and samples with alpha. */
      async function decoded(address: string, resolution = "high") {
        return (await page.evaluate(`(async () => {
      const data = new Uint8Array(await (await fetch("${address}")).arrayBuffer());
      const image = await aez.decode(data, { resolution: "${resolution}" });
      return { width: image.width, height: image.height, space: image.colorSpace, data: Array.from(image.data) };
    })()`)) as { width: number; height: number; space: string; data: number[] };
      }

      it("gives what Python does of golden files", async () => {
        await page.goto(site.page(""));
        const converted = ["eyes-2_bt2020.aez", "eyes-2_metadata.aez"]; // by browsers, to what they show
        const kept = goldenFiles().filter(({ file }) => !converted.includes(file));
        for (const { name, file, resolution, width, height, rgba } of kept) {
          const found = await decoded(`/golden/${file}`, resolution);
          expect([found.width, found.height], name).toEqual([width, height]);
          const differences = found.data.map((value, place) => Math.abs(value - rgba[place]));
          expect(
            differences.filter((difference) => difference > 1),
            name,
          ).toEqual([]);
          expect(differences.filter(Boolean).length, name).toBeLessThanOrEqual(0.001 * differences.length);
        }
      });

      it.each(["p3", "p3-code-points"])("keeps colours of %s, which is wider than sRGB", async (name) => {
        await page.goto(site.page(""));
        const found = await decoded(`/${name}.aez`);
        const values = found.space === "display-p3" ? [200, 100, 50] : [214, 94, 31]; // Firefox has sRGB alone
        for (const [channel, value] of values.entries()) {
          expect(Math.abs(found.data[4 * (80 * 30 + 40) + channel] - value)).toBeLessThanOrEqual(3);
        }
      });

      it("does without the browser's own decoder where that alters samples", async () => {
        const script = readFileSync(join(FOLDER, DECODER), "utf8");
        const alter = `{
      const { prototype } = OffscreenCanvasRenderingContext2D;
      const read = prototype.getImageData;
      prototype.getImageData = function (...place) { const image = read.apply(this, place); image.data[5] ^= 1; return image; };
    }`;
        site.pages.set(`/aez/${DECODER}`, alter + script);
        await page.goto(site.page(""));
        const found = await decoded("/golden/eyes-2_lossless.aez");
        expect(asked(/webp-\w+\.js$/)).toHaveLength(1);
        site.pages.delete(`/aez/${DECODER}`);
        await page.goto(site.page(""));
        expect((await decoded("/golden/eyes-2_lossless.aez")).data).toEqual(found.data);
        expect(asked(/webp-\w+\.js$/)).toHaveLength(1);
      });

      it("is there for scripts that import the package", async () => {
        const script = `
        import * as aez from "/package/index.js";
        aez.configure({ folder: "/aez/" });
        const data = new Uint8Array(await (await fetch("${PHOTO}")).arrayBuffer());
        const image = await aez.decode(data, { resolution: "medium" });
        const error = await aez.decode(data.subarray(0, 50)).catch((error) => error);
        document.title = [image.width, aez.info(data).width, error instanceof aez.DamagedError, error.message].join();`;
        await page.goto(site.page(`<script type="module">${script}</script>`, ""));
        await until("document.title !== ''");
        expect(await page.title()).toMatch(/^55,109,true,truncated: 50 bytes of the /);
      });

      it("says what is wrong with its own files", async () => {
        for (const [name, message] of [
          [DECODER, `${DECODER} cannot be loaded`],
          [BUNDLE, "there are no weights at"],
        ]) {
          site.missing.add(`/aez/${name}`);
          await page.goto(site.page(""));
          await expect(decoded(PHOTO)).rejects.toThrow(message);
          site.missing.delete(`/aez/${name}`);
        }
        expect((await decoded(PHOTO)).width).toBe(109);
      });

      it("does not keep what is served in the place of weights", async () => {
        site.pages.set(`/aez/${BUNDLE}`, "<!doctype html>");
        await page.goto(site.page(""));
        await expect(decoded(PHOTO)).rejects.toThrow("the bundle of the model is damaged");
        site.pages.delete(`/aez/${BUNDLE}`);
        await page.goto(site.page(""));
        expect((await decoded(PHOTO)).width).toBe(109);
      });

      it("says what is wrong", async () => {
        await page.goto(site.page(""));
        expect(await page.evaluate("aez.decode(new ArrayBuffer(0)).catch(({ name }) => name)")).toBe("FormatError");
        await expect(page.evaluate("aez.decode(new Uint8Array(0), {resolution: 'low'})")).rejects.toThrow('not "low"');
        await expect(decoded("/aez.js")).rejects.toThrow("not an aez file");
        await expect(page.evaluate("aez.decode(new Uint8Array(40))")).rejects.toThrow("not an aez file");
        expect(await page.evaluate("aez.decode(new Uint8Array(0)).catch(({ name }) => name)")).toBe("FormatError");
      });
    });
  });
}
