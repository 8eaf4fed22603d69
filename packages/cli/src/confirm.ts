import { CliError } from "./errors.ts";

/**
 * Lets what cannot be undone go on only where its name was given, by a flag or on a terminal.
 *
 * @throws CliError `NOT_CONFIRMED`, `CANCELLED`, `USAGE`
 */
export async function confirm(name: string, what: string, given: string | undefined): Promise<void> {
  if (given === name) return;
  if (given !== undefined) {
    throw new CliError("NOT_CONFIRMED", "--confirm names something else than what would be lost: nothing was changed.");
  }
  const { askToType, canAsk } = await import("./prompts.ts");
  if (canAsk()) return askToType(name, what);
  throw new CliError(
    "USAGE",
    "This cannot be undone: give --confirm and the name of what is to be lost, or run it on a terminal.",
  );
}
