import { describe, expect, test } from "vitest";
import { MOST_SERVERS, replyOf, requestOf, snapshotOf } from "./wire.ts";

describe("a message as it should be", () => {
  test.each<[given: unknown, request: unknown]>([
    [
      { agentStats: "get", id: 1 },
      { agentStats: "get", id: 1, all: false },
    ],
    [
      { agentStats: "get", id: -1, all: true, more: 5 },
      { agentStats: "get", id: -1, all: true },
    ],
    [
      { agentStats: "get", id: 1, all: "yes" },
      { agentStats: "get", id: 1, all: false },
    ],
    [
      { agentStats: "forget", id: 1, userId: "1" },
      { agentStats: "forget", id: 1, userId: "1" },
    ],
    [
      { agentStats: "add", id: 1, userId: "1" },
      { agentStats: "add", id: 1, userId: "1" },
    ],
    [
      { agentStats: "reset", id: 1, scope: {} },
      { agentStats: "reset", id: 1, scope: {} },
    ],
    [
      { agentStats: "reset", id: 1, scope: { userId: "1", server: undefined } },
      { agentStats: "reset", id: 1, scope: { userId: "1" } },
    ],
  ])("%j is a request", (given, request) => {
    expect(requestOf(given)).toEqual(request);
  });

  test.each<[given: unknown]>([
    [null],
    ["get"],
    [{ agentStats: "get" }],
    [{ agentStats: "get", id: 1.5 }],
    [{ agentStats: "forget", id: 1 }],
    [{ agentStats: "add", id: 1, userId: "" }],
    [{ agentStats: "something", id: 1, userId: "1" }],
    [{ agentStats: "something", id: 1, scope: {} }],
    [{ agentStats: "reset", id: 1 }],
    [{ agentStats: "reset", id: 1, scope: [] }],
    [{ agentStats: "reset", id: 1, scope: { userId: 1 } }],
    [{ agentStats: "reset", id: 1, scope: { user: "1" } }],
  ])("%j is none", (given) => {
    expect(requestOf(given)).toBeNull();
  });

  test("is a reply only with a number and what was counted, or when it tells of a change", () => {
    const stats = { session: "s", servers: [], rejected: {} };
    expect(replyOf({ agentStats: "stats", id: 1, ...stats })).toEqual({ agentStats: "stats", id: 1, ...stats });
    expect(replyOf({ agentStats: "changed", urgent: true })).toEqual({ agentStats: "changed", urgent: true });
    expect(replyOf({ agentStats: "changed", urgent: 1 })).toEqual({ agentStats: "changed", urgent: false });
    for (const none of [null, "changed", { agentStats: "stats", ...stats }, { agentStats: "stats", id: 1 }]) {
      expect(replyOf(none)).toBeNull();
    }
    expect(replyOf({ agentStats: "something", id: 1, ...stats })).toBeNull();
  });

  test("holds as many servers as any agent may have, and no more; the longest name, and none longer", () => {
    const many = (length: number) => snapshotOf({ servers: Array.from({ length }) });
    expect([many(MOST_SERVERS)?.servers, many(MOST_SERVERS + 1), snapshotOf({}), snapshotOf(null)]).toEqual([
      [],
      null,
      null,
      null,
    ]);
    const [fits, tooLong] = ["x".repeat(4_096), "x".repeat(4_097)];
    const key = { protocol: "smp", userId: "1", server: "smp://a" };
    const servers = Object.keys(key).flatMap((field) => [fits, tooLong].map((name) => ({ ...key, [field]: name })));
    expect(snapshotOf({ session: tooLong, servers })?.servers).toHaveLength(3);
    expect([snapshotOf({ session: tooLong, servers: [] }), snapshotOf({ session: fits, servers: [] })]).toMatchObject([
      { session: null },
      { session: fits },
    ]);
  });

  test("holds users by text or number, and none who is neither", () => {
    const users = [1, "1", {}, null, undefined, true, ["1"]];
    const servers = users.map((userId) => ({ protocol: "smp", userId, server: "smp://a", session: {}, live: {} }));
    expect(snapshotOf({ servers })?.servers.map(({ userId }) => userId)).toEqual(["1", "1"]);
  });

  test("holds counts from zero, and gauges of any finite size; totals where there are some", () => {
    const numbers = { zero: 0, one: 1, negative: -1, half: 0.5, none: Number.NaN, text: "1" };
    const entry = { protocol: "smp", userId: 1, server: "smp://a", session: numbers, live: numbers };
    const counts = { zero: 0, one: 1 };
    const told = {
      protocol: "smp",
      userId: "1",
      server: "smp://a",
      session: counts,
      live: { ...counts, negative: -1, half: 0.5 },
    };
    expect(snapshotOf({ servers: [entry], rejected: numbers })).toEqual({
      session: null,
      servers: [{ ...told, total: counts }],
      rejected: counts,
    });
    const withTotal = { ...entry, total: { one: 5 } };
    expect(snapshotOf({ servers: [withTotal, { ...withTotal, total: 5 }, 7] })?.servers).toEqual([
      { ...told, total: { one: 5 } },
      { ...told, total: counts },
    ]);
  });
});
