import type { CliContext } from "./context.ts";
import { CliError } from "./errors.ts";
import type { RouteMap } from "./stricli.ts";

/**
 * The words as they are run: `help show` is `show --help`. Of a verb that takes another one, Stricli would say that the
 * second is none at all, or show its help as if that had been asked for.
 *
 * @throws CliError `USAGE`
 */
export function wordsOf(typed: readonly string[], routes: RouteMap<CliContext>): readonly string[] {
  const [verb, ...rest] = typed;
  if (verb === "help") return [...rest.filter((word) => !word.startsWith("-")), "--help"];
  const target = routes.getAllEntries().find(({ name }) => name.original === verb)?.target;
  if (target === undefined || !("getAllEntries" in target)) return typed;
  const [second] = rest;
  const names = target.getAllEntries().map(({ name }) => name.original);
  const isLeftOut = second === undefined && target.getDefaultCommand() === undefined;
  const isOther = second !== undefined && !second.startsWith("-") && !names.includes(second);
  if (!isLeftOut && !isOther) return typed;
  throw new CliError("USAGE", `After ${verb} comes ${names.join(" or ")}: see agent-stats ${verb} --help.`);
}
