import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { Announcer } from "../keep/announcer.ts";
import { progressOf } from "../keep/progress.ts";
import { defineProtocol, type Protocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { withStandIn } from "./stand-in.ts";
import type { SaveBatch, SaveResult, StoreCalls } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent", received: "messages received" });
const DUE = { session: 1, save: 0, seen: 0, hour: 500_000, isSettled: true };

/** A recorder, and a store's thread that hears of it and remembers what it saved. */
function setUp(protocol: Protocol = smp, withinMs = 3_600_000) {
  const saved: SaveBatch[] = [];
  const fate: { answer: SaveResult | Error } = { answer: { outcome: "saved" } };
  const save = (batch: SaveBatch): SaveResult => {
    if (fate.answer instanceof Error) throw fate.answer;
    if (fate.answer.outcome === "saved") saved.push(batch);
    return fate.answer;
  };
  const thread = withStandIn({ save, close() {} } as unknown as StoreCalls);
  const recorder = new Recorder({ protocols: [protocol] });
  const progress = progressOf(recorder);
  const announcer = new Announcer(
    recorder,
    progress,
    (news) => {
      // What goes from one thread to another is copied; only shared memory is not.
      thread.hear(structuredClone(news));
      return true;
    },
    withinMs,
  );
  const server = recorder.server(protocol, 1, "smp://a");
  /** What the last save of its own says of each counter. */
  const last = () => {
    const { cells, counters } = saved.at(-1) as SaveBatch;
    return Object.fromEntries(
      Array.from({ length: cells.length / 3 }, (_, i) => [counters[cells[i * 3 + 1] as number], cells[i * 3 + 2]]),
    );
  };
  return { saved, fate, thread, recorder, progress, announcer, server, last };
}

describe("a store's thread that stands in", () => {
  test("saves what stands in memory, then only what changed since", () => {
    const { announcer, server, thread, saved, last } = setUp();
    server.add("sent", 3);
    announcer.resume(DUE);
    server.add("received", 2);
    expect(thread.look()).toBe(true);
    expect(saved[0]).toMatchObject({ session: 1, save: 0, hour: 500_000, keys: [[0, "smp", "1", "smp://a"]] });
    expect(last()).toEqual({ sent: 3, received: 2 });
    expect(thread.look()).toBe(false);
    server.add("sent");
    expect(thread.look()).toBe(true);
    expect(last()).toEqual({ sent: 4 });
    expect(saved).toHaveLength(2);
    thread.calls.close();
  });

  test("knows the counters of a protocol that came when a save was due already", async () => {
    const { announcer, recorder, server, thread, last } = setUp();
    recorder.listen(null, () => announcer.rowsCame());
    server.add("sent", 3);
    announcer.resume(DUE);
    recorder.server(defineProtocol("xftp", { files: "files" }), 1, "xftp://a").add("files", 4);
    await Promise.resolve();
    expect(thread.look()).toBe(true);
    expect(last()).toEqual({ sent: 3, files: 4 });
    thread.calls.close();
  });

  test("by itself, when the time is over, and again after the same time", async () => {
    const { announcer, server, thread, saved, last } = setUp(smp, 50);
    server.add("sent");
    announcer.resume(DUE);
    await expect.poll(() => saved.length).toBe(1);
    server.add("sent");
    await expect.poll(() => saved.length).toBe(2);
    expect(last()).toEqual({ sent: 2 });
    thread.calls.close();
  });

  test.each([
    ["collected", (announcer: Announcer) => announcer.turn()],
    ["changed its rows", (announcer: Announcer) => announcer.pause()],
  ])("saves nothing once the thread that counts has %s", (_, moves) => {
    const { announcer, server, thread, saved } = setUp();
    server.add("sent", 3);
    announcer.resume(DUE);
    moves(announcer);
    expect([thread.look(), thread.look(), saved.length]).toEqual([false, false, 0]);
    thread.calls.close();
  });

  test("saves no counter that went back in a way that nobody announced", () => {
    const { announcer, server, recorder, thread, last } = setUp();
    server.add("sent", 3);
    server.add("received", 3);
    announcer.resume(DUE);
    expect(thread.look()).toBe(true);
    recorder.reset();
    expect(thread.look()).toBe(false);
    server.add("sent", 2);
    expect(thread.look()).toBe(false);
    expect(last()).toEqual({ sent: 3, received: 3 });
    thread.calls.close();
  });

  test("gives the database the keys that it was told of, once, where a batch leaves them out", () => {
    const { announcer, recorder, server, progress, thread, saved } = setUp();
    server.add("sent", 3);
    expect(announcer.knownBelow).toBe(0);
    announcer.resume(DUE);
    recorder.server(smp, 1, "smp://late").add("sent");
    const save = (number: number) => {
      const batch = progress.collect({ ...DUE, save: number, at: 0 }, announcer.knownBelow) as SaveBatch;
      thread.calls.save(batch);
      progress.acknowledge(batch);
      return batch.keys.map(([row]) => row);
    };
    expect(save(1)).toEqual([1]);
    server.add("sent");
    expect(save(2)).toEqual([]);
    expect(saved.map(({ keys }) => keys.map(([row]) => row))).toEqual([[1, 0], []]);
    thread.calls.close();
  });

  test("tries again after a failure, and says all of it", () => {
    const { announcer, server, thread, fate, last } = setUp();
    server.add("sent", 3);
    announcer.resume(DUE);
    fate.answer = new Error("busy");
    expect(thread.look()).toBe(false);
    fate.answer = { outcome: "saved" };
    expect(thread.look()).toBe(true);
    expect(last()).toEqual({ sent: 3 });
    thread.calls.close();
  });

  test.each(["closed", "cleared"] as const)("leaves a session that was %s to the thread that counts", (outcome) => {
    const { announcer, server, thread, fate } = setUp();
    server.add("sent", 3);
    announcer.resume(DUE);
    fate.answer = { outcome, clears: [], saves: 0 };
    expect(thread.look()).toBe(false);
    fate.answer = { outcome: "saved" };
    expect(thread.look()).toBe(false);
    announcer.resume(DUE);
    expect(thread.look()).toBe(true);
    thread.calls.close();
  });

  test("saves nothing while it is unknown what became of that thread's own save", () => {
    const { announcer, server, progress, thread, fate, last } = setUp();
    server.add("sent", 3);
    announcer.resume(DUE);
    const batch = progress.collect({ ...DUE, save: 1, at: 0 }) as SaveBatch;
    fate.answer = new Error("the disk");
    expect(() => thread.calls.save(batch)).toThrow("the disk");
    fate.answer = { outcome: "saved" };
    server.add("sent");
    announcer.resume({ ...DUE, isSettled: false });
    expect(thread.look()).toBe(false);
    thread.calls.save(batch);
    progress.acknowledge(batch);
    progress.decided();
    announcer.resume({ ...DUE, save: 1 });
    expect(thread.look()).toBe(true);
    expect(last()).toEqual({ sent: 4 });
    thread.calls.close();
  });

  describe("in the place of one that ended", () => {
    test("does not save once more, in a later hour, what came while it knew no rows yet", () => {
      const { announcer, server, progress, thread, saved, last } = setUp();
      announcer.resume(null);
      server.add("sent", 3);
      const batch = progress.collect({ ...DUE, save: 1, at: 0 }, announcer.knownBelow) as SaveBatch;
      thread.calls.save(batch);
      // The answer is on its way.
      server.add("received", 2);
      announcer.due({ ...DUE, save: 1, isSettled: false });
      progress.acknowledge(batch);
      progress.decided();
      announcer.resume({ ...DUE, save: 1, hour: DUE.hour + 1 });
      expect(thread.look()).toBe(true);
      expect(saved.at(-1)?.hour).toBe(DUE.hour + 1);
      expect(last()).toEqual({ received: 2 });
      thread.calls.close();
    });

    test("saves nothing while it is unknown whether a save came to that one", () => {
      const { announcer, server, progress, thread, last } = setUp();
      announcer.resume(null);
      server.add("sent", 3);
      const batch = progress.collect({ ...DUE, save: 1, at: 0 }) as SaveBatch;
      server.add("sent");
      announcer.resume({ ...DUE, save: 1, hour: DUE.hour + 1, isSettled: false });
      expect(thread.look()).toBe(false);
      thread.calls.save(batch);
      progress.acknowledge(batch);
      progress.decided();
      announcer.resume({ ...DUE, save: 1, hour: DUE.hour + 1 });
      expect(thread.look()).toBe(true);
      expect(last()).toEqual({ sent: 1 });
      thread.calls.close();
    });
  });
});

describe("while another thread counts without a pause", () => {
  const others = Array.from({ length: 300 }, (_, index) => [`other${index}`, "something else"] as const);
  const wide = (attemptsOf?: "sent") =>
    defineProtocol("wide", {
      tries: { help: "tries", ...(attemptsOf && { attemptsOf }) },
      ...Object.fromEntries(others),
      sent: "sent, each after it was tried",
    });

  /** Whether a success was seen without its attempt, in so long a time. */
  async function torn(protocol: Protocol, withinMs: number): Promise<boolean> {
    const { announcer, recorder, thread, last } = setUp(protocol);
    announcer.resume(DUE);
    const { cells, at } = recorder.row(0) as NonNullable<ReturnType<Recorder["row"]>>;
    const workerData = { cells, tries: at + 1, sent: at + 1 + protocol.counters.length - 1 };
    const program = `const { cells, tries, sent } = require("node:worker_threads").workerData;
      for (;;) { cells[tries] += 1; cells[sent] += 1; }`;
    const worker = new Worker(program, { eval: true, workerData, execArgv: [] });
    await expect.poll(() => cells[workerData.sent], { timeout: 20_000 }).toBeGreaterThan(0);
    let found = false;
    let stored = { tries: 0, sent: 0 };
    for (const end = performance.now() + withinMs; !found && performance.now() < end; ) {
      if (!thread.look()) continue;
      stored = { ...stored, ...last() };
      found = stored.sent > stored.tries;
    }
    await worker.terminate();
    thread.calls.close();
    return found;
  }

  test("no success is seen without its attempt", async () => {
    expect(await torn(wide("sent"), 1_000)).toBe(false);
  });

  test("control: where nobody says what counts attempts, some are", async () => {
    expect(await torn(wide(), 20_000)).toBe(true);
  });
});
