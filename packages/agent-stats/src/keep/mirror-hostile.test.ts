/** Whatever an agent elsewhere answers: the host lives, and nothing is written that was not counted. */
import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smp } from "../record/channels.testing.ts";
import { connectRecorder } from "../record/connect.ts";
import { Recorder } from "../record/recorder.ts";
import { MOST_SERVERS } from "../record/wire.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { overall } from "./mirror.testing.ts";
import { keepStats } from "./open.ts";

const number = fc.oneof(
  { weight: 3, arbitrary: fc.nat(100) },
  fc.constantFrom(-1, 0.5, 2 ** 53 - 1, 2 ** 53, 1e300, Number.NaN, Number.NEGATIVE_INFINITY, "5", null, {}, [], true),
  fc.double(),
);
const counter = fc.constantFrom("sent", "received", "errors", "connected", "__proto__", "constructor", "", "invented");
const numbers = fc.oneof({ weight: 5, arbitrary: fc.dictionary(counter, number) }, fc.anything());
/** Never the user whose counts are watched. */
const user = fc.oneof(fc.constantFrom("2", 3, "__proto__", "constructor", "", null, -1, Number.NaN), fc.anything());
const entry = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      protocol: fc.constantFrom("smp", "xftp", "__proto__", "", null),
      userId: user.filter((id) => String(typeof id === "object" ? "" : String(id)) !== "1"),
      server: fc.constantFrom("smp://a", "smp://b", "constructor", "", 5),
      session: numbers,
      total: numbers,
      live: numbers,
    }),
  },
  fc.anything(),
);
const answer = fc.record({
  session: fc.constantFrom("one", "two", null, undefined, "", 5, {}),
  servers: fc.oneof({ weight: 8, arbitrary: fc.array(entry, { maxLength: 6 }) }, fc.anything()),
  rejected: numbers,
});

describe("an agent that answers nonsense", () => {
  test("breaks nothing: counters are whole and only grow, and those of others are exact", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), async (answers) => {
        const good = new Recorder({ protocols: [smp] });
        let nonsense: { session?: unknown; servers?: unknown } = {};
        const getServersStats = () => {
          const { servers } = good.getServersStats();
          return {
            ...nonsense,
            servers: Array.isArray(nonsense.servers) ? [...servers, ...nonsense.servers] : servers,
          };
        };
        const database = new MemoryDatabase();
        const options = {
          protocols: [smp],
          flushEvery: 3_600_000,
          onProblem: (problem: unknown) => expect(problem).toBeNull(),
        };
        const stats = await keepStats({ ...options, agent: { getServersStats }, store: memoryStore(database) });
        // With one session for all of its answers, what it counted is told from what it makes up.
        let before: Record<string, Readonly<Record<string, number>>> = {};
        for (const [i, each] of answers.entries()) {
          nonsense = { ...each, session: "one" };
          good.server(smp, 1, "smp://a").add("sent", i + 1);
          await (i % 2 === 0 ? stats.flush() : stats.getServersStats());
          const { servers } = await stats.getServersStats();
          const now = overall({ servers });
          expect(now["1 smp://a"]).toEqual({ sent: ((i + 1) * (i + 2)) / 2 });
          for (const { protocol, overall: sums, live } of servers) {
            expect(protocol).toBe("smp");
            for (const [name, value] of Object.entries(sums)) {
              expect(smp.counterIndex.has(name) && Number.isSafeInteger(value) && value > 0).toBe(true);
            }
            for (const value of Object.values(live)) expect(Number.isFinite(value)).toBe(true);
          }
          for (const [key, sums] of Object.entries(before)) {
            for (const [name, value] of Object.entries(sums)) expect(now[key]?.[name]).toBeGreaterThanOrEqual(value);
          }
          before = now;
        }
        expect([stats.agentIsAway, stats.problem]).toEqual([false, null]);
        await stats.close();
        expect(Object.keys({})).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("may be another agent at every answer: each session is kept for itself, and the store holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), async (answers) => {
        let i = 0;
        const agent = { getServersStats: () => answers[i] };
        const onProblem = (problem: unknown) => expect(problem).toBeNull();
        const stats = await keepStats({
          agent,
          protocols: [smp],
          store: memoryStore(),
          flushEvery: 3_600_000,
          onProblem,
        });
        for (i = 0; i < answers.length; i++) await stats.flush();
        for (const { how } of await stats.getSessions()) expect(["agent", "running"]).toContain(how);
        await stats.close();
      }),
      { numRuns: 300 },
    );
  });

  test("invents ever new servers: they are as many as one answer may hold, and no more", async () => {
    let from = 0;
    const key = { protocol: "smp", userId: "1", session: { sent: 1 } };
    const getServersStats = () => {
      const servers = Array.from({ length: MOST_SERVERS * 0.4 }, (_, i) => ({ ...key, server: `smp://${from + i}` }));
      from += servers.length;
      return { session: "one", servers };
    };
    const stats = await keepStats({
      agent: { getServersStats },
      protocols: [smp],
      store: memoryStore(),
      flushEvery: 3_600_000,
    });
    for (let i = 0; i < 4; i++) await stats.flush();
    const { servers, rejected } = stats.recorder.getServersStats();
    expect([servers.length, rejected.badKey]).toEqual([MOST_SERVERS, MOST_SERVERS * 0.6]);
    await stats.close();
  });

  test("counts more than a number holds: the counter stops there, and others go on", async () => {
    let sent = Number.MAX_SAFE_INTEGER;
    const key = { protocol: "smp", userId: "1" };
    const getServersStats = () => ({
      servers: [
        { ...key, server: "a", session: { sent } },
        { ...key, server: "b", session: { sent: 5 } },
      ],
    });
    const stats = await keepStats({
      agent: { getServersStats },
      protocols: [smp],
      store: memoryStore(),
      flushEvery: 3_600_000,
    });
    await stats.flush();
    sent = 7;
    expect(overall(await stats.getServersStats())).toEqual({
      "1 a": { sent: Number.MAX_SAFE_INTEGER },
      "1 b": { sent: 5 },
    });
    await stats.close();
  });
});

test("a stranger on the host's channel changes nothing", async () => {
  const { port1, port2 } = new MessageChannel();
  const agent = connectRecorder(port2);
  const stats = await keepStats({ agent, protocols: [smp], store: memoryStore(), flushEvery: 50 });
  const forged = { protocol: "smp", userId: "1", server: "smp://forged", session: { sent: 5 } };
  for (const id of [-1, 0, 2, 1e9, "1", null])
    port1.postMessage({ agentStats: "stats", id, session: "x", servers: [forged] });
  port1.on("message", ({ id }: { id: number }) =>
    port1.postMessage({ agentStats: "stats", id: id + 1, servers: [forged] }),
  );
  const before = stats.recorder.getServersStats().servers;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([before, stats.recorder.getServersStats().servers]).toEqual([[], []]);
  port1.close();
  await stats.close();
});
