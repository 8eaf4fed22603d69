import { describe, expect, test } from "vitest";
import { expectRefused, SECRET } from "../record/given.testing.ts";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { type AgentStats, keepStats, openAgentStats } from "./open.ts";
import { readAgentStats } from "./read.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const noObject = [null, 5, SECRET, Symbol(SECRET), 5n, () => SECRET] as never[];
const noFunction = [null, 5, SECRET, {}] as never[];
const noUser = [undefined, null, {}, [], Symbol(SECRET), 5n, Object.create(null)] as never[];
const noDate = [null, "x", 5, {}, new Date(Number.NaN)] as never[];
const store = () => memoryStore();
const agent = { getServersStats: () => null };

/** Each is refused, and says so in one sentence that does not repeat what was given. */
async function refused(wrong: readonly never[], call: (given: never) => unknown, says: string | RegExp): Promise<void> {
  for (const given of wrong) await expectRefused(() => call(given), says, Error);
}

describe("what is none is refused, in a sentence that does not repeat it:", () => {
  test("what statistics are opened with", async () => {
    await refused([undefined as never, ...noObject], (given) => openAgentStats(given), "options must be an object");
    await refused([{}, ...noObject] as never[], (given) => openAgentStats({ store: given }), "store says where");
    await refused(
      noObject,
      (given) => openAgentStats({ store: store(), startFrom: given }),
      "startFrom is zero or past",
    );
    await refused(noObject.slice(1), (protocols) => openAgentStats({ store: store(), protocols }), "defineProtocol");
    for (const name of ["onProblem", "onErased", "users"]) {
      await refused(
        noFunction,
        (given) => openAgentStats({ store: store(), [name]: given }),
        `${name} must be a function`,
      );
    }
    const noNumber = [...noObject.slice(1), -1, Number.NaN, { valueOf: () => 5_000 }] as never[];
    await refused(noNumber, (flushEvery) => openAgentStats({ store: store(), flushEvery }), "flushEvery is a number");
    await refused(
      noNumber.slice(1),
      (keepHistory) => openAgentStats({ store: store(), keepHistory }),
      "keepHistory is",
    );
  });

  test("the agent that is kept", async () => {
    await refused([undefined as never, ...noObject], (given) => keepStats(given), "options must be an object");
    await refused(
      [{}, ...noObject] as never[],
      (given) => keepStats({ store: store(), agent: given }),
      "agent must be",
    );
    for (const name of ["getServersStatsNow", "forgetUser", "addUser", "reset", "listen"]) {
      const given = (method: never) => keepStats({ store: store(), agent: { ...agent, [name]: method } });
      await refused(noFunction, given, `${name} must be a function`);
    }
  });

  test("what is only looked at", async () => {
    await refused([undefined as never, ...noObject], (given) => readAgentStats(given), "options must be an object");
    await refused([{}, ...noObject] as never[], (given) => readAgentStats({ store: given }), "store says what is read");
  });

  test("who is deleted, and how: nobody is forgotten then", async () => {
    const stats = await opened();
    await refused(noUser, (given) => stats.deleteUser(given), "a user's id must be text or a number");
    await refused(noUser, (given) => stats.addUser(given), "a user's id must be text or a number");
    await refused(noObject, (given) => stats.deleteUser(1, given), "options must be an object");
    await refused([null, "all", 5] as never[], (totals) => stats.deleteUser(1, { totals }), "forget or anonymise");
    expect((await stats.getServersStats()).servers).toMatchObject([{ userId: "1", overall: { sent: 5 } }]);
    await stats.close();
  });

  test("a timeline's range, of those who keep and of those who look", async () => {
    const stats = await opened();
    for (const view of [stats, readAgentStats({ store: store() })]) {
      const says = "a timeline goes from a date to a date";
      await refused(noObject, (given) => view.getTimeline(given), says);
      for (const name of ["from", "to"]) await refused(noDate, (given) => view.getTimeline({ [name]: given }), says);
      await refused([null, "week", 5] as never[], (by) => view.getTimeline({ by }), says);
      for (const name of ["protocol", "userId", "server"]) {
        await refused([null, {}, Symbol(SECRET)] as never[], (given) => view.getTimeline({ [name]: given }), says);
      }
      for (const by of ["hour", "day"] as const) expect(await view.getTimeline({ by })).toBeInstanceOf(Array);
      expect(await view.getTimeline({ from: undefined, to: undefined, by: undefined } as object)).toBeInstanceOf(Array);
    }
    await stats.close();
  });
});

async function opened(): Promise<AgentStats> {
  const stats = await openAgentStats({ protocols: [smp], store: store() });
  stats.server(smp, 1, "smp://a").add("sent", 5);
  return stats;
}
