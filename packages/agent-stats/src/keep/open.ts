import type { StatsAgent } from "../record/connect.ts";
import { assertFunctions, assertGiven, assertOptions, can, userIdOf } from "../record/given.ts";
import type { Protocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import type { Server } from "../record/row.ts";
import { type GivenScope, resetScopeOf } from "../record/scope.ts";
import type { StatsError } from "../store/errors.ts";
import type { Erased, StatsStore, Totals } from "../store/store.ts";
import { serversStats } from "../summarise/servers-stats.ts";
import { sessionsWithCounts } from "../summarise/sessions.ts";
import { hoursOf } from "../summarise/timeline.ts";
import { FLUSH_EVERY_MS, Keeper, type UserIds } from "./keeper.ts";
import { Mirror } from "./mirror.ts";
import type { StatsView } from "./read.ts";
import { assertRange, timeline } from "./scopes.ts";

const KEEP_HISTORY_DAYS = 90;
/** "For ever", without leaving the range of hours. */
const LONGEST_HISTORY_DAYS = 36_500;

/** Statistics that are counted here and kept in a store. */
export interface AgentStats extends StatsView {
  /** The counters in memory, for hosts that look without waiting. */
  readonly recorder: Recorder;
  /** Why nothing is kept right now; null while all is well. Counting goes on either way. */
  readonly problem: StatsError | null;
  /** True while an agent elsewhere does not answer. Its live values are then not known. */
  readonly agentIsAway: boolean;
  /** The counters of one key: a handle to hold on to. See {@link Recorder.server}. */
  server<C extends string, G extends string>(
    protocol: Protocol<C, G>,
    userId: string | number,
    server: string,
  ): Server<C, G>;
  /**
   * Saves now. When it has resolved, everything counted before the call survives `kill -9` and a power cut.
   * @throws StatsError when the store fails; what was counted stays in memory and is tried again
   */
  flush(): Promise<void>;
  /**
   * Forgets a user: in memory at once, in the database when it has resolved. Counts that arrive later, through handles
   * old or new, do not bring the user back. With `totals: "anonymise"` its sums move to one row a protocol, whose user
   * and server are empty, so that totals over all users stay true. Default: `forget`.
   * @returns how far it went: `physically` means that no page of any file holds the user's servers any more
   * @throws StatsError when the store fails: then nothing of the user was deleted from it; call again
   * @throws TypeError when `totals` is neither: then nobody was forgotten
   */
  deleteUser(userId: string | number, options?: { readonly totals?: Totals }): Promise<{ readonly erased: Erased }>;
  /** Counts again for a user id that was deleted and is used again on purpose. Ask for new handles. */
  addUser(userId: string | number): void;
  /**
   * Starts from zero: everything, or what the scope covers. Its history and its keys are forgotten too.
   * What another process has not saved yet counts as after the reset.
   * @throws StatsError when the store fails, TypeError when the scope has another field: then nothing was reset
   */
  reset(scope?: GivenScope): Promise<void>;
  /**
   * Saves everything, ends the session with a goodbye, releases the store. Counting later goes nowhere.
   * @throws StatsError when the last save fails: close again when its cause is gone
   */
  close(): Promise<void>;
}

export interface KeepOptions {
  /** Where the numbers are kept, e.g. `sqlcipherStore({ file, key })`. */
  readonly store: StatsStore;
  /**
   * The most that `kill -9` can lose, in milliseconds of counting, plus one save. Default: 5 000. At least 50. Of a main
   * thread that hangs it loses at most twice that, where the store has a thread of its own; without one, all since the hang began.
   */
  readonly flushEvery?: number;
  /**
   * Told when the store fails, once per kind of failure, and with null when it works again. Default: a warning on the
   * process, as a database that is not kept must not go unnoticed.
   */
  readonly onProblem?: (problem: StatsError | null) => void;
  /** Told when a deletion that was only `pending`, because someone was reading, is done to the last page. */
  readonly onErased?: () => void;
  /** How many days of history are kept. No sum depends on it. Default: 90. */
  readonly keepHistory?: number;
  /**
   * The users who exist, where their records are in another database than their statistics: at the start, whoever else
   * has statistics is dropped, so that a crash between the two deletions leaves nobody behind. Nobody is dropped while
   * it throws.
   */
  readonly users?: () => UserIds | Promise<UserIds>;
}

export interface OpenOptions extends KeepOptions {
  readonly protocols?: readonly Protocol[];
  /** `zero`: the counters hold this session (RFC option 3). `past`: they hold overall numbers (option 4). Default: `zero`. */
  readonly startFrom?: "zero" | "past";
}

/**
 * Counts and keeps in one place: options 3 and 4 of the RFC. Resolves when the past is loaded, or cannot be.
 *
 * It never rejects for what the store does, as statistics must not break their host: see `problem` and `onProblem`. Only for
 * options that are none does it.
 */
export async function openAgentStats(options: OpenOptions): Promise<AgentStats> {
  assertOptions(options);
  const { startFrom = "zero" } = options;
  assertGiven(startFrom === "zero" || startFrom === "past", "startFrom is zero or past");
  const recorder = new Recorder({ protocols: options.protocols ?? [] });
  return keep(recorder, options, startFrom === "past");
}

export interface KeepAgentOptions extends KeepOptions {
  /**
   * What is kept: a recorder in this thread, which may have counted already; one elsewhere, by `connectRecorder`; or
   * anything else that answers `getServersStats`.
   */
  readonly agent: Recorder | StatsAgent;
  /** The protocols of an agent elsewhere. What it counts of others is counted as rejected. Default: none. */
  readonly protocols?: readonly Protocol[];
}

/**
 * Keeps what an agent counts: options 1 and 2 of the RFC. An agent elsewhere that is away is a state to see
 * (`agentIsAway`), and is picked up when it answers again; when it was started again, a new session begins. An agent
 * that cannot tell its session is taken to begin with this host; when its counters go back, they are carried forward.
 *
 * One host at a time keeps an agent: two that do so in one database at the same moment count its growth twice.
 *
 * It never rejects for what the store or the agent does: see `problem` and `onProblem`.
 */
export async function keepStats(options: KeepAgentOptions): Promise<AgentStats> {
  assertOptions(options);
  const { agent, protocols = [] } = options;
  if (agent instanceof Recorder) return keep(agent, options, false);
  assertGiven(can(agent, "getServersStats"), "agent must be a recorder, or answer getServersStats");
  assertFunctions(agent, "getServersStatsNow", "forgetUser", "addUser", "reset", "listen");
  const recorder = new Recorder({ protocols });
  return keep(recorder, options, false, new Mirror(agent, recorder, protocols));
}

async function keep(
  recorder: Recorder,
  options: KeepOptions,
  startFromPast: boolean,
  mirror: Mirror | null = null,
): Promise<AgentStats> {
  const isStore = can(options.store, "begin", "save");
  assertGiven(isStore, "store says where the numbers are kept, and must be one, e.g. sqlcipherStore({ file, key }).");
  assertFunctions(options, "onProblem", "onErased", "users");
  const flushEveryMs = options.flushEvery ?? FLUSH_EVERY_MS;
  if (!(Number.isFinite(flushEveryMs) && flushEveryMs >= 50)) {
    throw new RangeError("flushEvery is a number of milliseconds, at least 50");
  }
  const keepHistoryDays = options.keepHistory ?? KEEP_HISTORY_DAYS;
  if (!(typeof keepHistoryDays === "number" && keepHistoryDays >= 0)) {
    throw new RangeError("keepHistory is a number of days, at least 0");
  }
  const keeper = new Keeper({
    recorder,
    store: options.store,
    mirror,
    flushEveryMs,
    startFromPast,
    keepHistoryDays: Math.min(keepHistoryDays, LONGEST_HISTORY_DAYS),
    largestBatch: options.store.largestBatch ?? Number.POSITIVE_INFINITY,
    announce: options.store.announce,
    onProblem: options.onProblem ?? warn,
    onErased: options.onErased ?? (() => {}),
    users: options.users,
  });
  await keeper.start();
  return {
    recorder,
    get problem() {
      return keeper.problem;
    },
    get agentIsAway() {
      return mirror?.away ?? false;
    },
    server: (protocol, userId, server) => recorder.server(protocol, userId, server),
    getServersStats: () => keeper.read((sums) => serversStats(sums, sums.sessions, recorder.getServersStats())),
    getSessions: async () => sessionsWithCounts(...(await keeper.sessions())),
    getTimeline: async (range = {}) => timeline(await keeper.hours(...hoursOf(assertRange(range))), range),
    flush: () => keeper.flush(),
    async deleteUser(userId, options = {}) {
      assertOptions(options);
      const { totals = "forget" } = options;
      assertGiven(totals === "forget" || totals === "anonymise", "totals is forget or anonymise");
      return { erased: await keeper.deleteUser(userIdOf(userId), totals) };
    },
    addUser: (userId) => keeper.addUser(userIdOf(userId)),
    reset: async (scope = {}) => keeper.reset(resetScopeOf(scope)),
    close: () => keeper.close(),
  };
}

function warn(problem: StatsError | null): void {
  if (problem === null) return;
  if (typeof process !== "undefined" && typeof process.emitWarning === "function") {
    process.emitWarning(problem.message, { type: "AgentStatsWarning", code: problem.code });
  } else console.warn(`${problem.code}: ${problem.message}`);
}
