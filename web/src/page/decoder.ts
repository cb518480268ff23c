/** `decoder.js`: what workers run. Service workers, which have none, run it too where there is no page to ask. */

import * as comlink from "comlink";
import { renderAlone } from "./alone.ts";
import { Decoder } from "./worker.ts";

if ("ServiceWorkerGlobalScope" in self) Object.assign(self, { aezRenderAlone: renderAlone });
else comlink.expose(Decoder);
