/** What was seen, by whom. The judge looks at nothing else. */

import type { RunEnding } from "./plan.ts";

/** What a broker notes of one user in one run, with the time of each. */
export const BROKER_EVENTS = ["accepted", "delivered", "acknowledged"] as const;
export type BrokerEvent = (typeof BROKER_EVENTS)[number];

/** What the host's own log notes: it is written by the app itself, next to its calls of MQTT.js. */
export const HOST_EVENTS = ["attempted", "sent", "received", "repeated"] as const;
export type HostEvent = (typeof HOST_EVENTS)[number];

/** When each event happened, ms since 1970. */
export type Times<E extends string> = Readonly<Record<E, readonly number[]>>;

/** What really happened between one user and one server in one run, told twice. */
export interface KeyTruth {
  readonly userId: string;
  readonly server: string;
  readonly broker: Times<BrokerEvent>;
  readonly host: Times<HostEvent>;
}

export type Counts = Readonly<Record<string, number>>;

export interface KeyReading {
  readonly userId: string;
  readonly server: string;
  readonly past: Counts;
  readonly session: Counts;
  readonly overall: Counts;
}

export interface SessionReading {
  readonly session: number;
  readonly how: string;
  /** Times as text (ISO 8601). */
  readonly started: string;
  readonly lastSaved: string;
  readonly ended: string | null;
  readonly canHaveLostMs: number;
}

/** What another process read out of the encrypted file. */
export interface Reading {
  readonly sessions: readonly SessionReading[];
  readonly servers: readonly KeyReading[];
}

export interface RunEvidence {
  readonly run: number;
  readonly ending: RunEnding;
  /** How long it had sent when its end began. */
  readonly sentForMs: number;
  /** When its end began, ms since 1970: taken before the signal is sent. */
  readonly endedAt: number;
  /** How it ended, from the operating system. */
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  readonly truth: readonly KeyTruth[];
  /** The file after this run. */
  readonly reading: Reading;
  /** The folder of the file after this run. */
  readonly scan: Scan;
}

/** A search for names in every byte of every file of a folder, and in the names of the files. */
export interface Scan {
  readonly files: readonly string[];
  readonly sizeBytes: number;
  /** Each name that was found, once. */
  readonly found: readonly string[];
}

/** A search in the decrypted pages of the database. */
export interface PageSearch {
  readonly pages: number;
  /** How often each name stands in them. */
  readonly hits: Counts;
  /** Servers that stand there without the user who stays right before them: they are somebody else's. */
  readonly strayServers: number;
}

export interface Forgetting {
  readonly userId: string;
  readonly erased: string;
  readonly before: PageSearch;
  readonly after: PageSearch;
  readonly scan: Scan;
  readonly reading: Reading;
}

export interface Evidence {
  readonly flushEveryMs: number;
  readonly oneSaveMs: number;
  readonly runs: readonly RunEvidence[];
  /** What was searched for on disk. */
  readonly names: readonly string[];
  /** The same search where the same data stands in plaintext. */
  readonly control: Scan;
  readonly forgetting: Forgetting;
}

export interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}
