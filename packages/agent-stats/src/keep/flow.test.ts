import { describe, expect, test } from "vitest";
import type { BegunSession, StoreCalls } from "../store/store.ts";
import { ask, Drive, type Flow } from "./flow.ts";
import { gate } from "./watched.testing.ts";

const ASKED = { startedAt: 1, flushEveryMs: 50, seen: null };

/** A store of two calls, which tells what it is asked, and waits or fails on demand. */
function recording() {
  const calls: string[] = [];
  const begun: BegunSession = { session: 7, seen: 3 };
  const now = {
    begin: () => {
      calls.push("begin");
      return begun;
    },
    fold: () => {
      calls.push("fold");
      return 2;
    },
  } as unknown as StoreCalls;
  return { calls, now };
}

function* beginAndFold(steps: string[]): Flow<string> {
  try {
    const { session } = yield* ask("begin", ASKED);
    steps.push(`session ${session}`);
    const folded = yield* ask("fold");
    steps.push(`folded ${folded}`);
    return "done";
  } finally {
    steps.push("over");
  }
}

/** The same calls as promises that wait. */
const later = (now: StoreCalls, until: Promise<unknown>) =>
  ({
    begin: async () => {
      await until;
      return now.begin(ASKED);
    },
    fold: async () => now.fold(),
  }) as never;

const STEPS = ["session 7", "folded 2", "over"];

describe("a flow", () => {
  test("is driven by promises, or at once, through the same steps", async () => {
    for (const drive of [
      (flow: Flow<string>) => new Drive(flow).finish(later(recording().now, Promise.resolve())),
      async (flow: Flow<string>) => new Drive(flow).finishNow(recording().now),
    ]) {
      const steps: string[] = [];
      expect(await drive(beginAndFold(steps))).toBe("done");
      expect(steps).toEqual(STEPS);
    }
  });

  test("that waits can be finished at once: each step is taken once, and whoever waits is told", async () => {
    const { calls, now } = recording();
    const { open, pass } = gate();
    const steps: string[] = [];
    const drive = new Drive(beginAndFold(steps));
    const waiting = drive.finish(later(now, open));
    await null;
    expect(steps).toEqual([]);
    expect(drive.finishNow(now)).toBe("done");
    expect([steps, calls]).toEqual([STEPS, ["begin", "fold"]]);
    pass();
    expect(await waiting).toBe("done");
    expect(steps, "the answer that came late changes nothing").toEqual(STEPS);
    expect(drive.finishNow(now), "and it stays done").toBe("done");
  });

  test("that fails, fails for all who wait for it", async () => {
    const failing = { begin: () => expect.unreachable() } as unknown as StoreCalls;
    const { open, pass } = gate();
    const steps: string[] = [];
    const drive = new Drive(beginAndFold(steps));
    const waiting = drive.finish(later(recording().now, open));
    expect(() => drive.finishNow(failing)).toThrow();
    pass();
    await expect(waiting).rejects.toThrow();
    expect(steps).toEqual(["over"]);
  });

  test("may go on after a call that failed", async () => {
    function* careful(): Flow<number> {
      try {
        yield* ask("begin", ASKED);
      } catch {
        return yield* ask("fold");
      }
      return 0;
    }
    const begin = () => {
      throw new Error("no");
    };
    const { now } = recording();
    expect(new Drive(careful()).finishNow({ ...now, begin } as StoreCalls)).toBe(2);
    expect(await new Drive(careful()).finish({ ...now, begin, fold: async () => 2 } as never)).toBe(2);
  });
});
