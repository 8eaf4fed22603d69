import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defineProtocol, openAgentStats, readAgentStats } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, test } from "vitest";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { bytesIn, describeDrivers, KEY, PATIENCE, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { startChild } from "./child.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const fileIn = (folder: string) => join(folder, "stats.db");

/** What is in the file, as another process sees it. */
function looker(file: string, driver: DriverName) {
  const reader = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
  const look = async () => {
    const { servers, sessions } = await reader.getServersStats();
    const sum = (part: "past" | "overall") => servers.reduce((all, server) => all + (server[part].sent ?? 0), 0);
    return { past: sum("past"), overall: sum("overall"), how: sessions.map(({ how }) => how) };
  };
  return { look, close: () => reader.close() };
}

/** All programs begin their work at one moment, not one after the other as they are started. */
const together = (program: string, at: number) => `while (Date.now() < ${at}); ${program}`;
const START_UP_MS = 400;

describeDrivers("several processes on one file", (driver) => {
  test("count, and one reads, all at the same time: nothing is missing and nothing is counted twice", async () => {
    const folder = temporaryFolder();
    const file = fileIn(folder);
    const program = `
      const stats = await open({ flushEvery: 50 });
      for (let i = 0; i < 40; i++) {
        count(stats, 10);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await stats.close();`;
    const at = Date.now() + START_UP_MS;
    const children = [1, 2, 3].map(() => startChild(together(program, at), file, driver));
    const mine = await openAgentStats({
      protocols: [smp],
      store: sqlcipherStore({ file, key: KEY, driver }),
      flushEvery: 50,
    });
    const { look, close } = looker(file, driver);
    const seen: number[] = [];
    let ended = false;
    const ends = Promise.all(children.map((child) => child.ended)).then((all) => {
      ended = true;
      return all;
    });
    let counted = 0;
    while (!ended) {
      mine.server(smp, 1, "smp://a").add("sent");
      counted += 1;
      seen.push((await look()).overall);
      await sleep(5);
    }
    for (const { code, stderr } of await ends) expect([code, stderr]).toEqual([0, ""]);
    expect(mine.problem).toBeNull();
    const shown = (await mine.getServersStats()).servers.reduce((all, each) => all + (each.overall.sent ?? 0), 0);
    expect(shown).toBe(3 * 400 + counted);
    await mine.close();
    expect((await look()).overall).toBe(3 * 400 + counted);
    expect(seen, "what is saved never becomes less").toEqual([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size, "control: it was read while it grew").toBeGreaterThan(5);
    await close();
    expect(Object.keys(bytesIn(folder))).toEqual(["stats.db"]);
  });

  test("that start at once fold a killed session once, whichever is first", async () => {
    const file = fileIn(temporaryFolder());
    const { look, close } = looker(file, driver);
    for (let round = 1; round <= 3; round++) {
      const killed = startChild(
        "const s = await open(); count(s, 300); await s.flush(); stayAlive(); ready();",
        file,
        driver,
      );
      await killed.ready();
      expect((await look()).past, "control: what lives is not folded").toBe((round - 1) * 300);
      killed.process.kill("SIGKILL");
      await killed.ended;
      const at = Date.now() + START_UP_MS;
      const starters = [1, 2, 3, 4].map(() => startChild(together("await open();", at), file, driver));
      for (const { ended } of starters) expect(await ended).toMatchObject({ code: 0, stderr: "" });
      const { past, overall, how } = await look();
      expect([past, overall]).toEqual([round * 300, round * 300]);
      expect(how.filter((each) => each === "killed")).toHaveLength(round);
      expect(how.filter((each) => each === "exit")).toHaveLength(4 * round);
    }
    await close();
  });

  test("that make the file at once make one", async () => {
    const folder = temporaryFolder();
    const file = fileIn(folder);
    const at = Date.now() + START_UP_MS;
    const program = together("const s = await open(); count(s, 100); await s.close();", at);
    const makers = [1, 2, 3, 4].map(() => startChild(program, file, driver));
    for (const { ended } of makers) expect(await ended).toMatchObject({ code: 0, stderr: "" });
    const { look, close } = looker(file, driver);
    expect(await look()).toMatchObject({ overall: 400, how: ["close", "close", "close", "close"] });
    await close();
    expect(Object.keys(bytesIn(folder))).toEqual(["stats.db"]);
  });

  test("of which one was stopped for long: its session is its own when it goes on", async () => {
    const file = fileIn(temporaryFolder());
    const program = `
      const stats = await open({ flushEvery: 50 });
      count(stats, 300);
      await stats.flush();
      process.on("SIGUSR2", async () => { count(stats, 3); await stats.close(); });
      stayAlive(); ready();`;
    const stopped = startChild(program, file, driver);
    await stopped.ready();
    stopped.process.kill("SIGSTOP");
    const starter = startChild("await open();", file, driver);
    expect(await starter.ended).toMatchObject({ code: 0 });
    const { look, close } = looker(file, driver);
    expect(await look(), "it lives, so it is not folded").toMatchObject({
      past: 0,
      overall: 300,
      how: ["running", "exit"],
    });
    stopped.process.kill("SIGCONT");
    stopped.process.kill("SIGUSR2");
    await expect.poll(async () => (await look()).overall, PATIENCE).toBe(303);
    stopped.process.kill("SIGKILL");
    await stopped.ended;
    expect(await look()).toMatchObject({ overall: 303, how: ["close", "exit"] });
    await close();
  });
});

test("several stores in one process, each with a thread of its own", async () => {
  const folder = temporaryFolder();
  const open = () =>
    openAgentStats({ protocols: [smp], store: sqlcipherStore({ file: fileIn(folder), key: KEY }), flushEvery: 50 });
  const all = await Promise.all([open(), open(), open()]);
  for (let i = 0; i < 30; i++) {
    for (const [n, stats] of all.entries()) stats.server(smp, n, "smp://a").add("sent", n + 1);
    await sleep(5);
  }
  await Promise.all(all.map((stats) => stats.flush()));
  for (const stats of all) {
    const { servers } = await stats.getServersStats();
    const found = servers.map(({ userId, overall }) => [userId, overall.sent]);
    expect(found.sort()).toEqual([
      ["0", 30],
      ["1", 60],
      ["2", 90],
    ]);
  }
  await Promise.all(all.map((stats) => stats.close()));
  expect(Object.keys(bytesIn(folder))).toEqual(["stats.db"]);
});
