/** Becomes `webp.js`: libwebp for browsers whose own decoder alters samples. */

import wasm from "@jsquash/webp/codec/dec/webp_dec.wasm";
import { libwebp } from "../webp.ts";

self.aezWebp = libwebp(() => WebAssembly.compile(wasm));
