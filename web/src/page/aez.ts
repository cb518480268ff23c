/** `aez.js`: the script that pages include, that their service worker is, and that their workers run. */

import { startPage } from "./page.ts";
import { startServiceWorker } from "./service-worker.ts";
import { startWorker } from "./worker.ts";

if ("ServiceWorkerGlobalScope" in self) startServiceWorker();
else if ("WorkerGlobalScope" in self) startWorker();
else startPage();
