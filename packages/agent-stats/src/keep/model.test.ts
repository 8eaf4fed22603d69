import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { DRIVER_NAMES, loadDriver, whyNot } from "../store/sqlcipher/drivers.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { type SqliteHandle, sqliteStore } from "../store/sqlite/store.ts";
import type { StatsStore } from "../store/store.ts";
import {
  clean,
  cleared,
  countsAsAfter,
  drop,
  hear,
  heard,
  increase,
  leaveSession,
  type Model,
  negative,
  nothing,
  type Process,
  plus,
  save,
  standIn,
} from "./model.testing.ts";
import { type Running, smp, start } from "./model-process.testing.ts";

const USERS = ["1", "10"];
const SERVERS = ["smp://a", "smp://b"];
const KEYS = USERS.flatMap((user) => SERVERS.map((server) => `${user} ${server}`));

interface World {
  readonly model: Model;
  readonly database: () => StatsStore;
  readonly running: [Running | null, Running | null];
}

type Step =
  | { do: "add"; who: Process; key: number; n: number; oldHandle: boolean }
  | { do: "flush"; who: Process; fails: "before" | "after" | null }
  | { do: "open"; who: Process; startFrom: "zero" | "past" }
  | { do: "crash" | "close" | "read" | "loseLock" | "hang"; who: Process }
  | { do: "deleteUser" | "addUser"; who: Process; user: number }
  | { do: "reset"; who: Process; user: number | null; server: number | null };

const who = fc.constantFrom<Process>(0, 1);
const user = fc.nat(USERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("add"), who, key: fc.nat(3), n: fc.nat(9), oldHandle: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("flush"), who, fails: fc.constantFrom(null, null, "before", "after") }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("open"), who, startFrom: fc.constantFrom("zero", "past") }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("crash", "close", "read", "read", "loseLock"), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("hang"), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("deleteUser", "deleteUser", "addUser"), who, user }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("reset"), who, user: fc.option(user), server: fc.option(fc.nat(1)) }),
  },
) as fc.Arbitrary<Step>;

/** A busy machine is no reason to fail. */
const PATIENCE_MS = 180_000;

const steps = fc.array(step, { maxLength: 40, size: "max" });

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

describe("any order of counting, saving, crashing, starting, deleting, resetting, in two processes, equals the model", () => {
  test(
    "memory",
    async () => {
      await holds(() => {
        const database = new MemoryDatabase();
        return () => memoryStore(database);
      }, 1_000);
    },
    PATIENCE_MS,
  );

  for (const driver of DRIVER_NAMES) {
    const reason = whyNot(driver);
    if (reason !== null) console.log(`skipped: the model on ${driver}: ${reason}`);
    test.skipIf(reason !== null)(
      `a host's handle of ${driver}`,
      async () => {
        const { open } = reason === null ? loadDriver(driver) : { open: () => expect.fail() };
        await holds(() => {
          const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
          const handles: SqliteHandle[] = [];
          cleanUps.push(() => {
            for (const handle of handles) handle.close();
            rmSync(folder, { recursive: true });
          });
          return () => {
            const handle = open(join(folder, "chat.db"));
            handles.push(handle);
            handle.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
            return sqliteStore(handle, { allowPlaintext: true });
          };
        }, 100);
      },
      PATIENCE_MS,
    );

    test.skipIf(reason !== null)(
      driver,
      async () => {
        await holds(() => {
          const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
          cleanUps.push(() => rmSync(folder, { recursive: true }));
          return () => sqlcipherStore({ file: join(folder, "stats.db"), key: "77".repeat(32), driver, thread: "same" });
        }, 100);
      },
      PATIENCE_MS,
    );
  }
});

async function holds(database: () => () => StatsStore, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const world: World = { model: nothing(), database: database(), running: [null, null] };
      try {
        for (const each of script) await take(world, each);
        for (const each of [0, 1] as const) await take(world, { do: "read", who: each });
        await auditHolds(world);
      } finally {
        for (const running of world.running) await running?.store.close();
      }
    }),
    { numRuns },
  );
}

/** Each folded session is told once, and each deletion and reset; nobody is named. */
async function auditHolds({ database, model }: World): Promise<void> {
  const store = database();
  const audit = await store.audit();
  const folded = (await store.sessions()).filter((session) => session.folded).map(({ session }) => session);
  expect(audit.flatMap(({ what, of }) => (what === "fold" ? [of] : [])).sort()).toEqual(folded.sort());
  // What is asked for twice in one millisecond is the same in the same words.
  const told = audit.flatMap(({ what, of }) => (what === "fold" ? [] : [`${what} ${of}`]));
  expect(new Set(told)).toEqual(new Set(model.deeds));
  expect(told.length).toBeLessThanOrEqual(model.deeds.length);
  await store.close();
}

async function take({ model, database, running }: World, step: Step): Promise<void> {
  const me = step.who;
  if (step.do === "open") {
    if (running[me]) return;
    running[me] = await start(database(), step.startFrom);
    for (const users of [model.forgotten, model.known, model.untold]) users[me].clear();
    for (const flags of [model.unheard, model.late]) flags[me] = false;
    model.unlocked.forEach((lost, other) => {
      if (lost) model.folded[other as Process] = true;
    });
    return;
  }
  const process = running[me];
  if (!process) return;
  const { stats, store, handles } = process;
  switch (step.do) {
    case "add": {
      const key = KEYS[step.key] as string;
      const [userId, server] = key.split(" ") as [string, string];
      const handle = (step.oldHandle && handles.get(key)) || stats.server(smp, userId, server);
      handles.set(key, handle);
      handle.add("sent", step.n);
      if (!model.forgotten[me].has(userId) || model.untold[me].has(userId)) model.known[me].add(userId);
      // A handle from before a deletion stays dead, also where the user is used again.
      if (stats.server(smp, userId, server) !== handle) return;
      if (!model.forgotten[me].has(userId)) increase(model.unsaved[me], key, step.n);
      else if (model.untold[me].has(userId) && step.n > 0) model.late[me] = true;
      return;
    }
    case "hang":
      standIn(model, me, process.standIn());
      return;
    case "flush": {
      const dirty =
        model.doubt[me] !== null ||
        [model.unsaved[me], model.stoodIn[me]].some((counts) => Object.values(counts).some((n) => n > 0));
      process.failNext = dirty ? step.fails : null;
      const wasFolded = model.folded[me];
      const flushed = await stats.flush().then(
        () => true,
        () => false,
      );
      // A save that finds everything cleared writes nothing, and what never ran did not fail.
      const failed = process.failNext === null && step.fails !== null;
      expect(flushed).toBe(!failed || !dirty);
      process.failNext = null;
      if (!dirty && model.late[me] && model.folded[me]) leaveSession(model, me);
      if (!dirty && model.late[me]) heard(model, me);
      if (!dirty) return;
      if (step.fails === "before") model.doubt[me] ??= { ...model.unsaved[me] };
      else {
        // What is in doubt is repeated alone; where the session was closed or cleared, it is settled first.
        const alone = step.fails === "after" && !model.folded[me] && !model.unheard[me] ? model.doubt[me] : null;
        // What was in the database already is not written again by a save that has to hear of something: nor its lock taken.
        const staysUnlocked =
          model.unlocked[me] && model.unheard[me] && Object.keys(clean(model.unsaved[me])).length === 0;
        save(model, me, alone ?? model.unsaved[me]);
        if (staysUnlocked && !wasFolded) model.unlocked[me] = true;
        heard(model, me);
        model.doubt[me] = failed ? {} : null;
        model.stoodIn[me] = {};
      }
      return;
    }
    case "read": {
      if (model.folded[me]) leaveSession(model, me);
      heard(model, me);
      const { servers } = await stats.getServersStats();
      const sent = (part: "past" | "session" | "overall") =>
        clean(Object.fromEntries(servers.map((s) => [`${s.userId} ${s.server}`, s[part].sent ?? 0])));
      const session = plus(model.own[me], model.unsaved[me]);
      const overall = plus(model.saved, model.unsaved[me]);
      expect(sent("session")).toEqual(clean(session));
      expect(sent("overall")).toEqual(clean(overall));
      expect(sent("past")).toEqual(clean(plus(overall, negative(session))));
      return;
    }
    case "crash":
      await store.close();
      break;
    case "close":
      await stats.close();
      save(model, me, model.unsaved[me]);
      break;
    case "loseLock":
      await store.close();
      model.unlocked[me] = true;
      return;
    case "deleteUser": {
      const userId = USERS[step.user] as string;
      await stats.deleteUser(userId);
      model.deeds.push("delete user");
      const of = (key: string) => key.startsWith(`${userId} `);
      drop(of, model.unsaved[me], model.doubt[me] ?? {});
      hear(model, me);
      drop(of, model.saved, ...model.own, ...model.unsaved, ...model.stoodIn);
      for (const [other, each] of running.entries()) {
        if (!each) continue;
        if (other !== me && !model.forgotten[other as Process].has(userId)) model.untold[other as Process].add(userId);
        model.forgotten[other as Process].add(userId);
      }
      cleared(model, me);
      return;
    }
    case "addUser":
      // It has heard of every deletion before: the host adds a user that it knows to be gone.
      await stats.getServersStats();
      if (model.folded[me]) leaveSession(model, me);
      heard(model, me);
      stats.addUser(USERS[step.user] as string);
      model.forgotten[me].delete(USERS[step.user] as string);
      return;
    case "reset": {
      const userId = step.user === null ? undefined : (USERS[step.user] as string);
      const server = step.server === null ? undefined : (SERVERS[step.server] as string);
      await stats.reset({ ...(userId && { userId }), ...(server && { server }) });
      model.deeds.push(
        `reset ${[...(userId ? ["user"] : []), ...(server ? ["server"] : [])].join("+") || "everything"}`,
      );
      const of = (key: string) => {
        const [keyUser, keyServer] = key.split(" ");
        return (userId === undefined || keyUser === userId) && (server === undefined || keyServer === server);
      };
      hear(model, me);
      drop(of, model.saved, ...model.own, model.unsaved[me], model.stoodIn[me]);
      countsAsAfter(model, me === 0 ? 1 : 0, of);
      cleared(model, me);
      return;
    }
  }
  running[me] = null;
  model.own[me] = {};
  model.unsaved[me] = {};
  model.unlocked[me] = false;
  model.folded[me] = false;
  model.unheard[me] = false;
  model.doubt[me] = null;
  model.stoodIn[me] = {};
}
