import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { storeContract } from "agent-stats/contract";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { type SqliteHandle, sqliteStore } from "agent-stats/sqlite";
import { describe, expect, test } from "vitest";
import type { ContractDatabase } from "./contract.ts";
import { memoryStore } from "./memory.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { DRIVER_NAMES, type DriverName, loadDriver, whyNot } from "./sqlcipher/drivers.ts";

const KEY = "5a".repeat(32);

async function memory(): Promise<ContractDatabase> {
  const database = new MemoryDatabase();
  return { open: () => memoryStore(database), remove: async () => {} };
}

function sqlcipher(driver: DriverName, thread: "worker" | "same") {
  return async (): Promise<ContractDatabase> => {
    const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
    return {
      open: () => sqlcipherStore({ file: join(folder, "stats.db"), key: KEY, driver, thread }),
      remove: async () => rmSync(folder, { recursive: true }),
    };
  };
}

/** A handle of the host's own, with a table of the host's beside ours; in its main file or in an attached one. */
function sqlite(driver: DriverName, schema: "main" | "attached") {
  return async (): Promise<ContractDatabase> => {
    const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
    const { open, beforeKey } = loadDriver(driver);
    const handles: SqliteHandle[] = [];
    return {
      open() {
        const handle = open(join(folder, "chat.db"));
        handles.push(handle);
        handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"; PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL`);
        handle.exec("CREATE TABLE IF NOT EXISTS users (user_id INTEGER PRIMARY KEY, name TEXT)");
        if (schema === "attached") handle.exec(`ATTACH '${join(folder, "stats.db")}' AS attached KEY ''`);
        return sqliteStore(handle, { schema, allowPlaintext: schema === "attached" });
      },
      async remove() {
        for (const handle of handles) handle.close();
        rmSync(folder, { recursive: true });
      },
    };
  };
}

describe("memoryStore", () => {
  for (const { name, run } of storeContract(memory)) test(name, run);
});

for (const driver of DRIVER_NAMES) {
  const reason = whyNot(driver);
  if (reason !== null) console.log(`skipped: the contract on ${driver}: ${reason}`);
  for (const thread of ["worker", "same"] as const) {
    describe.skipIf(reason !== null)(
      `sqlcipherStore, ${driver}, ${thread === "same" ? "same thread" : "worker"}`,
      () => {
        for (const { name, run } of storeContract(sqlcipher(driver, thread))) test(name, run);
      },
    );
  }
}

for (const driver of DRIVER_NAMES) {
  for (const schema of ["main", "attached"] as const) {
    describe.skipIf(whyNot(driver) !== null)(`sqliteStore, a handle of ${driver}, ${schema}`, () => {
      for (const { name, run } of storeContract(sqlite(driver, schema))) test(name, run);
    });
  }
}

test("every store that is shipped runs the contract", () => {
  const folder = dirname(fileURLToPath(import.meta.url));
  const suite = readFileSync(fileURLToPath(import.meta.url), "utf8");
  const shipped = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").match(/(?<=export function )\w+Store(?=\()/g) ?? []);
  expect(existsSync(folder) && shipped.length).toBeGreaterThan(1);
  for (const store of shipped) expect(suite).toContain(`${store}(`);
});
