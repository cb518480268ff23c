import { existsSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, launch } from "puppeteer-core";

const ROOT = join(import.meta.dirname, "../..");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".aez": "image/aez" };
const ARGUMENTS = [
  "--host-resolver-rules=MAP insecure.test 127.0.0.1",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
];

const CHUNK = 1 << 14;

/** What a server was asked for. */
export interface Asked {
  readonly path: string;
  readonly accept: string;
  readonly range: string;
}

/** A web server of what `aez web` writes, golden files below /golden, and pages made by a test. */
export class Site {
  readonly pages = new Map<string, string | Uint8Array>();
  /** What some of them are, which does not follow from their names. */
  readonly types = new Map<string, string>();
  /** Files that are not there for a while. */
  readonly missing = new Set<string>();
  /** Milliseconds after which .aez files are sent. */
  delay = 0;
  /** Whether pages, and the scripts of workers, say that they are isolated (COEP). */
  isolated = false;
  /** Whether files come slowly. */
  trickles = false;
  readonly asked: Asked[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async ({ url = "/", headers }, response) => {
      const path = decodeURI(new URL(url, "http://x").pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"));
      this.asked.push({ path: url, accept: headers.accept ?? "", range: headers.range ?? "" });
      const body = this.pages.get(path) ?? (await readFile(placeOf(path)).catch(() => undefined));
      if (path.endsWith(".aez")) await sleep(this.delay);
      if (body === undefined || this.missing.has(path)) return response.writeHead(404).end();
      const type = { "Content-Type": this.types.get(path) ?? TYPES[extname(path)] ?? "application/octet-stream" };
      const isolated = this.isolated && /\.html$|^\/aez\/.*\.js$/.test(path);
      const policy = isolated && { "Cross-Origin-Embedder-Policy": "require-corp" };
      const start = Number(headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
      const rest = Buffer.from(body).subarray(start);
      const part = { "Content-Range": `bytes ${start}-${start + rest.length - 1}/${start + rest.length}` };
      response.writeHead(start ? 206 : 200, { ...type, ...policy, ...(start && part), "Content-Length": rest.length });
      const chunk = this.trickles ? CHUNK : rest.length;
      for (let place = 0; place < rest.length; place += chunk) {
        response.write(rest.subarray(place, place + chunk));
        if (this.trickles) await sleep(50);
      }
      return response.end();
    });
  }

  static async start(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.#server.listen(0, "127.0.0.1", resolve));
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Put a page with this content; its address. */
  page(content: string, head = '<script src="/aez.js"></script>'): string {
    const path = `/page-${this.pages.size}.html`;
    this.pages.set(path, `<!doctype html><meta charset="utf-8">${head}<body>${content}`);
    return this.url + path;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function placeOf(path: string): string {
  const golden = path.match(/^\/golden\/([\w.-]+)$/);
  if (golden) return join(ROOT, "../tests/golden", golden[1]);
  if (path.startsWith("/package/")) return join(ROOT, "dist", path.slice("/package/".length));
  return join(ROOT, "build/site", path);
}

const PATHS = { chrome: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" } as const;

export type BrowserKind = keyof typeof PATHS;

/** Whether it is, as Debian does it. */
export function isInstalled(browser: BrowserKind): boolean {
  return existsSync(PATHS[browser]);
}

/** A browser with a folder of its own. */
export async function startBrowser(browser: BrowserKind): Promise<Browser> {
  const userDataDir = await mkdtemp(join(tmpdir(), "aez-browser-"));
  const executablePath = PATHS[browser];
  if (browser === "chrome") return launch({ browser, executablePath, args: ARGUMENTS, userDataDir });
  const extraPrefsFirefox = { "network.dns.localDomains": "insecure.test" };
  return launch({ browser, executablePath, extraPrefsFirefox, userDataDir });
}
