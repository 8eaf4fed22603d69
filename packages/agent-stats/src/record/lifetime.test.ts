/** An agent elsewhere neither keeps a process alive nor ends it: not its own, and not its host's. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { LIBRARY } from "./channels.testing.ts";

const PRELUDE = `
  import { spawn } from "node:child_process";
  import { MessageChannel, Worker } from "node:worker_threads";
  import { connectRecorder, keepStats, memoryStore, Recorder, serveRecorder } from ${LIBRARY};
  const say = (what) => process.stdout.write(what + " ");
  const load = "const { Recorder, serveRecorder } = await import(" + ${JSON.stringify(LIBRARY)} + ");" +
    // At once: what a worker thread prints arrives later than its end.
    "const say = (what) => process.getBuiltinModule('node:fs').writeSync(1, what + ' ');";
  const startWorker = (program) =>
    new Worker("(async () => { const { parentPort } = require('node:worker_threads');" + load + program + "})()", { eval: true, execArgv: [] });
  const startChild = (program) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", load + program], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.on("exit", () => say("child-ended"));
    return child;
  };
`;

/** What a host says until it has ended by itself; it is killed where it does not. */
async function run(program: string, patienceMs = 10_000): Promise<string> {
  const host = spawn(process.execPath, ["--input-type=module", "--eval", PRELUDE + program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    host.kill("SIGKILL");
  }, patienceMs);
  const said = await text(host.stdout);
  clearTimeout(timer);
  return hangs ? `${said}and does not end` : said.trim();
}

const KEEP = (channel: string) =>
  `const stats = await keepStats({ agent: connectRecorder(${channel}), store: memoryStore() }); say("kept");`;

describe.concurrent("a host", () => {
  test("that has nothing else to do ends, although an agent is connected", async () => {
    const program = `const { port1, port2 } = new MessageChannel(); serveRecorder(new Recorder(), port1); ${KEEP("port2")}`;
    expect(await run(program)).toBe("kept");
  });

  test("control: a port that somebody listens to keeps it alive", async () => {
    const listens = `new MessageChannel().port1.on("message", () => {}); say("listens");`;
    expect(await run(listens, 2_000)).toBe("listens and does not end");
  });

  test("lives as long as its worker works, and no longer", async () => {
    const work = `serveRecorder(new Recorder(), parentPort); setTimeout(() => say("worked"), 700);`;
    expect(await run(`const worker = startWorker(${JSON.stringify(work)}); ${KEEP("worker")}`)).toBe("kept worked");
  });

  test("lives as long as its child works, and no longer", async () => {
    const work = `serveRecorder(new Recorder(), process); setTimeout(() => say("worked"), 700);`;
    const said = await run(`const child = startChild(${JSON.stringify(work)}); ${KEEP("child")}`);
    expect(said).toBe("kept worked child-ended");
  });

  test("that let its worker go ends before it", async () => {
    const work = `serveRecorder(new Recorder(), parentPort); setTimeout(() => say("worked"), 3_000);`;
    expect(await run(`const worker = startWorker(${JSON.stringify(work)}); ${KEEP("worker")} worker.unref();`)).toBe(
      "kept",
    );
  });

  test("hears of an error of its worker, or ends by it, as if nobody kept statistics", async () => {
    const fails = "serveRecorder(new Recorder(), parentPort); setTimeout(() => { throw new Error('fault') }, 300);";
    const start = `const worker = startWorker(${JSON.stringify(fails)});`;
    const heard = `process.on("uncaughtException", ({ message }) => say(message));`;
    expect(await run(`${heard} ${start} ${KEEP("worker")}`)).toBe("kept fault");
    const listens = `worker.on("error", () => say("heard"));`;
    expect(await run(`${heard} ${start} ${listens} ${KEEP("worker")}`)).toBe("kept heard");
  });

  test("goes on when its child is gone, and is told to", async () => {
    const gone = `const child = startChild(""); ${KEEP("child")} child.kill("SIGKILL");
      await new Promise((resolve) => child.on("exit", resolve));
      await stats.deleteUser(1); await stats.flush(); await stats.getServersStats(); say(stats.agentIsAway);`;
    expect(await run(gone)).toBe("kept child-ended true");
  });

  test("waits for an answer that it asked for", async () => {
    const ask = `const { port1, port2 } = new MessageChannel();
      const serve = "setTimeout(() => serveRecorder(new Recorder(), require('node:worker_threads').workerData), 500);"
        + "setInterval(() => {}, 1_000);";
      const options = { eval: true, execArgv: [], workerData: port1, transferList: [port1] };
      new Worker("(async () => {" + load + serve + "})()", options).unref();
      connectRecorder(port2).getServersStats().then(({ servers }) => say("answered " + servers.length));`;
    expect(await run(ask)).toBe("answered 0");
  });
});

describe.concurrent("an agent", () => {
  const waits = (channel: string) => `let told = false; ${channel}.on("message", (message) => {
    if (message !== "end" || told) return;
    told = true;
    setTimeout(() => { say("told"); ${channel}.unref?.(); process.disconnect?.(); });
  });`;
  // Again and again: how long a child takes to listen is the machine's business.
  const tell = (method: string) => `
    const telling = setInterval(() => channel.connected !== false && channel.${method}("end"), 300);
    channel.on("exit", () => clearInterval(telling));
    ${KEEP("channel")}`;

  test.each(["before", "after"])(
    "in a child that waits for its host's word, listening %s it serves, lives",
    async (when) => {
      const [first, second] = when === "before" ? [waits("process"), ""] : ["", waits("process")];
      const work = `${first} serveRecorder(new Recorder(), process); ${second}`;
      expect(await run(`const channel = startChild(${JSON.stringify(work)}); ${tell("send")}`)).toBe(
        "kept told child-ended",
      );
    },
  );

  test("in a child that listens to its host much later lives from then on", async () => {
    const work = `serveRecorder(new Recorder(), process); setTimeout(() => { ${waits("process")} }, 200);`;
    expect(await run(`const channel = startChild(${JSON.stringify(work)}); ${tell("send")}`)).toBe(
      "kept told child-ended",
    );
  });

  test.each(["before", "after"])(
    "in a worker that waits for its host's word, listening %s it serves, lives",
    async (when) => {
      const [first, second] = when === "before" ? [waits("parentPort"), ""] : ["", waits("parentPort")];
      const work = `${first} serveRecorder(new Recorder(), parentPort); ${second}`;
      expect(await run(`const channel = startWorker(${JSON.stringify(work)}); ${tell("postMessage")}`)).toBe(
        "kept told",
      );
    },
  );

  test("in a child with nothing to do ends, although it is served", async () => {
    const work = `serveRecorder(new Recorder(), process);`;
    expect(await run(`const child = startChild(${JSON.stringify(work)}); ${KEEP("child")}`)).toBe("kept child-ended");
  });
});
