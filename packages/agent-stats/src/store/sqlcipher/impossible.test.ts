import { join } from "node:path";
import { openAgentStats, readAgentStats } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, test } from "vitest";
import { makeGood, runSql, sentIn } from "./bad-input.testing.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";

const VALUES = ["-1", "1.5", "9007199254740993"];

describeDrivers("a number that nobody can have counted", (driver) => {
  test.each(VALUES)("%s: is damage, in sums and in history, and no sum of it is told", async (value) => {
    for (const thread of ["same", "worker"] as const) {
      const file = join(temporaryFolder(), "stats.db");
      await makeGood({ file, driver });
      runSql({ file, driver }, KEY, `UPDATE agent_stats_count SET value = ${value}`);
      const view = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread }) });
      const damaged = { code: "STATS_DAMAGED" };
      await expect(view.getServersStats()).rejects.toMatchObject(damaged);
      await expect(view.getSessions()).rejects.toMatchObject(damaged);
      await expect(view.getTimeline()).rejects.toMatchObject(damaged);
      await view.close();
      const store = sqlcipherStore({ file, key: KEY, driver, thread });
      const stats = await openAgentStats({ store, onProblem: () => {} });
      await expect(stats.getServersStats()).rejects.toMatchObject(damaged);
      await stats.close();
    }
  });

  test("control: one that can have been counted is told", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await makeGood({ file, driver });
    runSql({ file, driver }, KEY, "UPDATE agent_stats_count SET value = 9007199254740991");
    expect(await sentIn({ file, driver })).toBe(Number.MAX_SAFE_INTEGER);
  });
});
