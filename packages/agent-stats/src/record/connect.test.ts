/** The host's end of a channel: what is asked, who is told, and how long the process is kept for an answer. */
import { EventEmitter } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connectRecorder } from "./connect.ts";

afterEach(() => void vi.useRealTimers());

const STATS = { session: "s", servers: [], rejected: {} };
const NO_ANSWER = "the agent does not answer";

/** A channel that tells what was posted on it, and whether it keeps the process. */
function channel() {
  const posted: { id: number }[] = [];
  const keeps: boolean[] = [];
  const emitter = Object.assign(new EventEmitter(), {
    postMessage: (message: unknown) => void posted.push(message as { id: number }),
    ref: () => void keeps.push(true),
    unref: () => void keeps.push(false),
  });
  const says = (message: unknown) => emitter.emit("message", message);
  const answers = (i: number) => says({ agentStats: "stats", id: posted[i]?.id, ...STATS });
  return { emitter, posted, keeps, says, answers };
}

describe("a question", () => {
  test("says what is wanted, under a number of its own, and is answered by that number only", async () => {
    const { emitter, posted, answers } = channel();
    const remote = connectRecorder(emitter);
    const all = remote.getServersStats();
    const changed = remote.getServersStats({ changedOnly: true });
    const forgot = remote.forgetUser("1");
    const added = remote.addUser("2");
    const reset = remote.reset({ server: "smp://a" });
    expect(posted).toEqual([
      { agentStats: "get", all: true, id: 1 },
      { agentStats: "get", all: false, id: 2 },
      { agentStats: "forget", userId: "1", id: 3 },
      { agentStats: "add", userId: "2", id: 4 },
      { agentStats: "reset", scope: { server: "smp://a" }, id: 5 },
    ]);
    const settled: string[] = [];
    void all.then(() => settled.push("all"));
    void changed.then(() => settled.push("changed"));
    answers(1);
    await changed;
    expect(settled).toEqual(["changed"]);
    for (const i of [0, 2, 3, 4]) answers(i);
    expect(await Promise.all([all, forgot, added, reset])).toMatchObject([STATS, undefined, undefined, undefined]);
  });

  test("keeps the process until the last one is answered, and no longer", async () => {
    const { emitter, keeps, answers } = channel();
    const remote = connectRecorder(emitter);
    await null;
    keeps.splice(0);
    const both = [remote.getServersStats(), remote.getServersStats()];
    expect(keeps.at(-1)).toBe(true);
    answers(0);
    await both[0];
    expect(keeps.at(-1)).toBe(true);
    answers(1);
    await both[1];
    expect(keeps.at(-1)).toBe(false);
  });

  test("that is not answered in time fails, keeps nothing, and leaves no timer; nor does one that is", async () => {
    vi.useFakeTimers();
    const { emitter, keeps, answers } = channel();
    const remote = connectRecorder(emitter);
    const late = expect(remote.getServersStats()).rejects.toThrow(NO_ANSWER);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(keeps.at(-1)).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    await late;
    expect([keeps.at(-1), vi.getTimerCount()]).toEqual([false, 0]);
    const asked = remote.getServersStats();
    expect(vi.getTimerCount()).toBe(1);
    answers(1);
    await asked;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("an agent that is gone", () => {
  test("fails what was asked and what is asked, at once, without a word on the channel", async () => {
    const { emitter, posted, keeps } = channel();
    const remote = connectRecorder(emitter);
    const asked = [remote.getServersStats(), remote.forgetUser("1")];
    const failed = Promise.all(asked.map((each) => expect(each).rejects.toThrow(NO_ANSWER)));
    emitter.emit("close");
    await failed;
    expect(keeps.at(-1)).toBe(false);
    await expect(remote.getServersStats()).rejects.toThrow(NO_ANSWER);
    expect([posted.length, remote.getServersStatsNow()]).toEqual([2, null]);
  });

  test("may be followed by another, to which the end of the one before is nothing", async () => {
    const [first, second] = [channel(), channel()];
    const remote = connectRecorder(first.emitter);
    const told = vi.fn();
    remote.listen?.(told);
    const asked = expect(remote.getServersStats()).rejects.toThrow(NO_ANSWER);
    remote.attach(second.emitter);
    await asked;
    expect(told.mock.calls).toEqual([[false]]);
    first.emitter.emit("close");
    const again = remote.getServersStats();
    expect(second.posted).toHaveLength(1);
    second.answers(0);
    expect(await again).toMatchObject(STATS);
    second.emitter.emit("close");
    await expect(remote.getServersStats()).rejects.toThrow(NO_ANSWER);
    const third = channel();
    remote.attach(third.emitter);
    const back = remote.getServersStats();
    third.answers(0);
    expect(await back).toMatchObject(STATS);
  });
});

describe("whoever listens", () => {
  test("is told of changes, and of an answer that nobody waits for; not of answers, nor of what is none", async () => {
    const { emitter, says, answers } = channel();
    const remote = connectRecorder(emitter);
    const told: boolean[] = [];
    remote.listen?.((urgent) => told.push(urgent));
    for (const urgent of [true, false]) says({ agentStats: "changed", urgent });
    const asked = remote.getServersStats();
    answers(0);
    await asked;
    for (const nonsense of [null, "changed", {}, { agentStats: "stats", id: 1 }]) says(nonsense);
    expect(told).toEqual([true, false]);
    answers(0);
    expect(told).toEqual([true, false, false]);
  });

  test("may be nobody, and may stop", () => {
    const { emitter, says } = channel();
    const remote = connectRecorder(emitter);
    const late = { agentStats: "stats", id: 7, ...STATS };
    for (const message of [{ agentStats: "changed", urgent: true }, late]) {
      expect(() => says(message)).not.toThrow();
    }
    const told = vi.fn();
    remote.listen?.(told);
    remote.listen?.(null);
    expect(() => says(late)).not.toThrow();
    expect(told).not.toHaveBeenCalled();
  });
});
