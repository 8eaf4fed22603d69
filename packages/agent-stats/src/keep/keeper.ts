import { CHANGED, URGENT, type Urgency } from "../record/row.ts";
import type { Scope } from "../record/scope.ts";
import { asStatsError, StatsError } from "../store/errors.ts";
import type {
  AuditRow,
  Ending,
  Erased,
  HourRow,
  SessionRow,
  SessionSumRow,
  StatsStore,
  Sums,
  Totals,
} from "../store/store.ts";
import { beforeTheEnd, type Dying } from "./endings.ts";
import { Drive, type Flow } from "./flow.ts";
import type { Mirror } from "./mirror.ts";
import { hours, keptUsers, sessions } from "./reading.ts";
import { SaveTimer } from "./save-timer.ts";
import { SessionFlows } from "./session-flows.ts";
import type { SessionOptions } from "./session-options.ts";

/** Between a change and its save. RFC: "interval? should be short to not lose too much data, 5-30 seconds?" */
export const FLUSH_EVERY_MS = 5_000;

export interface KeeperOptions extends Omit<SessionOptions, "onReset"> {
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
type First = "nothing" | "changes" | "all";

/** Whether an ending process still makes a flow whose turn has not come. */
type When = "in its turn" | "even at the end";

interface Queued<T> {
  readonly flow: () => Flow<T>;
  /** Set when it was begun. */
  drive: Drive<T> | null;
}

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
  #closeFailed = false;
  #eraseWasPending = false;
  /** Set when the last save is over: until then, a process that ends saves what the closing did not reach. */
  #over = false;
  #queue: Promise<unknown> = Promise.resolve();
  /** Deletions and resets whose turn has not come yet: an ending process does them all the same. */
  readonly #promised = new Set<Queued<unknown>>();
  /** The flow that waits for the store right now. */
  #underWay: Drive<unknown> | null = null;
  /** Dropping users who no longer exist: once, as soon as the store works. */
  #dropping: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#flows = new SessionFlows({ ...options, onReset: (scope) => options.mirror?.follow(scope) });
    this.#timer = new SaveTimer(options.flushEveryMs, () => void this.flush().catch(() => {}));
    this.#unregister = beforeTheEnd(this);
    options.recorder.listen(
      (urgency) => this.#changed(urgency),
      () => this.#flows.announcer?.rowsCame(),
    );
    options.store.listen?.(() => this.#heedLater());
    this.#polls = options.mirror?.listen((urgent) => this.#changed(urgent ? URGENT : CHANGED)) === false;
  }

  /** Opens the store, begins a session, folds the dead ones, loads; then tidies up. What fails is tried again later. */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#flows.start()).catch(() => {});
    if (!this.problem && !this.#closed) this.#enqueue(() => this.#flows.tidy()).catch(() => {});
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

  async sessions(): Promise<readonly [SessionRow[], SessionSumRow[], AuditRow[]]> {
    this.#assertOpen();
    return this.#enqueue(() => sessions(this.#flows), "changes");
  }

  async hours(from: number, to: number): Promise<HourRow[]> {
    this.#assertOpen();
    return this.#enqueue(() => hours(this.#flows, from, to), "changes");
  }

  async deleteUser(userId: string, totals: Totals): Promise<Erased> {
    this.#assertOpen();
    const { mirror } = this.#options;
    if (totals === "forget") this.#flows.forgetUser(userId);
    if (mirror) {
      // What is to stay in the totals must be here before the agent forgets it.
      if (totals === "anonymise") await this.flush();
      await mirror.forgetUser(userId);
    }
    return this.#enqueue(() => this.#flows.deleteUser(userId, totals), "nothing", "even at the end");
  }

  async reset(scope: Scope): Promise<void> {
    this.#assertOpen();
    await this.#enqueue(() => this.#flows.reset(scope), "all", "even at the end");
    // It is done; the agent follows, now or when it is there again.
    if (this.#options.mirror) await this.flush().catch(() => {});
  }

  /** Counts again for a user who was deleted. */
  addUser(userId: string): void {
    this.#options.recorder.addUser(userId);
    void this.#options.mirror?.addUser(userId);
  }

  /** Saves everything, ends the session, releases the store. Asked for again after it failed, it tries again. */
  async close(): Promise<void> {
    if (this.#closed && !this.#closeFailed) return;
    this.#closed = true;
    this.#closeFailed = false;
    try {
      await this.#enqueue(() => this.#flows.end("close"), "changes");
    } catch (error) {
      this.#closeFailed = true;
      throw error;
    } finally {
      this.#letGo();
    }
  }

  saveNow(): void {
    this.#now(this.#flows.save());
  }

  endNow(how: Ending): void {
    if (this.#over) return;
    this.#closed = true;
    this.#now(this.#flows.end(how), this.#options.mirror?.pullNow(this.#flows));
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
  #enqueue<T>(flow: () => Flow<T>, first: First = "nothing", when: When = "in its turn"): Promise<T> {
    const { mirror } = this.#options;
    const queued: Queued<T> = { flow, drive: null };
    if (when === "even at the end") this.#promised.add(queued);
    const run = async () => {
      try {
        if (first !== "nothing")
          await mirror?.pull(first === "all", this.#flows, (each) => this.#drive(new Drive(each)));
        this.#promised.delete(queued);
        queued.drive ??= new Drive(flow());
        const result = await this.#drive(queued.drive);
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

  async #drive<T>(drive: Drive<T>): Promise<T> {
    this.#underWay = drive;
    try {
      return await drive.finish(this.#options.store);
    } finally {
      this.#underWay = null;
    }
  }

  #now(flow: Flow<void>, first?: Flow<void>): void {
    const { now } = this.#options.store;
    if (!now) return;
    const finish = (drive: Drive<unknown> | null) => {
      try {
        drive?.finishNow(now);
      } catch {
        // Whoever began it is told, unless the process is gone by then.
      }
    };
    // First what is under way: two flows at once would both begin a session, or both load the past.
    finish(this.#underWay);
    // What an agent counted before a reset goes with it.
    if (first) finish(new Drive(first));
    for (const queued of this.#promised) {
      queued.drive ??= new Drive(queued.flow());
      finish(queued.drive);
    }
    this.#promised.clear();
    finish(new Drive(flow));
  }

  #works(): void {
    this.#timer.worked();
    this.#flows.standBy();
    this.#dropping ??= this.#dropUnknownUsers();
    if (this.#eraseWasPending && !this.#flows.erasePending) this.#call(() => this.#options.onErased());
    this.#eraseWasPending = this.#flows.erasePending === true;
    // After a failure there may be something left to save, which is not to wait until the store would be tried again.
    if (this.#flows.erasePending || this.#polls || this.problem !== null) this.#timer.again();
    if (this.problem === null) return;
    this.problem = null;
    this.#tell(null);
  }

  async #dropUnknownUsers(): Promise<void> {
    const { users } = this.#options;
    if (!users) return;
    try {
      // In this order: whoever is new since the first question is not among those who are asked about.
      const kept = await this.#enqueue(() => keptUsers(this.#flows));
      const known = new Set([...(await users())].map(String));
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
