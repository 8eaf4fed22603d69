import { CHANGED, URGENT, type Urgency } from "../record/row.ts";
import type { Scope } from "../record/scope.ts";
import { asStatsError, StatsError } from "../store/errors.ts";
import type { Ending, Erased, HourRow, SessionRow, SessionSumRow, StatsStore, Sums, Totals } from "../store/store.ts";
import { beforeTheEnd, type Dying } from "./endings.ts";
import { drive, driveNow, type Flow } from "./flow.ts";
import type { Mirror } from "./mirror.ts";
import { SaveTimer } from "./save-timer.ts";
import { SessionFlows, type SessionOptions } from "./session-flows.ts";

/** Between a change and its save. RFC: "interval? should be short to not lose too much data, 5-30 seconds?" */
export const FLUSH_EVERY_MS = 5_000;

export interface KeeperOptions extends SessionOptions {
  readonly store: StatsStore;
  /** Brings in what is counted elsewhere; null where the recorder itself is counted on. */
  readonly mirror: Mirror | null;
  /** Told when the store fails, and with null when it works again. */
  readonly onProblem: (problem: StatsError | null) => void;
  /** Told when a deletion that was `pending` is done. */
  readonly onErased: () => void;
  /** The users who exist: whoever else has statistics is dropped at the start. */
  readonly users: (() => UserIds | Promise<UserIds>) | undefined;
}

export type UserIds = Iterable<string | number>;

/** What an agent elsewhere is asked before a flow runs. */
type First = [] | ["changes" | "all"] | ["reset", Scope];

/**
 * Decides when to load, save, delete and close. Everything it does with the store is a flow, and flows run one
 * after another: no save can overtake a deletion.
 */
export class Keeper implements Dying {
  /** Why the store does not work right now; null while it does. */
  problem: StatsError | null = null;

  readonly #options: KeeperOptions;
  readonly #flows: SessionFlows;
  readonly #timer: SaveTimer;
  readonly #unregister: () => void;
  /** The agent elsewhere does not tell of its changes: it is asked every flush interval. */
  readonly #polls: boolean;
  /** Set when closing begins: nothing more is accepted. */
  #closed = false;
  #eraseWasPending = false;
  /** Set when the last save is over: until then, a process that ends saves what the closing did not reach. */
  #over = false;
  #queue: Promise<unknown> = Promise.resolve();
  /** Dropping users who no longer exist: once, as soon as the store works. */
  #dropping: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#flows = new SessionFlows(options);
    this.#timer = new SaveTimer(options.flushEveryMs, () => void this.flush().catch(() => {}));
    this.#unregister = beforeTheEnd(this);
    options.recorder.listen((urgency) => this.#changed(urgency));
    options.store.listen?.(() => this.#heedLater());
    this.#polls = options.mirror?.listen((urgent) => this.#changed(urgent ? URGENT : CHANGED)) === false;
  }

  /** Opens the store, begins a session, folds the dead ones, loads. A store that fails is tried again later. */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#flows.start()).catch(() => {});
    await this.#dropping;
  }

  /** Saves everything counted so far. When it resolves, it is kept. */
  async flush(): Promise<void> {
    this.#assertOpen();
    await this.#enqueue(() => this.#flows.save(), "changes");
  }

  /** The store's sums, and what `join` makes of them with the recorder at that very moment. */
  async read<T>(join: (sums: Sums) => T): Promise<T> {
    this.#assertOpen();
    return this.#enqueue(() => this.#flows.read(join), "all");
  }

  async sessions(): Promise<readonly [SessionRow[], SessionSumRow[]]> {
    this.#assertOpen();
    return this.#enqueue(() => this.#flows.sessions(), "changes");
  }

  async hours(from: number, to: number): Promise<HourRow[]> {
    this.#assertOpen();
    return this.#enqueue(() => this.#flows.hours(from, to), "changes");
  }

  async deleteUser(userId: string, totals: Totals): Promise<Erased> {
    this.#assertOpen();
    if (totals === "forget") this.#flows.forgetUser(userId);
    await this.#options.mirror?.forgetUser(userId);
    return this.#enqueue(() => this.#flows.deleteUser(userId, totals));
  }

  async reset(scope: Scope): Promise<void> {
    this.#assertOpen();
    await this.#enqueue(() => this.#flows.reset(scope), "reset", scope);
  }

  /** Counts again for a user who was deleted. */
  addUser(userId: string): void {
    this.#options.recorder.addUser(userId);
    void this.#options.mirror?.addUser(userId);
  }

  /** Saves everything, ends the session, releases the store. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#enqueue(() => this.#flows.end("close"), "changes");
    } finally {
      this.#letGo();
    }
  }

  saveNow(): void {
    this.#now(() => this.#flows.save());
  }

  endNow(how: Ending): void {
    if (this.#over) return;
    this.#closed = true;
    this.#now(() => this.#flows.end(how));
    this.#letGo();
  }

  /** Something was cleared within a transaction of the host's: it is looked at when that is over. */
  #heedLater(): void {
    setTimeout(() => {
      if (!this.#closed) this.#enqueue(() => this.#flows.hear()).catch(() => {});
    }, 0);
  }

  #changed(urgency: Urgency): void {
    const now = Date.now();
    this.#flows.changed(now);
    this.#timer.changed(urgency, now);
  }

  /** Runs a flow when those before it are done. What goes wrong is told, and tried again after a while. */
  #enqueue<T>(flow: () => Flow<T>, ...first: First): Promise<T> {
    const { store, mirror } = this.#options;
    const run = async () => {
      try {
        const [what, scope] = first;
        if (what === "reset") await mirror?.reset(scope);
        else if (what) await mirror?.pull(what === "all", this.#flows, (each) => drive(each, store));
        const result = await drive(flow(), store);
        this.#works();
        return result;
      } catch (error) {
        throw this.#failed(error);
      }
    };
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => {});
    return result;
  }

  #now(flow: () => Flow<void>): void {
    const { now } = this.#options.store;
    if (!now) return;
    try {
      driveNow(flow(), now);
    } catch {
      // The process is ending: nobody is left to be told.
    }
  }

  #works(): void {
    this.#timer.worked();
    this.#dropping ??= this.#dropUnknownUsers();
    if (this.#eraseWasPending && !this.#flows.erasePending) this.#call(() => this.#options.onErased());
    this.#eraseWasPending = this.#flows.erasePending;
    if (this.#flows.erasePending || this.#polls) this.#timer.again();
    if (this.problem === null) return;
    this.problem = null;
    this.#tell(null);
  }

  async #dropUnknownUsers(): Promise<void> {
    const { users } = this.#options;
    if (!users) return;
    try {
      const known = new Set([...(await users())].map(String));
      const kept = await this.#enqueue(() => this.#flows.users());
      for (const userId of kept) if (!known.has(userId)) await this.deleteUser(userId, "forget");
    } catch {
      // The store's failure is told already; the host's own is its own. Whoever is not known to be gone stays.
      this.#dropping = null;
    }
  }

  #failed(error: unknown): StatsError {
    const problem = asStatsError(error);
    this.#timer.failed();
    const isNews = this.problem?.code !== problem.code;
    this.problem = problem;
    if (isNews) this.#tell(problem);
    return problem;
  }

  #tell(problem: StatsError | null): void {
    this.#call(() => this.#options.onProblem(problem));
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch {
      // A host's own fault in its callback must not stop its statistics.
    }
  }

  #letGo(): void {
    this.#over = true;
    this.#unregister();
    this.#options.recorder.listen(null);
    this.#options.mirror?.listen(null);
    this.#timer.stop();
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    throw new StatsError("STATS_CLOSED", "The statistics are closed: open them again to read or save.");
  }
}
