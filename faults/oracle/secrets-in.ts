import { inspect } from "node:util";
import { CANARIES, foundIn, type Needle } from "./canary.ts";

/**
 * Which secrets an error tells whoever prints it whole: in its message, stack, cause, errors, and every other property.
 * To be asked before no more of it is kept than its code.
 */
export function secretsIn(error: unknown, needles: readonly Needle[] = CANARIES): Needle[] {
  const whole = inspect(error, {
    depth: Number.POSITIVE_INFINITY,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
  });
  return foundIn(Buffer.from(whole), needles);
}
