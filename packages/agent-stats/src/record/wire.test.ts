import { EventEmitter, once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { smp } from "./channels.testing.ts";
import { connectRecorder } from "./connect.ts";
import { Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve.ts";
import { MOST_SERVERS, replyOf, requestOf, snapshotOf } from "./wire.ts";

/** Whatever a broken or hostile peer may send: nonsense, and messages that are nearly right. */
const anything = fc.anything({
  maxDepth: 3,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});
const number = fc.oneof(
  fc.double(),
  fc.constantFrom(-1, 0, -0, 1, 2 ** 53 - 1, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
  anything,
);
const name = fc.oneof(
  fc.constantFrom("smp", "1", "smp://a", "sent", "__proto__", "constructor", "toString", "", "x".repeat(4_097)),
  fc.string(),
  anything,
);
const numbers = fc.oneof(
  fc.dictionary(fc.constantFrom("sent", "__proto__", "constructor", "connected", ""), number),
  anything,
);
const server = fc.oneof(
  fc.record(
    { protocol: name, userId: fc.oneof(name, number), server: name, session: numbers, total: numbers, live: numbers },
    { requiredKeys: [] },
  ),
  anything,
);
const scope = fc.oneof(fc.record({ protocol: name, userId: name, server: name }, { requiredKeys: [] }), anything);
const message = fc.oneof(
  anything,
  fc.record(
    {
      agentStats: fc.oneof(fc.constantFrom("get", "forget", "add", "reset", "changed", "stats"), anything),
      id: fc.oneof(fc.constantFrom(1, 2, 3), number),
      all: anything,
      urgent: anything,
      userId: fc.oneof(name, number),
      scope,
      session: name,
      servers: fc.oneof(fc.array(server, { maxLength: 4 }), anything),
      rejected: numbers,
    },
    { requiredKeys: [] },
  ),
);

const isName = (given: unknown) => typeof given === "string" && given !== "" && given.length <= 4_096;
const isCount = (given: unknown) => Number.isSafeInteger(given) && (given as number) >= 0;

/** Asserts that nothing but what a recorder itself could tell has come through. */
function assertSnapshot(snapshot: ReturnType<typeof snapshotOf>): void {
  if (snapshot === null) return;
  expect(snapshot.session === null || isName(snapshot.session)).toBe(true);
  for (const { protocol, userId, server: host, session, total, live } of snapshot.servers) {
    expect([protocol, userId, host].every(isName)).toBe(true);
    for (const counters of [session, total]) {
      expect(Object.entries(counters).every(([counter, value]) => isName(counter) && isCount(value))).toBe(true);
    }
    expect(Object.entries(live).every(([gauge, value]) => isName(gauge) && Number.isFinite(value))).toBe(true);
    for (const each of [session, total, live]) expect(Object.getPrototypeOf(each)).toBe(Object.prototype);
  }
}

/** Whether a message can travel between threads at all. */
function travels(given: unknown): boolean {
  try {
    structuredClone(given);
    return true;
  } catch {
    return false;
  }
}

describe("whatever a peer sends", () => {
  test("is a message as it should be, or none", () => {
    fc.assert(
      fc.property(message, (given) => {
        const reply = replyOf(given);
        if (reply?.agentStats === "stats") assertSnapshot(reply);
        assertSnapshot(snapshotOf(given));
        const request = requestOf(given);
        if (request?.agentStats === "reset") expect(Object.values(request.scope).every(isName)).toBe(true);
        else if (request && request.agentStats !== "get") expect(isName(request.userId)).toBe(true);
        expect(Object.keys({})).toEqual([]);
        expect(({} as { sent?: unknown }).sent).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
  });

  test("changes nothing of an agent but by requests as they should be, and it answers on", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message.filter(travels), { maxLength: 20 }), async (messages) => {
        const { port1, port2 } = new MessageChannel();
        const [recorder, model] = [new Recorder({ protocols: [smp] }), new Recorder({ protocols: [smp] })];
        for (const each of [recorder, model]) {
          for (const user of ["1", "constructor"]) each.server(smp, user, "smp://a").add("sent", 5);
        }
        serveRecorder(recorder, port1);
        for (const given of messages) {
          port2.postMessage(given);
          const request = requestOf(structuredClone(given));
          if (request?.agentStats === "forget") model.forgetUser(request.userId);
          if (request?.agentStats === "reset") model.reset(request.scope);
        }
        const answer = new Promise<unknown>((resolve) => {
          port2.on("message", (answered: { id?: unknown }) => answered.id === 999 && resolve(answered));
        });
        port2.postMessage({ agentStats: "get", id: 999, all: true });
        expect(await answer).toMatchObject({ servers: model.getServersStats().servers });
        port1.close();
      }),
      { numRuns: 300 },
    );
  });

  test("harms no host: what it asked for is answered all the same, and nothing else is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message.filter(travels), { maxLength: 20 }), async (messages) => {
        const { port1, port2 } = new MessageChannel();
        const remote = connectRecorder(port2);
        const asked = remote.getServersStats();
        const wrong = messages.filter((given) => replyOf(structuredClone(given))?.agentStats !== "stats");
        for (const given of wrong) port1.postMessage(given);
        port1.postMessage({ agentStats: "stats", id: 1, session: "s", servers: [], rejected: {} });
        expect(await asked).toMatchObject({ session: "s", servers: [] });
        port1.close();
      }),
      { numRuns: 300 },
    );
  });

  test("may be nested deep, as an object or as text", async () => {
    let deep: unknown = { agentStats: "stats", id: 1, servers: [] };
    for (let i = 0; i < 100_000; i++) deep = { servers: [deep], scope: deep };
    expect([replyOf(deep), requestOf(deep), snapshotOf(deep)?.servers]).toEqual([null, null, []]);
    const socket = new FakeSocket();
    const remote = connectRecorder(socket);
    const answer = remote.getServersStats();
    socket.hear(`${"[".repeat(1_000_000)}`);
    socket.hear(`${'{"servers":['.repeat(100_000)}${"]}".repeat(100_000)}`);
    socket.hear(Buffer.from([0xff, 0xfe]));
    socket.hear(Object.create(null));
    socket.hear('{"agentStats":"stats","id":1,"servers":[{"__proto__":{"protocol":"smp","userId":"1","server":"x"}}]}');
    expect((await answer).servers).toEqual([]);
  });

  test("may name what every object has: it is a name like others, and no object is changed by it", () => {
    const text = `{"servers": [{"protocol": "__proto__", "userId": "constructor", "server": "toString",
      "session": {"__proto__": 5, "constructor": 6, "valueOf": 7}, "live": {"__proto__": {"sent": 1}}}]}`;
    const [found] = snapshotOf(JSON.parse(text))?.servers ?? [];
    expect([found?.protocol, found?.userId, found?.server]).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.entries(found?.session ?? {})).toEqual([
      ["__proto__", 5],
      ["constructor", 6],
      ["valueOf", 7],
    ]);
    expect(({} as { sent?: unknown }).sent).toBeUndefined();
  });

  test("may mean a scope that is not known here: then nothing is reset, rather than everything", () => {
    const reset = (scope: unknown) => requestOf({ agentStats: "reset", id: 1, scope });
    expect(reset({})).not.toBeNull();
    expect(reset({ userId: "1", server: undefined })).toMatchObject({ scope: { userId: "1" } });
    for (const scope of [[], null, undefined, { userid: "1" }, { userId: "1", counter: "sent" }, { userId: 1 }]) {
      expect(reset(scope)).toBeNull();
    }
  });

  test("has a limit: so many servers and no more, and names so long and no longer", () => {
    const servers = Array.from({ length: MOST_SERVERS }, (_, i) => ({ protocol: "smp", userId: i, server: "a" }));
    expect(snapshotOf({ servers })?.servers).toHaveLength(MOST_SERVERS);
    expect(snapshotOf({ servers: [...servers, servers[0]] })).toBeNull();
    // A list that says to be long and is not.
    expect(snapshotOf({ servers: new Array(2 ** 32 - 1) })).toBeNull();
    const named = (length: number) => ({ servers: [{ protocol: "smp", userId: "1", server: "x".repeat(length) }] });
    expect([4_096, 4_097].map((length) => snapshotOf(named(length))?.servers.length)).toEqual([1, 0]);
  });

  test("may be one entry that is none among others that are", () => {
    const good = { protocol: "smp", userId: 1, server: "smp://a", session: { sent: 5, received: -1, errors: 0.5 } };
    const servers = [null, 5, [], {}, { ...good, server: 5 }, { ...good, userId: {} }, good, { ...good, protocol: "" }];
    expect(snapshotOf({ servers })?.servers).toEqual([
      { protocol: "smp", userId: "1", server: "smp://a", session: { sent: 5 }, total: { sent: 5 }, live: {} },
    ]);
  });
});

/** A socket without a network. */
class FakeSocket extends EventTarget {
  readonly readyState = 1;
  send(): void {}
  hear(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

test("a port that wraps its messages in events, as Electron's do, is served all the same", async () => {
  const { port1, port2 } = new MessageChannel();
  // Electron: `process.parentPort` and `MessagePortMain`; nothing is heard there before `start`.
  const wrapped = Object.assign(new EventEmitter(), {
    postMessage: (message: unknown) => port1.postMessage(message),
    start: vi.fn(() => void port1.on("message", (data) => wrapped.emit("message", { data, ports: [] }))),
  });
  const recorder = new Recorder({ protocols: [smp] });
  recorder.server(smp, 1, "smp://a").add("sent", 5);
  serveRecorder(recorder, wrapped);
  const { servers } = await connectRecorder(port2).getServersStats();
  expect(servers).toMatchObject([{ session: { sent: 5 } }]);
  expect(wrapped.start).toHaveBeenCalledTimes(1);
  port1.close();
  await once(port2, "close");
});
