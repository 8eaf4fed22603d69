/** A main thread that hangs: the database's own thread saves what it counts. Real processes, judged by a ledger. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readAgentStats } from "agent-stats";
import { sqlcipherReader } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { type Child, startChild } from "./child.testing.ts";

const INTERVAL_MS = 1_000;
/** How long the hang lasts before the kill: long enough for a busy machine. */
const HANG_MS = 5 * INTERVAL_MS;

/** What every child begins with. It writes down what it counted at what time, before it counts on. */
const PRELUDE = `
  const { openSync, writeSync } = await import("node:fs");
  const ledger = openSync(file + ".ledger", "w");
  const note = (counted) => writeSync(ledger, Date.now() + " " + counted + "\\n");
  const mqtt = defineProtocol("mqtt", { tries: { help: "handed over", attemptsOf: "sent" }, sent: "sent" });
  const start = (thread) => openAgentStats({
    protocols: [mqtt], flushEvery: ${INTERVAL_MS}, store: sqlcipherStore({ file, key, driver, thread }),
  });
  const loop = (server, until = Infinity) => {
    const [tries, sent] = [server.counter("tries"), server.counter("sent")];
    for (let n = 1; Date.now() < until; n++) {
      tries.add(); sent.add();
      if (n % 1000 === 0) note(n);
    }
  };
`;

interface Left {
  readonly sent: Readonly<Record<string, number>>;
  readonly tries: Readonly<Record<string, number>>;
  readonly how: readonly string[];
  /** How long before the kill the last of what is there was counted, by the ledger; and before the hang, where none is. */
  readonly lostMs: number;
}

async function left(file: string, driver: DriverName, killedAt: number): Promise<Left> {
  const stats = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
  const { servers, sessions } = await stats.getServersStats();
  await stats.close();
  const of = (counter: string) =>
    Object.fromEntries(servers.map(({ server, overall }) => [server, overall[counter] ?? 0]));
  const lines = existsSync(`${file}.ledger`) ? readFileSync(`${file}.ledger`, "utf8").trim().split("\n") : [];
  const notes = lines.map((line) => line.split(" ").map(Number) as [number, number]);
  const sent = of("sent");
  const [lostFrom = killedAt] = notes.find(([, counted]) => counted > Math.max(0, ...Object.values(sent))) ?? [];
  return { sent, tries: of("tries"), how: sessions.map(({ how }) => how), lostMs: killedAt - lostFrom };
}

async function killAfter(ms: number, child: Child): Promise<number> {
  await child.ready();
  await sleep(ms);
  const at = Date.now();
  child.process.kill("SIGKILL");
  await child.ended;
  return at;
}

describeDrivers("a main thread that is stuck", (driver) => {
  const run = async (program: string) => {
    const file = join(temporaryFolder(), "stats.db");
    const killedAt = await killAfter(HANG_MS, startChild(PRELUDE + program, file, driver));
    return left(file, driver, killedAt);
  };

  describe.concurrent("and is killed, loses at most two intervals", () => {
    test.each([
      ["right after the start", `const server = (await start()).server(mqtt, 1, "a");`],
      [
        "after it had saved, and counted on",
        `const stats = await start(); const server = stats.server(mqtt, 1, "a");
         stats.server(mqtt, 1, "b").add("sent"); await stats.flush();
         stats.server(mqtt, 1, "b").add("sent");`,
      ],
      [
        "while a save is under way",
        `const stats = await start(); const server = stats.server(mqtt, 1, "a"); stats.flush();`,
      ],
      [
        "after a user was deleted",
        `const stats = await start(); const server = stats.server(mqtt, 1, "a");
         stats.server(mqtt, 2, "c").add("sent", 5); await stats.flush(); await stats.deleteUser(2);`,
      ],
    ])("%s", async (_, before) => {
      const found = await run(`${before} ready(); loop(server);`);
      expect(found.lostMs).toBeLessThan(2 * INTERVAL_MS);
      expect(found.sent.a).toBeGreaterThan(0);
      expect(found.sent.a).toBeLessThanOrEqual(found.tries.a as number);
      expect(found.sent).not.toHaveProperty("c");
      expect(found.how).toEqual(["killed"]);
    });

    test("control: without the thread of its own, all of the hang is lost", async () => {
      const found = await run(`const server = (await start("same")).server(mqtt, 1, "a"); ready(); loop(server);`);
      expect(found.sent.a ?? 0).toBe(0);
      expect(found.lostMs).toBeGreaterThan(HANG_MS / 2);
    });

    test("of what it counted before it was blocked, nothing", async () => {
      const found = await run(`
        const stats = await start();
        for (const server of ["a", "b"]) stats.server(mqtt, 1, server).add("sent", 7);
        await null; ready();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`);
      expect(found.sent).toEqual({ a: 7, b: 7 });
    });
  });

  describe.concurrent("and goes on", () => {
    test("has counted everything once", async () => {
      const file = join(temporaryFolder(), "stats.db");
      const program = `
        const stats = await start(); const server = stats.server(mqtt, 1, "a");
        server.add("sent", 3); await stats.flush();
        loop(server, Date.now() + ${3 * INTERVAL_MS});
        const { servers, lastSaved } = await stats.getServersStats();
        const wasSaved = Date.now() - lastSaved.getTime() < ${2 * INTERVAL_MS};
        server.add("sent", 1000);
        await stats.close();
        process.stdout.write(JSON.stringify({ sent: servers[0].overall.sent + 1000, wasSaved }));`;
      const child = startChild(PRELUDE + program, file, driver);
      let said = "";
      child.process.stdout?.on("data", (data) => {
        said += data;
      });
      expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
      const { sent, wasSaved } = JSON.parse(said);
      expect(wasSaved, "it was saved by the other thread").toBe(true);
      const found = await left(file, driver, 0);
      expect(found).toMatchObject({ sent: { a: sent }, tries: { a: sent - 1_003 }, how: ["close"] });
    });
  });
});
