/** Why a picture is not shown, as one line for a person. */
export class AezError extends Error {
  override name = "AezError";
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line on the console about a file, whose address may hold all of it. */
export function warn(url: string, error: unknown): void {
  console.warn(`${url.slice(0, 200)}: ${messageOf(error)}`);
}

/** The data is not an aez file, or one that this version cannot read. */
export class FormatError extends AezError {
  override name = "FormatError";
}

/** The data was an aez file once and is truncated or altered. */
export class DamagedError extends FormatError {
  override name = "DamagedError";
}

/** A model is missing, damaged, or computes wrongly in this browser. */
export class ModelError extends AezError {
  override name = "ModelError";
}

/** The picture is beyond a limit. */
export class PictureError extends AezError {
  override name = "PictureError";
}
