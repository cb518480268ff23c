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

/** A plane of half the size, rounded up, enlarged bilinearly; see format_spec.md, "Halves". */
export function doubleSize(plane: Uint8Array, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  let to = 0;
  for (let row = 0; row < height; row++) {
    const near = columns * (row >> 1);
    const beside = columns * secondNearest(row, rows);
    for (let column = 0; column < width; column++) {
      const [left, right] = [column >> 1, secondNearest(column, columns)];
      const [upper, lower] = [
        3 * plane[near + left] + plane[near + right],
        3 * plane[beside + left] + plane[beside + right],
      ];
      out[to++] = (3 * upper + lower + 8) >> 4;
    }
  }
  return out;
}

/** Of `count` places half as dense; at the edges the nearest. */
function secondNearest(place: number, count: number): number {
  return Math.min(Math.max((place >> 1) + (place % 2 ? 1 : -1), 0), count - 1);
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
