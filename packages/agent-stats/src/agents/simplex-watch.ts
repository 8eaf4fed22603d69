import { type AgentStats, keepStats } from "../keep/open.ts";
import { assertFunctions, assertGiven, assertOptions, can } from "../record/given.ts";
import type { Recorded } from "../record/recorder.ts";
import { StatsError } from "../store/errors.ts";
import type { StatsStore } from "../store/store.ts";
import { CoreConnection, SimplexCoreError, type WebSocketClass } from "./simplex-core.ts";
import { SimplexFormatError } from "./simplex-json.ts";
import { type Poll, poll, userIds } from "./simplex-poll.ts";
import { PROTOCOL_NAMES, protocolsWith, type SimplexProtocol } from "./simplex-protocols.ts";
import { CoreSessions, type Taken } from "./simplex-session.ts";

/** What happened, for a log. It holds no user, server or number. */
export type SimplexWatchEvent =
  | { readonly type: "connected" }
  /** Tried again by itself, after that many milliseconds. */
  | { readonly type: "away"; readonly reason: string; readonly retryInMs: number }
  | { readonly type: "kept" }
  /** The core was reset, or its counters went back: a new session begins. */
  | { readonly type: "began-anew"; readonly wentBack: boolean }
  | { readonly type: "user-deleted" }
  /** The store fails; null when it works again. */
  | { readonly type: "problem"; readonly problem: StatsError | null };

export interface SimplexWatchOptions {
  /** The core's WebSocket, e.g. `ws://localhost:5225`. It has no password: keep it on the loopback interface. */
  readonly url: string;
  /** A database of its own. One import or watch at a time for each. */
  readonly store: StatsStore;
  /** Ends the watch; what was heard is kept then. */
  readonly signal: AbortSignal;
  /** Milliseconds from one poll to the next. Default: 30 000. */
  readonly everyMs?: number;
  /** How long the core has for each answer, in milliseconds. Default: 10 000. */
  readonly answerWithinMs?: number;
  /** The first pause before connecting again, in milliseconds; it doubles up to a minute. Default: 1 000. */
  readonly retryMs?: number;
  /** Default: the global one, which Node.js has from 22 on. */
  readonly WebSocket?: WebSocketClass;
  readonly onEvent?: (event: SimplexWatchEvent) => void;
  /** Called with the statistics when they are first kept, and again when they were opened anew. */
  readonly onOpen?: (stats: AgentStats) => void;
}

const EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Keeps what a running SimpleX core counts, until it is told to end. Options 1 and 2 of the RFC: the core goes on from
 * its own past or begins anew, either is followed. What a core counts while nobody watches is not lost: it keeps a running
 * total, of which the next poll takes the difference.
 */
export async function watchSimplex(options: SimplexWatchOptions): Promise<void> {
  assertOptions(options);
  const { url, store, signal } = options;
  assertGiven(typeof url === "string", "url must be that of the core's WebSocket, as text");
  assertGiven(can(store, "begin", "save"), "store says where the numbers are kept, and must be one");
  assertGiven(can(signal, "addEventListener"), "signal must be an AbortSignal");
  assertFunctions(options, "WebSocket", "onEvent", "onOpen");
  const watch = new Watch(options);
  await watch.run();
}

class Watch {
  readonly #options: SimplexWatchOptions;
  readonly #sessions: CoreSessions;
  readonly #WebSocket: WebSocketClass;
  #core: CoreConnection | null = null;
  #kept: AgentStats | null = null;
  /** What is answered to the keeper; null while the core is away. */
  #current: Recorded | null = null;
  #startedAt: Date | null | undefined;
  readonly #counters = { smp: new Set<string>(), xftp: new Set<string>(), ntf: new Set<string>() };
  /** Everybody who was seen here. */
  readonly #seen = new Set<string>();
  #retries = 0;

  constructor(options: SimplexWatchOptions) {
    this.#options = options;
    this.#sessions = new CoreSessions(options.store);
    this.#WebSocket = options.WebSocket ?? globalWebSocket();
  }

  async run(): Promise<void> {
    const { signal, everyMs = EVERY_MS, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    try {
      while (!signal.aborted) {
        try {
          const core = await this.#connected();
          const told = await poll(core, answerWithinMs);
          if (signal.aborted) break;
          await this.#take(told, core);
          this.#retries = 0;
          await pause(everyMs, signal);
        } catch (error) {
          if (signal.aborted) break;
          await this.#failed(error);
        }
      }
    } finally {
      this.#core?.close();
      await this.#kept?.close();
    }
  }

  async #connected(): Promise<CoreConnection> {
    if (this.#core && !this.#core.isOver) return this.#core;
    const { url, signal, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    this.#core = await CoreConnection.open(url, this.#WebSocket, answerWithinMs, signal);
    this.#tell({ type: "connected" });
    return this.#core;
  }

  async #take(first: Poll, core: CoreConnection): Promise<void> {
    let told = first;
    let plan = await this.#plan(told);
    if (plan.wentBack) {
      // Believed when the core says so twice: an answer that was late or stale would count everything once more.
      told = await poll(core, this.#options.answerWithinMs ?? ANSWER_WITHIN_MS);
      plan = await this.#plan(told);
    }
    const { startedAt } = told;
    const isReset = this.#startedAt !== undefined && startedAt?.getTime() !== this.#startedAt?.getTime();
    for (const { userId } of told.rows) this.#seen.add(userId);
    const kept = await this.#open(told.unknownCounters);
    this.#current = plan.snapshot;
    // What the snapshot leaves out is not live any more.
    kept.recorder.clearGauges();
    await kept.flush();
    await this.#sessions.took(plan.snapshot);
    this.#startedAt = startedAt;
    if (isReset || plan.wentBack) this.#tell({ type: "began-anew", wentBack: plan.wentBack });
    await this.#followDeletions(told, core, kept);
    this.#tell({ type: "kept" });
  }

  /** Of whom could not be asked now, what was kept before stands. */
  #plan({ startedAt, rows }: Poll): Promise<Taken> {
    return this.#sessions.plan({ startedAt, rows, isComplete: false }, { mayBeOld: false });
  }

  /** Opens the statistics, again where the core counts what no protocol here knew so far. */
  async #open(unknown: Poll["unknownCounters"]): Promise<AgentStats> {
    const isNew = (protocol: SimplexProtocol) => unknown[protocol].some((each) => !this.#counters[protocol].has(each));
    const hasNew = PROTOCOL_NAMES.some(isNew);
    if (this.#kept && !hasNew) return this.#kept;
    for (const protocol of PROTOCOL_NAMES) for (const each of unknown[protocol]) this.#counters[protocol].add(each);
    const before = this.#kept;
    this.#kept = null;
    await before?.close();
    this.#kept = await keepStats({
      store: this.#options.store,
      agent: {
        getServersStats: () => {
          if (this.#current === null) throw new SimplexCoreError("the core is away");
          return this.#current;
        },
        // Asked when there is something to say: the polls are made here.
        listen: () => {},
      },
      protocols: protocolsWith(this.#counters),
      onProblem: (problem) => this.#tell({ type: "problem", problem }),
    });
    this.#options.onOpen?.(this.#kept);
    return this.#kept;
  }

  /** Whoever is gone from the core is forgotten here. A list is believed when a second one says the same. */
  async #followDeletions({ users, startedAt }: Poll, core: CoreConnection, stats: AgentStats): Promise<void> {
    if (users === null) return;
    const kept = new Set([...this.#seen, ...(await this.#sessions.users(startedAt))]);
    const gone = [...kept].filter((userId) => DIGITS.test(userId) && !users.has(userId));
    if (gone.length === 0) return;
    const again = await userIds(core, this.#options.answerWithinMs ?? ANSWER_WITHIN_MS);
    for (const userId of gone) {
      if (again === null || again.has(userId)) continue;
      await stats.deleteUser(userId);
      this.#sessions.forget(userId);
      this.#seen.delete(userId);
      this.#tell({ type: "user-deleted" });
    }
  }

  async #failed(error: unknown): Promise<void> {
    const isOfCore = error instanceof SimplexCoreError || error instanceof SimplexFormatError;
    if (!isOfCore && !(error instanceof StatsError)) throw error;
    // The keeper tells of the store by itself; before it is open, nobody has.
    if (error instanceof StatsError && !this.#kept) this.#tell({ type: "problem", problem: error });
    if (isOfCore) {
      this.#core?.close();
      this.#current = null;
      // What was live is not known any more.
      await this.#kept?.flush().catch(() => {});
    }
    const retryInMs = Math.min((this.#options.retryMs ?? RETRY_MS) * 2 ** this.#retries, LONGEST_RETRY_MS);
    this.#retries += 1;
    if (isOfCore) this.#tell({ type: "away", reason: error.message, retryInMs });
    await pause(retryInMs, this.#options.signal);
  }

  #tell(event: SimplexWatchEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // A host's own fault in its callback must not stop the watch.
    }
  }
}

/** Ids of the agent; other names stand for users whom a file did not tell. */
const DIGITS = /^\d+$/;

function globalWebSocket(): WebSocketClass {
  const { WebSocket } = globalThis as { readonly WebSocket?: WebSocketClass };
  if (WebSocket) return WebSocket;
  throw new TypeError("This Node.js has no WebSocket: give one as an option, e.g. that of the package ws.");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
}
