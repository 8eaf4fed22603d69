import { describe, expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import type { Row } from "../record/row.ts";
import { Numbers } from "./numbers.ts";
import { progressOf } from "./progress.ts";
import { split } from "./split.ts";

const smp = defineProtocol("smp", { sent: "sent", received: "received", a: "a", b: "b" });
const xftp = defineProtocol("xftp", { sent: "files sent", files: "files" });

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

  test("and left behind by a keeper comes again for the next, as counts of its session", () => {
    const { servers, recorder, progress, collect } = setUp();
    servers[5]?.add("sent", 5);
    progress.decided();
    collect(1);
    progress.decided();
    servers[5]?.add("sent", 2);
    const batch = progress.collect({ ...head, save: 2 });
    progress.leave(batch ? [batch] : []);
    expect(progressOf(recorder)).toBe(progress);
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
  });
});
