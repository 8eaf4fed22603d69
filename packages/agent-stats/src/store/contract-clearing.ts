import type { Scope } from "../record/scope.ts";
import {
  AT,
  batch,
  begin,
  by,
  eachHour,
  eachSum,
  endings,
  equal,
  HOUR,
  keys,
  pasts,
  saved,
  totals,
} from "./contract-support.ts";
import type { StatsStore } from "./store.ts";

type Open = () => StatsStore;

/** Deleting, resetting, pruning. One case after another; each is read alone. */
export const CLEARING: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  async "a deleted user is gone from every session, the past and history; others stay"(open) {
    const store = open();
    const { session, seen } = await saved(store);
    await store.save({ ...batch(session, 2, {}), ending: "close" });
    await store.fold();
    const next = await saved(store);
    const { clears, erased } = await store.deleteUser("1", "forget", by(next.session, seen));
    equal(
      clears.map(({ what, scope }) => [what, scope]),
      [["delete", { userId: "1" }]],
    );
    equal(["physically", "logically", "pending"].includes(erased), true);
    equal(totals(await store.sums(null)), { "10": 10 });
    equal(
      eachHour(await store.hours(0, HOUR)).map(({ userId, value }) => [userId, value]),
      [["10", 10]],
    );
    equal(
      (await store.sums(null)).keys.map(({ userId }) => userId),
      ["10"],
    );
  },

  async "an older session must hear of a deletion before it may save"(open) {
    const [older, deleter] = [open(), open()];
    const { session } = await saved(older);
    await deleter.deleteUser("1", "forget", by(null, 0));
    const late = batch(session, 2, { sent: [4, 6, 8] });
    const told = await older.save(late);
    if (told.outcome !== "cleared") throw new Error(`expected cleared, got ${told.outcome}`);
    equal(told.saves, 1);
    equal(
      told.clears.map(({ what, scope }) => [what, scope]),
      [["delete", { userId: "1" }]],
    );
    equal(totals(await deleter.sums(null)), { "10": 5 });
    equal((await older.sums({ session, seen: 0 })).clears, told.clears);
    const seen = told.clears.at(-1)?.clear as number;
    equal(await older.save({ ...late, seen, keys: keys([1]), cells: Float64Array.of(1, 0, 6) }), { outcome: "saved" });
    equal(totals(await deleter.sums(null)), { "10": 6 });
  },

  async "a session that began after a deletion need not hear of it"(open) {
    const [older, deleter, younger] = [open(), open(), open()];
    await saved(older);
    await deleter.deleteUser("1", "forget", by(null, 0));
    const { session, seen } = await begin(younger);
    equal(await younger.save({ ...batch(session, 1, { sent: [1, 1, 1] }), seen }), { outcome: "saved" });
  },

  async "a process whose session was closed learns which users were deleted meanwhile"(open) {
    const [older, deleter] = [open(), open()];
    const { session, seen } = await saved(older);
    await older.close();
    await deleter.fold();
    await deleter.reset({ userId: "10" }, by(null, 0));
    await deleter.deleteUser("1", "forget", by(null, 0));
    equal(await older.save(batch(session, 2, { sent: [4, 6, 8] })), { outcome: "closed", saves: 1, clears: [] });
    equal(await older.deletedAmong(["10", "1", "2"], seen), ["1"]);
    const next = await begin(open());
    equal(await older.deletedAmong(["10", "1", "2"], next.seen), []);
  },

  async "a tombstone is forgotten when every session has heard of it or said goodbye"(open) {
    const [goodbye, deleter] = [open(), open()];
    const gone = await saved(goodbye);
    await goodbye.save({ ...batch(gone.session, 2, {}), ending: "close" });
    const { session, seen } = await begin(deleter);
    await deleter.deleteUser("1", "forget", by(session, seen));
    equal(await deleter.deletedAmong(["1"], 0), []);
  },

  async "a reset covers what its scope says, and nothing that only looks alike"(open) {
    const scopes: [Scope, Record<string, number>][] = [
      [{ userId: "1" }, { "10": 5 }],
      [{ protocol: "smp" }, { files: 7 }],
      [{ server: "smp://a.example" }, { files: 7 }],
      [
        { protocol: "smp", userId: "1" },
        { "10": 5, files: 7 },
      ],
      [{ userId: "100" }, { "1": 3, "10": 5, files: 7 }],
    ];
    const store = open();
    let seen = 0;
    for (const [scope, left] of scopes) {
      const { session } = await saved(store, seen);
      const { clears } = await store.reset(scope, by(session, seen));
      seen = clears.at(-1)?.clear as number;
      equal(totals(await store.sums(null)), left);
      equal((await store.sums(null)).trackedSince, AT);
      await store.reset({}, { ...by(session, seen), at: AT });
      seen += 1;
    }
  },

  async "a reset of everything moves the date since which is tracked"(open) {
    const store = open();
    const { session, seen } = await saved(store);
    await store.reset({}, { session, seen, at: AT + 86_400_000 });
    const sums = await store.sums(null);
    equal(sums.trackedSince, AT + 86_400_000);
    equal(sums.keys, []);
  },

  async "a deleted user's sums can stay in the totals, without user, server or history"(open) {
    const store = open();
    const first = await saved(store);
    await store.save({ ...batch(first.session, 2, {}), ending: "close" });
    await store.fold();
    const { session, seen } = await saved(store);
    await store.deleteUser("1", "anonymise", by(session, seen));
    const sums = await store.sums(null);
    equal(sums.keys.map(({ userId, server }) => [userId, server]).sort(), [
      ["", ""],
      ["", ""],
      ["10", "smp://a.example"],
    ]);
    equal(
      eachSum(sums)
        .filter(({ userId }) => userId === "")
        .map(({ past, open: now }) => past + now)
        .sort(),
      [14, 6],
    );
    equal(
      eachHour(await store.hours(0, HOUR)).map(({ userId }) => userId),
      ["10"],
    );
  },

  async "of an agent that may outlive its host, what it counted is never pruned away"(open) {
    const store = open();
    const { session } = await begin(store);
    await store.save({ ...batch(session, 1, { sent: [3, 5, 7] }), agent: "a", ending: "close" });
    await store.fold();
    await store.prune(HOUR + 9);
    await store.prune(HOUR + 9);
    equal(
      (await store.counted("a")).map(({ value }) => value),
      [3, 5, 7],
    );
    equal(await store.hours(0, HOUR + 9), []);
    equal(pasts(await store.sums(null)), { "1": 3, "10": 5, files: 7 });
  },

  async "history is pruned, and no sum changes"(open) {
    const store = open();
    const { session } = await saved(store);
    await store.save({ ...batch(session, 2, { sent: [30, 50, 70] }), hour: HOUR + 1 });
    await store.save({ ...batch(session, 3, { sent: [1, 1, 1] }), hour: HOUR + 2 });
    const before = totals(await store.sums(null));
    await store.prune(HOUR + 1);
    await store.prune(HOUR + 2);
    equal(totals(await store.sums(null)), before);
    equal((await store.hours(0, HOUR + 9)).length, 3);
    await store.save({ ...batch(session, 4, { sent: [2, 2, 2] }), hour: HOUR + 2, ending: "close" });
    await store.fold();
    await store.prune(HOUR + 3);
    equal(pasts(await store.sums(null)), { "1": 35, "10": 57, files: 79 });
    equal(await store.hours(0, HOUR + 9), []);
    equal(await endings(store), []);
  },
};
