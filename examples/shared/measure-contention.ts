import { randomBytes } from "node:crypto";
import { startChild } from "./children.ts";
import { newFolder } from "./folders.ts";
import type { KeptBy } from "./measure-agent.ts";
import type { InsertingChatCalls, InsertTimes } from "./measure-chat.ts";

/** How one arrangement compares with a chat whose agent's statistics nobody keeps. */
export interface Contention {
  readonly title: string;
  readonly p50: Measured;
  readonly p99: Measured;
  /** How long one save holds the chat's thread, the median; null where it runs elsewhere. */
  readonly heldMs: number | null;
}

/** Over the rounds. */
export interface Measured {
  /** The median. */
  readonly ms: number;
  /** To the same number without statistics, measured in the same round: the median, and between what they lay. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
}

export const ROUNDS = 9;
export const INSERTS = 800;
/** The shortest interval that the library allows: a hundred saves where by default there is one. */
export const SAVE_EVERY_MS = 50;

const ARRANGEMENTS = [
  { title: "nowhere", keptBy: null },
  { title: "nowhere, measured again: how far noise goes", keptBy: null },
  { title: "in the chat's database (options 1 and 2)", keptBy: "chat" },
  { title: "in the agent's database (options 3 and 4)", keptBy: "agent" },
] as const;

/** Measures every arrangement in each round, so that a moment when the machine is slow meets all of them. */
export async function measureContention(programs: URL, onRound: (round: number) => void): Promise<Contention[]> {
  const times = ARRANGEMENTS.map((): InsertTimes[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    onRound(round + 1);
    for (let turn = 0; turn < ARRANGEMENTS.length; turn++) {
      // Each round begins with another one: nobody always comes first.
      const index = (round + turn) % ARRANGEMENTS.length;
      times[index]?.push(await insertTimes(ARRANGEMENTS[index]?.keptBy ?? null, programs));
    }
  }
  const without = times[0] ?? [];
  return ARRANGEMENTS.map(({ title }, index) => {
    const own = times[index] ?? [];
    const heldMs = own.flatMap((each) => each.heldMs);
    return {
      title,
      p50: compare(own, without, 0.5),
      p99: compare(own, without, 0.99),
      heldMs: heldMs.length === 0 ? null : percentile(heldMs, 0.5),
    };
  });
}

function compare(own: readonly InsertTimes[], without: readonly InsertTimes[], share: number): Measured {
  const of = ({ tookMs }: InsertTimes) => percentile(tookMs, share);
  const ratios = own.map((times, round) => of(times) / of(without[round] ?? times));
  return {
    ms: percentile(own.map(of), 0.5),
    ratio: percentile(ratios, 0.5),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
  };
}

async function insertTimes(keptBy: KeptBy, programs: URL): Promise<InsertTimes> {
  const chat = startChild<InsertingChatCalls>("shared/measure-chat.js", programs);
  try {
    return await chat.ask("insert", {
      keptBy,
      saveEveryMs: SAVE_EVERY_MS,
      folder: newFolder(),
      key: randomBytes(32).toString("hex"),
      inserts: INSERTS,
    });
  } finally {
    chat.kill();
    await chat.ended();
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
