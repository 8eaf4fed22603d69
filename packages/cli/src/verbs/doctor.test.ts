import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agentStats, closedDatabase, database, folder, keyFile, killedSession } from "../cli.testing.ts";
import { databaseWithHistory, FAILING_FOR_HOURS, MINE } from "../history.testing.ts";
import { formatDay } from "../text/dates.ts";

const HOUR_MS = 3_600_000;
const plain = (text: string) => text.replaceAll("\u202f", "_");

function withHistory() {
  const path = folder();
  const db = join(path, "stats.db");
  databaseWithHistory(db);
  return { path, db, args: ["--db", db, "--key-file", keyFile(path)] };
}

describe("doctor", () => {
  test("says which server fails, how, since when, and by which numbers; exit code 1", async () => {
    const { args } = withHistory();
    const { code, stdout, stderr } = await agentStats(["doctor", ...args]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const since = formatDay(new Date(Date.now() - FAILING_FOR_HOURS * HOUR_MS), new Date());
    const [all, failed] = [50 * FAILING_FOR_HOURS, 9 * FAILING_FOR_HOURS].map((n) => `${Math.floor(n / 1_000) || ""}`);
    const text = plain(stdout);
    expect(text.replaceAll(/\n {4}/g, " ")).toContain(
      ` 1  my.example: 18 % of sends failed, mostly QUOTA, since ${since}; the other server fine smp: `,
    );
    expect([all, failed]).toEqual(["4", ""]);
    expect(text).toContain("smp: 873 of 4_850 failed: QUOTA 679 (sentQuotaErrs), AUTH 194 (sentAuthErrs)");
    expect(text.split("\n").at(-2)).toBe("1 finding; looked at 3 servers and 1 session, 30 days back.");
  });

  test("--json has the finding as it is, with its sentence, and when", async () => {
    const { args } = withHistory();
    const { code, stdout } = await agentStats(["doctor", ...args, "--json"]);
    expect(code).toBe(1);
    const { findings, checked } = JSON.parse(stdout);
    expect(checked).toEqual({ servers: 3, sessions: 1 });
    expect(findings).toMatchObject([
      { kind: "failing", server: MINE, failed: 873, outcomes: 4_850, until: null, others: { servers: 1, failing: 0 } },
    ]);
    expect(findings[0].sentence).toMatch(
      /^my\.example: 18 % of sends failed, mostly QUOTA, since .+; the other server fine$/,
    );
    const began = Math.floor((Date.now() - FAILING_FOR_HOURS * HOUR_MS) / HOUR_MS) * HOUR_MS;
    expect(new Date(findings[0].since).getTime()).toBe(began);
  });

  test("nothing wrong: says how much was looked at; exit code 0", async () => {
    const { args } = await database();
    expect(await agentStats(["doctor", ...args])).toEqual({
      code: 0,
      signal: null,
      stderr: "",
      stdout: "Nothing is wrong: looked at 2 servers and 1 session, 30 days back.\n",
    });
    expect(JSON.parse((await agentStats(["doctor", ...args, "--json"])).stdout).findings).toEqual([]);
  });

  test("tells of a crash, and what it can have lost; control: not of a session that was closed", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    killedSession(db);
    await closedDatabase(db);
    const { code, stdout } = await agentStats(["doctor", "--db", db, "--key-file", keyFile(path), "--days", "1"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^ 1 {2}The app was killed once, at \d\d:\d\d today: up to 2\.5 s of counting can be\n {4}missing\n/,
    );
    expect(stdout).toContain("    1 of 2 sessions: 1 without a goodbye");
  });
});
