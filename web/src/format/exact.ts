import { DamagedError } from "../errors.ts";
import type { Samples } from "../samples.ts";
import { unpackSheet, type WebpDecoder } from "./sheet.ts";

const SIDE = 16;

/** The exact blocks of a picture: which they are, and the sheet that holds their samples; `left` and `top` in blocks. */
export interface ExactBlocks {
  readonly rows: number;
  readonly columns: number;
  readonly map: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly sheet: Samples;
}

/**
 * The exact blocks of a picture.
 *
 * @throws DamagedError: they are damaged, or there are none.
 */
export async function unpackExact(
  content: Uint8Array,
  width: number,
  height: number,
  decoders: readonly WebpDecoder[],
): Promise<ExactBlocks> {
  const map = unpackMap(content, width, height);
  const [rows, columns] = [Math.ceil(height / SIDE), Math.ceil(width / SIDE)];
  let [left, top, right, bottom] = [columns, rows, 0, 0];
  for (const [place, exact] of map.entries()) {
    if (!exact) continue;
    const [row, column] = [Math.floor(place / columns), place % columns];
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
  }
  if (!right) throw new DamagedError("the map of exact blocks is empty");
  const [sheetWidth, sheetHeight] = [
    Math.min(SIDE * right, width) - SIDE * left,
    Math.min(SIDE * bottom, height) - SIDE * top,
  ];
  const rest = content.subarray(1 + Math.ceil(map.length / 8));
  const rgb = await unpackSheet(rest, sheetWidth, sheetHeight, decoders);
  return { rows, columns, map, left, top, sheet: { width: sheetWidth, height: sheetHeight, rgb } };
}

/**
 * The samples of a picture whose blocks are all exact.
 *
 * @throws DamagedError: they are damaged.
 */
export async function unpackAllExact(
  content: Uint8Array,
  width: number,
  height: number,
  decoders: readonly WebpDecoder[],
): Promise<Samples> {
  return { width, height, rgb: await unpackSheet(content.subarray(1), width, height, decoders) };
}

/**
 * Which blocks of a picture are exact, a byte each.
 *
 * @throws DamagedError: truncated.
 */
export function unpackMap(content: Uint8Array, width: number, height: number): Uint8Array {
  const count = Math.ceil(height / SIDE) * Math.ceil(width / SIDE);
  if (content.length < 1 + Math.ceil(count / 8)) throw new DamagedError("the map of exact blocks is truncated");
  return Uint8Array.from({ length: count }, (_, place) => (content[1 + (place >> 3)] >> (7 - (place & 7))) & 1);
}

/** Put exact samples over those of a picture; `scale` is 2 where both the picture and the sheet are of half the size. */
export function putExact(picture: Samples, blocks: ExactBlocks, sheet: Samples, scale: 1 | 2): void {
  const side = SIDE / scale;
  const [left, top] = [side * blocks.left, side * blocks.top];
  for (let row = 0; row < sheet.height; row++) {
    const line = blocks.columns * Math.floor((top + row) / side);
    for (let column = 0; column < sheet.width; column += side) {
      if (!blocks.map[line + Math.floor((left + column) / side)]) continue;
      const count = Math.min(side, sheet.width - column);
      const from = 3 * (row * sheet.width + column);
      picture.rgb.set(sheet.rgb.subarray(from, from + 3 * count), 3 * ((top + row) * picture.width + left + column));
    }
  }
}
