import type { Table } from "./tables.ts";

/** Reads the groups of symbols of a layer, one after the other. */
export interface SymbolReader {
  /**
   * The symbols of the next group, given the table of each as an index into `tables`.
   *
   * @throws DamagedError: the bytes cannot be those of these groups.
   */
  read(indices: Uint8Array, tables: readonly Table[]): Int32Array;

  /**
   * Make sure that nothing is left.
   *
   * @throws DamagedError: something is.
   */
  finish(): void;
}
