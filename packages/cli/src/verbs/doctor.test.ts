import { join } from "node:path";
import Database from "@signalapp/sqlcipher";
import { describe, expect, onTestFinished, test } from "vitest";
import { agentStats, closedDatabase, database, folder, KEY, keyFile, killedSession } from "../cli.testing.ts";
import { databaseWithHistory, FAILING_FOR_HOURS, MINE, sessionWithHistory } from "../history.testing.ts";

const HOUR_MS = 3_600_000;
const dayWords = (date: Date) => date.toLocaleDateString("en-GB", { day: "numeric", month: "long" });
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
    const since = dayWords(new Date(Date.now() - FAILING_FOR_HOURS * HOUR_MS));
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

  test("tells what verify finds of the file itself, first", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    sessionWithHistory(db, { from: 40, to: 30 });
    sessionWithHistory(db, { from: 29, to: 1 });
    const args = ["--db", db, "--key-file", keyFile(path), "--json"];
    const codes = async () => {
      const { findings } = JSON.parse((await agentStats(["doctor", ...args])).stdout);
      return findings.map(({ kind, code }: { kind: string; code?: string }) => code ?? kind);
    };
    expect(await codes()).toEqual(["failing"]);
    const handle = new Database(db);
    handle.exec(`PRAGMA key = "x'${KEY}'"; UPDATE agent_stats_past SET value = 1`);
    handle.close();
    expect(await codes()).toEqual(["past-too-small", "failing"]);
  });

  test("tells of a deletion that waits for a reader; control: not when that has gone", async () => {
    const { db, args } = await database();
    const reader = new Database(db);
    onTestFinished(() => reader.close());
    reader.exec(`PRAGMA key = "x'${KEY}'"; BEGIN; SELECT COUNT(*) FROM agent_stats_key`);
    const forgotten = await agentStats(["forget", "2", ...args, "--confirm", "2"]);
    expect(forgotten).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("  deleted; old pages are erased when"),
    });
    const waiting = await agentStats(["doctor", ...args]);
    expect(waiting).toMatchObject({ code: 1, stdout: expect.stringContaining(" 1  What was deleted is not erased") });
    reader.exec("ROLLBACK");
    const erased = await agentStats(["reset", "--user", "10", ...args, "--confirm", "10"]);
    expect(erased.stdout).toContain("erased: no page of the file holds it any more");
    expect(await agentStats(["doctor", ...args])).toMatchObject({ code: 0 });
  });

  test("tells of a crash, and what it can have lost; control: not of a session that was closed", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    killedSession(db);
    await closedDatabase(db);
    const { code, stdout } = await agentStats(["doctor", "--db", db, "--key-file", keyFile(path), "--days", "1"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^ 1 {2}The app was killed once, at \d\d:\d\d today: up to 2\.5 s of counting and one\n {4}save can be missing\n/,
    );
    expect(stdout).toContain("    1 of 2 sessions: 1 without a goodbye");
  });
});
