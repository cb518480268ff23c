/** How networks run over a picture of any size piece by piece, without seams. All is in blocks of 64 x 64 pixels. */

const SIDE = 16;

/** From `start` up to `stop`. */
export interface Span {
  readonly start: number;
  readonly stop: number;
}

/** A rectangle of blocks, and the same with its halo: what a network looks at around it. */
export interface Tile {
  readonly rows: Span;
  readonly columns: Span;
  readonly outerRows: Span;
  readonly outerColumns: Span;
}

/** How many blocks of 64 x 64 pixels a picture has, down and across. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

export function gridOf(width: number, height: number): Grid {
  return { rows: Math.ceil(height / 64), columns: Math.ceil(width / 64) };
}

/** Cover a picture by tiles; halos end at its edges. */
export function* tilesOf(grid: Grid, halo: number): Generator<Tile> {
  for (const rows of spans(grid.rows)) {
    for (const columns of spans(grid.columns)) {
      yield {
        rows,
        columns,
        outerRows: widened(rows, halo, grid.rows),
        outerColumns: widened(columns, halo, grid.columns),
      };
    }
  }
}

export function lengthOf(span: Span): number {
  return span.stop - span.start;
}

function* spans(count: number): Generator<Span> {
  for (let start = 0; start < count; start += SIDE) yield { start, stop: Math.min(start + SIDE, count) };
}

function widened(span: Span, halo: number, count: number): Span {
  return { start: Math.max(span.start - halo, 0), stop: Math.min(span.stop + halo, count) };
}
