/** `aez.js`: the script that pages include, and that their service worker is. */

import { startPage } from "./page.ts";
import { startServiceWorker } from "./service-worker.ts";

if ("ServiceWorkerGlobalScope" in self) startServiceWorker();
else startPage();
