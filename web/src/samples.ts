/** Samples RGB [height, width, 3]. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** RGB of RGBA. */
export function withoutAlpha(rgba: Uint8ClampedArray | Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(3 * pixels);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

/** Give all three samples of each pixel the value that a gray picture has there. */
export function makeGray(rgb: Uint8Array): void {
  for (let place = 0; place < rgb.length; place += 3) {
    rgb.fill((19595 * rgb[place] + 38470 * rgb[place + 1] + 7471 * rgb[place + 2] + 32768) >> 16, place, place + 3);
  }
}

/** A plane [height, width], or several interleaved ones, at half the size: the mean of 2 x 2, halves going up. */
export function halfOf(samples: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  return halved(width, height, channels, (places, channel) => {
    const sum = places.reduce((total, place) => total + samples[channels * place + channel], 0);
    return (sum + 2) >> 2;
  });
}

/** Colours at half the size, each counting as much as its alpha; where nothing is seen, all alike. */
export function halfSeen({ rgb, width, height }: Samples, alpha: Uint8Array): Uint8Array {
  const alike = halfOf(rgb, width, height, 3);
  let at = 0;
  return halved(width, height, 3, (places, channel) => {
    const plain = alike[at++];
    const total = places.reduce((sum, place) => sum + alpha[place], 0);
    if (!total) return plain;
    const weighted = places.reduce((sum, place) => sum + alpha[place] * rgb[3 * place + channel], 0);
    return Math.floor((2 * weighted + total) / (2 * total));
  });
}

/** A plane [height, width] enlarged bilinearly. */
export function enlarge(
  plane: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight);
  const columns = positions(width, toWidth);
  for (const [row, down] of positions(height, toHeight).entries()) {
    for (const [column, across] of columns.entries()) {
      const mix = (line: number) =>
        plane[width * line + across.before] * (1 - across.share) + plane[width * line + across.after] * across.share;
      out[toWidth * row + column] = Math.round(mix(down.before) * (1 - down.share) + mix(down.after) * down.share);
    }
  }
  return out;
}

/** Between which two of `count` places each of more places lies, and how much the second counts. */
function positions(count: number, more: number): { before: number; after: number; share: number }[] {
  return Array.from({ length: more }, (_, place) => {
    const position = Math.min(Math.max(((place + 0.5) * count) / more - 0.5, 0), count - 1);
    const before = Math.floor(position);
    return { before, after: Math.min(before + 1, count - 1), share: position - before };
  });
}

/** For each sample of a picture of half the size: something of the four pixels that it stands for. */
function halved(
  width: number,
  height: number,
  channels: number,
  of: (places: readonly number[], channel: number) => number,
): Uint8Array {
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = new Uint8Array(channels * columns * rows);
  const places = [0, 0, 0, 0];
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const above = width * 2 * row;
    const below = width * Math.min(2 * row + 1, height - 1);
    for (let column = 0; column < columns; column++) {
      const [left, right] = [2 * column, Math.min(2 * column + 1, width - 1)];
      [places[0], places[1], places[2], places[3]] = [above + left, above + right, below + left, below + right];
      for (let channel = 0; channel < channels; channel++) out[at++] = of(places, channel);
    }
  }
  return out;
}
