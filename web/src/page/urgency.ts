/** What is decoded first: what somebody looks at. */

import { urlsOf } from "./addresses.ts";

/** More is sooner. */
export type Urgency = () => number;

const SEEN = 2;
const ELSEWHERE = 1;
const GONE = 0;

/** What is asked for by scripts, or by nothing that can be looked at. */
export const usual: Urgency = () => ELSEWHERE;

/** High pictures wait for all medium ones that are as urgent. */
export function less(urgency: Urgency): Urgency {
  return () => urgency() - 0.5;
}

/** Whether an element is in sight, and not behind another one. */
export function urgencyOf(element: Element): number {
  if (!element.isConnected) return GONE;
  const { left, top, right, bottom } = element.getBoundingClientRect();
  if (left > innerWidth || top > innerHeight || right < 0 || bottom < 0) return ELSEWHERE;
  const [x, y] = [
    Math.max(left, 0) + Math.min(right, innerWidth - 1),
    Math.max(top, 0) + Math.min(bottom, innerHeight - 1),
  ];
  const front = document.elementFromPoint(x / 2, y / 2);
  return front?.contains(element) || element.contains(front) ? SEEN : ELSEWHERE;
}

let found: Map<string, number> | undefined;

/** The most urgent of all images that may show a file. */
export function urgencyAt(url: string): number {
  if (!found) {
    found = new Map();
    for (const image of document.images) {
      const urls = urlsOf(image);
      const urgency = urls.length ? urgencyOf(image) : GONE;
      for (const one of urls) found.set(one, Math.max(urgency, found.get(one) ?? GONE));
    }
    setTimeout(() => {
      found = undefined; // it was for all that waits now
    });
  }
  return found.get(url) ?? GONE;
}
