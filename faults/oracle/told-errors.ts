import { inspect } from "node:util";
import { CANARIES, foundIn, type Needle } from "./canary.ts";

/**
 * Which secret an error tells whoever prints it whole: in its message, its stack, a property, or in whatever caused it; null
 * where it tells none. To be asked before no more of an error is kept than its code.
 */
export function secretIn(error: unknown, needles: readonly Needle[] = CANARIES): string | null {
  const whole = inspect(error, {
    depth: Number.POSITIVE_INFINITY,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
  });
  return foundIn(Buffer.from(whole), needles)[0]?.what ?? null;
}
