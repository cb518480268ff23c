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
    const gray = (19595 * rgb[place] + 38470 * rgb[place + 1] + 7471 * rgb[place + 2] + 32768) >> 16;
    rgb[place] = gray;
    rgb[place + 1] = gray;
    rgb[place + 2] = gray;
  }
}

/** Planes [height, width, channels] at half the size: the mean of 2 x 2, halves going up; see format_spec.md, "Halves". */
export function halfOf(samples: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const out = new Uint8Array(channels * Math.ceil(width / 2) * Math.ceil(height / 2));
  let to = 0;
  eachFour(width, height, (a, b, c, d) => {
    for (let channel = 0; channel < channels; channel++) {
      const upper = samples[channels * a + channel] + samples[channels * b + channel];
      const lower = samples[channels * c + channel] + samples[channels * d + channel];
      out[to++] = (upper + lower + 2) >> 2;
    }
  });
  return out;
}

/** Colours at half the size, each counting as much as its alpha; where nothing is seen, all alike. */
export function halfSeen({ rgb, width, height }: Samples, alpha: Uint8Array): Uint8Array {
  const out = halfOf(rgb, width, height, 3);
  let to = 0;
  eachFour(width, height, (a, b, c, d) => {
    const total = alpha[a] + alpha[b] + alpha[c] + alpha[d];
    for (let channel = 0; channel < 3; channel++, to++) {
      if (!total) continue;
      const upper = alpha[a] * rgb[3 * a + channel] + alpha[b] * rgb[3 * b + channel];
      const lower = alpha[c] * rgb[3 * c + channel] + alpha[d] * rgb[3 * d + channel];
      out[to] = Math.floor((2 * (upper + lower) + total) / (2 * total));
    }
  });
  return out;
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
  let to = 0;
  for (const down of positions(height, toHeight)) {
    const [above, below] = [plane.subarray(width * down.before), plane.subarray(width * down.after)];
    for (const { before, after, share } of columns) {
      const upper = above[before] * (1 - share) + above[after] * share;
      const lower = below[before] * (1 - share) + below[after] * share;
      out[to++] = Math.round(upper * (1 - down.share) + lower * down.share);
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

/** The four pixels for which each of a picture of half the size stands; the last column and row are repeated. */
function eachFour(width: number, height: number, take: (a: number, b: number, c: number, d: number) => void): void {
  for (let row = 0; row < height; row += 2) {
    const above = width * row;
    const below = width * Math.min(row + 1, height - 1);
    for (let left = 0; left < width; left += 2) {
      const right = Math.min(left + 1, width - 1);
      take(above + left, above + right, below + left, below + right);
    }
  }
}
