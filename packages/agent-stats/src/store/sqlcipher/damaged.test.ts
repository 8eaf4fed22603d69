import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AgentStats, openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import type { StatsError } from "../errors.ts";
import { assertHelpful } from "./bad-input.testing.ts";
import type { DriverName } from "./drivers.ts";
import { describeDrivers, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";
import { sqlcipherStore } from "./store.ts";

const PAGE = 4_096;
const SERVERS = 60;
const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const sum = (numbers: readonly (number | undefined)[]) => numbers.reduce<number>((all, n) => all + (n ?? 0), 0);

const openAt = (file: string, driver: DriverName) =>
  openAgentStats({
    protocols: [smp],
    store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }),
    flushEvery: 3_600_000,
    onProblem: () => {},
  });

/** The bytes of a file of many pages: a folded session, and one that is not, with SERVERS servers each. */
async function manyPages(file: string, driver: DriverName): Promise<Buffer> {
  for (let session = 0; session < 2; session++) {
    const stats = await openAt(file, driver);
    for (let i = 0; i < SERVERS; i++) stats.server(smp, i % 2, `smp://${"x".repeat(200)}${i}`).add("sent", i);
    await stats.close();
  }
  return readFileSync(file);
}

/** Uses a file in every way; what it could not do, as codes. */
async function useAll(file: string, driver: DriverName): Promise<{ codes: Set<string>; overall: number | null }> {
  const codes = new Set<string>();
  const stats = await openAt(file, driver);
  const failed = (problem: StatsError) => {
    codes.add(problem.code);
    assertHelpful(problem, { says: /move it aside|name another file|another key/ }, { file });
    return null;
  };
  const server = stats.server(smp, 1, "smp://new");
  server.add("sent", 7);
  await stats.flush().catch(failed);
  const all = await stats.getServersStats().catch(failed);
  const overall = all === null ? null : sum(all.servers.map((each) => each.overall.sent));
  await stats.deleteUser(0).catch(failed);
  await stats.reset({ server: "smp://none" }).catch(failed);
  server.add("sent", 1);
  await stats.close().catch(failed);
  const [counted] = stats.recorder.getServersStats().servers;
  expect(counted?.session, "counting goes on").toEqual({ sent: 8 });
  return { codes, overall };
}

const OVERALL = SERVERS * (SERVERS - 1) + 7;

describeDrivers("a damaged file", (driver) => {
  test("with any page damaged: told or unharmed, never wrong numbers, and the page stays as it is", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const good = await manyPages(file, driver);
    const pages = good.length / PAGE;
    expect(pages).toBeGreaterThan(15);
    let told = 0;
    for (let page = 0; page < pages; page++) {
      const at = page * PAGE + 1_000;
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] as number) ^ 0x40;
      writeFileSync(file, bytes);
      const { codes, overall } = await useAll(file, driver);
      if (codes.size > 0) told += 1;
      expect([[], ["STATS_DAMAGED"], ["STATS_KEY_REJECTED"]]).toContainEqual([...codes]);
      expect(overall === null || overall === OVERALL, `page ${page}: ${overall}, ${[...codes]}`).toBe(true);
      if (codes.size > 0) {
        const now = readFileSync(file).subarray(page * PAGE, (page + 1) * PAGE);
        expect(now.equals(bytes.subarray(page * PAGE, (page + 1) * PAGE)), `page ${page} is as it was`).toBe(true);
      }
      expect(existsSync(`${file}-wal`)).toBe(false);
    }
    expect(told, "control: most damage is seen").toBeGreaterThan(pages / 2);
  });

  // But in its last page: such a file is as one whose last page is damaged.
  test("cut off anywhere: told, and not a byte is changed", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const good = await manyPages(file, driver);
    const lengths = fc.sample(fc.integer({ min: 1, max: good.length - PAGE }), { numRuns: 20, seed: 7 });
    for (const length of [...lengths, PAGE, good.length - PAGE]) {
      const bytes = good.subarray(0, length);
      writeFileSync(file, bytes);
      const { codes } = await useAll(file, driver);
      expect([...codes]).toEqual([length < PAGE ? "STATS_NOT_A_DATABASE" : "STATS_DAMAGED"]);
      expect(readFileSync(file).equals(bytes), `cut to ${length} bytes`).toBe(true);
    }
  });

  test("control: unharmed, all of it is there", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await manyPages(file, driver);
    expect(await useAll(file, driver)).toEqual({ codes: new Set(), overall: OVERALL });
  });
});

describeDrivers("a file that vanishes while it is open", (driver) => {
  const setUp = async () => {
    const file = join(temporaryFolder(), "stats.db");
    const problems: (string | null)[] = [];
    const open = () =>
      openAgentStats({
        protocols: [smp],
        store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }),
        flushEvery: 50,
        onProblem: (problem) => problems.push(problem?.code ?? null),
      });
    return { file, problems, open };
  };
  const vanish = (file: string, withLocks = false) => {
    for (const name of readdirSync(dirname(file))) {
      if (withLocks || !name.includes("-session-")) rmSync(join(dirname(file), name));
    }
  };

  test("is told, and what was counted since the last save goes into a new one", async () => {
    const { file, problems, open } = await setUp();
    const stats = await open();
    const server = stats.server(smp, 1, "smp://a");
    server.add("sent", 5);
    await stats.flush();
    vanish(file);
    server.add("sent", 3);
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    server.add("sent", 4);
    await expect.poll(() => problems, PATIENCE).toEqual(["STATS_MOVED", null]);
    await stats.flush();
    expect((await stats.getServersStats()).servers.map(({ overall }) => overall)).toEqual([{ sent: 7 }]);
    await stats.close();
  });

  test.each([
    ["alone", false],
    ["with all that stands beside it", true],
  ])("%s is made anew once for two processes, and neither writes into the other's session", async (_, withLocks) => {
    const { file, open } = await setUp();
    const both = [await open(), await open()];
    const servers = both.map((stats, i) => stats.server(smp, i, `smp://${i}`));
    for (const [i, stats] of both.entries()) {
      servers[i]?.add("sent", 1);
      servers[i]?.add("errors", 1);
      await stats.flush();
    }
    vanish(file, withLocks);
    for (const server of servers) server.add("sent", 10);
    for (const stats of [...both].reverse()) {
      await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
      await stats.flush().catch(() => {});
    }
    await expect.poll(() => both.map(({ problem }) => problem), PATIENCE).toEqual([null, null]);
    for (const server of servers) server.add("sent", 100);
    for (const stats of both) await stats.flush();
    for (const stats of both) {
      const found = (await stats.getServersStats()).servers.map(({ userId, overall }) => [userId, overall]);
      expect(new Map(found as [string, object][])).toEqual(
        new Map([
          ["0", { sent: 110 }],
          ["1", { sent: 110 }],
        ]),
      );
    }
    for (const stats of both) await stats.close();
  });

  test("leaves nobody deaf to what is deleted in the new one, whatever was deleted in the old one", async () => {
    const { file, open } = await setUp();
    const saved = async (stats: AgentStats) => {
      await stats.flush().catch(() => {});
      await stats.flush();
      const { servers } = await stats.getServersStats();
      return servers.map(({ userId, overall }) => [userId, overall]);
    };
    const all = [await open(), await open(), await open()] as const;
    for (const user of ["x", "y", "z"]) await all[0].deleteUser(user);
    for (const stats of all) {
      stats.server(smp, 7, "smp://a").add("sent");
      stats.server(smp, 8, "smp://a").add("sent");
      await stats.flush();
    }
    vanish(file, true);
    const [late, ...early] = all;
    for (const stats of early) {
      stats.server(smp, 8, "smp://a").add("sent");
      await saved(stats);
    }
    await early[0].deleteUser(7);
    late.server(smp, 7, "smp://a").add("sent", 100);
    late.server(smp, 8, "smp://a").add("sent", 100);
    await saved(late);
    for (const stats of all) expect(await saved(stats)).toEqual([["8", { sent: 102 }]]);
    for (const stats of all) await stats.close();
  });
});
