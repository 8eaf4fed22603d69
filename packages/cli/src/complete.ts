import type { CliContext } from "./context.ts";
import { type Application, proposeCompletions } from "./stricli.ts";

/**
 * What the shell asks at each Tab: the words typed so far, the last of them unfinished. One proposal a line, with a tab
 * and what it means. A shell must never be told an error here.
 */
export async function complete(app: Application<CliContext>, words: readonly string[], context: CliContext) {
  try {
    const proposals = await proposeCompletions(app, words, context);
    const lines = proposals.map(({ completion, brief }) => `${completion}\t${brief.replaceAll(/\s+/g, " ")}`);
    context.process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  } catch {
    // Half a flag is no flag: nothing to propose.
  }
}
