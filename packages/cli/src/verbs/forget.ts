import type { Erased, StatsStore } from "agent-stats";
import { confirm } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import { CliError } from "../errors.ts";
import type { ForgetFlags } from "../flags-of-verbs.ts";
import { change, keyFor, look } from "../source.ts";
import { printable } from "../text/cells.ts";
import { ERASED } from "../text/erased.ts";
import { plural } from "../text/plural.ts";

/** What was done. `servers` and `counters` are what was kept of the user. */
export interface Forgotten {
  readonly user: string;
  readonly servers: number;
  readonly counters: number;
  readonly totals: "forgotten" | "kept without name and servers";
  readonly erased: Erased;
}

/** `agent-stats forget USER`: deletes all that is kept of a user, and says how far. */
export async function forget(this: CliContext, flags: ForgetFlags, user: string): Promise<void> {
  const key = await keyFor(flags, this);
  const mine = await look(flags, key, async (reader) => {
    const keys = (await reader.sums(null)).keys.filter(({ userId }) => userId === user);
    const servers = new Set(keys.map(({ server }) => server)).size;
    const counters = keys.reduce((sum, { past, open }) => sum + Object.keys({ ...past, ...open }).length, 0);
    return { servers, counters };
  });
  if (user === "" || mine.counters + mine.servers === 0) {
    throw new CliError("NOT_FOUND", "There are no statistics of this user: see agent-stats show for the names.");
  }
  const what = `All statistics of this user (${plural(mine.servers, "server")}) will be lost for good.`;
  await confirm(user, what, flags.confirm);
  const erased = await change(flags, key, (store) => forgetIn(store, user, flags.keepTotals === true));
  const totals = flags.keepTotals ? "kept without name and servers" : "forgotten";
  const done: Forgotten = { user, ...mine, totals, erased };
  this.process.stdout.write(flags.json ? `${JSON.stringify(done)}\n` : forgetText(done));
}

async function forgetIn(store: StatsStore, user: string, keepTotals: boolean): Promise<Erased> {
  // A tool has no session that would have to hear of anything.
  const by = { session: null, seen: Number.MAX_SAFE_INTEGER, at: Date.now() };
  const { erased } = await store.deleteUser(user, keepTotals ? "anonymise" : "forget", by);
  return erased;
}

function forgetText({ user, servers, counters, totals, erased }: Forgotten): string {
  return [
    `user ${printable(user)} is forgotten`,
    `  ${plural(servers, "server")}, ${plural(counters, "number")}; sums ${totals}`,
    `  ${ERASED[erased]}`,
    "",
  ].join("\n");
}
