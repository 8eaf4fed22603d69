import type { StatsReader, StatsStore, StatsView } from "agent-stats";
import type { StatsKey } from "agent-stats/sqlcipher";
import type { CliContext } from "./context.ts";
import { warningOf } from "./errors.ts";
import type { KeyFlags, StoreFlags } from "./flags.ts";
import { findKey } from "./key.ts";

/**
 * Opens the database to look at it, and closes it before anything is shown: a reader that is slow to read, such as
 * `less`, must not hold it.
 *
 * @throws CliError, or the library's StatsError
 */
export async function read<T>(
  flags: StoreFlags,
  context: CliContext,
  what: (view: StatsView) => Promise<T>,
): Promise<T> {
  const view = await openView(flags, await keyFor(flags, context));
  try {
    return await what(view);
  } finally {
    await view.close();
  }
}

/** The same to look more than once; whoever opens it closes it. */
export async function openView({ db, driver }: StoreFlags, key: StatsKey): Promise<StatsView> {
  const [{ readAgentStats }, { sqlcipherReader }] = await Promise.all([
    // Not the whole library: what counts and saves would take as long to load as the driver.
    import("agent-stats/read"),
    import("agent-stats/sqlcipher"),
  ]);
  return readAgentStats({ store: sqlcipherReader(optionsOf(db, key, driver)) });
}

/** Reads rows as they are, for whoever is about to change them; nothing is changed yet. */
export async function look<T>(
  { db, driver }: StoreFlags,
  key: StatsKey,
  what: (reader: StatsReader) => Promise<T>,
): Promise<T> {
  const { sqlcipherReader } = await import("agent-stats/sqlcipher");
  const reader = sqlcipherReader(optionsOf(db, key, driver));
  try {
    return await what(reader);
  } finally {
    await reader.close();
  }
}

/** Opens the database to change it: one that was looked at before, as it would be created. */
export async function change<T>(
  { db, driver }: StoreFlags,
  key: StatsKey,
  what: (store: StatsStore) => Promise<T>,
): Promise<T> {
  const { sqlcipherStore } = await import("agent-stats/sqlcipher");
  const store = sqlcipherStore(optionsOf(db, key, driver));
  try {
    return await what(store);
  } finally {
    await store.close();
  }
}

/** Finds the key, and warns where others can find it too. */
export async function keyFor(flags: KeyFlags, context: CliContext): Promise<StatsKey> {
  const { key, openToOthers } = await findKey(flags);
  warnOfKey(context, openToOthers);
  return key;
}

export function warnOfKey({ process }: CliContext, openToOthers: boolean): void {
  if (!openToOthers) return;
  const sentence = "other users can read the key file: take their rights away (chmod 600).";
  process.stderr.write(`${warningOf(sentence, "KEY_FILE_OPEN")}\n`);
}

/** A second thread would keep nobody from waiting here, and has to be started first. */
function optionsOf(file: string, key: StatsKey, driver: StoreFlags["driver"]) {
  return { file, key, thread: "same", ...(driver !== undefined && { driver }) } as const;
}
