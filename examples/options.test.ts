import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEncrypted } from "./shared/chat-db.ts";
import { endAllChildren, startBrokers } from "./shared/children.ts";
import { newFolder, removeFolders } from "./shared/folders.ts";
import { livesOf, type OptionNumber, type Outcome, playOption, settingsFor } from "./shared/option.ts";
import { areExpected, count, expectedSteps } from "./shared/script.ts";

/** The examples as they were built: they start processes and threads of their own. */
const PROGRAMS = new URL("./dist/", import.meta.url);
/** Some seconds for each option; on a machine that does ten other things, ten times that. */
const ALL_OPTIONS_MS = 180_000;
const HOUR_MS = 3_600_000;
/** The flush interval, less the time that a kill may take. */
const SAVED_AFTER_MS = 4_500;

afterAll(() => {
  endAllChildren();
  removeFolders();
});

describe("one script, four wirings", () => {
  let ran: { code: number | null; stdout: string; stderr: string };
  let outcomes: Outcome[];

  beforeAll(async () => {
    ran = await run(["--json"]);
    outcomes = JSON.parse(ran.stdout);
  }, ALL_OPTIONS_MS);

  test("all four come to their end, and say so in the one line of stdout", () => {
    expect(outcomes.map(({ option, ok, error }) => ({ option, ok, error }))).toEqual(
      [1, 2, 3, 4].map((option) => ({ option, ok: true })),
    );
    expect(ran.stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(ran.stderr).toContain("All four options show the same numbers at every step.");
    expect(ran.code).toBe(0);
  });

  test.each([1, 2, 3, 4])(
    "option %i shows the numbers of the others, and those that must be, at every step",
    (option) => {
      const { steps } = outcomes[option - 1] as Outcome;
      expect(steps).toEqual(outcomes[0]?.steps);
      expect(steps).toEqual(expectedSteps(2));
    },
  );

  test("control: a step that is missing, out of order or one message short is seen", () => {
    const right = expectedSteps(2);
    expect(areExpected(right, 2)).toBe(true);
    expect(areExpected(right.slice(0, -1), 2)).toBe(false);
    expect(areExpected([...right].reverse(), 2)).toBe(false);
    const short = right.map((step) => ({ ...step, past: lessOne(step.past) }));
    expect(areExpected(short, 2)).toBe(false);
  });

  test.each<OptionNumber>([1, 2, 3, 4])(
    "control: option %i without the flush before the SIGKILL is found out",
    async (option) => {
      const { steps, ok, error } = await playWithoutFlush(option);
      expect(error).toBeUndefined();
      expect(ok).toBe(false);
      expect(steps[1]).toEqual({ name: "SIGKILL, start again", past: {}, session: {}, overall: {} });
    },
    ALL_OPTIONS_MS,
  );
});

describe("the RFC's literal columns, after a SIGKILL", () => {
  const QUERY = `SELECT past_stats, session_stats, past_started_at, session_started_at, session_updated_at
    FROM agent_stats`;

  /** What an option's file holds after two lives that were both killed. */
  async function killedTwice(option: OptionNumber) {
    const settings = settingsFor(newFolder(), await startBrokers(2, PROGRAMS));
    const lives = livesOf(option, settings, PROGRAMS);
    for (let life = 0; life < 2; life++) {
      const chat = await lives.start();
      await count(chat, [1, 2], settings.servers, 3);
      await chat.flush();
      await lives.kill();
    }
    const ownFile = option > 2;
    return {
      servers: settings.servers,
      file: join(settings.folder, ownFile ? "agent.db" : "chat.db"),
      key: ownFile ? settings.agentKey : settings.chatKey,
    };
  }

  const DATABASES = [
    ["the chat's database (option 1)", 1],
    ["the agent's own (option 3)", 3],
  ] as const;

  test.each(DATABASES)("answer in %s", async (_, option) => {
    const { file, key, servers } = await killedTwice(option);
    // The second is SQLCipher itself, which on newer Node.js is not what wrote the file.
    for (const handle of [openEncrypted(file, key), openEncrypted(file, key, "@signalapp/sqlcipher")]) {
      const rows = handle.prepare(QUERY).all([]) as Row[];
      handle.close();
      expect(rows).toHaveLength(1);
      assertColumns(rows[0] as Row, servers);
    }
  });

  const missing = whyNoShell();
  if (missing !== null) console.log(`skipped: the columns in the sqlcipher shell: ${missing}`);
  test.skipIf(missing !== null).each(DATABASES)("answer in %s, in the sqlcipher shell", async (_, option) => {
    const { file, key, servers } = await killedTwice(option);
    assertColumns(askShell(file, key, QUERY), servers);
  });
});

interface Row {
  readonly past_stats: string;
  readonly session_stats: string;
  readonly past_started_at: string;
  readonly session_started_at: string;
  readonly session_updated_at: string;
}

function assertColumns(row: Row, servers: readonly string[]): void {
  // Each of the two lives sent 3 messages for each user and server, and to the last server one that was not answered.
  const kept = servers.flatMap((server, index) =>
    ["1", "2"].map((user) => [`${user} at ${server}`, { sent: 3, attempts: index === servers.length - 1 ? 4 : 3 }]),
  );
  expect(sentIn(row.past_stats)).toEqual(Object.fromEntries(kept));
  expect(sentIn(row.session_stats)).toEqual(Object.fromEntries(kept));
  const times = [row.past_started_at, row.session_started_at, row.session_updated_at];
  for (const time of times) {
    // As SQLite's datetime('now') writes it, in UTC.
    expect(time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(Math.abs(Date.now() - Date.parse(`${time.replace(" ", "T")}Z`))).toBeLessThan(ALL_OPTIONS_MS);
  }
  expect([...times].sort()).toEqual(times);
}

interface StatsOfServer {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly stats: Readonly<Record<string, number>>;
}

function sentIn(json: string) {
  const all = JSON.parse(json) as StatsOfServer[];
  return Object.fromEntries(
    all.map(({ userId, server, stats }) => [
      `${userId} at ${server}`,
      { sent: stats.sent, attempts: stats.sendAttempts },
    ]),
  );
}

/** Why the sqlcipher shell cannot be asked here; null where it can. */
function whyNoShell(): string | null {
  const { stdout, error } = spawnSync("sqlcipher", [":memory:", "PRAGMA cipher_version"], { encoding: "utf8" });
  if (error) return "no `sqlcipher` on this machine";
  return Number.parseInt(stdout, 10) >= 4 ? null : `this shell is of SQLCipher ${stdout.trim()}: files are of format 4`;
}

function askShell(file: string, key: string, query: string): Row {
  const input = `PRAGMA key = "x'${key}'";\n.mode json\n${query};\n`;
  const { stdout, stderr } = spawnSync("sqlcipher", [file], { encoding: "utf8", input });
  const json = stdout.slice(stdout.indexOf("[{"));
  if (json === "") throw new Error(`the sqlcipher shell gave no row: ${stderr}`);
  return (JSON.parse(json) as [Row])[0];
}

function lessOne(sums: Outcome["steps"][number]["past"]) {
  return Object.fromEntries(Object.entries(sums).map(([user, each]) => [user, { ...each, sent: each.sent - 1 }]));
}

/** The script without its flush, as quickly as is needed: what was counted is saved after 5 s, and at the full hour. */
async function playWithoutFlush(option: OptionNumber): Promise<Outcome> {
  const servers = await startBrokers(2, PROGRAMS);
  for (;;) {
    const leftOfHourMs = HOUR_MS - (Date.now() % HOUR_MS);
    if (leftOfHourMs < SAVED_AFTER_MS) await new Promise((resolve) => setTimeout(resolve, leftOfHourMs));
    const begun = performance.now();
    let killedAfterMs = 0;
    const lives = livesOf(option, settingsFor(newFolder(), servers), PROGRAMS);
    const outcome = await playOption(
      option,
      {
        ...lives,
        start: async () => ({ ...(await lives.start()), flush: async () => {} }),
        kill() {
          killedAfterMs = performance.now() - begun;
          return lives.kill();
        },
      },
      servers,
      () => {},
    );
    // On a machine that took longer the save may have come first: once more.
    if (killedAfterMs < SAVED_AFTER_MS || outcome.error) return outcome;
  }
}

function run(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [fileURLToPath(new URL("run.js", PROGRAMS)), ...args],
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
