/** What a store's own thread is told, and when: no more messages than are needed, and none that is not true any more. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { type Announcement, announcedPlace } from "../store/store.ts";
import { Announcer, announcerOf } from "./announcer.ts";
import { progressOf } from "./progress.ts";

const smp = defineProtocol("smp", {
  tried: { help: "x", attemptsOf: "sent" },
  sent: "x",
  live: { help: "x", gauge: true },
});
const xftp = defineProtocol("xftp", { files: "x", put: { help: "x", attemptsOf: "files" } });
const DUE = { session: 1, save: 4, seen: 2, hour: 500_000, isSettled: true };
const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** An announcer whose store remembers what it was told; it may know nothing of the rows before. */
function setUp(withinMs = 5_000) {
  const told: Announcement[] = [];
  const knows = { rows: true };
  const recorder = new Recorder({ protocols: [smp, xftp] });
  const progress = progressOf(recorder);
  const announce = (news: Announcement) => {
    if (!news.anew && !knows.rows) return false;
    told.push(news);
    return true;
  };
  const announcer = new Announcer(recorder, progress, announce, withinMs);
  recorder.listen(null, () => announcer.rowsCame());
  /** What was told since the last look: which servers, whether anew, and which save is due. */
  const news = () => told.splice(0).map(({ anew, rows, due }) => [anew, [...rows.servers], due?.save ?? null]);
  return { announcer, recorder, progress, told, knows, news };
}

describe("nothing is told", () => {
  test("before rows stand still, and of rows that came meanwhile only then", async () => {
    const { announcer, recorder, news } = setUp();
    recorder.server(smp, 1, "a");
    announcer.due(DUE);
    await sleep(5);
    expect(news()).toEqual([]);
    announcer.resume(DUE);
    expect(news()).toEqual([[true, ["a"], 4]]);
  });

  test("twice of what is due already, until it is collected", () => {
    const { announcer, recorder, news } = setUp();
    recorder.server(smp, 1, "a");
    announcer.resume(null);
    announcer.due(DUE);
    announcer.due(DUE);
    expect(news()).toHaveLength(1);
    announcer.turn();
    announcer.due(DUE);
    expect(news()).toEqual([[false, [], 4]]);
    announcer.resume(DUE);
    expect(news()).toEqual([[false, [], 4]]);
  });

  test("of rows that are known, nor where there is nothing new to tell", async () => {
    const { announcer, recorder, news } = setUp();
    recorder.server(smp, 1, "a");
    announcer.resume(DUE);
    news();
    announcer.resume(null);
    recorder.server(smp, 1, "a");
    await sleep(5);
    expect([news(), announcer.tellMore()]).toEqual([[], false]);
  });
});

describe("nothing is known to be told", () => {
  test("where the fate of a save is not known: all is told anew when it is", () => {
    const { announcer, recorder, progress, news } = setUp();
    recorder.server(smp, 1, "a").add("sent");
    progress.collect({ session: 1, save: 1, seen: 0, at: 0, hour: 1 });
    announcer.resume(DUE);
    expect([news(), announcer.knownBelow]).toEqual([[], 0]);
    progress.decided();
    announcer.turn();
    announcer.due(DUE);
    expect(news()).toEqual([[true, ["a"], 4]]);
  });
});

describe("rows", () => {
  test("that come are told of together, when whoever makes them is done; not while they are changed", async () => {
    const { announcer, recorder, news } = setUp();
    announcer.resume(DUE);
    news();
    for (const server of ["a", "b", "c"]) recorder.server(smp, 1, server);
    expect(news()).toEqual([]);
    await null;
    expect(news()).toEqual([[false, ["a", "b", "c"], null]]);
    recorder.server(smp, 1, "d");
    announcer.pause();
    await sleep(5);
    expect(news()).toEqual([]);
  });

  test("are told of in a turn of their own where nothing is due, and all anew after they were changed", async () => {
    const { announcer, recorder, news } = setUp();
    for (const server of ["a", "b"]) recorder.server(smp, 1, server);
    announcer.resume(null);
    expect([news(), announcer.knownBelow]).toEqual([[], 0]);
    await sleep(5);
    expect([news(), announcer.knownBelow]).toEqual([[[true, ["a", "b"], null]], 2]);
    announcer.pause();
    expect(announcer.knownBelow).toBe(0);
    announcer.resume(null);
    announcer.pause();
    await sleep(5);
    expect(news()).toEqual([]);
    announcer.resume(DUE);
    expect(news()).toEqual([[true, ["a", "b"], 4]]);
  });

  test("are told of anew where the store knows none of them, and of nothing where it cannot hear", () => {
    const { announcer, recorder, news, knows, told } = setUp();
    recorder.server(smp, 1, "a");
    announcer.resume(DUE);
    news();
    knows.rows = false;
    announcer.turn();
    announcer.due(DUE);
    expect([news(), announcer.knownBelow]).toEqual([[[true, ["a"], 4]], 1]);
    const deaf = new Announcer(recorder, progressOf(recorder), () => false, 5_000);
    deaf.resume(DUE);
    expect([told, deaf.knownBelow]).toEqual([[], 0]);
  });

  test("of thousands are told a part at a time, each once, and the rest by themselves or on demand", async () => {
    for (const ask of [false, true]) {
      const { announcer, recorder, told } = setUp();
      let now = 0;
      const clock = vi.spyOn(performance, "now").mockImplementation(() => now++);
      for (let i = 0; i < 1_000; i++) recorder.server(smp, i % 3, `${i}`);
      announcer.resume(DUE);
      expect(told[0]?.rows.servers.length).toBeLessThan(200);
      expect(announcer.knownBelow).toBe(told[0]?.rows.servers.length);
      let asked = 1;
      while (ask && announcer.tellMore()) asked++;
      if (ask) expect(told.length).toBe(asked + 1);
      else await vi.waitFor(() => expect(announcer.knownBelow).toBe(1_000));
      clock.mockRestore();
      expect(told.flatMap(({ rows }) => rows.servers)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`));
      expect(told.map(({ anew }) => anew)).toEqual(told.map((_, i) => i === 0));
      expect(told.slice(1).every(({ due }) => due === null)).toBe(true);
      await sleep(5);
      expect(announcer.tellMore()).toBe(false);
    }
  });

  test("are told with their place, their owner, where they stood, and which counters count attempts", () => {
    const { announcer, recorder, progress, told } = setUp();
    const [a, b] = [recorder.server(smp, 1, "a"), recorder.server(xftp, 1, "b")];
    recorder.server(smp, 2, "gone");
    const d = recorder.server(smp, 1, "d");
    a.add("sent", 3);
    b.add("files", 5);
    const batch = progress.collect({ session: 1, save: 1, seen: 0, at: 0, hour: 7 });
    if (batch) progress.acknowledge(batch);
    progress.decided();
    d.add("sent", 1);
    recorder.forgetUser(2);
    announcer.resume(DUE);
    const { rows } = told[0] as Announcement;
    expect([rows.servers, rows.owners, rows.counters, rows.attempts]).toEqual([
      ["a", "b", "d"],
      [
        ["smp", "1"],
        ["xftp", "1"],
      ],
      ["tried", "sent", "files", "put"],
      [0, 3],
    ]);
    const places = rows.servers.map((_, i) => announcedPlace(rows.places, i));
    for (const { row, chunk, at, length } of places) {
      const { cells, at: mark } = recorder.row(row) as { cells: Float64Array; at: number };
      expect([rows.chunks[chunk], at, length]).toEqual([cells, mark + 1, 2]);
    }
    expect(places.map(({ row, owner, first, hour, stands }) => [row, owner, first, hour, stands])).toEqual([
      [0, 0, 0, 7, 4],
      [1, 1, 2, 7, 4],
      [3, 0, 0, -1, 0],
    ]);
    // When its hour began, then when it was last saved.
    expect([...rows.stands]).toEqual([0, 0, 0, 3, 0, 0, 5, 0]);
  });
});

test("no timer runs where there is nothing more to tell, and one where there is", () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const { announcer, recorder, news } = setUp();
  recorder.server(smp, 1, "a");
  announcer.resume(null);
  announcer.resume(null);
  expect([vi.getTimerCount(), announcer.tellMore(), news()]).toEqual([1, false, []]);
  vi.advanceTimersByTime(10);
  expect(news()).toEqual([[true, ["a"], null]]);
  announcer.resume(null);
  announcer.due(DUE);
  expect(vi.getTimerCount()).toBe(0);
  recorder.server(smp, 1, "b");
  announcer.resume(null);
  announcer.pause();
  expect([vi.getTimerCount(), announcer.tellMore()]).toEqual([1, false]);
  news();
  vi.advanceTimersByTime(10);
  expect(news()).toEqual([]);
});

test("a save is due by the turn in which it was announced, in its time, or with the full hour", () => {
  for (const [withinMs, told] of [
    [5_000, 5_000],
    [2 * HOUR_MS, HOUR_MS],
  ] as const) {
    const { announcer, told: heard } = setUp(withinMs);
    expect(announcer.wasHeard).toBe(false);
    announcer.turn();
    announcer.turn();
    announcer.resume(DUE);
    expect(announcer.wasHeard).toBe(true);
    const [{ due, turns }] = heard as [Announcement];
    expect(due).toEqual({ ...DUE, turn: 2, withinMs: told });
    expect(turns[0]).toBe(2);
    announcer.pause();
    expect(turns[0]).toBe(3);
  }
});

test("nobody is told where a store has no thread of its own, or memory is not shared", () => {
  const { recorder, progress } = setUp();
  expect(announcerOf(recorder, progress, undefined, 5_000)).toBeNull();
  expect(announcerOf(recorder, progress, () => true, 5_000)).toBeInstanceOf(Announcer);
  vi.stubGlobal("SharedArrayBuffer", undefined);
  expect(announcerOf(recorder, progress, () => true, 5_000)).toBeNull();
});
