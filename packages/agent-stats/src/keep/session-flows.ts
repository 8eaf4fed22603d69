import type { Recorder } from "../record/recorder.ts";
import type { Scope } from "../record/scope.ts";
import { asStatsError } from "../store/errors.ts";
import type { Cleared, Ending, Erased, SaveBatch, Sums, Totals } from "../store/store.ts";
import { type Announcer, announcerOf, type Due } from "./announcer.ts";
import { ask, type Flow, pause } from "./flow.ts";
import { SessionHours } from "./hours.ts";
import { type BatchHead, type Progress, progressOf } from "./progress.ts";
import { Pruning } from "./pruning.ts";
import type { OpenSession, SessionOptions } from "./session-options.ts";
import { split } from "./split.ts";
import { startFromPast } from "./starting-sums.ts";
import { takeOver } from "./take-over.ts";

/**
 * What is done with the store, step by step: begin, load, save, delete, reset, end. Says nothing of when: the keeper
 * drives these flows, one after another.
 */
export class SessionFlows {
  /** A deletion whose names may still stand in freed pages: tried again with the next save. Null: not known yet. */
  erasePending: boolean | null = null;
  /** The session of the agent elsewhere that is counted here; null where the agent is here, or cannot tell. */
  agent: string | null = null;
  /** Tells a store that has a thread of its own what it may have to save by itself. */
  readonly announcer: Announcer | null;

  readonly #options: SessionOptions;
  readonly #recorder: Recorder;
  readonly #progress: Progress;
  readonly #hours = new SessionHours();
  readonly #pruning: Pruning;
  #session: OpenSession | null = null;
  /** The last clear that this process has heard of. */
  #seen: number | null = null;
  /** What this process had heard of when its session was taken for dead; null when it has asked for what came after. */
  #deadSince: number | null = null;
  #started = false;
  #ended = false;
  /** Batches whose fate is not known yet, oldest first. Nothing newer is collected before they are settled. */
  #pending: SaveBatch[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#recorder = options.recorder;
    this.#progress = progressOf(options.recorder);
    this.#pruning = new Pruning(options.keepHistoryDays);
    this.announcer = announcerOf(options.recorder, this.#progress, options.announce, options.flushEveryMs);
  }

  /** Something was counted now. */
  changed(now: number): void {
    this.#hours.change(now);
    const due = this.#due();
    if (due) this.announcer?.due(due);
  }

  /** A flow is over, and nothing is on its way to the store. */
  standBy(): void {
    this.announcer?.resume(this.#due());
  }

  /** What the store is to save by itself, if this thread does not come to it. */
  #due(): Due | null {
    const hour = this.#hours.next;
    if (this.#session === null || hour === null) return null;
    const { id: session, saves: save } = this.#session;
    const isSettled = this.#pending.length === 0;
    return { session, save, seen: this.#seen ?? 0, hour, isSettled, ...(this.agent !== null && { agent: this.agent }) };
  }

  /** Drops a user from memory, and from what is on its way to the store. */
  forgetUser(userId: string): void {
    this.announcer?.pause();
    this.#recorder.forgetUser(userId);
    this.#pending = this.#pending.map((batch) => this.#progress.withoutForgotten(batch));
  }

  *start(): Flow<void> {
    if (this.#started) return;
    // A store that starts a thread of its own takes a few ms of this one for that: not in the turn that the host is in.
    yield* pause();
    const caller = this.#caller(yield* this.#begin());
    yield* ask("fold", { session: caller.session, at: Date.now() });
    yield* takeOver(this.#progress);
    if (this.#options.startFromPast) yield* startFromPast(this.#recorder, (yield* ask("sums", caller)).keys);
    this.#started = true;
  }

  /** Drops what is too old, and what a deletion left in files, also one that a crash cut off. Nobody waits for it. */
  *tidy(): Flow<void> {
    yield* this.#pruning.prune();
    if (this.erasePending !== false) this.erasePending = (yield* ask("erase")) === "pending";
  }

  *#begin(): Flow<OpenSession> {
    if (this.#session === null) {
      const asked = { startedAt: Date.now(), flushEveryMs: this.#options.flushEveryMs, seen: this.#seen };
      const begun = yield* ask("begin", asked);
      this.#seen = begun.seen;
      this.#session = { id: begun.session, startedAt: asked.startedAt, saves: 0 };
    }
    // Not before it has begun: of what is deleted from here on it is told by name, of what was before, only when it asks.
    if (this.#deadSince !== null) {
      for (const user of yield* ask("deletedAmong", this.#recorder.users(), this.#deadSince)) this.forgetUser(user);
      this.#deadSince = null;
    }
    return this.#session;
  }

  /** Saves everything that is counted; with an ending, the session is over with it. */
  *save(ending?: Ending): Flow<void> {
    yield* this.start();
    // In a batch the keys of many new rows would be one long turn. Who ends needs no more than those that changed.
    while (ending === undefined && this.announcer?.tellMore()) yield* pause();
    if (this.#hours.wentBack(Date.now())) yield* this.nextSession("clock");
    yield* this.#drain(ending);
    yield* this.tidy();
  }

  /** Batch after batch to the store: those whose fate is unknown, then what changed since. */
  *#drain(ending?: Ending): Flow<void> {
    for (let collected = false; ; ) {
      const session = yield* this.#begin();
      if (this.#pending.length === 0) {
        if (collected) return;
        this.#pending = this.#collect(session, ending);
        collected = true;
      }
      const [batch] = this.#pending;
      if (batch === undefined) return;
      // What was not written counts as changed again.
      if ((yield* this.#send(batch)) === "released") collected = false;
    }
  }

  /** One batch to the store, and what its answer means. */
  *#send(batch: SaveBatch): Flow<"settled" | "pending" | "released"> {
    const result = yield* ask("save", batch);
    // A last save that is made again finds the session closed by itself.
    const ended = result.outcome === "closed" && batch.ending !== undefined && result.saves >= batch.save;
    if (result.outcome === "saved" || ended) {
      this.#settle(batch.save);
      return "settled";
    }
    if (result.outcome === "untold") {
      this.#pending = this.#progress.withAllKeys(this.#pending);
      return "pending";
    }
    this.#release(result.saves);
    // While this thread was stuck, the store may have saved more of the session that is over.
    if (result.outcome === "closed" && this.announcer?.wasHeard) {
      this.#progress.raise((yield* ask("sessionSums")).filter(({ session }) => session === batch.session));
    }
    this.#heard(result);
    if (result.outcome === "closed") {
      this.#deadSince ??= batch.seen;
      this.#startNewSession();
    }
    return "released";
  }

  /** Learns what others cleared, and whether this session is still open. */
  *hear(): Flow<void> {
    yield* this.start();
    const session = yield* this.#begin();
    const hour = this.#hours.peek(Date.now());
    if (this.#pending.length === 0) this.#pending = [this.#progress.empty(this.#head(session, hour))];
    for (let batch = this.#pending[0]; batch; batch = this.#pending[0]) yield* this.#send(batch);
  }

  *read<T>(join: (sums: Sums) => T): Flow<T> {
    yield* this.start();
    for (;;) {
      const session = yield* this.#begin();
      const sums = yield* ask("sums", this.#caller(session));
      if (!sums.closed) {
        this.#heard(sums);
        return join(sums);
      }
      // Someone folded this session: its next one is told how much of it the sums already hold.
      yield* this.hear();
    }
  }

  /** Ends this session and goes on with another. */
  *nextSession(ending: Ending): Flow<void> {
    yield* this.start();
    yield* this.#drain(ending);
    this.#startNewSession();
  }

  *deleteUser(userId: string, totals: Totals): Flow<Erased> {
    // What is to stay in the totals must be there before the user goes.
    if (totals === "anonymise") yield* this.save();
    this.forgetUser(userId);
    // First of what others cleared: what this session clears itself must not hide that from it.
    yield* this.hear();
    const deleted = yield* ask("deleteUser", userId, totals, { ...this.#caller(yield* this.#begin()), at: Date.now() });
    this.#heard(deleted);
    this.erasePending = deleted.erased === "pending";
    return deleted.erased;
  }

  *reset(scope: Scope): Flow<void> {
    yield* this.hear();
    const values = this.#progress.values(scope);
    const reset = yield* ask("reset", scope, { ...this.#caller(yield* this.#begin()), at: Date.now() });
    this.#release(reset.saves);
    this.announcer?.pause();
    this.#progress.drop(values);
    this.#heard(reset);
    this.erasePending = (yield* ask("erase")) === "pending";
  }

  *end(how: Ending): Flow<void> {
    // A process that ends while it is closing says goodbye once.
    if (this.#ended) return;
    try {
      yield* this.#saveLast(how);
      this.#ended = true;
    } finally {
      this.#progress.leave(this.#pending, this.#session?.startedAt ?? 0);
      yield* ask("close");
    }
  }

  /** Nobody comes after this save: one that finds the file moved is made once more, where the file is then. */
  *#saveLast(how: Ending): Flow<void> {
    try {
      yield* this.save(how);
    } catch (error) {
      if (asStatsError(error).code !== "STATS_MOVED") throw error;
      yield* this.save(how);
    }
  }

  #head(session: OpenSession, hour: number, ending?: Ending): BatchHead {
    session.saves += 1;
    return {
      session: session.id,
      save: session.saves,
      seen: this.#seen ?? 0,
      at: Date.now(),
      hour,
      ...(this.agent !== null && { agent: this.agent }),
      ...(ending !== undefined && { ending }),
    };
  }

  #collect(session: OpenSession, ending?: Ending): SaveBatch[] {
    this.announcer?.turn();
    const head = this.#head(session, this.#hours.collect(Date.now()), ending);
    const batch = this.#progress.collect(head, this.announcer?.knownBelow);
    if (batch === null) return [];
    return split(batch, this.#options.largestBatch, () => {
      session.saves += 1;
      return session.saves;
    });
  }

  #startNewSession(): void {
    this.announcer?.pause();
    this.#session = null;
    this.#hours.startSession();
    this.#progress.startSession();
  }

  #caller(session: OpenSession) {
    return { session: session.id, seen: this.#seen ?? 0 };
  }

  /** The database holds all saves up to this one. */
  #settle(saves: number): void {
    for (const batch of this.#pending) if (batch.save <= saves) this.#progress.acknowledge(batch);
    this.#pending = this.#pending.filter(({ save }) => save > saves);
    if (this.#pending.length === 0) this.#progress.decided();
  }

  /** The same, and it will hold no other that is pending. */
  #release(saves: number): void {
    this.announcer?.pause();
    this.#settle(saves);
    for (const batch of this.#pending) this.#progress.release(batch);
    this.#pending = [];
    this.#progress.decided();
  }

  /** Others deleted users or reset numbers: so does this process. */
  #heard({ clears, saves }: Cleared): void {
    if (clears.length === 0) return;
    this.#release(saves);
    for (const { clear, what, scope } of clears) {
      if (what === "delete" && scope.userId !== undefined) this.#recorder.forgetUser(scope.userId);
      if (what === "reset") this.#progress.drop(this.#progress.savedValues(scope));
      if (what === "reset") this.#options.onReset(scope);
      this.#seen = Math.max(this.#seen ?? 0, clear);
    }
    this.#progress.forgetTold();
  }
}
