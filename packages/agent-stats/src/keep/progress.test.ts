import { describe, expect, test } from "vitest";
import { Recorder } from "../record/recorder.ts";
import type { Row } from "../record/row.ts";
import { Numbers } from "./numbers.ts";
import { smp, withTwoKeys, xftp } from "./progress.testing.ts";
import { progressOf } from "./progress.ts";
import { split } from "./split.ts";

test("a user who is forgotten while a save is under way takes nothing of others with them", () => {
  const recorder = new Recorder({ protocols: [smp, xftp] });
  const progress = progressOf(recorder);
  const head = { session: 1, seen: 0, at: 0, hour: 1 };
  recorder.server(smp, 9, "smp://first").add("sent", 1);
  recorder.server(xftp, 1, "xftp://forgotten").add("files", 100);
  const other = recorder.server(smp, 2, "smp://behind");
  other.add("received", 7);
  const batch = progress.collect({ ...head, save: 1 });
  recorder.forgetUser(1);
  if (batch) progress.acknowledge(batch);
  other.add("received", 1);
  expect([...(progress.collect({ ...head, save: 2 })?.cells ?? [])]).toEqual([2, 1, 8]);
});

describe("what was collected", () => {
  const head = { session: 1, seen: 0, at: 0, hour: 1 };

  function setUp() {
    const recorder = new Recorder({ protocols: [smp, xftp] });
    const progress = progressOf(recorder);
    const servers = Array.from({ length: 70 }, (_, number) => recorder.server(smp, number % 2, `smp://${number}`));
    const collect = (save: number, hour = 1) => [...(progress.collect({ ...head, save, hour })?.cells ?? [])];
    return { recorder, progress, servers, collect };
  }

  test("comes in the order of the rows, whatever changed first, and once", () => {
    const { servers, collect } = setUp();
    for (const number of [69, 3, 64, 31, 0, 32]) servers[number]?.add("a", number + 1);
    expect(collect(1)).toEqual([0, 3, 31, 32, 64, 69].flatMap((number) => [number, 2, number + 1]));
    expect(collect(2)).toEqual([]);
  });

  test("and released comes again, with what was counted since; of other batches nothing", () => {
    const { servers, progress, collect } = setUp();
    servers[1]?.add("sent", 5);
    servers[2]?.add("sent", 7);
    const batch = progress.collect({ ...head, save: 1 });
    if (!batch) throw new Error("nothing was collected");
    const [first, second] = split(batch, 1, () => 2);
    if (first) progress.acknowledge(first);
    servers[2]?.add("a", 1);
    if (second) progress.release(second);
    progress.decided();
    expect(collect(3)).toEqual([2, 0, 7, 2, 2, 1]);
    expect(collect(4)).toEqual([]);
  });

  test("and released in a later hour counts from where that hour began", () => {
    const { servers, progress, collect } = setUp();
    servers[5]?.add("sent", 5);
    expect(collect(1)).toEqual([5, 0, 5]);
    progress.decided();
    servers[5]?.add("sent", 2);
    const batch = progress.collect({ ...head, save: 2, hour: 2 });
    if (batch) progress.release(batch);
    progress.decided();
    expect(collect(3, 2)).toEqual([5, 0, 2]);
    servers[5]?.add("sent", 1);
    expect(collect(4, 2)).toEqual([5, 0, 3]);
  });

  test("by a session that goes on from another counts from where that ended", () => {
    const { servers, progress, collect } = setUp();
    for (const hour of [1, 2]) {
      servers[5]?.add("sent", 5);
      collect(1, hour);
      progress.decided();
    }
    servers[5]?.add("sent", 3);
    progress.startSession();
    expect(collect(1, 2)).toEqual([5, 0, 3]);
  });

  test("of a counter that the host itself sets back stays counted, and is never less than nothing", () => {
    const { servers, recorder, progress, collect } = setUp();
    const count = (n: number, hour: number) => {
      servers[5]?.add("sent", n);
      const cells = collect(hour, hour);
      progress.decided();
      return cells;
    };
    expect([...count(5, 1), ...count(2, 2)]).toEqual([5, 0, 5, 5, 0, 2]);
    recorder.reset();
    expect([...count(1, 2), ...count(4, 2)]).toEqual([5, 0, 3, 5, 0, 7]);
    recorder.reset();
    servers[5]?.add("sent", 1);
    const batch = progress.collect({ ...head, save: 4, hour: 3 });
    if (batch) progress.release(batch);
    progress.decided();
    expect([...count(3, 3), ...count(1, 4)]).toEqual([5, 0, 4, 5, 0, 1]);
  });

  test("and left behind by a keeper comes again for the next, as counts of its session", () => {
    const { servers, recorder, progress, collect } = setUp();
    servers[5]?.add("sent", 5);
    progress.decided();
    collect(1);
    progress.decided();
    servers[5]?.add("sent", 2);
    const batch = progress.collect({ ...head, save: 2 });
    progress.leave(batch ? [batch] : [], 1);
    expect(progressOf(recorder)).toBe(progress);
    expect(progress.left).toMatchObject({ session: 1, startedAt: 1, seen: 0 });
    progress.takeOver();
    expect(collect(1)).toEqual([5, 0, 2]);
  });

  test("is told as not saved until its fate is known", () => {
    const { servers, recorder, progress, collect } = setUp();
    const stand = () => {
      const into = new Numbers();
      progress.stand(recorder.row(5) as Row, into);
      return [...into.taken()];
    };
    servers[5]?.add("received", 5);
    expect(stand()).toEqual([]);
    collect(1);
    expect(stand()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    progress.decided();
    expect(stand()).toEqual([0, 0, 0, 0, 0, 5, 0, 0]);
    servers[5]?.add("received", 2);
    collect(2, 2);
    progress.decided();
    expect(stand()).toEqual([0, 5, 0, 0, 0, 7, 0, 0]);
  });
});

const row = (protocol: string, userId: string, server: string, counter: string, value: number) => {
  return { protocol, userId, server, counter, value };
};

describe("what the store itself says that was counted", () => {
  test("is saved, if it is more than was acknowledged: the next session counts from there", () => {
    const { progress, a, b, collect, told, session } = withTwoKeys();
    a.add("sent", 5);
    a.add("received", 2);
    b.add("files", 4);
    const batch = collect();
    if (batch) progress.acknowledge(batch);
    progress.decided();
    a.add("sent", 3);
    b.add("sent", 9);
    progress.raise([
      row("smp", "1", "a", "sent", 7),
      row("smp", "1", "a", "received", 1),
      row("xftp", "2", "b", "sent", 9),
      row("xftp", "2", "b", "unknownHere", 9),
      row("xftp", "2", "nobody", "files", 9),
      row("other", "2", "b", "files", 9),
    ]);
    progress.startSession();
    expect(session()).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(told(collect(8))).toEqual([0, 0, 1]);
  });

  test("is of that counter, wherever it stands among those of its protocol", () => {
    const { progress, b, collect, told } = withTwoKeys();
    b.add("files", 9);
    progress.raise([row("xftp", "2", "b", "files", 4)]);
    progress.startSession();
    expect(told(collect())).toEqual([1, 1, 5]);
  });

  test("is on top of what the counters began with, also of a key that was never saved here", () => {
    const { progress, a, collect, told } = withTwoKeys({ sent: 100 });
    a.add("sent", 3);
    progress.raise([row("smp", "1", "a", "sent", 2)]);
    progress.startSession();
    expect(told(collect())).toEqual([0, 0, 1]);
  });
});

test("what was reset while it was counted is taken off, and what was counted since stays", () => {
  const { recorder, progress, a, b, collect, told, session } = withTwoKeys({ sent: 100 });
  a.add("sent", 5);
  b.add("files", 4);
  const values = progress.values({ protocol: "smp" });
  a.add("sent", 2);
  progress.drop(values);
  expect(session()).toEqual([
    [2, 0],
    [0, 4],
  ]);
  expect(recorder.getServersStats().servers.map(({ total }) => total)).toEqual([{ sent: 2 }, { files: 4 }]);
  const batch = collect();
  expect(told(batch)).toEqual([0, 0, 2, 1, 5, 4]);
  if (batch) progress.acknowledge(batch);
  progress.decided();
  // Others reset what was saved; what was not is not theirs to reset.
  a.add("sent", 1);
  progress.drop(progress.savedValues({ userId: "1" }));
  expect(session()).toEqual([
    [1, 0],
    [0, 4],
  ]);
  expect(told(collect())).toEqual([0, 0, 1]);
});

test("a row is known to the store below the number that its own thread was told", () => {
  const { progress, a, b } = withTwoKeys();
  a.add("sent");
  b.add("sent");
  const head = { session: 1, save: 1, seen: 0, at: 0, hour: 7 };
  expect(progress.collect(head, 1)?.keys.map(([row]) => row)).toEqual([1]);
});
