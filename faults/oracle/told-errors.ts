import { inspect } from "node:util";
import { CANARIES, foundIn } from "./canary.ts";

/** Which secret stands in an error, in its stack or in whatever caused it; null where none does. */
export function secretIn(error: unknown): string | null {
  const text = inspect(error, { depth: 10, showHidden: true, maxStringLength: Number.POSITIVE_INFINITY });
  return foundIn(Buffer.from(text), CANARIES)[0]?.what ?? null;
}
