/** Another process that looks into the file: it knows the path and the key, and nothing of the host. */

import { readFileSync } from "node:fs";
import { openAgentStats, readAgentStats } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import type { Reading } from "./evidence.ts";
import type { ReaderOrder, ReaderTold } from "./wire.ts";

type Options = Parameters<typeof sqlcipherReader>[0];

async function read(options: Options): Promise<Reading> {
  const stats = readAgentStats({ store: sqlcipherReader(options) });
  const { servers, sessions } = await stats.getServersStats();
  await stats.close();
  return {
    servers: servers.map(({ userId, server, past, session, overall }) => ({ userId, server, past, session, overall })),
    sessions: sessions.map(({ session, how, started, lastSaved, ended, canHaveLostMs }) => ({
      session,
      how,
      started: started.toISOString(),
      lastSaved: lastSaved.toISOString(),
      ended: ended?.toISOString() ?? null,
      canHaveLostMs,
    })),
  };
}

async function forget(options: Options, userId: string): Promise<string> {
  const stats = await openAgentStats({ store: sqlcipherStore(options) });
  const { erased } = await stats.deleteUser(userId);
  await stats.close();
  return erased;
}

function tell(told: ReaderTold): void {
  // With nothing left to do, the process ends by itself.
  process.send?.(told, undefined, {}, () => process.disconnect());
}

process.once("message", async (order: ReaderOrder) => {
  const options = { file: order.file, key: readFileSync(order.keyFile, "utf8").trim() };
  if (order.order === "read") tell({ told: "reading", reading: await read(options) });
  else tell({ told: "forgotten", erased: await forget(options, order.userId) });
});
