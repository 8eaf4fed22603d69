import { sqlcipherStore } from "agent-stats/sqlcipher";
import { KEY } from "./cli.testing.ts";

const HOUR_MS = 3_600_000;

export const MINE =
  "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@my.example,beccx4yfxxbvyhqypaavemqurytl6h.onion:5223";
export const OTHER = "smp://1OwYGt-yqOfe2IyVHhxz3ohqo3aCCMjtB-8wn4X_aoY=@other.example";
export const BROKER = "mqtts://broker.example:8883";

const KEYS = [
  [0, "smp", "1", MINE],
  [1, "smp", "1", OTHER],
  [2, "smp", "2", OTHER],
  [3, "mqtt", "1", BROKER],
] as const;
const COUNTERS = ["sentDirect", "sentDirectAttempts", "sentQuotaErrs", "sentAuthErrs", "sent", "bytesSent"] as const;

type Counter = (typeof COUNTERS)[number];

/** How many hours ago the server that is ours began to fail. */
export const FAILING_FOR_HOURS = 97;
export const HISTORY_HOURS = 300;

/** What each hour counts: primes, so that no number can stand in for another. */
function hourOf(hoursAgo: number): readonly (readonly [row: number, counter: Counter, value: number])[] {
  const fails = hoursAgo <= FAILING_FOR_HOURS;
  return [
    [0, "sentDirect", fails ? 41 : 53],
    [0, "sentDirectAttempts", fails ? 61 : 53],
    ...(fails
      ? ([
          [0, "sentQuotaErrs", 7],
          [0, "sentAuthErrs", 2],
        ] as const)
      : []),
    [1, "sentDirect", 23],
    [2, "sentDirect", 3],
    [3, "sent", 13],
    [3, "bytesSent", 12_347],
  ];
}

/** A database with days of history, as an app leaves it that counted every hour, up to an hour ago, and was closed. */
export function databaseWithHistory(file: string, ending: "close" | null = "close"): void {
  sessionWithHistory(file, { from: HISTORY_HOURS, to: 1 }, ending);
}

/** One run of that app; those before it are folded. */
export function sessionWithHistory(
  file: string,
  { from, to }: { readonly from: number; readonly to: number },
  ending: "close" | null = "close",
): void {
  const store = sqlcipherStore({ file, key: KEY, thread: "same" });
  const calls = store.now;
  if (!calls) throw new Error("this store has no blocking half");
  const now = Date.now();
  calls.fold();
  const { session } = calls.begin({ startedAt: now - from * HOUR_MS, flushEveryMs: 5_000, seen: null });
  for (let hoursAgo = from; hoursAgo >= to; hoursAgo--) {
    const at = now - hoursAgo * HOUR_MS;
    const save = from - hoursAgo + 1;
    const cells = hourOf(hoursAgo).flatMap(([row, counter, value]) => [row, COUNTERS.indexOf(counter), value]);
    calls.save({
      session,
      save,
      seen: 0,
      at,
      hour: Math.floor(at / HOUR_MS),
      keys: save === 1 ? KEYS : [],
      counters: COUNTERS,
      cells: Float64Array.from(cells),
      ...(hoursAgo === to && ending !== null && { ending }),
    });
  }
  calls.close();
}
