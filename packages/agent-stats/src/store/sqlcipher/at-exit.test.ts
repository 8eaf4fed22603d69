import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, test } from "vitest";
import { startChild } from "../../keep/child.testing.ts";
import { defineProtocol } from "../../record/protocol.ts";
import type { DriverName } from "./drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const SERVERS = 2_000;
/** From the first read on: each is longer than that. */
const EXITS_AFTER_MS = [3, 6, 9];

/** A file whose reading takes a while. */
async function makeLarge(driver: DriverName): Promise<string> {
  const file = join(temporaryFolder(), "stats.db");
  const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
  const stats = await openAgentStats({ protocols: [smp], store });
  for (let i = 0; i < SERVERS; i++) stats.server(smp, 1, `smp://${i}`).add("sent");
  await stats.close();
  return file;
}

describeDrivers("a process that exits while the thread of a reader reads", (driver) => {
  /** How processes end that exit so long after reading began, where reads never stop. */
  const endings = (file: string, before = "") =>
    Promise.all(
      EXITS_AFTER_MS.map((ms) => {
        const program = `
          const view = readAgentStats({ store: sqlcipherReader({ file, key, driver }) });
          await view.getSessions();
          const read = () => view.getServersStats().then(read);
          for (let readers = 0; readers < 3; readers++) read();
          ${before}
          setTimeout(() => process.exit(3), ${ms});`;
        return startChild(program, file, driver).ended;
      }),
    );

  test("ends as it meant to", async () => {
    const file = await makeLarge(driver);
    for (const ended of await endings(file)) expect(ended).toEqual({ code: 3, signal: null, stderr: "" });
  });

  test("control: with nobody who waits for that thread, a driver that is stopped within a call can abort it", async () => {
    const file = await makeLarge(driver);
    const ended = await endings(file, `process.removeAllListeners("exit");`);
    const aborted = ended.some(({ signal }) => signal === "SIGABRT");
    if (driver === "@signalapp/sqlcipher") expect(aborted).toBe(true);
    else console.log(`no control on ${driver}: it lets itself be stopped anywhere`);
  });
});
