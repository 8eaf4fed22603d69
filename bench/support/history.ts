import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { KEY } from "./disk.ts";
import { keyAt } from "./keys.ts";

const HOUR_MS = 3_600_000;
const DAYS = 90;
const HOURS_A_DAY = 8;
/** What a client of today uses in an hour. */
const SERVERS_AN_HOUR = 14;
const COUNTERS = ["sentDirect", "sentDirectAttempts", "recvMsgs"].map((name) => smp.counterIndex.get(name) as number);

/** How many counts of one key in one hour the history holds. */
export const HOUR_KEYS = DAYS * HOURS_A_DAY * SERVERS_AN_HOUR;

/**
 * A file as a host leaves it that met so many servers: every key has sums in the past; and in each of the last 90 days a
 * session of 8 hours counted on 14 servers an hour, going round through all of them.
 */
export function writeHistory(file: string, keys: number, days = DAYS): void {
  const now = Date.now();
  const { now: store } = sqlcipherStore({ file, key: KEY, thread: "same" });
  if (!store) throw new Error("the store in this thread answers at once");
  const counters = smp.counters.map(({ name }) => name);
  const session = (startedAt: number, hours: readonly (readonly number[])[]) => {
    const { session: id, seen } = store.begin({ startedAt, flushEveryMs: 5_000, seen: null });
    hours.forEach((used, index) => {
      const at = startedAt + index * HOUR_MS;
      store.save({
        session: id,
        save: index + 1,
        seen,
        at,
        hour: Math.floor(at / HOUR_MS),
        keys: used.map((number) => [number, smp.name, keyAt(number).userId, keyAt(number).server] as const),
        counters,
        cells: Float64Array.from(
          used.flatMap((number) => COUNTERS.flatMap((counter) => [number, counter, 1 + (number % 90)])),
        ),
        ...(index === hours.length - 1 && { ending: "close" as const }),
      });
    });
    store.fold();
  };
  const first = Math.floor(now / HOUR_MS) * HOUR_MS - (DAYS + 10) * 24 * HOUR_MS;
  session(first, [Array.from({ length: keys }, (_, number) => number)]);
  store.prune(Math.floor(first / HOUR_MS) + 1);
  let next = 0;
  for (let day = days; day > 0; day--) {
    const startedAt = Math.floor(now / HOUR_MS) * HOUR_MS - day * 24 * HOUR_MS;
    const hours = Array.from({ length: HOURS_A_DAY }, () =>
      Array.from({ length: SERVERS_AN_HOUR }, () => next++ % keys),
    );
    session(startedAt, hours);
  }
  store.close();
}
