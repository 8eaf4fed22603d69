import type { StatsKey } from "agent-stats/sqlcipher";
import { CliError } from "./errors.ts";

/** Whether somebody is there to be asked. What is asked is written to stderr: stdout may be a file or a pipe. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** A typed key with digits missing would silently be another passphrase. */
const NEARLY_A_KEY = /^[0-9a-f]{48,}$/i;

/**
 * Asks for the key without showing it: 64 hex digits, or a passphrase.
 *
 * @throws CliError `CANCELLED`, `STATS_KEY_INVALID`
 */
export async function askForKey(): Promise<StatsKey> {
  const { isCancel, password } = await import("@clack/prompts");
  const typed = await password({
    message: "The key (64 hex digits) or the passphrase; it is not shown",
    // Not one sign a letter: its length is nobody's business.
    mask: "",
    input: process.stdin,
    output: process.stderr,
  });
  if (isCancel(typed)) throw cancelled();
  const text = (typed ?? "").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  if (NEARLY_A_KEY.test(text)) {
    throw new CliError("STATS_KEY_INVALID", "This looks like a key, but it has not 64 hex digits: type it again.");
  }
  if (typed === undefined || typed === "") throw new CliError("STATS_KEY_INVALID", "No key was typed.");
  return { passphrase: typed };
}

/**
 * Asks to type a name, for what cannot be undone.
 *
 * @throws CliError `CANCELLED`, `NOT_CONFIRMED`
 */
export async function askToType(name: string, what: string): Promise<void> {
  const { isCancel, text } = await import("@clack/prompts");
  const typed = await text({
    message: `${what} Type ${name} to do it:`,
    input: process.stdin,
    output: process.stderr,
  });
  if (isCancel(typed)) throw cancelled();
  if (typed !== name) throw new CliError("NOT_CONFIRMED", "What was typed is another name: nothing was changed.");
}

function cancelled(): CliError {
  return new CliError("CANCELLED", "Cancelled: nothing was changed.");
}
