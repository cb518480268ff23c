import { bytesOf } from "./format/bytes.ts";
import { Contents } from "./format/contents.ts";
import { Flag, has, mediumSize, VERSION } from "./format/header.ts";
import { modelName } from "./model/bundle.ts";

/** What a file says of itself; no samples are decoded. */
export interface Info {
  readonly version: number;
  readonly width: number;
  readonly height: number;
  readonly mediumWidth: number;
  readonly mediumHeight: number;
  readonly layers: "all" | "base" | undefined;
  readonly coding: "ans" | "zstd" | undefined;
  readonly gray: boolean;
  readonly alpha: boolean;
  /** Eight hexadecimal digits; none where the whole picture is stored as samples. */
  readonly modelId: string | undefined;
  readonly bytes: number;
  /** So many bytes of the file, from its start, are a medium file by themselves. */
  readonly mediumBytes: number;
  readonly complete: boolean;
}

/**
 * Read what a file, or its front part, says of itself.
 *
 * @throws FormatError: not an aez file, or one of a newer version.
 * @throws DamagedError: the header or the front part is truncated or altered.
 */
export function info(data: BufferSource): Info {
  const bytes = bytesOf(data);
  const contents = new Contents(bytes);
  const { header } = contents;
  const medium = mediumSize(header);
  const learned = !has(header, Flag.ALL_EXACT);
  return {
    version: VERSION,
    width: header.width,
    height: header.height,
    mediumWidth: medium.width,
    mediumHeight: medium.height,
    layers: learned ? (has(header, Flag.ENHANCEMENT) ? "all" : "base") : undefined,
    coding: learned ? (has(header, Flag.ZSTD) ? "zstd" : "ans") : undefined,
    gray: has(header, Flag.GRAY),
    alpha: has(header, Flag.ALPHA),
    modelId: learned ? modelName(header.model) : undefined,
    bytes: bytes.length,
    mediumBytes: header.mediumBytes,
    complete: contents.complete,
  };
}
