import fc from "fast-check";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { CHANGED, type Row, URGENT, type Urgency } from "./row.ts";

const smp = defineProtocol("smp", {
  sent: "messages sent",
  sendAttempts: { help: "messages tried", attemptsOf: "sent" },
  sendErrors: { help: "messages refused", error: true },
  bytesSent: { help: "bytes sent", unit: "bytes" },
  connected: { help: "1 while connected", gauge: true },
  backlog: { help: "bytes waiting", gauge: true, unit: "bytes" },
});
const ntf = defineProtocol("ntf", { sent: "notifications sent" });

const NO_REJECTIONS = { notWhole: 0, negative: 0, tooLarge: 0, notFinite: 0, unknownName: 0, badKey: 0 };

afterEach(() => void vi.unstubAllGlobals());

/** What a recorder holds, as `protocol user server` → counters. */
function sessions(recorder: Recorder): Record<string, Readonly<Record<string, number>>> {
  const { servers } = recorder.getServersStats();
  return Object.fromEntries(servers.map((s) => [`${s.protocol} ${s.userId} ${s.server}`, s.session]));
}

test("two protocols of one name are refused at once where both are given, and count nowhere where one comes later", () => {
  const other = defineProtocol("smp", { sent: "another meaning" });
  expect(() => new Recorder({ protocols: [smp, other] })).toThrow(/protocol 2 has the name/);
  const recorder = new Recorder({ protocols: [smp] });
  recorder.server(other, 1, "smp://a").add("sent", 5);
  expect(sessions(recorder)).toEqual({});
  expect(recorder.getServersStats().rejected).toEqual({ ...NO_REJECTIONS, badKey: 1 });
});

describe("handles", () => {
  test("know the names of their protocol by type", () => {
    const server = new Recorder().server(smp, 1, "smp://a");
    expectTypeOf(server.add).parameter(0).toEqualTypeOf<"sent" | "sendAttempts" | "sendErrors" | "bytesSent">();
    expectTypeOf(server.counter).parameter(0).toEqualTypeOf<"sent" | "sendAttempts" | "sendErrors" | "bytesSent">();
    expectTypeOf(server.set).parameter(0).toEqualTypeOf<"connected" | "backlog">();
  });

  test("are the same at every call, and 1 and '1' are the same user", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    expect(recorder.server(smp, "1", "smp://a")).toBe(server);
    expect(server.counter("sent")).toBe(server.counter("sent"));
    expect([server.userId, server.server]).toEqual(["1", "smp://a"]);
  });

  test("add one by default, and nothing where nothing is added", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    server.add("sent");
    server.counter("sent").add();
    server.add("bytesSent", 0);
    server.counter("bytesSent").add(0);
    const untouched = recorder.server(smp, 2, "smp://a");
    untouched.add("sent", 0);
    untouched.counter("sent").add(0);
    expect(sessions(recorder)).toEqual({ "smp 1 smp://a": { sent: 2 }, "smp 2 smp://a": {} });
    expect(recorder.takeChanges()).toEqual([server]);
    expect(recorder.getServersStats().rejected).toEqual(NO_REJECTIONS);
  });

  test("are told apart by counter, bound or not, also in what they add after the first time", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    const [sent, errors, bytes] = [server.counter("sent"), server.counter("sendErrors"), server.counter("bytesSent")];
    for (let i = 0; i < 3; i++) {
      sent.add(1);
      errors.add(10);
      bytes.add(100);
      server.add("bytesSent", 1_000);
    }
    expect(server.counter("sendErrors")).toBe(errors);
    expect(sessions(recorder)).toEqual({ "smp 1 smp://a": { sent: 3, sendErrors: 30, bytesSent: 3_300 } });
  });

  test("gauges show the last value, zero and negative ones too, and are no counters", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    expect(recorder.getServersStats().servers[0]?.live).toEqual({});
    server.set("connected", 3);
    server.set("connected", 0);
    server.set("backlog", -1.5);
    const [shown] = recorder.getServersStats().servers;
    expect([shown?.live, shown?.session, shown?.total]).toEqual([{ connected: 0, backlog: -1.5 }, {}, {}]);
  });

  test("never throw: what cannot be counted is counted as rejected, and changes nothing", () => {
    const bad: [string, unknown][] = [
      ["negative", -1],
      ["negative", -(2 ** 53)],
      ["notWhole", 0.5],
      ["notWhole", Number.NaN],
      ["notWhole", Number.POSITIVE_INFINITY],
      ["notWhole", Number.NEGATIVE_INFINITY],
      ["notWhole", "5"],
      ["notWhole", null],
      ["notWhole", {}],
      ["notWhole", true],
      ["notWhole", 5n],
      ["notWhole", Symbol("5")],
      ["notWhole", { valueOf: () => expect.unreachable("nothing of the host's is called") }],
      ["tooLarge", 2 ** 53],
      ["tooLarge", Number.MAX_VALUE],
    ];
    for (const before of [{}, { sent: 7 }]) {
      const recorder = new Recorder();
      const server = recorder.server(smp, 1, "smp://a");
      const bound = server.counter("sent");
      if (before.sent !== undefined) server.add("sent", before.sent);
      const expected: Record<string, number> = { ...NO_REJECTIONS };
      for (const [why, n] of bad) {
        for (const count of [() => server.add("sent", n as number), () => bound.add(n as number)]) {
          expect(count, `${why}: ${String(n)}`).not.toThrow();
          expected[why] = (expected[why] ?? 0) + 1;
          expect(recorder.getServersStats().rejected, `${why}: ${typeof n}`).toEqual(expected);
        }
      }
      expect(sessions(recorder)).toEqual({ "smp 1 smp://a": before });
    }
  });

  test("stop at the largest exact number, by whatever steps it is reached", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    server.add("sent", Number.MAX_SAFE_INTEGER - 1);
    server.counter("sent").add();
    server.counter("sent").add();
    server.add("sent", 2 ** 40);
    expect(sessions(recorder)).toEqual({ "smp 1 smp://a": { sent: Number.MAX_SAFE_INTEGER } });
    expect(recorder.getServersStats().rejected).toEqual({ ...NO_REJECTIONS, tooLarge: 2 });
  });

  test("names and keys that are none count nowhere, and are counted as rejected", () => {
    const recorder = new Recorder();
    const server = recorder.server(smp, 1, "smp://a");
    server.add("nothing" as "sent");
    server.add("connected" as "sent");
    server.counter("toString" as "sent").add(3);
    server.set("sent" as "connected", 1);
    server.set("connected", Number.NaN);
    for (const [user, name] of [
      ["", "smp://a"],
      ["1", ""],
      [null, "smp://a"],
      [{}, "smp://a"],
      ["1", 5],
    ] as const) {
      recorder.server(smp, user as string, name as string).add("sent", 5);
    }
    expect(sessions(recorder)).toEqual({ "smp 1 smp://a": {} });
    expect(recorder.getServersStats().rejected).toEqual({
      ...NO_REJECTIONS,
      unknownName: 4,
      notFinite: 1,
      badKey: 5,
    });
  });
});

test("each recorder tells itself from all others, also from those that began at the same moment", () => {
  const sessions = Array.from({ length: 100 }, () => new Recorder().session);
  expect(new Set(sessions).size).toBe(100);
});

describe("memory", () => {
  const KEYS = 10_000;

  /** Every key gets numbers of its own, through handles of all ages; what is found must be exactly those. */
  function fill(recorder: Recorder): void {
    const handles = Array.from({ length: KEYS }, (_, i) => recorder.server(smp, i % 7, `smp://${i}`));
    const bound = handles.map((handle) => handle.counter("sendErrors"));
    handles.forEach((handle, i) => {
      handle.add("sent", i + 1);
      handle.add("bytesSent", 2 ** 40 + i);
      bound[i]?.add(KEYS + i);
      handle.set("backlog", 0 - i);
    });
    // As text: comparing ten thousand objects one by one takes a second.
    const { servers } = recorder.getServersStats();
    const found = servers.map(({ userId, server, session, live }) => JSON.stringify([userId, server, session, live]));
    const expected = handles.map((_, i) => {
      const session = { sent: i + 1, sendErrors: KEYS + i, bytesSent: 2 ** 40 + i };
      return JSON.stringify([String(i % 7), `smp://${i}`, session, { backlog: 0 - i }]);
    });
    expect(found).toEqual(expected);
  }

  test("grows over many chunks, is shared, and no handle ever moves", () => {
    const recorder = new Recorder();
    const first = recorder.server(smp, 0, "smp://0") as unknown as Row;
    const { cells, at } = first;
    fill(recorder);
    expect(first.cells === cells && first.at === at).toBe(true);
    const chunks = new Set(recorder.rows().map((row) => row.cells));
    expect(chunks.size).toBeGreaterThan(3);
    for (const chunk of chunks) expect(chunk.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test("is private where nothing can be shared, and counts the same", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const recorder = new Recorder();
    fill(recorder);
    for (const { cells } of recorder.rows()) expect(cells.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test("one protocol may have more counters than a chunk has cells", () => {
    const wide = defineProtocol("wide", Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`c${i}`, "x"])));
    const recorder = new Recorder();
    for (const server of ["a", "b"]) recorder.server(wide, 1, server).add("c2999", 5);
    expect(sessions(recorder)).toEqual({ "wide 1 a": { c2999: 5 }, "wide 1 b": { c2999: 5 } });
  });
});

const KEYS = [
  [smp, "1", "smp://a"],
  [smp, "10", "smp://a"],
  [smp, "1", "smp://b"],
  [ntf, "1", "smp://a"],
] as const;

test("any sequence of adds, by whatever handle, equals a map of sums", () => {
  const n = fc.oneof(
    { weight: 5, arbitrary: fc.nat(2 ** 40) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 52, -1, 0.5, Number.NaN, 2 ** 53) },
  );
  const add = fc.record({ key: fc.nat(3), counter: fc.constantFrom("sent", "bytesSent"), n, bound: fc.boolean() });
  fc.assert(
    fc.property(fc.array(add, { maxLength: 200 }), (adds) => {
      const recorder = new Recorder({ protocols: [smp, ntf] });
      const sums = new Map<string, Record<string, number>>();
      let rejected = 0;
      for (const { key, counter, n, bound } of adds) {
        const [protocol, user, server] = KEYS[key] as (typeof KEYS)[number];
        const handle = recorder.server(protocol, user, server);
        if (bound) handle.counter(counter as "sent").add(n);
        else handle.add(counter as "sent", n);
        const name = `${protocol.name} ${user} ${server}`;
        const sum = sums.get(name) ?? {};
        sums.set(name, sum);
        const next = (sum[counter] ?? 0) + n;
        if (!protocol.counterIndex.has(counter) || !Number.isSafeInteger(next) || n < 0 || !Number.isInteger(n)) {
          rejected += 1;
        } else if (n > 0) sum[counter] = next;
      }
      expect(sessions(recorder)).toEqual(Object.fromEntries(sums));
      const reasons = Object.values(recorder.getServersStats().rejected);
      expect(reasons.reduce((a, b) => a + b)).toBe(rejected);
    }),
  );
});

test("who listens is told of the first change, of the first urgent one after it, and again once they were taken", () => {
  const recorder = new Recorder();
  const told: Urgency[] = [];
  const server = recorder.server(smp, 1, "smp://a");
  server.add("sent");
  recorder.listen((urgency) => told.push(urgency));
  expect(told).toEqual([CHANGED]);
  server.add("sent");
  server.counter("sendErrors").add();
  server.add("sendErrors");
  server.add("sent");
  expect(told).toEqual([CHANGED, URGENT]);
  expect(recorder.takeChanges()).toEqual([server]);
  expect(recorder.takeChanges()).toEqual([]);
  server.set("connected", 1);
  server.add("sent", 0);
  server.add("sent", -1);
  expect(told).toEqual([CHANGED, URGENT]);
  server.add("sendErrors");
  expect(told).toEqual([CHANGED, URGENT, URGENT]);
  recorder.listen(null);
  expect(() => recorder.server(smp, 2, "smp://a").add("sendErrors")).not.toThrow();
});
