/** What must be true of a secrets unit: it went wrong as it was meant to, and left and said nothing that is secret. */
import type { Seen } from "./unit.ts";

export function problemsOf({
  scenario,
  says,
  said,
  crashes,
  ended,
  hits,
}: Pick<Seen, "scenario" | "says" | "said" | "crashes" | "ended" | "hits">): string[] {
  const problems = [...new Set(hits)].slice(0, 5).map((hit) => `${scenario}: ${hit}`);
  if (!says.test(said)) problems.push(`${scenario}: it did not happen: ${said.slice(-300)}`);
  if (crashes ? ended === "code 0" : ended !== "code 0")
    problems.push(`${scenario}: it ended with ${ended}: ${said.slice(-300)}`);
  return problems;
}
