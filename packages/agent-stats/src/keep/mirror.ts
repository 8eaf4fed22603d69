import type { StatsAgent } from "../record/connect.ts";
import type { Protocol } from "../record/protocol.ts";
import type { Recorded, RecordedServer, Recorder } from "../record/recorder.ts";
import { covers, type Scope } from "../record/scope.ts";
import { MOST_SERVERS, snapshotOf } from "../record/wire.ts";
import type { Flow } from "./flow.ts";
import { counted } from "./reading.ts";
import type { SessionFlows } from "./session-flows.ts";

/** An agent that has not answered for this long is away. */
const ANSWER_WITHIN_MS = 5_000;

/** Runs one of the keeper's flows. */
type Run = <T>(flow: Flow<T>) => Promise<T>;

/** Which keys a scope covers. */
type Key = Pick<RecordedServer, "protocol" | "userId" | "server">;

/**
 * Copies into a recorder here what an agent counts elsewhere: the keeper then keeps it like any other. Only growth is
 * taken over, so an agent whose counters went back is carried forward, and never subtracted.
 */
export class Mirror {
  /** True while the agent does not answer. */
  away = false;

  readonly #agent: StatsAgent;
  readonly #recorder: Recorder;
  readonly #protocols: ReadonlyMap<string, Protocol>;
  /** What the agent's counters stood at when they were last taken over, by key and counter. */
  #last = new Map<string, Map<string, number>>();
  #session: string | null | undefined;
  /** An answer with changes only may have been lost: ask for everything. */
  #askAll = true;
  /** What the agent has not heard of its users yet, in the order in which it must. */
  readonly #untold: { readonly userId: string; readonly isGone: boolean }[] = [];
  /** Users of whose deletion the agent has heard, or will. */
  readonly #gone = new Set<string>();
  /** What was reset, here or by others, and the agent has yet to follow. */
  readonly #resets: Scope[] = [];
  #telling: Promise<void> = Promise.resolve();

  constructor(agent: StatsAgent, recorder: Recorder, protocols: readonly Protocol[]) {
    this.#agent = agent;
    this.#recorder = recorder;
    this.#protocols = new Map(protocols.map((protocol) => [protocol.name, protocol]));
  }

  /** True where the agent tells of its changes by itself; else it must be asked again and again. */
  listen(onChange: ((urgent: boolean) => void) | null): boolean {
    this.#agent.listen?.(onChange);
    return this.#agent.listen !== undefined;
  }

  /** Takes over what the agent counted since. An agent that does not answer is away; that is no error. */
  async pull(all: boolean, flows: SessionFlows, run: Run): Promise<void> {
    // Others may have deleted them: the agent must not bring them back to the host that comes after this one.
    for (const userId of this.#recorder.forgottenUsers()) if (!this.#gone.has(userId)) void this.forgetUser(userId);
    await this.#tellOfUsers();
    let full = all || this.#askAll || this.#resets.length > 0;
    const asking = this.#ask(full);
    // Right behind the question, so that nothing is counted between its answer and the reset.
    const following = this.#resets.map(async (scope) => ({ scope, told: await this.#tellOfReset(scope) }));
    let stats = await asking;
    if (stats && stats.session !== this.#session) {
      if (!full) stats = await this.#ask(true);
      full = true;
      try {
        if (stats) await run(this.#meet(stats.session, flows));
      } catch (error) {
        this.#askAll = true;
        throw error;
      }
    }
    // What an answer with everything leaves out is not live any more.
    if (stats && full) this.#recorder.clearGauges();
    for (const server of stats?.servers ?? []) this.#take(server);
    // An agent whose answer is lost may have followed all the same.
    for (const { scope, told } of await Promise.all(following)) {
      if (told && this.#agent.reset) this.#dropLast((key) => covers(scope, key));
      if (told) this.#resets.splice(this.#resets.indexOf(scope), 1);
    }
  }

  /** The same for a process that ends with it, from an agent in another thread: what is asked elsewhere is not awaited. */
  *pullNow(flows: SessionFlows): Flow<void> {
    const stats = snapshotOf(this.#agent.getServersStatsNow?.());
    if (!stats) return;
    if (stats.session !== this.#session) yield* this.#meet(stats.session, flows);
    for (const server of stats.servers) this.#take(server);
  }

  /** Drops a user at the agent too; one that is away is told when it returns, and not believed meanwhile. */
  forgetUser(userId: string): Promise<void> {
    this.#gone.add(userId);
    this.#untold.push({ userId, isGone: true });
    return this.#tellOfUsers();
  }

  /** Resets at the agent too, right behind the next question. */
  follow(reset: Scope): void {
    this.#resets.push(reset);
  }

  addUser(userId: string): Promise<void> {
    this.#gone.delete(userId);
    this.#untold.push({ userId, isGone: false });
    return this.#tellOfUsers();
  }

  /** Another session of the agent than the one before: its counters began anew, or go on where an older host was. */
  *#meet(session: string | null, flows: SessionFlows): Flow<void> {
    if (this.#session !== undefined) yield* flows.nextSession("agent");
    const last = new Map<string, Map<string, number>>();
    for (const { counter, value, ...key } of yield* counted(flows, session)) {
      const name = nameOf(key);
      last.set(name, (last.get(name) ?? new Map()).set(counter, value));
    }
    this.#last = last;
    this.#session = session;
    flows.agent = session;
  }

  #take(given: RecordedServer): void {
    const protocol = this.#protocols.get(given.protocol);
    if (!protocol) {
      this.#recorder.rejected("unknownName");
      return;
    }
    const name = nameOf(given);
    if (!this.#last.has(name) && this.#last.size >= MOST_SERVERS) {
      this.#recorder.rejected("badKey");
      return;
    }
    const server = this.#recorder.server(protocol, given.userId, given.server);
    const last = this.#last.get(name) ?? new Map<string, number>();
    this.#last.set(name, last);
    for (const [counter, value] of Object.entries(given.session)) {
      const before = last.get(counter) ?? 0;
      server.add(counter, value >= before ? value - before : value);
      last.set(counter, value);
    }
    for (const [gauge, value] of Object.entries(given.live)) server.set(gauge, value);
  }

  async #ask(all: boolean): Promise<Recorded | null> {
    // Before the question: what the agent is told meanwhile can take changes away from the answer.
    if (all) this.#askAll = false;
    const stats = await within(() => this.#agent.getServersStats({ changedOnly: !all }))
      .then(snapshotOf)
      .catch(() => null);
    this.away = stats === null;
    if (stats === null) {
      this.#askAll = true;
      // What was live is not zero now: it is not known.
      this.#recorder.clearGauges();
    }
    return stats;
  }

  /** Tells the agent whom it is to forget and whom to count again, as far as it answers. */
  #tellOfUsers(): Promise<void> {
    this.#telling = this.#telling.then(async () => {
      for (let next = this.#untold[0]; next; next = this.#untold[0]) {
        const { userId, isGone } = next;
        const told = await this.#tell(() => {
          return isGone ? this.#agent.forgetUser?.(userId) : this.#agent.addUser?.(userId);
        });
        if (!told) return;
        this.#untold.shift();
        if (isGone && this.#agent.forgetUser) this.#dropLast((key) => key.userId === userId);
      }
    });
    return this.#telling;
  }

  #tellOfReset(scope: Scope): Promise<boolean> {
    return this.#tell(() => this.#agent.reset?.(scope));
  }

  async #tell(call: () => unknown): Promise<boolean> {
    this.#askAll = true;
    return within(call).then(
      () => true,
      () => false,
    );
  }

  #dropLast(dropped: (key: Key) => boolean): void {
    for (const name of this.#last.keys()) {
      const [protocol, userId, server] = JSON.parse(name) as [string, string, string];
      if (dropped({ protocol, userId, server })) this.#last.delete(name);
    }
  }
}

function nameOf({ protocol, userId, server }: Key): string {
  return JSON.stringify([protocol, userId, server]);
}

/** The answer, if it comes in time. */
function within<T>(call: () => T): Promise<Awaited<T>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the agent does not answer")), ANSWER_WITHIN_MS);
    (timer as { unref?(): void }).unref?.();
    const answer = (async () => call())();
    answer.then(resolve as (value: unknown) => void, reject).finally(() => clearTimeout(timer));
  });
}
