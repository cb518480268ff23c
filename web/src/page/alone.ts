import { Engine } from "../engine.ts";
import { ModelError } from "../errors.ts";
import { keptWeights } from "./kept.ts";
import { asBlob, FetchedPicture } from "./picture.ts";
import { webpDecoders } from "./webp.ts";

/** Makes a file that browsers show of an .aez file, with weights from a folder. */
export type RenderAlone = (url: string, folder: string) => Promise<Blob>;

let engine: Engine | undefined;

/** High if that can be, without a page: where service workers have to decode themselves. */
export const renderAlone: RenderAlone = async (url, folder) => {
  engine ??= new Engine(
    async (model, part) => {
      const weights = await keptWeights(`${folder}${model}.${part}`);
      if (!weights) throw new ModelError(`the weights of model ${model} are not in ${folder}`);
      return weights;
    },
    webpDecoders(`${folder}webp.js`),
  );
  const picture = new FetchedPicture(url, engine);
  try {
    return asBlob(await picture.render("high").catch(() => picture.render("medium")));
  } finally {
    picture.close();
  }
};
