/** The quality: one integer in the file; tables that depend on it have a row for each of 15 knots. */

export const KNOTS = 15;
const DISTANCE = 4096;

/** Row of the tables that are not interpolated; halves go up. */
export function nearestKnot(quality: number): number {
  return Math.floor((quality + DISTANCE / 2) / DISTANCE);
}

/** A table [KNOTS, columns] of whole numbers, interpolated at a stored quality in integer arithmetic. */
export function interpolateExactly(table: ArrayLike<number>, columns: number, quality: number): Float32Array {
  const knot = Math.min(Math.floor(quality / DISTANCE), KNOTS - 2);
  const fraction = quality - knot * DISTANCE;
  return Float32Array.from({ length: columns }, (_, column) => {
    const [below, above] = [table[knot * columns + column], table[(knot + 1) * columns + column]];
    return Math.floor((below * (DISTANCE - fraction) + above * fraction + DISTANCE / 2) / DISTANCE);
  });
}

/** A table [KNOTS, columns] of floats, interpolated linearly at a stored quality. */
export function interpolate(table: Float32Array, columns: number, quality: number): Float32Array {
  const knot = Math.min(Math.floor(quality / DISTANCE), KNOTS - 2);
  const above = quality / DISTANCE - knot;
  return Float32Array.from(
    { length: columns },
    (_, column) => (1 - above) * table[knot * columns + column] + above * table[(knot + 1) * columns + column],
  );
}
