import type { CliContext } from "../context.ts";
import { CliError } from "../errors.ts";
import type { SourceFlags } from "../flags.ts";
import { keyFor, look } from "../source.ts";
import { printable, wrapName } from "../text/cells.ts";
import { formatTime } from "../text/times.ts";

/** `agent-stats resolve srv-…`: which server a pseudonym of one's own report stands for. */
export async function resolve(this: CliContext, flags: SourceFlags, typed: string): Promise<void> {
  const { PSEUDONYM, resolvePseudonym } = await import("agent-stats/report");
  // Read aloud, it has no capital letters.
  const pseudonym = typed.trim().toLowerCase();
  if (!PSEUDONYM.test(pseudonym)) {
    throw new CliError("USAGE", "A pseudonym is srv- and eight letters or digits, as the report has it.");
  }
  const key = await keyFor(flags, this);
  const { keys, servers } = await look(flags, key, async (reader) => ({
    keys: await reader.reportKeys(),
    servers: (await reader.sums(null)).keys.map(({ server }) => server),
  }));
  const found = await resolvePseudonym(pseudonym, keys, servers);
  if (found.length === 0) {
    throw new CliError(
      "NOT_FOUND",
      "No report of this database used this pseudonym for a server that it still knows: is it from another device?",
    );
  }
  const resolved = found.map(({ server, made, caseId }) => ({ server, made: new Date(made), caseId }));
  const lines = resolved.map(({ server, made, caseId }) => {
    const ofCase = caseId === null ? "" : `, case ${printable(caseId)}`;
    const name = wrapName(printable(server), this.terminal.width).join("\n");
    return `${name}\n  in the report of ${formatTime(made, "minutes")}${ofCase}\n`;
  });
  this.process.stdout.write(flags.json ? `${JSON.stringify({ pseudonym, resolved })}\n` : lines.join(""));
}
