import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "@signalapp/sqlcipher";
import { describe, expect, onTestFinished, test } from "vitest";
import { agentStats, bytesOf, closedDatabase, DRIVERS, database, folder, KEY, NEAR } from "./cli.testing.ts";

/** A driver of its own: what the library would never do to a file. */
function change(file: string, key: string | null, ...statements: readonly string[]): void {
  const handle = new Database(file);
  try {
    if (key !== null) handle.exec(`PRAGMA key = "x'${key}'"`);
    for (const sql of statements) handle.exec(sql);
  } finally {
    handle.close();
  }
}

/** The second page: the key fits, and what it opens is no more. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4_096, 8_192);
  writeFileSync(file, bytes);
}

interface Failure {
  readonly is: string;
  readonly code: number;
  readonly name: string;
  make(db: string): Promise<void> | void;
  readonly key?: string;
}

const FAILURES: readonly Failure[] = [
  { is: "the key of another file", code: 3, name: "STATS_KEY_REJECTED", make: closedDatabase, key: "00".repeat(32) },
  { is: "a key that is too short", code: 3, name: "STATS_KEY_INVALID", make: closedDatabase, key: KEY.slice(2) },
  { is: "an empty key file", code: 3, name: "STATS_KEY_INVALID", make: closedDatabase, key: "" },
  { is: "an endless key file", code: 3, name: "STATS_KEY_INVALID", make: closedDatabase, key: "0".repeat(1_000_000) },
  { is: "no file", code: 4, name: "STATS_MISSING", make: () => {} },
  {
    is: "an encrypted file without statistics",
    code: 4,
    name: "STATS_MISSING",
    make: (db) => change(db, KEY, "CREATE TABLE mine (n)"),
  },
  {
    is: "a file of a later version",
    code: 5,
    name: "STATS_NEWER_SCHEMA",
    make: async (db) => {
      await closedDatabase(db);
      change(db, KEY, "UPDATE agent_stats_meta SET value = 999 WHERE name = 'schema_version'");
    },
  },
  {
    is: "a file that was damaged",
    code: 5,
    name: "STATS_DAMAGED",
    make: async (db) => {
      await closedDatabase(db);
      damage(db);
    },
  },
  {
    is: "a file that was cut off",
    code: 5,
    name: "STATS_NOT_A_DATABASE",
    make: async (db) => {
      await closedDatabase(db);
      truncateSync(db, 4_000);
    },
  },
  {
    is: "a SQLite file in plaintext",
    code: 5,
    name: "STATS_NOT_ENCRYPTED",
    make: (db) => change(db, null, "CREATE TABLE mine (n)"),
  },
  { is: "a file of another kind", code: 5, name: "STATS_NOT_A_DATABASE", make: (db) => writeFileSync(db, "# Notes\n") },
  { is: "an empty file", code: 5, name: "STATS_EMPTY_FILE", make: (db) => writeFileSync(db, "") },
  { is: "a folder", code: 5, name: "STATS_IS_A_FOLDER", make: (db) => mkdirSync(db) },
];

/** One sentence, its code, and nothing of a stack, a path or a key. */
function expectOneSentence(stderr: string, code: string): void {
  expect(stderr).toMatch(new RegExp(`^agent-stats: [A-Z-][^\\n]+ \\[${code}\\]\\n$`));
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+|node:|file:\/\//);
}

describe.each(["show", "sessions"])("%s", (verb) => {
  test.each(FAILURES)("of $is: $code, $name, and nothing is changed", async ({ code, name, make, key = KEY }) => {
    const path = folder();
    const db = join(path, "stats.db");
    await make(db);
    const keyFile = join(folder(), "key");
    writeFileSync(keyFile, key, { mode: 0o600 });
    const before = bytesOf(path);
    const outcome = await agentStats([verb, "--db", db, "--key-file", keyFile, "--json"]);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expectOneSentence(outcome.stderr, name);
    expect(outcome.stderr).not.toContain(path);
    expect(bytesOf(path)).toEqual(before);
  });

  test.each([
    ["missing", (path: string) => join(path, "none")],
    ["below a file", (path: string) => join(path, "file", "key")],
    ["a folder", (path: string) => path],
  ])("with a key file that is %s: 3", async (_, keyFile) => {
    const path = folder();
    writeFileSync(join(path, "file"), "");
    const outcome = await agentStats([verb, "--db", join(path, "db"), "--key-file", keyFile(path)]);
    expect(outcome).toMatchObject({ code: 3, stdout: "" });
    expectOneSentence(outcome.stderr, "KEY_FILE_UNREADABLE");
  });
});

/** What any verb must say in the same words: the rest is one and the same opening. */
const MAIN_FAILURES = FAILURES.filter(({ name, is }) =>
  is === "no file" ? true : /KEY_REJECTED|NEWER_SCHEMA|DAMAGED|EMPTY_FILE/.test(name),
);

describe.each([
  [["timeline", "--json"]],
  [["doctor", "--json"]],
  [["watch", "--json"]],
  [["explain", "sent", "--json"]],
  [["export", "--format", "csv"]],
  [["report", "--json"]],
  [["resolve", "srv-abcdefgh"]],
  [["forget", "1", "--confirm", "1"]],
  [["reset", "--confirm", "stats.db"]],
])("%j", (words) => {
  test.each(MAIN_FAILURES)("of $is: $code, $name, and nothing is changed", async ({ code, name, make, key = KEY }) => {
    const path = folder();
    const db = join(path, "stats.db");
    await make(db);
    const keyFile = join(folder(), "key");
    writeFileSync(keyFile, key, { mode: 0o600 });
    const before = bytesOf(path);
    const outcome = await agentStats([...words, "--db", db, "--key-file", keyFile]);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expectOneSentence(outcome.stderr, name);
    expect(bytesOf(path)).toEqual(before);
  });
});

describe("a filter", () => {
  const SHOW = "see agent-stats show for the names. [NOT_FOUND]\n";
  test.each([["show"], ["timeline"], ["export", "--format", "csv"], ["reset", "--confirm", "x"]])(
    "%s of a name that is not there, or of names that are not there together: 4",
    async (...words) => {
      const { args } = await database();
      const said = async (...flags: string[]) => {
        const { code, stdout, stderr } = await agentStats([...words, ...args, ...flags]);
        expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
        return stderr;
      };
      expect(await said("--user", "3")).toBe(`agent-stats: There are no statistics of this user: ${SHOW}`);
      expect(await said("--server", "near")).toBe(`agent-stats: There are no statistics of this server: ${SHOW}`);
      expect(await said("--protocol", "smp")).toBe(`agent-stats: There are no statistics of this protocol: ${SHOW}`);
      expect(await said("--user", "2", "--server", NEAR)).toBe(
        `agent-stats: There are no statistics of this user and server together: ${SHOW}`,
      );
    },
  );

  test("control: of a name that is there, which counted nothing in this time: 0", async () => {
    const { args } = await database();
    const outcome = await agentStats(["timeline", ...args, "--user", "2", "--to", "7d"]);
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing was counted in this time.") });
  });

  test("a counter that neither the file nor a known protocol has: 4; control: one that has counted nothing here: 0", async () => {
    const { args } = await database();
    const timeline = (...counters: string[]) => agentStats(["timeline", ...counters, ...args]);
    const { code, stdout, stderr } = await timeline("sent", "attempts");
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toBe("agent-stats: There is no counter attempts: did you mean sendAttempts? [NOT_FOUND]\n");
    expect(await timeline(KEY)).toMatchObject({ code: 4, stderr: expect.not.stringContaining(KEY) });
    const known = await timeline("sentQuotaErrs");
    expect(known).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Nothing of this name") });
  });

  test("of the user whose profile is to be open in SimpleX's summary: 4", async () => {
    const { args } = await database();
    const words = ["export", "--format", "simplex", ...args, "--current-user", "3"];
    expect(await agentStats(words)).toMatchObject({ code: 4, stderr: expect.stringContaining(SHOW) });
  });
});

describe("a file that another process holds to write", () => {
  test("is read all the same; what would change it says so, and changes nothing", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    await closedDatabase(db);
    const file = join(folder(), "key");
    writeFileSync(file, KEY, { mode: 0o600 });
    const args = ["--db", db, "--key-file", file];
    const holder = new Database(db);
    onTestFinished(() => holder.close());
    holder.exec(`PRAGMA key = "x'${KEY}'"; BEGIN IMMEDIATE`);
    for (const words of [["show"], ["timeline"], ["doctor"]]) {
      expect(await agentStats([...words, ...args])).toMatchObject({ code: 0, stderr: "" });
    }
    for (const words of [
      ["forget", "1", "--confirm", "1"],
      ["reset", "--confirm", "stats.db"],
      ["report", "--json"],
    ]) {
      const outcome = await agentStats([...words, ...args]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expectOneSentence(outcome.stderr, "STATS_BUSY");
    }
    holder.exec("ROLLBACK");
    const { servers } = JSON.parse((await agentStats(["show", ...args, "--json"])).stdout);
    expect(servers).toHaveLength(4);
  });
});

const LATER = "--from is later than --to: give the earlier one as --from.";

test("a driver that cannot run on this Node.js says so; control: where it can, it reads", async () => {
  const { args } = await database();
  const { code, stderr } = await agentStats(["show", ...args, "--driver", "better-sqlite3-multiple-ciphers"]);
  if (DRIVERS.includes("better-sqlite3-multiple-ciphers"))
    return expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(code).toBe(1);
  expect(stderr).toContain("better-sqlite3-multiple-ciphers needs Node.js 22, and this is ");
  expectOneSentence(stderr, "STATS_DRIVER_MISSING");
});

describe("what cannot be understood: 2", () => {
  test.each([
    [["shwo"], "There is no verb shwo: did you mean show?"],
    [["sesions", "--json"], "There is no verb sesions: did you mean sessions?"],
    [["frobnicate"], "There is no verb frobnicate: see agent-stats --help."],
    [["--db", "x", "show"], "A verb comes first, then its flags: see agent-stats --help."],
    [["show"], "--db is needed, with its value: see --help."],
    [["show", "--db"], "--db is needed, with its value: see --help."],
    [["show", "--db", ""], "--db cannot have this value: see --help."],
    [["show", "--db", "x"], "The key is needed: give --key-file FILE, --passphrase-file FILE or --keychain SERVICE."],
    [
      ["show", "--db", "x", "--key-file", "a", "--passphrase-file", "b"],
      "There can be one key only: give --key-file, --passphrase-file or --keychain.",
    ],
    [["show", "--db", "x", "--key", "y"], "There is no flag --key: did you mean --key-file?"],
    [["show", "--db", "x", "--db", "y"], "--db is given more than once."],
    [["show", "--db", "x", "--json=perhaps"], "--json cannot have this value: see --help."],
    [["show", "x"], "There is a word that belongs to no flag: see --help."],
    [["show", "-z"], "There is no flag -z: see agent-stats --help."],
    [["timeline", "--db", "x", "--from", "soon"], "--from cannot have this value: see --help."],
    [["timeline", "--db", "x", "--from", "2026-06-19", "--to", "2026-06-01"], LATER],
    [["export", "--db", "x", "--format", "xml"], "--format cannot have this value: see --help."],
    [["doctor", "--db", "x", "--days", "0"], "--days cannot have this value: see --help."],
    [["show", "--db", "x", "--driver", "sqlite"], "--driver cannot have this value: see --help."],
    [["timeline", "--db", "x", "--by", "week"], "--by must be hour or day."],
    [["report", "--db", "x", "--case", "x".repeat(101)], "--case cannot have this value: see --help."],
    [["show", "--db="], "--db is given without its value: see --help."],
    [["show", "--db", "x", "--no-json"], "There is no flag --no-json: did you mean --json?"],
    [["explain"], "COUNTER is needed: see --help."],
    [["resolve", "--db", "x"], "srv-… is needed: see --help."],
    [["forget", "--db", "x"], "USER is needed: see --help."],
    [["diff", "a"], "AFTER is needed: see --help."],
    [["watch", "simplex", "--db", "x"], "URL is needed: see --help."],
    [["completion"], "SHELL is needed: see --help."],
    [["completion", KEY], "SHELL cannot have this value: see --help."],
    [["help", "shwo"], "There is no verb shwo: did you mean show?"],
    [["import"], "After import comes simplex: see agent-stats import --help."],
    [["import", "mqtt"], "After import comes simplex: see agent-stats import --help."],
    [["watch", "foo"], "After watch comes screen or simplex: see agent-stats watch --help."],
    [[""], "There is no verb of that name: see agent-stats --help."],
  ])("%j", async (args, sentence) => {
    expect(await agentStats(args)).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: `agent-stats: ${sentence} [USAGE]\n`,
    });
  });

  test("a flag that every object has is no way to a stack trace", async () => {
    for (const args of [["--constructor"], ["show", "--constructor"], ["constructor"], ["__proto__"]]) {
      const { code, stdout, stderr } = await agentStats(args);
      expect([1, 2]).toContain(code);
      expect(stdout).toBe("");
      expectOneSentence(stderr, "\\w+");
    }
  });
});
