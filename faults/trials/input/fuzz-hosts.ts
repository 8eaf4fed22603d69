/** Hostile calls to what a host opens: an error that says so, and nothing happens. */
import { defineProtocol, memoryStore, openAgentStats } from "agent-stats";
import fc from "fast-check";
import { MARK } from "../../oracle/canary.ts";
import { anything, checked, expect, type Fuzz } from "./fuzz.ts";
import { expectTyped } from "./typed.ts";

const protocol = defineProtocol("smp", { sent: "messages sent" });
const KEYS = ["1", "2"].flatMap((userId) => ["a", MARK].map((server) => ({ protocol: "smp", userId, server })));

const word = fc.oneof(fc.constantFrom<unknown>("1", 1, "2", "a", MARK, "smp", "nobody"), anything);
const scope = fc.oneof(
  { weight: 3, arbitrary: fc.record({ protocol: word, userId: word, server: word }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom("user", "userID", "Server", "userId"), word) },
  { weight: 1, arbitrary: anything },
);
const date = fc.oneof(fc.date({ noInvalidDate: false }), anything);
const call = fc.oneof(
  fc.record({ what: fc.constant("reset"), given: scope }),
  fc.record({
    what: fc.constant("deleteUser"),
    given: word,
    how: fc.oneof(
      fc.record({ totals: fc.oneof(fc.constantFrom<unknown>("forget", "anonymise"), anything) }, { requiredKeys: [] }),
      anything,
    ),
  }),
  fc.record({ what: fc.constant("addUser"), given: word }),
  fc.record({
    what: fc.constant("getTimeline"),
    given: fc.oneof(fc.record({ from: date, to: date, by: word, userId: word }, { requiredKeys: [] }), anything),
  }),
);

/** Which keys are left after that call, if it succeeds: said in other words than the library's. */
export function survives(what: string, given: unknown, key: Record<string, string>): boolean {
  const isUser = typeof given === "string" || typeof given === "number";
  if (what === "deleteUser") return !isUser || String(given) !== key.userId;
  if (what !== "reset" || given === undefined) return what !== "reset";
  if (Array.isArray(given)) return true;
  return Object.entries(given as object).some(([field, value]) => value !== undefined && String(value) !== key[field]);
}

export const fuzzHosts: Fuzz = async (order) =>
  checked(order, call, async ({ what, given, ...more }) => {
    const stats = await openAgentStats({ protocols: [protocol], store: memoryStore(), onProblem: () => {} });
    for (const { userId, server } of KEYS) stats.server(protocol, userId, server).add("sent", 7);
    let failed = false;
    try {
      if (what === "reset") await stats.reset(given as never);
      else if (what === "deleteUser") await stats.deleteUser(given as never, (more as { how?: never }).how);
      else if (what === "addUser") stats.addUser(given as never);
      else
        for (const entry of await stats.getTimeline(given as never))
          expect(Object.values(entry.counters).every(Number.isSafeInteger), "no number");
    } catch (error) {
      failed = true;
      expectTyped(error, what);
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
