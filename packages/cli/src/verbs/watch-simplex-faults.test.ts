import { join } from "node:path";
import type { AgentStats, ServersStats } from "agent-stats";
import { type SimplexWatchEvent, type WebSocketClass, watchSimplex } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { folder, KEY } from "../cli.testing.ts";
import { StandInCore } from "../stand-in.testing.ts";

/** `AGENT_STATS_FAULTS=200` for the whole count. */
const FAULTS = Number(process.env.AGENT_STATS_FAULTS ?? 40);
vi.setConfig({ testTimeout: 60_000 + FAULTS * 5_000 });

/** A watch that can be ended and begun again on the same file. */
class Watched {
  stats: AgentStats | null = null;
  readonly events: SimplexWatchEvent[] = [];
  readonly #core: StandInCore;
  readonly #file = join(folder(), "stats.db");
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(core: StandInCore) {
    this.#core = core;
  }

  begin(): void {
    this.#ending = new AbortController();
    this.#running = watchSimplex({
      url: this.#core.url,
      store: sqlcipherStore({ file: this.#file, key: KEY, thread: "same" }),
      signal: this.#ending.signal,
      WebSocket: (globalThis.WebSocket ?? WebSocket) as unknown as WebSocketClass,
      everyMs: 10,
      answerWithinMs: 120,
      retryMs: 5,
      onEvent: (event) => this.events.push(event),
      onOpen: (stats) => {
        this.stats = stats;
      },
    });
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    this.stats = null;
  }

  async cells(): Promise<Map<string, number>> {
    return this.stats ? cellsOf(await this.stats.getServersStats()) : new Map();
  }

  /** Waits until it shows exactly what the core counted. */
  async catchesUp(): Promise<void> {
    await vi.waitFor(async () => expect(await this.cells()).toEqual(this.#core.truth), {
      timeout: 20_000,
      interval: 20,
    });
  }

  async sees(type: SimplexWatchEvent["type"], since: number): Promise<void> {
    await vi.waitFor(() => expect(this.events.slice(since).map((event) => event.type)).toContain(type), {
      timeout: 20_000,
      interval: 5,
    });
  }
}

function cellsOf({ servers }: ServersStats): Map<string, number> {
  return new Map(
    servers.flatMap(({ protocol, userId, server, overall }) =>
      Object.entries(overall).map(
        ([counter, value]) =>
          [`${userId} ${protocol} ${server.replace(/.*@(\w+).*/, "$1")} ${counter}`, value] as const,
      ),
    ),
  );
}

async function watched() {
  const core = new StandInCore();
  await core.start();
  core.addUser();
  core.addUser();
  const watch = new Watched(core);
  onTestFinished(async () => {
    await watch.end().catch(() => {});
    await core.stop();
  });
  return { core, watch };
}

/** The same faults for the same seed. */
function randomOf(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const CELLS = [
  "smp a recvMsgs",
  "smp a sentDirect",
  "smp b connCreated",
  "xftp a uploads",
  "ntf c ntfCreated",
  "smp d recvErrs",
  "smp a later",
];

describe("watching a core", () => {
  test(`${FAULTS} random faults: the sums are exact`, async () => {
    const { core, watch } = await watched();
    const random = randomOf(Number(process.env.AGENT_STATS_SEED ?? 20_261_123));
    const count = (times: number) => {
      const ids = [...core.users.keys()];
      for (let i = 0; i < times; i++) {
        core.count(ids[random(ids.length)] as number, CELLS[random(CELLS.length)] as string, 1 + random(5));
      }
    };
    const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const anew = async (startedAt?: Date) => {
      core.behave();
      await watch.catchesUp();
      const since = watch.events.length;
      core.zero(startedAt);
      // Under the old date nobody can tell until a number is smaller, or a server gone: here all are.
      for (const id of core.users.keys()) core.count(id, "smp fresh recvMsgs", 1);
      await watch.sees("began-anew", since);
    };
    const faults: Readonly<Record<string, () => unknown>> = {
      slow: () => Object.assign(core.faults, { slowMs: random(60) }),
      tooSlow: () => Object.assign(core.faults, { slowMs: 110 + random(60) }),
      silent: () => Object.assign(core.faults, { silent: 1 + random(3) }),
      drop: () => Object.assign(core.faults, { drop: 1 + random(4) }),
      garbage: () => Object.assign(core.faults, { garbage: 1 + random(4) }),
      wrongUser: () => Object.assign(core.faults, { wrongUser: 1 + random(3) }),
      wrongType: () => Object.assign(core.faults, { wrongType: 1 + random(3) }),
      lateTwins: () => Object.assign(core.faults, { lateTwins: 10, events: random(2) === 0 }),
      malformed: () => Object.assign(core.faults, { malformed: 1 + random(2) }),
      incompleteList: () => Object.assign(core.faults, { incompleteList: 1 }),
      onlyActive: () => Object.assign(core.faults, { active: [...core.users.keys()][0] ?? null }),
      otherEnvelope: () => Object.assign(core.faults, { newEnvelope: !core.faults.newEnvelope }),
      stale: async () => {
        core.remember();
        count(20);
        await rest(40);
        core.faults.stale = 1;
      },
      down: async () => {
        await core.stop();
        await rest(random(60));
        count(5);
        await core.start();
      },
      watchRestarts: async () => {
        await watch.end();
        count(5);
        watch.begin();
      },
      deleted: () => core.users.size > 1 && core.deleteUser([...core.users.keys()][random(core.users.size)] as number),
      added: () => core.addUser(),
      reset: () => anew(new Date(core.startedAt.getTime() + 1_000)),
      failedRestore: () => anew(),
    };
    watch.begin();
    count(20);
    const names = Object.keys(faults);
    const seen = new Set<string>();
    for (let i = 0; i < FAULTS; i++) {
      // Each once, then at random.
      const name = names[i < names.length ? i : random(names.length)] as string;
      await faults[name]?.();
      seen.add(name);
      count(1 + random(10));
      await rest(random(80));
      core.behave();
      await watch.catchesUp();
    }
    expect(seen.size).toBe(Math.min(FAULTS, names.length));
    expect(core.taken.size).toBeGreaterThan(6);
    await watch.end();
    watch.begin();
    await watch.catchesUp();
  });

  test("a user deleted in the core is forgotten; a list that leaves one out once is not believed", async () => {
    const { core, watch } = await watched();
    watch.begin();
    core.count(1, "smp a recvMsgs", 5);
    core.count(2, "smp a recvMsgs", 7);
    await watch.catchesUp();
    core.faults.incompleteList = 1;
    await vi.waitFor(() => expect(core.faults.incompleteList).toBe(0), { interval: 5 });
    const answers = core.answers;
    await vi.waitFor(() => expect(core.answers).toBeGreaterThan(answers + 6), { interval: 5 });
    expect(watch.events.map(({ type }) => type)).not.toContain("user-deleted");
    core.deleteUser(2);
    await watch.catchesUp();
    expect(watch.events.map(({ type }) => type)).toContain("user-deleted");
  });

  test("a user deleted while nobody watched is forgotten too", async () => {
    const { core, watch } = await watched();
    watch.begin();
    core.count(1, "smp a recvMsgs", 5);
    core.count(2, "smp a recvMsgs", 7);
    await watch.catchesUp();
    await watch.end();
    core.deleteUser(2);
    watch.begin();
    await watch.catchesUp();
  });

  test("gauges live while the core does", async () => {
    const { core, watch } = await watched();
    watch.begin();
    core.count(1, "smp a recvMsgs", 5);
    await watch.catchesUp();
    const live = async () => (await watch.stats?.getServersStats())?.servers[0]?.live;
    expect(await live()).toEqual({ connected: 1, sessionErrors: 0, connecting: 0, activeSubs: 3, pendingSubs: 1 });
    await core.stop();
    await vi.waitFor(async () => expect(await live()).toEqual({}), { interval: 5 });
    await core.start();
    await vi.waitFor(async () => expect(await live()).toMatchObject({ connected: 1 }), { interval: 5, timeout: 5_000 });
  });

  test("a reset begins a session, and a restart of the core under the same date goes on", async () => {
    const { core, watch } = await watched();
    watch.begin();
    core.count(1, "smp a recvMsgs", 5);
    await watch.catchesUp();
    await core.stop();
    core.count(1, "smp a recvMsgs", 2);
    await core.start();
    await watch.catchesUp();
    expect(await watch.stats?.getSessions()).toHaveLength(1);
    core.zero(new Date("2026-06-04T03:02:01Z"));
    core.count(1, "smp a recvMsgs", 100);
    await watch.catchesUp();
    expect((await watch.stats?.getSessions())?.map(({ how }) => how)).toEqual(["agent", "running"]);
  });

  test("control: a stand-in that gives one user the numbers of another, unseen, is caught by the sums", async () => {
    const { core, watch } = await watched();
    core.count(1, "smp a recvMsgs", 5);
    watch.begin();
    await watch.catchesUp();
    core.users.get(1)?.counts.set("smp a recvMsgs", 6);
    await vi.waitFor(async () => expect(await watch.cells()).not.toEqual(core.truth), { timeout: 5_000, interval: 10 });
  });
});
