import { CliError } from "./errors.ts";

/** Words that are shown of what was typed: what is longer may be a key that went to the wrong place. */
const SHOWN = /^[\w.-]{1,40}$/;

/** What is said of a counter that is not among those that are known. */
export function noCounter(name: string, known: readonly string[], where = ""): CliError {
  const part = name.toLowerCase().replace(/s$/, "");
  const near = known.find((other) => other.toLowerCase().includes(part));
  const typed = SHOWN.test(name) ? ` ${name}` : " of that name";
  const hint = near !== undefined && name.length > 2 ? `did you mean ${near}?` : "see agent-stats show for the names.";
  return new CliError("NOT_FOUND", `There is no counter${typed}${where}: ${hint}`);
}
