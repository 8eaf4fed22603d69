import { AT, begin, by, equal, HOUR, saved } from "./contract-support.ts";
import type { StatsStore } from "./store.ts";

type Open = () => StatsStore;

const LATER = AT + 3_600_000;

/** Who did what, and the keys of reports. One case after another; each is read alone. */
export const AUDIT: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  async "a fold is told once for each session, with whoever did it"(open) {
    const [store, starter] = [open(), open()];
    const first = await saved(store);
    await store.close();
    const second = await begin(starter);
    equal(await starter.fold({ session: second.session, at: LATER }), 1);
    equal(await starter.fold({ session: second.session, at: LATER }), 0);
    equal(await starter.audit(), [{ at: LATER, session: second.session, what: "fold", of: first.session }]);
    equal(await open().audit(), await starter.audit());
  },

  async "deletions and resets are told, with what kind of thing they covered, and nobody's name"(open) {
    const store = open();
    const { session } = await saved(store);
    await store.deleteUser("1", "forget", by(session, 0));
    await store.deleteUser("10", "anonymise", by(null, 0));
    await store.reset({ protocol: "smp", server: "smp://a.example" }, by(session, 0));
    await store.reset({}, { ...by(session, 0), at: LATER });
    equal(await store.audit(), [
      { at: AT, session, what: "delete", of: "user" },
      { at: AT, session: null, what: "anonymise", of: "user" },
      { at: AT, session, what: "reset", of: "protocol+server" },
      { at: LATER, session, what: "reset", of: "everything" },
    ]);
  },

  async "what is asked for again in the same words is told once"(open) {
    const store = open();
    const { session } = await saved(store);
    for (let i = 0; i < 2; i++) {
      await store.deleteUser("1", "forget", by(session, 0));
      await store.reset({}, by(null, 0));
    }
    await store.reset({}, { ...by(null, 0), at: LATER });
    equal(
      (await store.audit()).map(({ at, what }) => [at, what]),
      [
        [AT, "delete"],
        [AT, "reset"],
        [LATER, "reset"],
      ],
    );
  },

  async "lines go with history"(open) {
    const store = open();
    const { session } = await saved(store);
    await store.reset({ userId: "1" }, by(session, 0));
    await store.reset({ userId: "1" }, { ...by(session, 0), at: LATER });
    await store.prune(HOUR);
    equal((await store.audit()).length, 2);
    await store.prune(HOUR + 1);
    equal(await store.audit(), [{ at: LATER, session, what: "reset", of: "user" }]);
  },

  async "the keys of reports are kept as they were given, also beyond resets and history"(open) {
    const store = open();
    const key = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
    equal(await store.reportKeys(), []);
    const first = await store.addReportKey({ made: AT, key, caseId: null });
    const second = await store.addReportKey({ made: LATER, key: new Uint8Array(32), caseId: "42 – ü" });
    await store.reset({}, by(null, 0));
    await store.prune(HOUR + 9);
    await store.close();
    const kept = await open().reportKeys();
    equal(
      kept.map((each) => ({ ...each, key: [...each.key] })),
      [
        { report: first, made: AT, key: [...key], caseId: null },
        { report: second, made: LATER, key: Array(32).fill(0), caseId: "42 – ü" },
      ],
    );
    equal([second > first, kept.every((each) => each.key.constructor === Uint8Array)], [true, true]);
  },
};
