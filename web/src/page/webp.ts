import type { WebpDecoder } from "../format/sheet.ts";
import { withoutAlpha } from "../samples.ts";

/** The browser's own decoder, and libwebp from a script, which is only fetched where the former does not do. */
export function webpDecoders(script: string): WebpDecoder[] {
  return [byBrowser, byScript(script)];
}

/** The decoder that browsers have. Those that guard against fingerprinting alter samples that are read back. */
export const byBrowser: WebpDecoder = async (file, width, height) => {
  const bitmap = await createImageBitmap(new Blob([file], { type: "image/webp" }), {
    premultiplyAlpha: "none",
    colorSpaceConversion: "none",
  });
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return withoutAlpha(context.getImageData(0, 0, width, height).data, width * height);
};

/** What the script leaves behind for this one. */
declare global {
  var aezWebp: WebpDecoder | undefined;
}

function byScript(script: string): WebpDecoder {
  return async (file, width, height) => {
    if (!self.aezWebp) (self as unknown as { importScripts(url: string): void }).importScripts(script);
    if (!self.aezWebp) throw new Error(`${script} is not what it should be`);
    return self.aezWebp(file, width, height);
  };
}
