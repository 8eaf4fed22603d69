import { describe, expect, test } from "vitest";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import type { Scope } from "./scope.ts";

const smp = defineProtocol("smp", {
  sent: "messages sent",
  errors: { help: "messages refused", error: true },
  connected: { help: "1 while connected", gauge: true },
});
const ntf = defineProtocol("ntf", { sent: "notifications sent" });

const of = (recorder: Recorder) =>
  recorder.getServersStats().servers.map(({ protocol, userId, server, session, live }) => ({
    [`${protocol} ${userId} ${server}`]: { ...session, ...live },
  }));

/** A recorder with two users whose names begin alike, and the handles of the first. */
function counted() {
  const recorder = new Recorder();
  const one = recorder.server(smp, 1, "smp://a");
  const sent = one.counter("sent");
  sent.add(5);
  one.set("connected", 1);
  recorder.server(ntf, 1, "ntf://a").add("sent", 6);
  recorder.server(smp, 10, "smp://a").add("sent", 7);
  return { recorder, one, sent };
}

const TEN = { "smp 10 smp://a": { sent: 7 } };

describe("a user who was forgotten", () => {
  test("is gone at once, and others are not, whose names begin alike", () => {
    const { recorder } = counted();
    expect(of(recorder)).toHaveLength(3);
    recorder.forgetUser(1);
    expect(of(recorder)).toEqual([TEN]);
  });

  test("does not come back through any handle, old, new or bound, and nobody is told or woken", () => {
    const { recorder, one, sent } = counted();
    recorder.takeChanges();
    let told = 0;
    recorder.listen(() => {
      told += 1;
    });
    const late = () => {
      one.add("sent", 3);
      one.add("errors");
      one.set("connected", 0);
      sent.add(3);
      one.counter("errors").add();
      recorder.server(smp, 1, "smp://a").add("sent");
      recorder.server(smp, "1", "smp://new").counter("errors").add();
    };
    late();
    expect(told, "control: the same calls count while the user is known").toBe(2);
    recorder.takeChanges();
    told = 0;
    recorder.forgetUser("1");
    late();
    expect([of(recorder), recorder.takeChanges(), told]).toEqual([[TEN], [], 0]);
    const { rejected } = recorder.getServersStats();
    expect(Object.values(rejected).every((n) => n === 0)).toBe(true);
  });

  test("is not among the changes that are yet to be saved", () => {
    const { recorder } = counted();
    recorder.forgetUser(1);
    expect(recorder.takeChanges().map(({ userId }) => userId)).toEqual(["10"]);
  });

  test("does not come back with the past", () => {
    const { recorder } = counted();
    recorder.forgetUser(1);
    recorder.addPast({ protocol: "smp", userId: "1", server: "smp://a" }, { sent: 9 });
    expect(of(recorder)).toEqual([TEN]);
  });

  test("counts again from zero when added again, through new handles only", () => {
    const { recorder, one, sent } = counted();
    recorder.forgetUser(1);
    sent.add(100);
    recorder.addUser(1);
    expect(of(recorder)).toEqual([TEN]);
    const again = recorder.server(smp, 1, "smp://a");
    expect(again).not.toBe(one);
    again.add("sent", 2);
    one.add("sent", 1_000);
    sent.add(1_000);
    again.counter("sent").add();
    expect(of(recorder)).toEqual([TEN, { "smp 1 smp://a": { sent: 3 } }]);
  });

  test("may be unknown, and may be forgotten twice", () => {
    const { recorder } = counted();
    recorder.forgetUser("nobody");
    recorder.forgetUser(1);
    recorder.forgetUser(1);
    expect(of(recorder)).toEqual([TEN]);
  });
});

describe("a recorder that starts from the past", () => {
  const past = [
    { protocol: "smp", userId: "1", server: "smp://a", overall: { sent: 100, unknownHere: 100 } },
    { protocol: "smp", userId: "1", server: "smp://of-a-later-version", overall: { unknownHere: 100 } },
    { protocol: "unknown", userId: "1", server: "smp://a", overall: { sent: 100 } },
    { protocol: "smp", userId: "2", server: "smp://b", overall: { errors: 200 } },
  ];

  test("holds overall numbers, tells its session from them, and keeps what was counted meanwhile", () => {
    const recorder = new Recorder({ protocols: [smp] });
    const server = recorder.server(smp, 1, "smp://a");
    server.add("sent", 5);
    for (const key of past) recorder.addPast(key, key.overall);
    server.add("sent", 1);
    const { servers } = recorder.getServersStats();
    expect(servers.map(({ userId, session, total }) => [userId, session, total])).toEqual([
      ["1", { sent: 6 }, { sent: 106 }],
      ["2", {}, { errors: 200 }],
    ]);
  });

  test("leaves to the store what it does not know, keys of which it knows no counter too", () => {
    const recorder = new Recorder({ protocols: [smp] });
    for (const key of past) recorder.addPast(key, { unknownHere: 100 });
    expect(recorder.getServersStats().servers).toEqual([]);
  });

  test("has nothing to save because of it", () => {
    const recorder = new Recorder({ protocols: [smp] });
    let told = 0;
    recorder.listen(() => {
      told += 1;
    });
    for (const key of past) recorder.addPast(key, key.overall);
    expect([recorder.takeChanges(), told]).toEqual([[], 0]);
  });
});

test("a reset starts from zero what its scope covers, by every field of it; gauges show on", () => {
  const keys = [
    [smp, "1", "smp://a"],
    [smp, "1", "smp://b"],
    [smp, "2", "smp://a"],
    [ntf, "1", "smp://a"],
  ] as const;
  const left = (scope: Scope) => {
    const recorder = new Recorder();
    for (const [protocol, userId, server] of keys) recorder.server(protocol, userId, server).add("sent");
    recorder.server(smp, "1", "smp://a").set("connected", 3);
    recorder.reset(scope);
    const { servers } = recorder.getServersStats();
    expect(servers.map(({ live }) => live)).toEqual([{ connected: 3 }, {}, {}, {}]);
    return servers.flatMap(({ session }, i) => (session.sent === 1 ? [i] : []));
  };
  expect(left({})).toEqual([]);
  expect(left({ protocol: "smp" })).toEqual([3]);
  expect(left({ userId: "1" })).toEqual([2]);
  expect(left({ server: "smp://a" })).toEqual([1]);
  expect(left({ protocol: "smp", userId: "1", server: "smp://a" })).toEqual([1, 2, 3]);
  expect(left({ protocol: "xftp" })).toEqual([0, 1, 2, 3]);
});
