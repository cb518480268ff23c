import { testPages } from "./page.ts";

testPages("chrome");
