import { Engine } from "../engine.ts";
import { HEADER_BYTES, parseHeader } from "../format/header.ts";
import { Download } from "./download.ts";
import { keptWeights } from "./kept.ts";
import { enlarged, render } from "./picture.ts";
import { byBrowser } from "./webp.ts";

/** Makes a file that browsers show of an .aez file, with weights from a folder. */
export type RenderAlone = (url: string, folder: string) => Promise<Blob>;

let engine: Engine | undefined;

/** Medium, without a page: all requests of a site wait while its service worker decodes, so it has to be quick. */
export const renderAlone: RenderAlone = async (url, folder) => {
  // The browser's own decoder has to do: service workers may not load a script for another later on.
  engine ??= new Engine((name, afresh) => keptWeights(folder + name, afresh), [byBrowser]);
  const download = new Download(url);
  const { mediumBytes } = parseHeader(await download.first(HEADER_BYTES));
  return enlarged(await render(engine, await download.noMoreThan(mediumBytes), "medium"));
};
