import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { StatsStore } from "../../store.ts";
import { describeDrivers, KEY, temporaryFolder } from "../files.testing.ts";
import { sqlcipherStore, verifyFile } from "../store.ts";
import { randomBy } from "./damage.testing.ts";

const SEEDS = 8;
const CALLS = 70;
const HOUR_MS = 3_600_000;
const FIRST_HOUR = 400_000;

/** One who keeps: a store with a session of its own, which may end and begin again. */
interface Keeper {
  readonly store: StatsStore;
  session: number;
  seen: number;
  saves: number;
}

describeDrivers("what numbers say of each other", (driver) => {
  // Many files each: a busy machine is no reason to fail.
  vi.setConfig({ testTimeout: 120_000 });

  test("contradicts nothing after any order of calls by any number of writers", async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const file = join(temporaryFolder(), "stats.db");
      const random = randomBy(100 + seed);
      const keepers: Keeper[] = [];
      for (let i = 0; i < 3; i++) {
        const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
        keepers.push({ store, session: 0, seen: 0, saves: 0 });
      }
      for (let call = 0, hour = FIRST_HOUR; call < CALLS; call++) {
        hour += random(3);
        await any(keepers[random(keepers.length)] as Keeper, hour, random);
        if (call % 10 > 0) continue;
        const { findings } = await verifyFile({ file, key: KEY, driver, thread: "same" });
        expect(findings, `seed ${seed}, call ${call}`).toEqual([]);
      }
      for (const { store } of keepers) await store.close();
      expect(await verifyFile({ file, key: KEY, driver, thread: "same" }), `seed ${seed}`).toMatchObject({ ok: true });
    }
  });
});

/** Any call that a keeper or a tool could make at that hour. */
async function any(keeper: Keeper, hour: number, random: (n: number) => number): Promise<void> {
  const { store } = keeper;
  const at = hour * HOUR_MS + random(HOUR_MS);
  if (keeper.session === 0) {
    const { session, seen } = await store.begin({ startedAt: at, flushEveryMs: 5_000, seen: null });
    Object.assign(keeper, { session, seen, saves: 0 });
  }
  const by = { session: random(4) === 0 ? null : keeper.session, seen: keeper.seen, at };
  const user = `user-${random(3)}`;
  const choice = random(12);
  if (choice === 0) await store.deleteUser(user, random(2) ? "forget" : "anonymise", by);
  else if (choice === 1) await store.reset(random(3) ? { userId: user } : {}, by);
  else if (choice === 2) await store.fold();
  else if (choice === 3) await store.prune(hour - random(6));
  else if (choice === 4) {
    // Killed: its lock goes with the connection, and it never says goodbye.
    await store.close();
    keeper.session = 0;
  } else await save(keeper, hour, at, user, random);
}

async function save(keeper: Keeper, hour: number, at: number, user: string, random: (n: number) => number) {
  keeper.saves += 1;
  const result = await keeper.store.save({
    session: keeper.session,
    save: keeper.saves,
    seen: keeper.seen,
    at,
    hour,
    keys: [[0, "smp", user, `smp://${random(4)}`]],
    counters: ["sent", "received"],
    cells: Float64Array.of(0, random(2), 1 + random(1_000)),
    ...(random(3) === 0 && { agent: `agent-${random(2)}` }),
    ...(random(6) === 0 && { ending: "close" as const }),
  });
  if (result.outcome === "closed") keeper.session = 0;
  if (result.outcome === "cleared") keeper.seen = result.clears.at(-1)?.clear ?? keeper.seen;
}
