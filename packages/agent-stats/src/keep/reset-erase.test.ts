import { join } from "node:path";
import { expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { type DriverName, loadDriver } from "../store/sqlcipher/drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });

function openRaw(driver: DriverName, file: string) {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"`);
  const pending = handle.prepare("SELECT value AS n FROM agent_stats_meta WHERE name = 'erase_pending'");
  return { handle, pending: () => (pending.get([]) as { n: number }).n };
}

describeDrivers("a reset", (driver) => {
  test("whose erasing a reader delays is erased with the next save", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000 });
    stats.server(smp, 1, "smp://a").add("sent");
    await stats.flush();
    const { handle, pending } = openRaw(driver, file);
    handle.exec("BEGIN; SELECT COUNT(*) FROM agent_stats_meta");
    handle.prepare("SELECT COUNT(*) FROM agent_stats_meta").get([]);
    await stats.reset({ server: "smp://a" });
    handle.exec("COMMIT");
    expect(pending(), "control: a reader delays it").toBe(1);
    stats.server(smp, 1, "smp://b").add("sent");
    await stats.flush();
    expect(pending()).toBe(0);
    handle.close();
    await stats.close();
  });
});
