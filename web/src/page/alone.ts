import { Engine } from "../engine.ts";
import { warn } from "../errors.ts";
import { keptWeights } from "./kept.ts";
import { asBlob, FetchedPicture } from "./picture.ts";
import { byBrowser } from "./webp.ts";

/** Makes a file that browsers show of an .aez file, with weights from a folder. */
export type RenderAlone = (url: string, folder: string) => Promise<Blob>;

let engine: Engine | undefined;

/** High if that can be, without a page: where service workers have to decode themselves. */
export const renderAlone: RenderAlone = async (url, folder) => {
  // The browser's own decoder has to do: service workers may not load a script for another later on.
  engine ??= new Engine((name, afresh) => keptWeights(folder + name, afresh), [byBrowser]);
  const picture = new FetchedPicture(url, engine);
  try {
    return asBlob(await picture.render("high"));
  } catch (error) {
    const medium = asBlob(await picture.render("medium"));
    warn(url, error);
    return medium;
  }
};
