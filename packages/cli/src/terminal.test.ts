import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { counting, FAR, folder, keyFile, MAIN, NEAR, protocol } from "./cli.testing.ts";
import { databaseWithHistory } from "./history.testing.ts";
import { cells } from "./text/cells.ts";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
if (!hasTmux) console.info("skipped: the command on a real terminal: tmux is not installed");

/** A terminal of that size, with a shell in it. */
async function terminal(columns: number, rows: number) {
  const socket = `agent-stats-${process.pid}-${Math.random().toString(36).slice(2)}`;
  // A terminal has colours, whatever the one has in which the tests run.
  const { NO_COLOR: _, ...colourful } = process.env;
  const tmux = (...args: string[]) =>
    execFileSync("tmux", ["-u", "-L", socket, ...args], { encoding: "utf8", env: colourful });
  const env = ["-e", "PS1=$ ", "-e", "TZ=UTC", "-e", "LC_ALL=C.UTF-8"];
  tmux("-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows), ...env, "sh");
  onTestFinished(() => void spawnSync("tmux", ["-L", socket, "kill-server"]));
  const screen = (...flags: string[]) => tmux("capture-pane", "-p", ...flags);
  const until = async (seen: (text: string) => boolean) => {
    for (let tries = 0; tries < 150; tries++) {
      const text = screen();
      if (seen(text)) return text;
      await sleep(100);
    }
    throw new Error(`it was never seen:\n${screen()}`);
  };
  return {
    screen,
    until,
    type: (...keys: string[]) => tmux("send-keys", ...keys),
    run: (...words: string[]) =>
      tmux("send-keys", [process.execPath, MAIN, ...words].map((word) => `'${word}'`).join(" "), "Enter"),
    resize: (x: number, y: number) => tmux("resize-window", "-x", String(x), "-y", String(y)),
    alternate: () => tmux("display-message", "-p", "#{alternate_on}#{cursor_flag}").trim(),
  };
}

function withHistory() {
  const path = folder();
  const db = join(path, "stats.db");
  databaseWithHistory(db, null);
  return { db, args: ["--db", db, "--key-file", keyFile(path)] };
}

const widest = (text: string) => Math.max(...text.split("\n").map(cells));

describe.runIf(hasTmux).each([80, 120])("on a terminal of %d columns", (columns) => {
  test("show and doctor use its width, and its colours", async () => {
    const { args } = withHistory();
    const { run, until, screen, type } = await terminal(columns, 60);
    run("show", ...args);
    const shown = await until((text) => text.includes("user 2") && /sentDirect.*900/.test(text));
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    const server = shown.split("\n").filter((line) => /my\.example|\.onion/.test(line) && !line.includes("--db"));
    expect(server).toHaveLength(columns === 80 ? 2 : 1);
    expect(screen("-e")).toContain("\u001b[1m");
    type("clear", "Enter");
    run("doctor", ...args);
    const told = await until((text) => text.includes("back."));
    expect(told).toMatch(/18 % of sends failed, mostly QUOTA, since/);
    expect(widest(told)).toBeLessThanOrEqual(columns);
    expect(screen("-e")).toContain("\u001b[33m");
  });

  test("watch is a live screen, that follows counts and its size, and gives the terminal back", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    const app = await counting(db);
    const near = app.server(protocol, 1, NEAR);
    near.add("sent", 101);
    app.server(protocol, 1, FAR).add("sent", 103);
    await app.flush();
    const { run, until, type, resize, alternate } = await terminal(columns, 24);
    expect(alternate()).toBe("01");
    run("watch", "--db", db, "--key-file", keyFile(path));
    const first = await until((text) => /sent +· +101 +101/.test(text));
    // Where the whole address does not fit, its host is what tells servers apart.
    expect(first).toMatch(columns === 80 ? /^ +smp8\.example$/m : /\.onion:5223$/m);
    expect(alternate()).toBe("10");
    near.add("sent", 7);
    await app.flush();
    expect(await until((text) => /sent +\+7 +108 +108/.test(text))).toMatch(/^stats\.db {2}\d\d:\d\d:\d\d/);
    resize(60, 12);
    await until((text) => text.trimEnd().split("\n").length === 12 && text.includes("q quit"));
    type("c");
    type("q");
    await until((text) => !text.includes("q quit"));
    expect(alternate()).toBe("01");
    await app.close();
  });

  test.each(["TERM", "HUP", "INT"])("watch gives the terminal back at SIG%s", async (signal) => {
    const { args } = withHistory();
    const { run, until, alternate } = await terminal(columns, 24);
    run("watch", ...args);
    await until((text) => text.includes("q quit"));
    const found = execFileSync("pgrep", ["-f", `${MAIN} watch .*${args[1]}`], { encoding: "utf8" })
      .trim()
      .split("\n");
    process.kill(Number(found.at(-1)), `SIG${signal}`);
    await until((text) => !text.includes("q quit"));
    expect(alternate()).toBe("01");
  });
});

describe.runIf(hasTmux)("what is asked", () => {
  test("the key, without showing it or its length; and the name of what is to be lost", async () => {
    const { db } = withHistory();
    const { run, until, type, screen } = await terminal(80, 24);
    run("forget", "2", "--db", db);
    await until((text) => text.includes("it is not shown"));
    const { KEY } = await import("./cli.testing.ts");
    const before = screen();
    type("-l", KEY);
    await sleep(300);
    expect(screen()).toBe(before);
    type("Enter");
    await until((text) => text.includes("Type 2 to do"));
    type("-l", "3");
    type("Enter");
    expect(await until((text) => text.includes("agent-stats:"))).toContain("nothing was changed");
    run("forget", "2", "--db", db);
    await until((text) => text.split("it is not shown").length === 3);
    type("C-c");
    expect(await until((text) => text.includes("[CANCELLED]"))).not.toContain("is forgotten");
  });
});
