/** Hosts that end, each in a real process, with an agent in another thread that has just counted. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readAgentStats } from "agent-stats";
import { sqlcipherReader } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { startChild } from "./child.testing.ts";

const LIBRARY = pathToFileURL(createRequire(import.meta.url).resolve("agent-stats")).href;

/** The agent counts 7 more at each word of its host's, and answers when it is done. */
const AGENT = `
  const { parentPort, workerData, threadId } = require("node:worker_threads");
  import(${JSON.stringify(LIBRARY)}).then(({ defineProtocol, Recorder, serveRecorder }) => {
    const smp = defineProtocol("smp", { sent: "messages sent" });
    const recorder = new Recorder({ protocols: [smp] });
    const host = workerData ?? parentPort;
    serveRecorder(recorder, host);
    let times = 0;
    parentPort.on("message", (word) => {
      if (word !== "count") return;
      recorder.server(smp, 1, "a").add("sent", 7);
      recorder.server(smp, 1, "b" + ++times).add("sent", 7);
      parentPort.postMessage("counted");
    });
    parentPort.postMessage("counted");
  });`;

const HOST = `
  const { MessageChannel, Worker } = await import("node:worker_threads");
  const { connectRecorder } = await import(${JSON.stringify(LIBRARY)});
  const { port1, port2 } = new MessageChannel();
  const start = (channel) => new Worker(${JSON.stringify(AGENT)}, {
    eval: true, execArgv: [], ...(channel === "port" && { workerData: port2, transferList: [port2] }),
  });
  const counted = (worker) => new Promise((resolve) => {
    worker.on("message", function heard(word) {
      if (word === "counted") { worker.off("message", heard); resolve(); }
    });
  });
  const host = async (channel = "worker", without) => {
    const worker = start(channel);
    await counted(worker);
    const agent = connectRecorder(channel === "port" ? port1 : worker);
    if (without) delete agent.getServersStatsNow;
    const stats = await keepStats({ agent, protocols: [smp], store: store(), flushEvery: 60_000 });
    const more = async () => { const done = counted(worker); worker.postMessage("count"); await done; };
    await more();
    return { stats, worker, more };
  };`;

async function end(driver: DriverName, program: string, signal?: NodeJS.Signals) {
  const file = join(temporaryFolder(), "stats.db");
  const child = startChild(HOST + program, file, driver);
  if (signal) {
    await child.ready();
    child.process.kill(signal);
  }
  const ended = await child.ended;
  const stats = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
  const { servers, sessions } = await stats.getServersStats();
  await stats.close();
  const sent = Object.fromEntries(servers.map(({ server, overall }) => [server, overall.sent]));
  return { ...ended, sent, how: sessions.map(({ how }) => how) };
}

describeDrivers("a host that ends, with an agent in another thread", (driver) => {
  const again = "const { stats, worker, more } = await host(); await stats.flush(); await more();";
  describe.concurrent("loses nothing of what the agent counted", () => {
    test.each([
      ["before it was ever asked", "await host(); process.exit(3);", { a: 7, b1: 7 }],
      ["after it was asked", `${again} process.exit(3);`, { a: 14, b1: 7, b2: 7 }],
      ["over a port", `await host("port"); process.exit(3);`, { a: 7, b1: 7 }],
      ["but of a user who was deleted", `${again} stats.deleteUser(1); process.exit(3);`, {}],
      ["while it is being asked", `${again} stats.flush(); process.exit(3);`, { a: 14, b1: 7, b2: 7 }],
      ["and is asked", `${again} stats.flush(); setTimeout(() => process.exit(3), 2);`, { a: 14, b1: 7, b2: 7 }],
    ])("%s", async (_, program, sent) => {
      expect(await end(driver, program)).toMatchObject({ code: 3, stderr: "", how: ["exit"], sent });
    });

    test("but what was reset does not come back", async () => {
      const { sent } = await end(driver, `${again} stats.reset(); await more(); process.exit(3);`);
      expect(Object.values(sent).every((n) => n === 7)).toBe(true);
    });

    test("by a signal", async () => {
      const found = await end(driver, `${again} stayAlive(); ready();`, "SIGTERM");
      expect(found).toMatchObject({ signal: "SIGTERM", stderr: "", how: ["SIGTERM"], sent: { a: 14, b1: 7, b2: 7 } });
    });

    test("by an exception", async () => {
      const found = await end(driver, `${again} setTimeout(() => { throw new Error("x") });`);
      expect(found).toMatchObject({ code: 1, how: ["exception"], sent: { a: 14, b1: 7, b2: 7 } });
    });
  });

  test("does not wait for an agent that is gone", async () => {
    const found = await end(driver, `${again} await stats.flush(); await worker.terminate(); process.exit(3);`);
    expect(found).toMatchObject({ code: 3, stderr: "", sent: { a: 14, b1: 7, b2: 7 } });
  });

  test("control: without the direct line, what was not asked for is lost", async () => {
    const found = await end(driver, `await host("worker", true); process.exit(3);`);
    expect(found).toMatchObject({ code: 3, sent: {} });
  });
});
