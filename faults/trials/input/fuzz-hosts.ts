/** Hostile calls to what a host opens, and hostile definitions and options: an error that says so, or nothing happens. */
import { defineProtocol, memoryStore, openAgentStats, Recorder } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import fc from "fast-check";
import { anything, checked, checkedNow, expect, type Fuzz, isTyped } from "./fuzz.ts";

const protocol = defineProtocol("smp", { sent: "messages sent" });
const KEYS = ["1", "2"].flatMap((userId) => ["a", "b"].map((server) => ({ protocol: "smp", userId, server })));

const word = fc.oneof(fc.constantFrom<unknown>("1", 1, "2", "a", "smp", "nobody"), anything);
const scope = fc.oneof(
  { weight: 3, arbitrary: fc.record({ protocol: word, userId: word, server: word }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom("user", "userID", "Server", "userId"), word) },
  { weight: 1, arbitrary: anything },
);
const date = fc.oneof(fc.date({ noInvalidDate: false }), anything);
const call = fc.oneof(
  fc.record({ what: fc.constant("reset"), given: scope }),
  fc.record({ what: fc.constant("deleteUser"), given: word }),
  fc.record({ what: fc.constant("anonymise"), given: word }),
  fc.record({ what: fc.constant("addUser"), given: word }),
  fc.record({
    what: fc.constant("getTimeline"),
    given: fc.oneof(fc.record({ from: date, to: date, by: word, userId: word }, { requiredKeys: [] }), anything),
  }),
);

/** Which keys are left after that call, if it succeeds: said in other words than the library's. */
export function survives(what: string, given: unknown, key: Record<string, string>): boolean {
  if (what === "deleteUser" || what === "anonymise") return String(given) !== key.userId;
  if (what !== "reset" || given === undefined) return what !== "reset";
  return Object.entries(given as object).some(([field, value]) => value !== undefined && String(value) !== key[field]);
}

export const fuzzHosts: Fuzz = async (order) =>
  checked(order, call, async ({ what, given }) => {
    const stats = await openAgentStats({ protocols: [protocol], store: memoryStore(), onProblem: () => {} });
    for (const { userId, server } of KEYS) stats.server(protocol, userId, server).add("sent", 7);
    let failed = false;
    try {
      if (what === "reset") await stats.reset(given as never);
      else if (what === "deleteUser") await stats.deleteUser(given as never);
      else if (what === "anonymise") await stats.deleteUser(given as never, { totals: "anonymise" });
      else if (what === "addUser") stats.addUser(given as never);
      else
        for (const entry of await stats.getTimeline(given as never))
          expect(Object.values(entry.counters).every(Number.isSafeInteger), "no number");
    } catch (error) {
      failed = true;
      expect(isTyped(error) || (error as Error).message === "asked", `${what} threw ${error}`);
    }
    const left = KEYS.filter((key) => failed || survives(what, given, key));
    const { servers } = await stats.getServersStats();
    const total = servers
      .filter(({ userId }) => userId !== "")
      .reduce((all, { overall }) => all + (overall.sent ?? 0), 0);
    expect(
      total === left.length * 7,
      `${what} ${failed ? "failed" : "succeeded"}, and ${total} is left of ${left.length * 7}`,
    );
    await stats.close();
  });

const options = fc.oneof(
  fc.record(
    {
      file: anything,
      key: fc.oneof(fc.constant<unknown>("5a".repeat(32)), anything),
      driver: anything,
      thread: fc.oneof(fc.constantFrom<unknown>("worker", "same"), anything),
    },
    { requiredKeys: [] },
  ),
  anything,
);
const definition = fc.oneof(
  fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom("sent", "__proto__")),
    fc.oneof(fc.record({ help: anything, attemptsOf: anything, gauge: anything }), anything),
  ),
  anything,
);

/** What is written once, by a programmer: it is refused at once, by an error that tells so. */
export const fuzzDefinitions: Fuzz = async (order) =>
  checkedNow(order, fc.record({ what: fc.nat(4), name: anything, definition, options }), (given) => {
    const makes = [
      () => defineProtocol(given.name as never, given.definition as never),
      () => sqlcipherStore(given.options as never),
      () => sqlcipherReader(given.options as never),
      () => sqliteStore(given.options as never, given.options as never),
      () => new Recorder(given.options as never),
    ];
    try {
      (makes[given.what] as () => unknown)();
    } catch (error) {
      expect(isTyped(error) || (error as Error).message === "asked", `it threw ${error}`);
    }
  });
