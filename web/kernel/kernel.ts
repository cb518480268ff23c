// The arithmetic of the networks, in AssemblyScript: plain loops over float32 arrays at addresses of one memory.
//
// An array of activations has one row a cell: the channels of the cell, padded to a multiple of 8. All rows of cells
// of a picture follow each other. Memory behind an array may be overwritten by up to three rows of garbage.

const LANES: i32 = 4;
const PANEL: i32 = 8;

/** Bytes of so many floats. */
// @ts-ignore: decorator
@inline
function bytes(floats: i32): usize {
  return <usize>floats << 2;
}

/**
 * out[cell, o] = max(bias[o] + sum over i of x[cell, i] weights[o, i], floor): a convolution of 1 x 1.
 *
 * Weights are in panels of 8 outputs: [outputs / 8, inputs, 8].
 */
export function pointwise(
  x: usize, stride: i32, inputs: i32, weights: usize, bias: usize, out: usize, outputs: i32, cells: i32, floor: f32,
): void {
  const step = bytes(stride);
  const outStep = bytes(outputs);
  const low = f32x4.splat(floor);
  for (let o = 0; o < outputs; o += PANEL) {
    const panel = weights + bytes(o * inputs);
    const b0 = v128.load(bias + bytes(o));
    const b1 = v128.load(bias + bytes(o), 16);
    for (let cell = 0; cell < cells; cell += 4) {
      let x0 = x + <usize>cell * step;
      let x1 = x0 + step;
      let x2 = x1 + step;
      let x3 = x2 + step;
      const end = x0 + bytes(inputs);
      let w = panel;
      let a00 = b0, a01 = b1, a10 = b0, a11 = b1, a20 = b0, a21 = b1, a30 = b0, a31 = b1;
      while (x0 < end) {
        const w0 = v128.load(w);
        const w1 = v128.load(w, 16);
        let s = v128.load32_splat(x0);
        a00 = f32x4.add(f32x4.mul(s, w0), a00);
        a01 = f32x4.add(f32x4.mul(s, w1), a01);
        s = v128.load32_splat(x1);
        a10 = f32x4.add(f32x4.mul(s, w0), a10);
        a11 = f32x4.add(f32x4.mul(s, w1), a11);
        s = v128.load32_splat(x2);
        a20 = f32x4.add(f32x4.mul(s, w0), a20);
        a21 = f32x4.add(f32x4.mul(s, w1), a21);
        s = v128.load32_splat(x3);
        a30 = f32x4.add(f32x4.mul(s, w0), a30);
        a31 = f32x4.add(f32x4.mul(s, w1), a31);
        w += bytes(PANEL);
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
      }
      let place = out + <usize>cell * outStep + bytes(o);
      v128.store(place, f32x4.max(a00, low));
      v128.store(place, f32x4.max(a01, low), 16);
      place += outStep;
      v128.store(place, f32x4.max(a10, low));
      v128.store(place, f32x4.max(a11, low), 16);
      place += outStep;
      v128.store(place, f32x4.max(a20, low));
      v128.store(place, f32x4.max(a21, low), 16);
      place += outStep;
      v128.store(place, f32x4.max(a30, low));
      v128.store(place, f32x4.max(a31, low), 16);
    }
  }
}

/**
 * A convolution of 3 x 3 of each channel by itself, at row `row` of x [rows, columns, channels], zero outside.
 *
 * Weights are [3, 3, channels]. The outputs are those of columns `first`, `first + skip`, ...
 */
export function depthwise(
  x: usize, rows: i32, columns: i32, channels: i32, row: i32, first: i32, skip: i32, weights: usize, bias: usize,
  out: usize,
): void {
  const cell = bytes(channels);
  const line = <usize>columns * cell;
  const top = max(row - 1, 0);
  const bottom = min(row + 1, rows - 1);
  for (let column = first; column < columns; column += skip) {
    const left = max(column - 1, 0);
    const right = min(column + 1, columns - 1);
    for (let channel: usize = 0; channel < cell; channel += bytes(LANES)) {
      let sum = v128.load(bias + channel);
      for (let r = top; r <= bottom; r++) {
        const from = x + <usize>r * line + channel;
        const by = weights + <usize>(3 * (r - row + 1) - column + 1) * cell + channel;
        for (let c = left; c <= right; c++) {
          sum = f32x4.add(sum, f32x4.mul(v128.load(from + <usize>c * cell), v128.load(by + <usize>c * cell)));
        }
      }
      v128.store(out + channel, sum);
    }
    out += cell;
  }
}

/** out = x + gain y, gain by channel. */
export function addScaled(x: usize, y: usize, gain: usize, out: usize, channels: i32, cells: i32): void {
  const end = x + bytes(channels * cells);
  while (x < end) {
    for (let channel: usize = 0; channel < bytes(channels); channel += bytes(LANES)) {
      const change = f32x4.mul(v128.load(y + channel), v128.load(gain + channel));
      v128.store(out + channel, f32x4.add(v128.load(x + channel), change));
    }
    x += bytes(channels);
    y += bytes(channels);
    out += bytes(channels);
  }
}

/** x = round(scale x), halves to even, then clipped; scale by channel. */
export function rescale(x: usize, scale: usize, channels: i32, cells: i32, low: f32, high: f32): void {
  const end = x + bytes(channels * cells);
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  while (x < end) {
    for (let channel: usize = 0; channel < bytes(channels); channel += bytes(LANES)) {
      const rounded = f32x4.nearest(f32x4.mul(v128.load(x + channel), v128.load(scale + channel)));
      v128.store(x + channel, f32x4.min(f32x4.max(rounded, least), most));
    }
    x += bytes(channels);
  }
}

/** The 3 x 3 cells around each cell of row `row` of x [rows, columns, channels], zero outside: [columns, 9 channels]. */
export function around(x: usize, rows: i32, columns: i32, channels: i32, row: i32, out: usize): void {
  const cell = bytes(channels);
  for (let column = 0; column < columns; column++) {
    for (let r = row - 1; r <= row + 1; r++) {
      for (let c = column - 1; c <= column + 1; c++) {
        if (r < 0 || r >= rows || c < 0 || c >= columns) memory.fill(out, 0, cell);
        else memory.copy(out, x + <usize>(r * columns + c) * cell, cell);
        out += cell;
      }
    }
  }
}

/** Cells [columns, 2, 2, channels] of one row to two rows of cells twice as fine: [2, 2 columns, channels]. */
export function shuffle(x: usize, columns: i32, channels: i32, out: usize): void {
  const pair: usize = 2 * bytes(channels);
  const below = out + <usize>columns * pair;
  for (let column = 0; column < columns; column++) {
    memory.copy(out + <usize>column * pair, x, pair);
    memory.copy(below + <usize>column * pair, x + pair, pair);
    x += 2 * pair;
  }
}

/**
 * Add patches [columns, side, side, 3] to a strip of samples [side, width, 3], one every `pitch` samples.
 *
 * side * 3 is a multiple of 4; the strip is as wide as the patches need.
 */
export function addPatches(patches: usize, columns: i32, side: i32, pitch: i32, strip: usize, width: i32): void {
  const line = bytes(3 * side);
  for (let column = 0; column < columns; column++) {
    let place = strip + bytes(3 * pitch * column);
    for (let row = 0; row < side; row++) {
      for (let at: usize = 0; at < line; at += bytes(LANES)) {
        v128.store(place + at, f32x4.add(v128.load(place + at), v128.load(patches + at)));
      }
      patches += line;
      place += bytes(3 * width);
    }
  }
}

/** Samples rounded, halves to even, and clipped to 0..255; `count` is a multiple of 8, and so is what out has room for. */
export function toBytes(x: usize, count: i32, out: usize): void {
  const zero = f32x4.splat(0);
  const most = f32x4.splat(255);
  for (let at = 0; at < count; at += 8) {
    const low = f32x4.nearest(f32x4.min(f32x4.max(v128.load(x), zero), most));
    const high = f32x4.nearest(f32x4.min(f32x4.max(v128.load(x, 16), zero), most));
    const words = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
    v128.store64_lane(out, i8x16.narrow_i16x8_u(words, words), 0);
    x += bytes(8);
    out += 8;
  }
}
