import { join } from "node:path";
import { expect, test } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { decryptedPages } from "./pages.testing.ts";
import { sqlcipherStore } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const NOBODY = { session: null, seen: 0, at: 1 };

async function filled(driver: DriverName, users: readonly string[]): Promise<string> {
  const file = join(temporaryFolder(), "stats.db");
  const stats = await openAgentStats({ store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }) });
  for (let i = 0; i < 80; i++) {
    for (const user of users) stats.server(smp, user, `smp://${user}-${i}.example`).add("sent");
  }
  await stats.close();
  return file;
}

/** The calls of one process; `before` sees every statement first. */
function callsOn(file: string, driver: DriverName, before: (sql: string) => void): SqliteCalls {
  return new SqliteCalls(() => {
    const database = openFile(loadDriver(driver), { file, keyLiteral: keyLiteral(KEY), mode: "write" });
    const { handle } = database;
    const exec = (sql: string) => {
      before(sql);
      return handle.exec(sql);
    };
    const prepare = (sql: string) => {
      before(sql);
      return handle.prepare(sql);
    };
    return { ...database, handle: { exec, prepare, close: () => handle.close() } };
  });
}

describeDrivers("two processes that delete at the same time", (driver) => {
  test("erase both users: the end of one erasure is not the end of the other", async () => {
    const file = await filled(driver, ["anna", "bela"]);
    const namesOf = (user: string) => decryptedPages(file, KEY).filter((page) => page.includes(`smp://${user}`)).length;
    let mayErase = false;
    const other = callsOn(file, driver, (sql) => {
      if (!mayErase && sql.includes("wal_checkpoint"))
        throw Object.assign(new Error("locked"), { code: "SQLITE_BUSY" });
    });
    let isRewritten = false;
    const deletions: string[] = [];
    const one = callsOn(file, driver, (sql) => {
      isRewritten ||= sql === "VACUUM";
      // The other one's turn comes when this one has rewritten the file, and not yet said so.
      if (!isRewritten || sql !== "BEGIN IMMEDIATE" || deletions.length > 0) return;
      deletions.push(other.deleteUser("bela", "forget", NOBODY).erased);
      mayErase = true;
    });
    deletions.push(one.deleteUser("anna", "forget", NOBODY).erased);
    expect([namesOf("anna"), namesOf("bela") > 0], "control: one of them is still to be erased").toEqual([0, true]);
    expect(deletions).toEqual(["pending", "pending"]);
    expect(other.erase()).toBe("physically");
    expect(namesOf("bela")).toBe(0);
    expect(one.erase()).toBe("physically");
    for (const calls of [one, other]) calls.close();
  });
});
