import type { DriverName } from "agent-stats/sqlcipher";
import type { Death } from "./crash.ts";

/** What a process under test is to do, from its start to its end. */
export interface LifeSpec {
  readonly file: string;
  readonly ledger: string;
  readonly driver: DriverName;
  /** `own`: a file of the library's own, kept by a worker thread; `same`: in this thread; `host`: on a handle of the host. */
  readonly place: Place;
  readonly flushEveryMs: number;
  readonly seed: number;
  readonly steps: readonly Step[];
  /** When it is to be killed; null: somebody else sees to its end, or its last step does. */
  readonly aim: Aim | null;
  /** The mechanism that is switched off; null: none. */
  readonly sabotage: Sabotage | null;
  /** True where the file is of an earlier schema: opening it migrates it. */
  readonly migrates: boolean;
}

export type Place = "own" | "same" | "host";

export type Step =
  | CountStep
  | { readonly do: "flush" }
  | { readonly do: "delete"; readonly user: number; readonly within: boolean }
  /** Null: everything. */
  | { readonly do: "reset"; readonly server: number | null }
  | { readonly do: "close" }
  | { readonly do: "wait"; readonly ms: number }
  /** `midSave`: a save has just begun, and nobody waits for it. */
  | { readonly do: "end"; readonly how: EndingOfLife; readonly midSave: boolean };

/** Counts at random of these users and servers, for so long. */
export interface CountStep {
  readonly do: "count";
  readonly ms: number;
  readonly users: readonly number[];
  readonly servers: readonly number[];
  /** Whether some of it fails: errors are saved sooner, and everything else with them. */
  readonly errors: boolean;
}

/**
 * Every way in which a process can end but SIGKILL at once. `thread …`: the database's thread dies in mid-work, and then
 * it closes. `stuck`: its main thread never answers again. `stuck counting`: and goes on counting.
 */
export type EndingOfLife =
  | "exit"
  | "throw"
  | "reject"
  | "SIGTERM"
  | "SIGINT"
  | "SIGHUP"
  | ThreadDeath
  | "close"
  | "empty"
  | "stuck"
  | "stuck counting";

export type ThreadDeath = `thread ${Death}`;

/** How the database's thread dies in that ending; null where it does not. */
export function deathIn(how: EndingOfLife): Death | null {
  return how.startsWith("thread ") ? (how.slice("thread ".length) as Death) : null;
}

/** What a process can be about when it is killed: calls of the store, and what is between them. */
export const PHASES = [
  "counting",
  "saving",
  "folding",
  "deleting",
  "resetting",
  "migrating",
  "erasing",
  "starting",
  "beginning",
  "stuck",
] as const;
export type Phase = (typeof PHASES)[number];

export interface Aim {
  readonly phase: Phase;
  /** The how-manieth time it comes to that, from 1. */
  readonly nth: number;
  /** So long after it began. */
  readonly delayMs: number;
}

/**
 * - `early acknowledgement`: a save is said to be done before it is.
 * - `fold without mark`: what is folded is not marked as folded.
 * - `no open check`: a save does not look whether its session was folded meanwhile, as nobody sees that it lives.
 * - `added saves`: a save adds to what is there instead of replacing it.
 * - `no ending handlers`: nothing is saved when the process ends.
 * - `no locks`: this process cannot lock its session, and nobody can see that it lives.
 */
export type Sabotage =
  | "early acknowledgement"
  | "fold without mark"
  | "no open check"
  | "added saves"
  | "no ending handlers"
  | "no locks";
