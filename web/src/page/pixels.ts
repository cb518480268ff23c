import type { Decoded } from "../decode.ts";
import { toPng } from "../png.ts";

/** A picture as browsers draw it: in sRGB, or in Display P3 if its colours are others. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha, which is not multiplied with. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly colorSpace: PredefinedColorSpace;
}

export function imageOf({ data, width, height, colorSpace }: Pixels): ImageData {
  return new ImageData(data, width, height, { colorSpace });
}

/** Colours of a decoded picture, converted by the browser where they are not sRGB. */
export async function toPixels(picture: Decoded): Promise<Pixels> {
  const { width, height, rgb, alpha, colours } = picture;
  const data = colours ? await converted(picture) : new Uint8ClampedArray(4 * width * height);
  for (let place = 0, from = 0, to = 0; place < width * height; place++, from += 3, to += 4) {
    if (!colours) {
      data[to] = rgb[from];
      data[to + 1] = rgb[from + 1];
      data[to + 2] = rgb[from + 2];
    }
    data[to + 3] = alpha ? alpha[place] : 255;
  }
  return { width, height, data, colorSpace: colours ? WIDE : "srgb" };
}

const WIDE = "display-p3";

/** Opaque, since canvases would multiply colours with alpha, and round. */
async function converted(picture: Decoded): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { width, height } = picture;
  const bitmap = await createImageBitmap(new Blob([toPng({ ...picture, alpha: undefined })], { type: "image/png" }));
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: WIDE });
  if (!context) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data as Uint8ClampedArray<ArrayBuffer>;
}
