import type { Ending, StatsStore } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { KEY } from "../cli.testing.ts";

const HOUR_MS = 3_600_000;
const FLUSH_EVERY_MS = 5_000;

/** What one key counted in one hour. */
export interface Counted {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** One run, and what it counted by hour, the first hour first. */
export interface Run {
  readonly startedAt: number;
  readonly hours: readonly (readonly Counted[])[];
  /** Null: it was killed, or runs. */
  readonly ending: Ending | null;
}

/** Writes runs of any time into a real file, through the port that the keeper uses. The last run may still be open. */
export async function writeHistory(file: string, runs: readonly Run[], keepOpen = false): Promise<StatsStore | null> {
  for (const [index, run] of runs.entries()) {
    const store = sqlcipherStore({ file, key: KEY });
    await writeRun(store, run);
    // Without a goodbye the lock is free, and who folds next finds it so.
    if (keepOpen && index === runs.length - 1) return store;
    await store.close();
    const folder = sqlcipherStore({ file, key: KEY });
    await folder.fold();
    await folder.close();
  }
  return null;
}

async function writeRun(store: StatsStore, { startedAt, hours, ending }: Run): Promise<void> {
  const { session, seen } = await store.begin({ startedAt, flushEveryMs: FLUSH_EVERY_MS, seen: null });
  const rows = new Map<string, number>();
  const counters: string[] = [];
  // Values are absolute within an hour, and each hour of a session stands for itself.
  for (const [index, counted] of hours.entries()) {
    const keys: [number, string, string, string][] = [];
    const cells = counted.flatMap((each) => {
      const name = JSON.stringify([each.protocol, each.userId, each.server]);
      const row = rows.get(name) ?? rows.size;
      if (!rows.has(name)) keys.push([row, each.protocol, each.userId, each.server]);
      rows.set(name, row);
      return Object.entries(each.counters).flatMap(([counter, value]) => {
        if (!counters.includes(counter)) counters.push(counter);
        return [row, counters.indexOf(counter), value];
      });
    });
    const at = startedAt + index * HOUR_MS + HOUR_MS / 2;
    const last = index === hours.length - 1 && ending !== null;
    const batch = {
      session,
      save: index + 1,
      seen,
      at,
      hour: Math.floor(at / HOUR_MS),
      keys,
      counters,
      cells: Float64Array.from(cells),
    };
    const saved = await store.save(last ? { ...batch, ending } : batch);
    if (saved.outcome !== "saved") throw new Error(`the fixture was not saved: ${saved.outcome}`);
  }
}

const PRIMES = [
  101, 211, 307, 401, 503, 601, 701, 809, 907, 1009, 1103, 1201, 1301, 1409, 1511, 1601, 1709, 1801, 1901, 2003,
];

/** Three servers, two profiles, two protocols; every number a prime of its own. */
export function threeServers(now: number): Run[] {
  let next = 0;
  const prime = () => PRIMES[next++] ?? 0;
  const counted = (): Counted[] => [
    {
      protocol: "mqtt",
      userId: "anna",
      server: "mqtts://one.example:8883",
      counters: { sent: prime(), received: prime() },
    },
    {
      protocol: "mqtt",
      userId: "bert",
      server: "mqtts://two.example:8883",
      counters: { sent: prime(), sendErrors: prime() },
    },
    {
      protocol: "smp",
      userId: "anna",
      server: SMP,
      counters: { sentDirect: prime(), recvMsgs: prime(), sentQuotaErrs: prime() },
    },
  ];
  return [
    { startedAt: now - 30 * HOUR_MS, hours: [counted()], ending: "close" },
    { startedAt: now - 3 * HOUR_MS, hours: [counted()], ending: "SIGTERM" },
  ];
}

const SMP = "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@three.example:5223";

/** A thousand servers of five profiles. */
export function thousandServers(now: number): Run[] {
  const counted = Array.from({ length: 5_000 }, (_, index): Counted => {
    const server = `mqtts://broker-${String(index % 1_000).padStart(3, "0")}.example:8883`;
    const counters = { sent: 2 * index + 1, received: index + 7, ...(index % 97 === 0 && { sendErrors: 1 }) };
    return { protocol: "mqtt", userId: `profile-${Math.floor(index / 1_000)}`, server, counters };
  });
  return [{ startedAt: now - 2 * HOUR_MS, hours: [counted], ending: "close" }];
}

/** One server that refuses a third of what is sent, from the first hour on, and receives much. */
export function failingAllTheTime(now: number): Run[] {
  const counters = { sent: 409, sendErrors: 211, received: 5_003, subscribed: 1_009 };
  const counted = [{ protocol: "mqtt", userId: "anna", server: "mqtts://broker.example:8883", counters }];
  return [{ startedAt: now - 3 * HOUR_MS, hours: [counted], ending: "close" }];
}

/** One run that counted nothing. */
export function nothingCounted(now: number): Run[] {
  return [{ startedAt: now - 2 * HOUR_MS, hours: [[]], ending: "close" }];
}

/** Numbers that look like chance, and are the same in every run. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

const OWN = "smp://Wm9vcHMtdGhpcy1pcy1hLWtleS1oYXNoLW9ubHktMzI=@my.example:5223";
const PUBLIC = [
  "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@smp8.simplex.im,beccx4yfxxbvyhqypaavemqurytl6hozr47wfc7uuecacjqdvwpw2xid.onion",
  "smp://SkIkI6EPd2D63F4xFKfHk7I1UGZVNn6k1QWZ5rcyr6w=@smp9.simplex.im,jssqzccmrcws6bhmn77vgmhfjmhwlyr3u7puw4erkyoosywgl67slqqd.onion",
  "smp://6iIcWT_dF2zN_w5xzZEY7HI2Prbh3ldP07YTyDexPjE=@smp10.simplex.im,rb2pbttocvnbrngnwziclp2f4ckjq65kebafws6g4hy22cdaiv5dwjqd.onion",
];
const PROXIED = "smp://c29tZS1vdGhlci1rZXktaGFzaC10aGF0LWlzLTMyLWI=@chat.friends.example";
const FILES = "xftp://Wm9vcHMtdGhpcy1pcy1hLWtleS1oYXNoLW9ubHktMzI=@files.my.example";
const BROKER = "mqtts://broker.my.example:8883";

/** Twelve days of somebody with a server of their own, which began to fail three days ago. */
export function story(now: number): Run[] {
  const roll = dice(7);
  const hour = (at: number): Counted[] => {
    const awake = new Date(at).getUTCHours() > 6 ? 1 : 0.15;
    const some = (most: number) => Math.round(roll(most) * awake);
    const failing = now - at < 72 * HOUR_MS;
    const smp = (userId: string, server: string, most: number, more: Record<string, number> = {}): Counted => {
      const [sentDirect, recvMsgs, subscribed] = [some(most), some(most * 2), 2 + some(6)];
      const counters = {
        sentDirect,
        sentDirectAttempts: sentDirect + some(2),
        recvMsgs,
        ackMsgs: recvMsgs,
        ackAttempts: recvMsgs,
        connSubscribed: subscribed,
        connSubAttempts: subscribed + some(2),
        ...more,
      };
      return { protocol: "smp", userId, server, counters };
    };
    const [files, sent] = [1 + some(4), some(40)];
    return [
      smp("anna", OWN, 60, failing ? { sentQuotaErrs: some(18), sentAuthErrs: some(3) } : {}),
      smp("work", OWN, 14, failing ? { sentQuotaErrs: some(5) } : {}),
      ...PUBLIC.map((server, index) => smp("anna", server, 30 - 8 * index)),
      {
        protocol: "smp",
        userId: "anna",
        server: PROXIED,
        counters: { sentViaProxy: files, sentViaProxyAttempts: files },
      },
      {
        protocol: "xftp",
        userId: "anna",
        server: FILES,
        counters: {
          uploads: files,
          uploadAttempts: files,
          uploadsSize: some(900) * 1024,
          downloads: files + 2,
          downloadsSize: some(2_000) * 1024,
          downloadAttempts: files + 2,
        },
      },
      {
        protocol: "mqtt",
        userId: "work",
        server: BROKER,
        counters: {
          sent,
          sendAttempts: sent + 1,
          received: some(90),
          bytesSent: some(50_000),
          bytesReceived: some(90_000),
        },
      },
    ];
  };
  const begin = now - 12 * 24 * HOUR_MS;
  const runs: [from: number, hours: number, Ending | null][] = [
    [0, 46, "close"],
    [48, 70, "close"],
    [120, 25, null],
    [146, 40, "SIGTERM"],
    [190, 24, "exception"],
    [215, 30, "close"],
    [246, 42, null],
  ];
  return runs.map(([from, hours, ending]) => {
    const startedAt = begin + from * HOUR_MS;
    return { startedAt, hours: Array.from({ length: hours }, (_, i) => hour(startedAt + i * HOUR_MS)), ending };
  });
}
