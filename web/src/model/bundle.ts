/** What is needed for medium pictures, and what high ones need besides. */
export type Part = "medium" | "high";

/** Changes with what is in bundles, so that browsers do not take one that they have kept for another. */
const VERSION = 1;

/** A model's id as it is written. */
export function modelName(id: number): string {
  return id.toString(16).padStart(8, "0");
}

/** The file of a model's weights. */
export function bundleName(id: number, part: Part): string {
  return `${modelName(id)}-${VERSION}.${part}`;
}
