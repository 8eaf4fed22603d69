import { basename } from "node:path";
import type { Erased } from "agent-stats";
import { confirm } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import type { ResetFlags } from "../flags-of-verbs.ts";
import { keysInScope } from "../scope.ts";
import { change, keyFor, look } from "../source.ts";
import { ERASED } from "../text/erased.ts";
import { plural } from "../text/plural.ts";

/** What was done: how many servers began anew, for how many users, and how far their numbers are erased. */
export interface Reset {
  readonly scope: Readonly<Record<string, string>>;
  readonly servers: number;
  readonly users: number;
  readonly erased: Erased;
}

/** `agent-stats reset`: everything begins at zero, or what the scope covers. */
export async function reset(this: CliContext, flags: ResetFlags): Promise<void> {
  const { protocol, user: userId, server } = flags;
  const scope = {
    ...(protocol !== undefined && { protocol }),
    ...(userId !== undefined && { userId }),
    ...(server !== undefined && { server }),
  };
  const key = await keyFor(flags, this);
  const covered = await look(flags, key, async (reader) => keysInScope((await reader.sums(null)).keys, flags));
  const isAll = Object.keys(scope).length === 0;
  const named = covered.filter(({ userId }) => userId !== "");
  const servers = new Set(named.map((row) => row.server)).size;
  const users = new Set(named.map((row) => row.userId)).size;
  const sums = named.length < covered.length ? " and the sums of deleted users" : "";
  const what = `The numbers and the history of ${plural(servers, "server")}${sums} will be lost for good.`;
  // The most particular name there is; of everything, that of the file.
  await confirm(server ?? userId ?? protocol ?? basename(flags.db), what, flags.confirm);
  const erased = await change(flags, key, async (store) => {
    // A tool has no session that would have to hear of anything.
    await store.reset(scope, { session: null, seen: Number.MAX_SAFE_INTEGER, at: Date.now() });
    return store.erase();
  });
  const done: Reset = { scope, servers, users, erased };
  this.process.stdout.write(flags.json ? `${JSON.stringify(done)}\n` : resetText(done, isAll, sums));
}

function resetText({ servers, users, erased }: Reset, isAll: boolean, sums: string): string {
  return [
    isAll ? "everything begins at zero" : "what you named begins at zero",
    `  ${plural(servers, "server")} of ${plural(users, "user")}${sums}, numbers and history`,
    `  ${ERASED[erased]}`,
    "",
  ].join("\n");
}
