import type { StatsView } from "agent-stats";
import type { CliContext } from "./context.ts";
import { warningOf } from "./errors.ts";
import type { SourceFlags } from "./flags.ts";
import { findKey } from "./key.ts";

/**
 * Opens the database to look at it, and closes it before anything is shown: a reader that is slow to read, such as
 * `less`, must not hold it.
 *
 * @throws CliError, or the library's StatsError
 */
export async function read<T>(
  flags: SourceFlags,
  context: CliContext,
  what: (view: StatsView) => Promise<T>,
): Promise<T> {
  const { key, openToOthers } = await findKey(flags);
  if (openToOthers) {
    context.process.stderr.write(
      `${warningOf("other users can read the key file: take their rights away (chmod 600).", "KEY_FILE_OPEN")}\n`,
    );
  }
  const [{ readAgentStats }, { sqlcipherReader }] = await Promise.all([
    import("agent-stats"),
    import("agent-stats/sqlcipher"),
  ]);
  // A second thread would keep nobody from waiting here, and has to be started first.
  const view = readAgentStats({ store: sqlcipherReader({ file: flags.db, key, thread: "same" }) });
  try {
    return await what(view);
  } finally {
    await view.close();
  }
}
