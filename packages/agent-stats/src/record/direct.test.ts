/** The line on which a host that is ending, and can await nothing, still asks an agent in another thread. */
import { once } from "node:events";
import { MessageChannel, threadId, Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { PATIENCE } from "../store/sqlcipher/files.testing.ts";
import { LIBRARY, smp } from "./channels.testing.ts";
import { connectRecorder } from "./connect.ts";
import { openDirectLine, takeUpDirectLine } from "./direct.ts";
import { Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve.ts";

const workers: Worker[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const worker of workers.splice(0)) await worker.terminate();
});

/** A thread that runs a program of its own, with `parentPort`, and says when it is ready. */
async function thread(program: string): Promise<Worker> {
  const worker = new Worker(`const { parentPort } = require("node:worker_threads"); (async () => { ${program} })();`, {
    eval: true,
    execArgv: [],
  });
  workers.push(worker);
  await once(worker, "message");
  return worker;
}

/** An agent as it was built, that has counted 5. */
const AGENT = `
  const { defineProtocol, Recorder, serveRecorder } = await import(${LIBRARY});
  const recorder = new Recorder();
  recorder.server(defineProtocol("smp", { sent: "messages sent" }), 1, "smp://a").add("sent", 5);
  serveRecorder(recorder, parentPort);
  setInterval(() => {}, 1_000);`;

/** The agent's end of the line, by hand; `answer(port, question)` says what it does when it is asked. */
const played = (answer: string) => `
  parentPort.on("message", ({ agentStats, port, answers }) => {
    if (agentStats !== "direct") return;
    const say = () => { Atomics.add(answers, 0, 1); Atomics.notify(answers, 0); };
    port.on("message", (question) => { ${answer} });
    port.on("close", () => parentPort.postMessage("line closed"));
    say();
    parentPort.postMessage("taken up");
  });
  parentPort.postMessage("ready");`;

/** Opens the line to a played agent, which has taken it up. */
async function lineTo(answer: string) {
  const worker = await thread(played(answer));
  const line = openDirectLine(worker);
  await once(worker, "message");
  return { worker, line };
}

describe("the host", () => {
  test("is told at once all that an agent in another thread counted, also one that was never asked before", async () => {
    const worker = await thread(AGENT);
    const remote = connectRecorder(worker);
    await vi.waitFor(() => {
      expect(remote.getServersStatsNow()).toMatchObject({ servers: [{ userId: "1", session: { sent: 5 } }] });
    }, PATIENCE);
    await worker.terminate();
    expect(remote.getServersStatsNow()).toBeNull();
  });

  test("believes the newest of many answers, and asks again", async () => {
    const { line } = await lineTo(`for (const n of [1, 2]) port.postMessage({ question, n }); say();`);
    expect(line?.ask()).toEqual({ question: "get", n: 2 });
    expect(line?.ask()).toEqual({ question: "get", n: 2 });
  });

  test("does not wait for an agent that is busy: it is told nothing", async () => {
    const { line } = await lineTo("");
    const began = performance.now();
    expect(line?.ask()).toBeNull();
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("waits while the agent thinks", async () => {
    const { line } = await lineTo(`setTimeout(() => { port.postMessage("thought"); say(); }, 50);`);
    expect(line?.ask()).toBe("thought");
  });

  test("asks nobody who did not take up the line, and waits for nobody", async () => {
    const { port1, port2 } = new MessageChannel();
    const line = openDirectLine(port2);
    const wait = vi.spyOn(Atomics, "wait");
    expect(line?.ask()).toBeNull();
    expect(wait).not.toHaveBeenCalled();
    wait.mockRestore();
    line?.close();
    port1.close();
  });

  test("closes the line, and whoever goes on over another channel closes the one before", async () => {
    const { worker, line } = await lineTo("");
    line?.close();
    expect(await once(worker, "message")).toEqual(["line closed"]);
    const first = await thread(played(""));
    const remote = connectRecorder(first);
    expect(await once(first, "message")).toEqual(["taken up"]);
    remote.attach(await thread(AGENT));
    expect(await once(first, "message")).toEqual(["line closed"]);
  });

  test("does not live for the line", async () => {
    const active = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
    const worker = await thread(played(""));
    const before = active();
    openDirectLine(worker);
    await once(worker, "message");
    expect(active()).toBe(before);
  });

  test("has no line to what is no thread, where there are no threads, and where the channel is gone", () => {
    const { port1, port2 } = new MessageChannel();
    expect(openDirectLine({ postMessage: () => {}, on: () => {} })).toBeNull();
    port1.postMessage = () => {
      throw new Error("closed");
    };
    expect(openDirectLine(port1)).toBeNull();
    port1.close();
    port2.close();
    for (const browser of [undefined, {}, { getBuiltinModule: () => undefined }]) {
      vi.stubGlobal("process", browser);
      expect(openDirectLine(port2)).toBeNull();
    }
  });
});

describe("the agent", () => {
  /** What another thread offers, and what it hears on it. */
  function offer(more: object = {}) {
    const { port1, port2 } = new MessageChannel();
    const answers = new Int32Array(new SharedArrayBuffer(4));
    return {
      mine: port1,
      answers,
      message: { agentStats: "direct", thread: threadId + 1, port: port2, answers, ...more },
    };
  }

  test("takes up the line of a host in another thread, and tells it all it counted, each time it is asked", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    const { mine, answers, message } = offer();
    expect(takeUpDirectLine(message, () => recorder.getServersStats())).toBe(true);
    expect(answers[0]).toBe(1);
    for (const n of [1, 2]) {
      recorder.server(smp, 1, "smp://a").add("sent");
      mine.postMessage("get");
      const [answer] = await once(mine, "message");
      expect(answer).toMatchObject({ servers: [{ session: { sent: n } }] });
      expect(answers[0]).toBe(1 + n);
    }
    mine.close();
  });

  test("that is served says at once that it is there, and takes up the line of its host", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("sent");
    const { port1, port2 } = new MessageChannel();
    serveRecorder(recorder, port1);
    expect(await once(port2, "message")).toEqual([{ agentStats: "changed", urgent: false }]);
    const { mine, answers, message } = offer();
    port2.postMessage(message, [message.port]);
    await vi.waitFor(() => expect(answers[0]).toBe(1));
    mine.postMessage("get");
    expect((await once(mine, "message"))[0]).toMatchObject({ servers: [{ session: { sent: 1 } }] });
    mine.close();
    port1.close();
  });

  test("wakes the host that waits, when the answer is there", async () => {
    const host = await thread(`
      const { MessageChannel, receiveMessageOnPort, threadId } = require("node:worker_threads");
      const { port1, port2 } = new MessageChannel();
      const answers = new Int32Array(new SharedArrayBuffer(4));
      parentPort.on("message", () => {
        port1.postMessage("get");
        const woken = Atomics.wait(answers, 0, 1, 5_000);
        parentPort.postMessage({ woken, got: receiveMessageOnPort(port1)?.message.servers.length });
      });
      parentPort.postMessage("ready");
      parentPort.postMessage({ agentStats: "direct", thread: threadId, port: port2, answers }, [port2]);`);
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("sent");
    const [message] = await once(host, "message");
    expect(takeUpDirectLine(message, () => recorder.getServersStats())).toBe(true);
    host.postMessage("ask");
    // Not "timed-out"; "not-equal" where the answer was there before the host began to wait.
    const [{ woken, got }] = await once(host, "message");
    expect([woken === "ok" || woken === "not-equal", got]).toEqual([true, 1]);
  });

  test("leaves the line of a host in its own thread: nobody could answer while that waits", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    const { answers, message, mine } = offer({ thread: threadId });
    expect(takeUpDirectLine(message, () => recorder.getServersStats())).toBe(true);
    expect(answers[0]).toBe(0);
    mine.close();
    const { port1, port2 } = new MessageChannel();
    serveRecorder(recorder, port1);
    const remote = connectRecorder(port2);
    await remote.getServersStats();
    expect(remote.getServersStatsNow()).toBeNull();
    port1.close();
  });

  test("does not live for the line", async () => {
    const active = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
    const before = active();
    const { message, mine } = offer();
    takeUpDirectLine(message, () => new Recorder().getServersStats());
    expect(active()).toBe(before);
    mine.close();
  });

  test.each<[what: string, message: unknown]>([
    ["nothing", null],
    ["text", "direct"],
    ["a request", { agentStats: "get", id: 1 }],
    ["another message that has all else", offer({ agentStats: "get" }).message],
    ["an offer without a port", offer({ port: undefined }).message],
    ["an offer whose port hears nothing", offer({ port: { postMessage: () => {} } }).message],
    ["an offer without shared memory", offer({ answers: [0] }).message],
  ])("does not take %s for an offer", (_what, message) => {
    expect(takeUpDirectLine(message, () => expect.unreachable("nobody asked"))).toBe(false);
  });
});
