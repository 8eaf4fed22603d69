import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  agentStats,
  closedDatabase,
  count,
  counting,
  DRIVERS,
  database,
  FAR,
  folder,
  keyFile,
  killedSession,
  MAIN,
  NEAR,
  PACKAGE,
  protocol,
  shell,
} from "./cli.testing.ts";
import { cells } from "./text/cells.ts";

beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error("the command is not built: npx tsc -b packages/cli");
});

/** A session that was killed, one that ended well and was folded with it, and one that runs. */
async function lifeOf(file: string) {
  killedSession(file);
  await closedDatabase(file);
  const running = await counting(file);
  count(running, 2);
  await running.flush();
  return running;
}

describe.each(DRIVERS)("a database written with %s", (driver) => {
  test("is shown", async () => {
    const { args } = await database((file) => closedDatabase(file, { driver }));
    const { code, stdout, stderr } = await agentStats(["show", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll("\u202f", "_").split("\n").slice(2)).toEqual([
      "sessions       1, each ended with a goodbye",
      "",
      "user 1",
      "",
      `  ${NEAR}`,
      "    chat          past  session  overall",
      "    sendAttempts     0    1_013    1_013",
      "    sent             0    1_009    1_009",
      "    bytesSent      0 B  1.23 MB  1.23 MB",
      "",
      "    files         past  session  overall",
      "    uploadBytes    0 B  1.00 MB  1.00 MB",
      "",
      "user 2",
      "",
      `  ${FAR.slice(0, FAR.indexOf(",") + 1)}`,
      `  ${FAR.slice(FAR.indexOf(",") + 1)}`,
      "    chat          past  session  overall",
      "    sent             0       19       19",
      "",
      "user 10",
      "",
      `  ${FAR.slice(0, FAR.indexOf(",") + 1)}`,
      `  ${FAR.slice(FAR.indexOf(",") + 1)}`,
      "    chat          past  session  overall",
      "    sent             0       17       17",
      "",
    ]);
  });
});

describe("show --json", () => {
  test("is one object with every number, and nothing else", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    const running = await lifeOf(db);
    const { code, stdout, stderr } = await agentStats(["show", "--db", db, "--key-file", keyFile(path), "--json"]);
    await running.close();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const shown = JSON.parse(stdout);
    expect(Object.keys(shown)).toEqual(["trackedSince", "lastSaved", "sessions", "endedWithoutGoodbye", "servers"]);
    for (const date of [shown.trackedSince, shown.lastSaved]) expect(new Date(date).toISOString()).toBe(date);
    expect(shown.endedWithoutGoodbye).toEqual({ sessions: 1, canHaveLostMs: 2_500 });
    expect(shown.servers).toHaveLength(4);
    expect(shown.servers[0]).toEqual({
      protocol: "chat",
      userId: "1",
      server: NEAR,
      trackedSince: expect.any(String),
      past: { sent: 7 + 1009, sendAttempts: 1013, bytesSent: 1_234_567 },
      session: { sent: 2 * 1009, sendAttempts: 2 * 1013, bytesSent: 2 * 1_234_567 },
      overall: { sent: 7 + 3 * 1009, sendAttempts: 3 * 1013, bytesSent: 3 * 1_234_567 },
    });
  });
});

describe("sessions", () => {
  test("tells how each ended and what it can have lost", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    const running = await lifeOf(db);
    const args = ["sessions", "--db", db, "--key-file", keyFile(path)];
    const [text, json] = await Promise.all([agentStats(args), agentStats([...args, "--json"])]);
    await running.close();
    expect(text).toMatchObject({ code: 0, stderr: "" });
    const time = "\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}";
    expect(text.stdout.split("\n").slice(4, 7)).toEqual([
      expect.stringMatching(new RegExp(`^1  ${time}  – {20}killed \\(no goodbye\\)  ≤ 2\\.5 s \\+ save$`)),
      expect.stringMatching(new RegExp(`^2  ${time}  ${time}  closed {15}nothing$`)),
      expect.stringMatching(new RegExp(`^3  ${time}  – {20}running {14}–$`)),
    ]);
    const { sessions, endedWithoutGoodbye } = JSON.parse(json.stdout);
    const iso = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    const dates = { started: iso, lastSaved: iso };
    const folded = (of: number, by: number) => ({ at: iso, what: "fold", of, by });
    expect(sessions).toEqual([
      {
        session: 1,
        ...dates,
        ended: null,
        how: "killed",
        canHaveLostMs: 2_500,
        log: [],
        servers: [{ protocol: "chat", userId: "1", server: NEAR, counters: { sent: 7 } }],
      },
      {
        session: 2,
        ...dates,
        ended: iso,
        how: "close",
        canHaveLostMs: 0,
        log: [folded(1, 2)],
        servers: expect.any(Array),
      },
      {
        session: 3,
        ...dates,
        ended: null,
        how: "running",
        canHaveLostMs: 0,
        log: [folded(2, 3)],
        servers: expect.any(Array),
      },
    ]);
    expect(endedWithoutGoodbye).toEqual({ sessions: 1, canHaveLostMs: 2_500 });
  });
});

describe("what is printed", () => {
  test("has no colour where it is no terminal, though it be asked for", async () => {
    const { args } = await database();
    const reading = ["show", "sessions", "timeline", "doctor"].map((verb) => [verb, ...args]);
    for (const command of [...reading, ["explain", "sent", ...args], ["--help"], ["shwo"]]) {
      const { stdout, stderr } = await agentStats(command, { env: { FORCE_COLOR: "3", TERM: "xterm-256color" } });
      expect(stdout + stderr).not.toContain("\u001b");
    }
  });

  test.skipIf(process.platform !== "linux")("has colour on a terminal, and none with NO_COLOR", async () => {
    const { args } = await database();
    const command = [process.execPath, MAIN, "show", ...args].map((word) => `'${word}'`).join(" ");
    const onTerminal = (env: Record<string, string>) =>
      shell('script -qec "$1" /dev/null', [command], { TERM: "xterm-256color", ...env }).stdout;
    expect(onTerminal({})).toContain("\u001b[1m");
    expect(onTerminal({ NO_COLOR: "1" })).not.toContain("\u001b");
  });

  test("fits 80 columns: tables, help, with a server of any length", async () => {
    const { args } = await database(async (file) => {
      const stats = await counting(file);
      count(stats, 1_000_003);
      for (let length = 60; length < 90; length++) stats.server(protocol, 1, "x".repeat(length)).add("sent");
      stats.server(protocol, "u".repeat(500), "x".repeat(5_000)).add("sent", Number.MAX_SAFE_INTEGER);
      await stats.close();
    });
    const read = ["show", "sessions", "timeline"].map((verb) => [verb, ...args]);
    const { stdout: root } = await agentStats([]);
    const verbs = [...root.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, verb]) => verb as string);
    expect(verbs).toContain("doctor");
    const deeper = [
      ["import", "simplex"],
      ["watch", "simplex"],
      ["watch", "screen"],
    ];
    const helps = [...verbs.map((verb) => [verb]), ...deeper].map((words) => [...words, "--help"]);
    for (const command of [...read, [], ...helps]) {
      const { code, stdout } = await agentStats(command);
      expect(code).toBe(0);
      for (const line of stdout.split("\n")) expect(cells(line), line).toBeLessThanOrEqual(80);
    }
  });

  test("may be read by one who stops reading", async () => {
    const { args } = await database(async (file) => {
      const stats = await counting(file);
      for (let i = 0; i < 2_000; i++) stats.server(protocol, 1, `server-${i}`).add("sent");
      await stats.close();
    });
    for (const command of [
      ["show", ...args],
      ["show", ...args, "--json"],
    ]) {
      // Far more than a pipe holds, so that the command is still writing when its reader has gone.
      expect((await agentStats(command)).stdout.length).toBeGreaterThan(128_000);
      const head = shell('{ "$@"; echo "code $?" >&2; } | head -c 10', [process.execPath, MAIN, ...command]);
      expect(head.stderr).toBe("code 0\n");
    }
  });
});

describe("the command", () => {
  test("and its paragraphs were broken by hand, not where a terminal happens to end", () => {
    const files = ["look", "share", "change"].map((name) => join(PACKAGE, `src/catalogue-${name}.ts`));
    const told = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/fullDescription: `([^`]+)`/g)]);
    expect(told.length).toBeGreaterThan(10);
    for (const [, text = ""] of told) {
      for (const line of text.split("\n")) expect(cells(line), line).toBeLessThanOrEqual(80);
    }
  });

  test("alone says what it can do, as --help does", async () => {
    const [alone, help, short] = await Promise.all([agentStats([]), agentStats(["--help"]), agentStats(["-h"])]);
    expect(alone).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("VERBS\n  show ") });
    expect([help, short]).toEqual([alone, alone]);
  });

  test("help is --help, of a verb too", async () => {
    for (const words of [[], ["show"], ["import", "simplex"]]) {
      const [help, flag] = await Promise.all([agentStats(["help", ...words]), agentStats([...words, "--help"])]);
      expect(help).toEqual(flag);
      expect(help).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("USAGE\n") });
    }
  });

  test("says its version", async () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
    expect(await agentStats(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test.skipIf(process.platform === "win32")("is a program, as npm links it", () => {
    const { bin } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
    const program = join(PACKAGE, bin["agent-stats"]);
    expect(statSync(program).mode & 0o111).toBe(0o111);
    expect(execFileSync(program, ["--help"], { encoding: "utf8" })).toContain("VERBS");
  });

  test("does not care for Stricli's own variables", async () => {
    expect(await agentStats(["--version"], { env: { STRICLI_NO_COLOR: "neither" } })).toMatchObject({ code: 0 });
  });
});
