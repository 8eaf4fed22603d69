import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { moveAside } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import { agentStats, bytesOf, closedDatabase, database, folder, KEY, keyFile, killedSession } from "../cli.testing.ts";

/** A byte of that page, other than it was. */
function damage(db: string, page: number): void {
  const bytes = readFileSync(db);
  const at = page * 4_096 + 1_000;
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(db, bytes);
}

async function damaged(page: number) {
  const made = await database();
  damage(made.db, page);
  return made;
}

describe("verify", () => {
  test("says that nothing is wrong, what it looked at, and changes nothing", async () => {
    const { path, args } = await database();
    const before = bytesOf(path);
    const { code, stdout, stderr } = await agentStats(["verify", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^pages {3}\d+$/),
      "schema  2",
      "holds   1 session, 4 keys",
      "",
      "Nothing is wrong with this file.",
      "",
    ]);
    expect(bytesOf(path)).toEqual(before);
  });

  test("looks into a WAL that a kill left, which stays as it is", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    killedSession(db);
    const before = bytesOf(path);
    const { code, stdout } = await agentStats(["verify", "--db", db, "--key-file", keyFile(path)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pages {3}\d+, and \d+ frames of the WAL$/m);
    expect(bytesOf(path)).toMatchObject(before);
  });

  test("tells what is wrong, in sentences and in JSON; exit code 1", async () => {
    const { args } = await damaged(3);
    const { code, stdout, stderr } = await agentStats(["verify", ...args]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout.replaceAll(/\n +/g, " ")).toContain(" 1  1 page does not authenticate: ");
    expect(stdout).toContain("agent-stats salvage --to FILE");
    const json = await agentStats(["verify", ...args, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      findings: [{ code: "page-damaged", count: 1, isCertain: true }],
      sessions: null,
    });
  });

  test("tells of damaged files that were moved aside", async () => {
    const { db, args } = await damaged(3);
    await moveAside({ file: db });
    await closedDatabase(db);
    expect((await agentStats(["verify", ...args])).stdout).toMatch(/^aside {3}1 damaged file beside this one$/m);
  });

  test("is where other verbs send, and tells damage of the first page from another key", async () => {
    const { args } = await damaged(0);
    const shown = await agentStats(["show", ...args]);
    const promised = "agent-stats verify can tell which where only its first page is damaged";
    expect(shown).toMatchObject({ code: 3, stderr: expect.stringContaining(promised) });
    const verified = await agentStats(["verify", ...args]);
    expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining("agent-stats salvage --to FILE") });
  });

  test("calls a file of another kind what show calls it", async () => {
    const { args, db } = await database();
    for (const text of ["# Notes\n", "# Notes\n".repeat(1_000)]) {
      writeFileSync(db, text);
      for (const verb of ["show", "verify"]) {
        const outcome = await agentStats([verb, ...args]);
        expect(outcome).toMatchObject({ code: 5, stderr: expect.stringContaining("[STATS_NOT_A_DATABASE]") });
      }
    }
  });

  test("another key is another exit code", async () => {
    const { path, db } = await database();
    const { code, stderr } = await agentStats(["verify", "--db", db, "--key-file", keyFile(path, "00".repeat(32))]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^agent-stats: The key opens not one page .+\. \[STATS_KEY_REJECTED\]\n$/);
  });
});

describe("salvage", () => {
  test("makes a new file of what is left, says what was lost, and leaves the old one", async () => {
    const { path, db, args } = await damaged(3);
    const before = bytesOf(path);
    const to = join(path, "new.db");
    const { code, stdout, stderr } = await agentStats(["salvage", ...args, "--to", to]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^lost {8}1 page/m);
    expect(stdout).toContain("The new file holds what is left.");
    expect(bytesOf(path)).toMatchObject(before);
    const verified = await agentStats(["verify", "--db", to, "--key-file", keyFile(path), "--json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    expect(readFileSync(db).length).toBeGreaterThan(0);
  });

  test("of a file that is well loses nothing", async () => {
    const { path, args } = await database();
    const to = join(path, "new.db");
    const { stdout } = await agentStats(["salvage", ...args, "--to", to, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ complete: true, sums: "exact", history: "exact", read: { keys: 4 } });
    const [one, other] = await Promise.all(
      [args, ["--db", to, "--key-file", keyFile(path)]].map(async (of) =>
        JSON.parse((await agentStats(["show", ...of, "--json"])).stdout),
      ),
    );
    const sums = (shown: { servers: { overall: object }[] }) => shown.servers.map(({ overall }) => overall);
    expect(sums(other)).toEqual(sums(one));
  });

  test("never overwrites a file", async () => {
    const { path, args } = await database();
    const to = join(path, "mine.txt");
    writeFileSync(to, "mine");
    const { code, stderr } = await agentStats(["salvage", ...args, "--to", to]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[STATS_FILE_EXISTS\]\n$/);
    expect(stderr).not.toContain(KEY);
    expect(readFileSync(to, "utf8")).toBe("mine");
  });
});
