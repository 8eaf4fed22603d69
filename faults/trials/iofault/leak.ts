import { inspect } from "node:util";
import { CANARIES, foundIn } from "../../oracle/canary.ts";

/** What an error must not tell and does, by its message, its stack, its properties, or those of its causes; null: nothing. */
export function leakOf(error: Error, folder: string): string | null {
  const told = inspect(error, { depth: Number.POSITIVE_INFINITY, maxStringLength: null, maxArrayLength: null });
  if (told.includes(folder)) return "an error names a path";
  const [secret] = foundIn(Buffer.from(told), CANARIES);
  return secret === undefined ? null : `an error tells a secret: ${secret.what}`;
}
