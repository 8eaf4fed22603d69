import { describe, expect, test } from "vitest";
import { connectRecorder } from "./connect.ts";
import { expectThrown, SECRET } from "./given.testing.ts";
import { can, isDate } from "./given.ts";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { type GivenScope, resetScopeOf } from "./scope.ts";
import { serveRecorder } from "./serve.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const none = [undefined, null, 5, true, SECRET, 5n, Symbol(SECRET), () => SECRET] as never[];
const noObject = none.slice(1);
const silent = { postMessage: () => {}, on: () => {} };

/** What no string can be made of. */
const bare = Object.create(null) as never;

describe("what is none is refused, in a sentence that does not repeat it:", () => {
  const doors: Readonly<
    Record<string, readonly [wrong: readonly never[], call: (given: never) => unknown, says: RegExp]>
  > = {
    "a definition": [none, (given) => defineProtocol("x", given), /definition must be an object/],
    "a protocol's name": [none.filter((each) => each !== SECRET), (given) => defineProtocol(given, {}), /identifier/],
    "a help text": [
      [...noObject.filter((each) => each !== SECRET), "" as never, [] as never],
      (given) => defineProtocol("x", { sent: given }),
      /counter 1 has no help text/,
    ],
    "a help text within a definition": [
      none.filter((each) => each !== SECRET),
      (given) => defineProtocol("x", { sent: { help: given } }),
      /counter 1 has no help text/,
    ],
    "a recorder's options": [noObject, (given) => new Recorder(given), /options must be an object/],
    "a recorder's protocols": [noObject.slice(1), (given) => new Recorder({ protocols: given }), /defineProtocol/],
    "one of them": [none, (given) => new Recorder({ protocols: [smp, given] }), /defineProtocol/],
    "what to start from": [noObject.slice(1), (given) => new Recorder({ startFrom: given }), /overall numbers/],
    "one key of it": [none, (given) => new Recorder({ startFrom: [given] }), /overall numbers/],
    "the numbers of one": [
      none,
      (given) =>
        new Recorder({ protocols: [smp], startFrom: [{ protocol: "smp", userId: "1", server: "a", overall: given }] }),
      /overall numbers/,
    ],
    "a number of one": [
      [...none.filter((each) => each !== 5), -1, 0.5, Number.NaN] as never[],
      (sent) =>
        new Recorder({ startFrom: [{ ...{ protocol: "smp", userId: "1", server: "a" }, overall: { ok: 1, sent } }] }),
      /overall numbers/,
    ],
    "a user who is forgotten": [
      [...none.filter((each) => each !== SECRET && each !== 5), bare],
      (given) => new Recorder().forgetUser(given),
      /text or a number/,
    ],
    "a user who is added": [
      [...none.filter((each) => each !== SECRET && each !== 5), bare],
      (given) => new Recorder().addUser(given),
      /text or a number/,
    ],
    "a scope": [
      [
        ...noObject,
        ...([[], { user: SECRET }, { protocol: 5 }, { server: 5 }, { userId: {} }, { userId: null }] as never[]),
        ...([
          { protocol: 5, server: SECRET },
          { protocol: 5, userId: 1 },
          { server: 5, userId: 1 },
        ] as never[]),
      ],
      (given) => new Recorder().reset(given),
      /nothing was reset/,
    ],
    "a recorder that is served": [[...none, {} as never], (given) => serveRecorder(given, silent), /Recorder/],
    "a channel that is served": [none, (given) => serveRecorder(new Recorder(), given), /channel must be/],
    "a channel to an agent": [none, (given) => connectRecorder(given), /channel must be/],
    "a channel's method": [noObject.slice(1, 5), (given) => connectRecorder({ on: given }), /on must be a function/],
    "who listens to an agent": [
      noObject.slice(1, 5),
      (given) => connectRecorder(silent).listen?.(given),
      /onChange must be a function/,
    ],
  };

  test.each(Object.keys(doors))("%s", (name) => {
    const [wrong, call, says] = doors[name] as (typeof doors)[string];
    for (const given of wrong) expectThrown(() => call(given), says);
  });
});

test("what an agent elsewhere is told is looked at before it is sent", async () => {
  const agent = connectRecorder(silent);
  for (const call of [agent.forgetUser, agent.addUser]) await expect(call(bare)).rejects.toThrow("text or a number");
  await expect(agent.reset([] as never)).rejects.toThrow("nothing was reset");
});

test.each(["on", "addEventListener", "start", "listenerCount", "ref", "unref"])(
  "a channel whose %s is no function is refused before it is used",
  (name) => {
    const channel = { ...silent, [name]: SECRET } as never;
    expectThrown(() => connectRecorder(channel), new RegExp(`^${name} must be a function$`));
  },
);

test("an object can do something when it can do all of it; a moment is a date that is one", () => {
  const given = { open() {}, close: "shut" };
  expect([can(given, "open"), can(given, "open", "close"), can(null, "open"), can(given)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect([new Date(), new Date(0), new Date("never"), { getTime: () => 5 }, 5, null].map(isDate)).toEqual([
    ...[true, true],
    ...[false, false, false, false],
  ]);
});

test("a recorder takes the same protocol twice, and no other of its name", () => {
  const other = defineProtocol("smp", { sent: "messages sent" });
  expect(new Recorder({ protocols: [smp, smp] }).getServersStats().servers).toEqual([]);
  expect(() => new Recorder({ protocols: [smp, other] })).toThrow("protocol 2 has the name of one before it");
});

test("a scope is what was given of it, and nothing for what was not", () => {
  const scopes: readonly (readonly [GivenScope, object])[] = [
    [{}, {}],
    [{ userId: 1 }, { userId: "1" }],
    [
      { protocol: "smp", server: "a" },
      { protocol: "smp", server: "a" },
    ],
    [{ protocol: undefined, more: undefined } as never, {}],
  ];
  for (const [given, scope] of scopes) expect(resetScopeOf(given)).toStrictEqual(scope);
});

test("a recorder resets nothing for a scope with a field that it does not know", () => {
  const recorder = new Recorder();
  recorder.server(smp, 1, "a").add("sent");
  recorder.server(smp, 2, "a").add("sent");
  expect(() => recorder.reset({ user: "1" } as never)).toThrow(TypeError);
  expect(recorder.getServersStats().servers.map(({ session }) => session)).toEqual([{ sent: 1 }, { sent: 1 }]);
  recorder.reset({ userId: 1 });
  expect(recorder.getServersStats().servers.map(({ session }) => session)).toEqual([{}, { sent: 1 }]);
});
