/** What was asked for before anybody could answer is asked for again. */

import { replaceCandidates, sourcesOf, urlsOf } from "./addresses.ts";
import { isAez } from "./messages.ts";

/** Ask for it as soon as it has failed. */
export function askAgain(): void {
  for (const image of document.images) {
    if (!urlsOf(image).length) continue;
    if (!image.complete) image.addEventListener("error", () => askImageAgain(image), { once: true });
    else if (!image.naturalWidth) askImageAgain(image);
  }
  askStylesAgain();
  if (document.readyState !== "complete") window.addEventListener("load", askStylesAgain, { once: true });
}

function askStylesAgain(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[style]")) declareAgain(element.style);
  for (const sheet of document.styleSheets) for (const rule of rulesOf(sheet)) askRuleAgain(rule);
}

/** Setting `src`, be it to the same address, makes browsers fetch again what failed; `srcset` has to be another one. */
function askImageAgain(image: HTMLImageElement): void {
  if (isAez(image.src)) image.setAttribute("src", image.getAttribute("src") ?? "");
  for (const element of [image, ...sourcesOf(image)]) {
    if (!element.srcset) continue;
    element.srcset = replaceCandidates(element.srcset, (one) => (isAez(one) ? `${one.replace(/#.*/, "")}#again` : one));
  }
}

/** Rules within; those of style sheets from elsewhere cannot be seen, and not all browsers have rules within rules. */
function rulesOf(outer: CSSStyleSheet | CSSRule): CSSRule[] {
  try {
    return "cssRules" in outer ? [...(outer.cssRules as CSSRuleList)] : [];
  } catch {
    return [];
  }
}

function askRuleAgain(rule: CSSRule): void {
  if (rule instanceof CSSStyleRule) declareAgain(rule.style);
  if (rule instanceof CSSImportRule && rule.styleSheet) rulesOf(rule.styleSheet).forEach(askRuleAgain);
  rulesOf(rule).forEach(askRuleAgain);
}

/** An image that failed stays failed as long as its declaration stays. */
function declareAgain(style: CSSStyleDeclaration): void {
  for (const property of [...style]) {
    const value = style.getPropertyValue(property);
    if (!/url\(.*\.aez/i.test(value)) continue;
    const priority = style.getPropertyPriority(property);
    style.removeProperty(property);
    style.setProperty(property, value, priority);
  }
}
