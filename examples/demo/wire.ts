/** What the conductor and its child processes say to each other. */

import type { BrokerEvent, Reading, Times } from "./evidence.ts";

/** What one connection did, as its broker saw it. */
export interface Tally {
  readonly userId: string;
  readonly clientId: string;
  readonly times: Times<BrokerEvent>;
}

export type BrokerOrder = { readonly order: "start" } | { readonly order: "tally" };
export type BrokerTold =
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "tally"; readonly tallies: readonly Tally[] };

export interface HostWork {
  readonly order: "start";
  readonly run: number;
  readonly servers: readonly string[];
  readonly messagesPerSecond: number;
  readonly flushEveryMs: number;
  readonly file: string;
  /** The path of the key, not the key: what is sent between processes can end up in a log. */
  readonly keyFile: string;
  readonly logFile: string;
}
export type HostOrder = HostWork | { readonly order: "throw" } | { readonly order: "close" };
export type HostTold =
  | { readonly told: "sending"; readonly past: number }
  | { readonly told: "progress"; readonly out: number; readonly in: number }
  | { readonly told: "problem"; readonly message: string };

export type ReaderOrder = { readonly file: string; readonly keyFile: string } & (
  | { readonly order: "read" }
  | { readonly order: "forget"; readonly userId: string }
);
export type ReaderTold =
  | { readonly told: "reading"; readonly reading: Reading }
  | { readonly told: "forgotten"; readonly erased: string };
