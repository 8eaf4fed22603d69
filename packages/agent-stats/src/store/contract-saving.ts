import {
  AT,
  batch,
  begin,
  eachHour,
  eachSum,
  endings,
  equal,
  HOUR,
  keys,
  numbers,
  pasts,
  saved,
  totals,
} from "./contract-support.ts";
import type { Ending, StatsStore } from "./store.ts";

type Open = () => StatsStore;

/** Saving, folding, reading. One case after another; each is read alone. */
export const SAVING: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  async "a session runs while its store is open, and is killed when it vanished"(open) {
    const [writer, reader] = [open(), open()];
    const { session } = await begin(writer);
    equal(await endings(reader), [[session, null]]);
    await writer.close();
    equal(await endings(reader), [[session, "killed"]]);
  },

  async "sessions are numbered upwards, in every store of the database"(open) {
    const first = await begin(open());
    const second = await begin(open());
    equal(second.session > first.session, true);
  },

  async "a session that is begun again in the same words is the same one, until it has saved"(open) {
    const [store, other] = [open(), open()];
    const first = await begin(store);
    equal(await begin(store), first);
    equal((await begin(other)).session > first.session, true);
    await store.save(batch(first.session, 1, {}));
    equal((await begin(store)).session > first.session, true);
    equal((await other.sessions()).length, 3);
  },

  async "what was saved is there, for others too"(open) {
    const [writer, reader] = [open(), open()];
    const { session } = await begin(writer);
    await writer.save(batch(session, 1, { sent: [3, 5, 7], attempts: [4, 6, 8] }));
    equal(numbers(await reader.sums(null)), { "1": [0, 3, 0, 4], "10": [0, 5, 0, 6], files: [0, 7, 0, 8] });
  },

  async "a batch that is saved twice changes nothing"(open) {
    const store = open();
    const { session } = await begin(store);
    const same = batch(session, 1, { sent: [3, 5, 7] });
    equal(await store.save(same), { outcome: "saved" });
    equal(await store.save(same), { outcome: "saved" });
    equal(totals(await store.sums(null)), { "1": 3, "10": 5, files: 7 });
  },

  async "hours add up, and are told apart"(open) {
    const store = open();
    const { session } = await begin(store);
    await store.save(batch(session, 1, { sent: [3, 5, 7] }));
    await store.save({ ...batch(session, 2, { sent: [30, 50, 70] }), hour: HOUR + 1 });
    equal(totals(await store.sums(null)), { "1": 33, "10": 55, files: 77 });
    const rows = await store.hours(HOUR + 1, HOUR + 9);
    equal(
      eachHour(rows).map(({ hour, userId, value }) => [hour, userId, value]),
      [
        [HOUR + 1, "1", 30],
        [HOUR + 1, "10", 50],
        [HOUR + 1, "1", 70],
      ],
    );
    equal((await store.hours(HOUR, HOUR)).length, 3);
    equal(await store.hours(0, HOUR - 1), []);
  },

  async "an ended session is folded once, a living one never"(open) {
    const [ended, living, starter] = [open(), open(), open()];
    const a = await begin(ended);
    const b = await begin(living);
    await ended.save({ ...batch(a.session, 1, { sent: [3, 5, 7] }), ending: "close" });
    await living.save(batch(b.session, 1, { sent: [100, 100, 100] }));
    equal(await starter.fold(), 1);
    equal(await starter.fold(), 0);
    equal(pasts(await starter.sums(null)), { "1": 3, "10": 5, files: 7 });
    equal(await endings(starter), [
      [a.session, "close"],
      [b.session, null],
    ]);
  },

  async "a dead session is folded once, whoever starts and however many at once"(open) {
    const dead = open();
    const { session } = await begin(dead);
    await dead.save(batch(session, 1, { sent: [3, 5, 7] }));
    await dead.close();
    const starters = [open(), open(), open(), open()];
    const folded = await Promise.all(starters.map((store) => store.fold()));
    equal(
      folded.reduce((a, b) => a + b),
      1,
    );
    equal(pasts(await open().sums(null)), { "1": 3, "10": 5, files: 7 });
    equal(await endings(open()), [[session, "killed"]]);
  },

  async "a session that others folded is told, and whether its last save arrived"(open) {
    const [frozen, starter] = [open(), open()];
    const { session } = await begin(frozen);
    await frozen.save(batch(session, 1, { sent: [3, 5, 7] }));
    await frozen.close();
    await starter.fold();
    equal(await frozen.save(batch(session, 2, { sent: [4, 5, 7] })), {
      outcome: "closed",
      saves: 1,
      clears: [],
    });
    equal((await frozen.sums({ session, seen: 0 })).closed, true);
    equal(totals(await frozen.sums(null)), { "1": 3, "10": 5, files: 7 });
  },

  async "a session's own numbers can be left out"(open) {
    const [mine, other] = [open(), open()];
    const a = await begin(mine);
    const b = await begin(other);
    await mine.save(batch(a.session, 1, { sent: [3, 5, 7] }));
    await other.save(batch(b.session, 1, { sent: [10, 10, 10] }));
    const sums = await mine.sums({ session: a.session, seen: 0 });
    equal(sums.closed, false);
    equal(totals(sums), { "1": 10, "10": 10, files: 10 });
  },

  async "how a session ended is kept, and time in it never runs backwards"(open) {
    const store = open();
    const endingsOfAll: Ending[] = ["close", "exit", "exception", "rejection", "SIGTERM", "SIGINT", "SIGHUP", "clock"];
    for (const ending of endingsOfAll) {
      const { session, seen } = await begin(store);
      await store.save({ ...batch(session, 1, {}), seen, at: AT - 5_000, ending });
    }
    const sessions = await store.sessions();
    equal(
      sessions.map(({ how }) => how),
      endingsOfAll,
    );
    for (const { started, lastSaved, ended } of sessions) {
      equal([lastSaved >= started, (ended as number) >= lastSaved], [true, true]);
    }
  },

  async "sums stop at the largest exact number instead of losing digits"(open) {
    const store = open();
    for (let i = 0; i < 2; i++) {
      const { session, seen } = await begin(store);
      const most = batch(session, 1, { sent: [Number.MAX_SAFE_INTEGER, 1, 1] });
      await store.save({ ...most, seen, ending: "close" });
      await store.fold();
    }
    equal(pasts(await store.sums(null)), { "1": Number.MAX_SAFE_INTEGER, "10": 2, files: 2 });
  },

  async "row numbers that mean nothing are asked for, and nothing is written"(open) {
    const store = open();
    const { session } = await begin(store);
    const strange = { ...batch(session, 1, { sent: [3, 5, 7] }), keys: keys([0, 1]) };
    equal(await store.save(strange), { outcome: "untold" });
    equal(totals(await store.sums(null)), {});
    equal(await store.save({ ...strange, keys: keys([0, 1, 2]) }), { outcome: "saved" });
    equal(await store.save({ ...batch(session, 2, { sent: [4, 6, 8] }), keys: [] }), { outcome: "saved" });
    await store.close();
    equal(await store.save({ ...batch(session, 3, { sent: [5, 7, 9] }), keys: [] }), { outcome: "untold" });
    equal(totals(await store.sums(null)), { "1": 4, "10": 6, files: 8 });
  },

  async "what a session counted is told, and what the sessions of an agent elsewhere did"(open) {
    const store = open();
    const first = await begin(store);
    await store.save({ ...batch(first.session, 1, { sent: [3, 5, 7] }), agent: "a", ending: "agent" });
    const second = await begin(store);
    await store.save({ ...batch(second.session, 1, { sent: [30, 50, 70] }), agent: "a", ending: "agent" });
    const third = await begin(store);
    await store.save({ ...batch(third.session, 1, { sent: [1, 1, 1] }), agent: "b" });
    const sums = await store.sessionSums();
    equal(
      sums.filter(({ session }) => session === second.session).map(({ value }) => value),
      [30, 50, 70],
    );
    equal(
      (await store.counted("a")).map(({ value }) => value),
      [33, 55, 77],
    );
    equal(await store.counted("c"), []);
  },

  async "names are taken as they are"(open) {
    const store = open();
    const names = ["'; DROP TABLE x; --", '"', "ü—漢字🙂", "a\nb", "%_", "x".repeat(5_000), "__proto__"];
    const { session } = await begin(store);
    const given = names.map((name, row) => [row, name, name, name] as const);
    const cells = Float64Array.from(names.flatMap((_, row) => [row, row, row + 1]));
    await store.save({ ...batch(session, 1, {}), keys: given, counters: names, cells });
    const found = eachSum(await store.sums(null)).map(({ protocol, userId, server, counter, open: value }) =>
      [protocol, userId, server, counter, value].join("|"),
    );
    equal(found.sort(), names.map((name, row) => [name, name, name, name, row + 1].join("|")).sort());
  },

  async "a thousand keys are saved at once"(open) {
    const store = open();
    const { session } = await begin(store);
    const rows = Array.from({ length: 1_000 }, (_, row) => row);
    const given = rows.map((row) => [row, "smp", String(row % 5), `smp://${row}`] as const);
    const cells = Float64Array.from(rows.flatMap((row) => [row, 0, row + 1]));
    await store.save({ ...batch(session, 1, {}), keys: given, cells });
    equal(
      eachSum(await store.sums(null)).reduce((sum, { open: value }) => sum + value, 0),
      (1_000 * 1_001) / 2,
    );
  },

  async "a closed store opens again by itself"(open) {
    const store = open();
    await saved(store);
    await store.close();
    equal(totals(await store.sums(null)), { "1": 3, "10": 5, files: 7 });
  },
};
