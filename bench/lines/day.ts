import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { bytesOfFiles, bytesWritten, inFolder, KEY } from "../support/disk.ts";
import { keyAt } from "../support/keys.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { randomOf } from "../support/measure.ts";

const KEYS = 28;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Morning, noon and two hours of the evening. */
const ACTIVE_HOURS = new Set([8, 12, 19, 20]);
const BURSTS_AN_HOUR = 12;
const BURST_MS = 20 * SECOND_MS;
/** The default, and the longest interval that the RFC thinks of. */
const OURS_EVERY_MS = [5 * SECOND_MS, 30 * SECOND_MS] as const;
const THEIRS_EVERY_MS = 10 * SECOND_MS;
const COUNTED = ["sentDirect", "sentDirectAttempts", "recvMsgs", "ackMsgs", "ackAttempts"] as const;
const IDLE_MS = 3 * SECOND_MS;

/** What is counted in each second of the day: which keys send and receive. The same for both. */
function busyKeys(): (second: number) => readonly number[] {
  const random = randomOf(14);
  return (second) => {
    const ms = second * SECOND_MS;
    const isActive = ACTIVE_HOURS.has(Math.floor(ms / HOUR_MS));
    const isBurst = ms % (HOUR_MS / BURSTS_AN_HOUR) < BURST_MS;
    return isActive && isBurst ? [Math.floor(random() * KEYS), Math.floor(random() * KEYS)] : [];
  };
}

/** Lives one day second by second, with the clock set by hand: what was counted is saved when its interval is over. */
async function ours(folder: string, everyMs: number): Promise<number> {
  const begun = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const clock = Date.now;
  let now = begun;
  Date.now = () => now;
  try {
    const store = sqlcipherStore({ file: join(folder, `ours-${everyMs}.db`), key: KEY });
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: HOUR_MS });
    const servers = Array.from({ length: KEYS }, (_, n) => stats.server(smp, keyAt(n).userId, keyAt(n).server));
    const before = bytesWritten() ?? Number.NaN;
    const busy = busyKeys();
    let changedAt: number | null = null;
    for (let second = 0; second < DAY_MS / SECOND_MS; second++) {
      now = begun + second * SECOND_MS;
      for (const key of busy(second)) {
        for (const counter of COUNTED) servers[key]?.add(counter);
        changedAt ??= now;
      }
      if (changedAt === null || now < changedAt + everyMs) continue;
      await stats.flush();
      changedAt = null;
    }
    await stats.close();
    return (bytesWritten() ?? Number.NaN) - before;
  } finally {
    Date.now = clock;
  }
}

function theirs(folder: string): number {
  const scheme = new WholeMap(join(folder, "theirs.db"));
  scheme.fill(KEYS);
  scheme.save();
  const before = bytesWritten() ?? Number.NaN;
  const busy = busyKeys();
  for (let second = 0; second < DAY_MS / SECOND_MS; second++) {
    for (const key of busy(second)) for (const counter of COUNTED) scheme.count(key, counter);
    if ((second * SECOND_MS) % THEIRS_EVERY_MS === 0) scheme.save(new Date(second * SECOND_MS));
  }
  scheme.close();
  return (bytesWritten() ?? Number.NaN) - before;
}

/** With the real timer, at its shortest interval: what is written while nothing is counted. */
async function idle(folder: string): Promise<number> {
  const store = sqlcipherStore({ file: join(folder, "idle.db"), key: KEY });
  const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 50 });
  stats.server(smp, 1, "smp://idle").add("sentDirect");
  await stats.flush();
  await wait(500);
  const before = bytesOfFiles() ?? Number.NaN;
  await wait(IDLE_MS);
  const written = (bytesOfFiles() ?? Number.NaN) - before;
  await stats.close();
  return written;
}

export async function day(): Promise<LineResult> {
  return inFolder(async (folder) => {
    const baseline = theirs(folder);
    const against = "simplexmq's whole map";
    const bytes = async (name: string, everyMs: number, target: Figure["target"]): Promise<Figure> => {
      return { name, unit: "bytes", figure: await ours(folder, everyMs), baseline, against, target };
    };
    const [usual, longest] = OURS_EVERY_MS;
    return {
      measured:
        "All bytes handed to the system in one simulated day, the closing included: 14 servers of each of 2 users; 4 hours with 12 bursts of 20 s each, in which 2 messages a second are sent, received and acknowledged; 20 idle hours. Ours saves 5 s after a change, simplexmq every 10 s; SQLite spares both the pages of a row that stay the same. Idle: 3 s of real time at the shortest interval.",
      figures: [
        await bytes("bytes a day", usual, { of: "ratio", atMost: 1 / 50 }),
        await bytes("bytes a day, saved after 30 s", longest, null),
        {
          name: "bytes while idle",
          unit: "bytes",
          figure: await idle(folder),
          baseline: null,
          against: null,
          target: { of: "figure", atMost: 0 },
        },
      ],
    };
  });
}
