import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ServersStats } from "agent-stats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { agentStats, folder, keyFile, MAIN } from "../cli.testing.ts";
import { StandInCore } from "../stand-in.testing.ts";
import { isLoopback } from "./watch-simplex.ts";

async function place() {
  const core = new StandInCore();
  await core.start();
  onTestFinished(() => core.stop());
  core.addUser();
  core.count(1, "smp a recvMsgs", 5);
  const path = folder();
  const db = ["--db", join(path, "stats.db"), "--key-file", keyFile(path)];
  const show = async () => JSON.parse((await agentStats(["show", ...db, "--json"])).stdout) as ServersStats;
  return { core, db, show };
}

/** The command, running until it is told to end. */
function watching(url: string, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, "watch", "simplex", url, ...args, "--every", "1"], {
    env: { TZ: "UTC" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  }
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  return {
    warns: (text: string) => vi.waitFor(() => expect(said.stderr).toContain(text), { timeout: 10_000, interval: 10 }),
    says: (text: string) => vi.waitFor(() => expect(said.stdout).toContain(text), { timeout: 10_000, interval: 10 }),
    async end(signal: "SIGINT" | "SIGTERM") {
      child.kill(signal);
      const [code, killedBy] = await ended;
      return { code, killedBy, ...said };
    },
  };
}

describe("watch simplex", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("keeps what the core counts, and ends cleanly on %s", async (signal) => {
    const { core, db, show } = await place();
    const watch = watching(core.url, db);
    await watch.says("keeping what the core counts");
    core.count(1, "smp a recvMsgs", 2);
    const { answers } = core;
    await vi.waitFor(() => expect(core.answers).toBeGreaterThan(answers + 2), { timeout: 5_000 });
    const { code, killedBy, stderr, stdout } = await watch.end(signal);
    expect({ code, killedBy, stderr }).toEqual({ code: 0, killedBy: null, stderr: "" });
    expect(stdout.replaceAll(/^[-\d]+ [:\d]+ {2}/gm, "").split("\n")).toEqual([
      "connected to the core",
      "keeping what the core counts",
      "ended; everything heard is kept",
      "",
    ]);
    const shown = await show();
    expect(shown.sessions.map(({ how }) => how)).toEqual(["close"]);
    expect(shown.servers).toMatchObject([{ userId: "101", overall: { recvMsgs: 7 } }]);
  });

  test("--json is one object a line, for each event", async () => {
    const { core, db } = await place();
    const watch = watching(core.url, [...db, "--json"]);
    await watch.says('"type":"kept"');
    await core.stop();
    await watch.says('"type":"away"');
    const { stdout } = await watch.end("SIGTERM");
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const { at } of events) expect(new Date(at).toISOString()).toBe(at);
    expect(events).toMatchObject([
      { type: "connected" },
      { type: "kept" },
      { type: "away", retryInMs: expect.any(Number) },
      { type: "ended" },
    ]);
  });

  test("a core that is not there is waited for, and the end is not", async () => {
    const { core, db } = await place();
    await core.stop();
    const watch = watching(core.url, db);
    await watch.says("there is no connection to the core: trying again in 1 s");
    await core.start();
    await watch.says("keeping what the core counts");
    await core.stop();
    await watch.says("there is no connection to the core: trying again in 2 s");
    expect(await watch.end("SIGTERM")).toMatchObject({ code: 0, killedBy: null });
  });

  test("a second watch, and an import, are not let in beside it", async () => {
    const { core, db } = await place();
    const watch = watching(core.url, db);
    await watch.says("keeping");
    const { code, stderr } = await agentStats(["watch", "simplex", core.url, ...db]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "agent-stats: Another process held the statistics for too long: try again. [STATS_BUSY]\n",
    });
    expect(await watch.end("SIGINT")).toMatchObject({ code: 0 });
  });

  test.each([["http://localhost:5225"], ["localhost"], [""]])("%s is no address of a core", async (url) => {
    const { code, stderr } = await agentStats(["watch", "simplex", url, "--db", "x", "--key-file", "y"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "agent-stats: The core's address is that of a WebSocket: for example ws://localhost:5225. [USAGE]\n",
    });
  });

  test("a core elsewhere is warned of", async () => {
    const { db } = await place();
    const watch = watching("ws://192.0.2.1:5225", db);
    await watch.warns("[NOT_LOOPBACK]");
    expect(await watch.end("SIGTERM")).toMatchObject({ code: 0 });
  });

  test.each([
    ["ws://localhost:5225", true],
    ["ws://127.0.0.1:5225", true],
    ["ws://[::1]:5225", true],
    ["ws://127.0.0.1.example:5225", false],
    ["ws://localhost.example:5225", false],
    ["wss://192.0.2.1", false],
  ])("%s: on this machine %s", (url, expected) => {
    expect(isLoopback(url)).toBe(expected);
  });
});
