import { testPages } from "./page.ts";

testPages("firefox");
