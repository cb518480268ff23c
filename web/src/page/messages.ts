/** What a page asks of its service worker: to be served by it from now on. */
export const CLAIM = "aez-claim";

/** The parameter of a service worker's address that says where its decoder and the weights are. */
export const FOLDER = "folder";

/** What a service worker asks a page, along with a port for the answer. */
export interface Question {
  readonly aez: "show";
  readonly url: string;
  /** Whether the page has asked for the high picture itself, in the place of the medium one. */
  readonly high: boolean;
  /** Until when, in milliseconds since 1970, the service worker waits to be told that it was asked. */
  readonly until: number;
}

/**
 * First that it was asked, so that the service worker knows that there is somebody; later the picture. Or that the
 * question came too late, but the next one will not.
 */
export type Answer =
  | { readonly asked: true }
  | { readonly late: true }
  | { readonly file: Blob }
  | { readonly error: string };

export function isQuestion(data: unknown): data is Question {
  return typeof data === "object" && data !== null && (data as Partial<Question>).aez === "show";
}

/** A parameter that pages add to addresses of high pictures. It ends at the service worker; no server sees it. */
const HIGH = "aez-high=1";

/** Whether an address is that of an .aez file. */
export function isAez(url: string): boolean {
  try {
    return new URL(url, self.location.href).pathname.toLowerCase().endsWith(".aez");
  } catch {
    return false;
  }
}

export function highAddress(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${HIGH}`;
}

/** The address of the file itself, and whether its high picture is meant. */
export function plainAddress(address: string): { url: string; high: boolean } {
  const url = address.replace(/#.*/s, "");
  const high = url.endsWith(`?${HIGH}`) || url.endsWith(`&${HIGH}`);
  return { url: high ? url.slice(0, -HIGH.length - 1) : url, high };
}
