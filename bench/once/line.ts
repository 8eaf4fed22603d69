import { LINES } from "../lines/lines.ts";
import type { LineName } from "../support/line.ts";

/** Measures one line in a process of its own, whose code nothing else has warmed up: prints what it found. */
const [name = ""] = process.argv.slice(2);
const measure = LINES[name as LineName];
const begun = performance.now();
const result = await measure();
const seconds = (performance.now() - begun) / 1_000;
process.stdout.write(JSON.stringify({ ...result, seconds }), () => process.exit(0));
