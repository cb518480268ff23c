import type { Decoded } from "../decode.ts";
import { toPng } from "../png.ts";

/** A decoded picture as browsers draw it: in sRGB, or in Display P3 if it has a profile of its own. */
export async function toImageData(picture: Decoded): Promise<ImageData> {
  const { width, height, alpha } = picture;
  const image = picture.profile ? await converted(picture) : new ImageData(width, height);
  const { data } = image;
  for (let place = 0; place < width * height; place++) {
    if (!picture.profile) data.set(picture.rgb.subarray(3 * place, 3 * place + 3), 4 * place);
    data[4 * place + 3] = alpha ? alpha[place] : 255;
  }
  return image;
}

/** Colours of an opaque picture, converted by the browser from the profile. */
async function converted(picture: Decoded): Promise<ImageData> {
  const { width, height } = picture;
  const bitmap = await createImageBitmap(new Blob([toPng({ ...picture, alpha: undefined })], { type: "image/png" }));
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: "display-p3" });
  if (!context) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
