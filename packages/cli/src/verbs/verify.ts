import type { FileFindings } from "agent-stats/sqlcipher";
import type { CliContext, Terminal } from "../context.ts";
import { EXIT, inItsOwnWords } from "../errors.ts";
import type { SourceFlags } from "../flags.ts";
import { keyFor } from "../source.ts";
import { wrapWords } from "../text/cells.ts";
import { type Fact, headerLines } from "../text/header.ts";
import { formatCount } from "../text/numbers.ts";
import { painter } from "../text/paint.ts";
import { plural } from "../text/plural.ts";

/** `agent-stats verify`: checks the file itself, without changing it. Exit code 1 when it finds something. */
export async function verify(this: CliContext, { db, json, driver, ...flags }: SourceFlags): Promise<void> {
  const key = await keyFor(flags, this);
  const { verifyFile } = await import("agent-stats/sqlcipher");
  const options = { file: db, key, thread: "same", ...(driver !== undefined && { driver }) } as const;
  const found = await verifyFile(options).catch(inItsOwnWords);
  this.process.stdout.write(json ? `${JSON.stringify(found)}\n` : verifyText(found, this.terminal));
  if (!found.ok) this.process.exitCode = EXIT.other;
}

/** What is shown to people. */
export function verifyText(found: FileFindings, { width, colour }: Terminal): string {
  const paint = painter(colour);
  const { ok, findings, pages, walFrames, schemaVersion, sessions, keys, copiesAside } = found;
  const facts: Fact[] = [
    {
      name: "pages",
      sentence: `${formatCount(pages)}${walFrames > 0 ? `, and ${plural(walFrames, "frame")} of the WAL` : ""}`,
    },
  ];
  if (schemaVersion !== null && sessions !== null && keys !== null) {
    facts.push({ name: "schema", sentence: String(schemaVersion) });
    facts.push({ name: "holds", sentence: `${plural(sessions, "session")}, ${plural(keys, "key")}` });
  }
  if (copiesAside > 0)
    facts.push({ name: "aside", sentence: `${plural(copiesAside, "damaged file")} beside this one` });
  const lines = headerLines(facts, width, paint);
  if (ok) return `${[...lines, "", paint("good", "Nothing is wrong with this file."), ""].join("\n")}`;
  const INDENT = "    ";
  const told = findings.flatMap(({ sentence }, i) =>
    wrapWords(sentence, width - INDENT.length).map((line, n) =>
      paint("warning", `${n === 0 ? `${String(i + 1).padStart(2)}  ` : INDENT}${line}`),
    ),
  );
  const advice = findings.some(({ isCertain }) => isCertain)
    ? "Keep the file as it is: agent-stats salvage --to FILE reads what is left into a new one."
    : "Nothing is proven to be lost: agent-stats salvage --to FILE reads all that there is into a new file.";
  return `${[...lines, "", ...told, "", ...wrapWords(advice, width), ""].join("\n")}`;
}
