/** The ways to go wrong in which a host is made to tell all that it knows, and what proves that it went wrong so. */

export interface Scenario {
  readonly name: string;
  /** What its output must hold: a scenario that did not happen proves nothing. */
  readonly says: RegExp;
  /** Default: it ends by itself, with code 0. */
  readonly crashes?: true;
}

const told = (name: string, code: string): Scenario => ({ name, says: new RegExp(code) });

/** Each is a function of `secrets.child.ts`. */
export const SCENARIOS: readonly Scenario[] = [
  told("everything goes well", "all was well"),
  told("another key", "STATS_KEY_REJECTED"),
  told("a key that is none", "STATS_KEY_INVALID"),
  told("a passphrase", "all was well"),
  told("no encryption", "STATS_NOT_ENCRYPTED"),
  told("garbage", "STATS_(KEY_REJECTED|NOT_A_DATABASE)"),
  told("a damaged page", "STATS_DAMAGED|findings"),
  told("an empty file", "STATS_EMPTY_FILE"),
  told("a folder", "STATS_IS_A_FOLDER"),
  told("no folder", "STATS_FOLDER_MISSING"),
  told("nothing to read", "STATS_MISSING"),
  told("a newer schema", "STATS_NEWER_SCHEMA"),
  told("a file that moves", "STATS_MOVED"),
  told("a driver that is not there", "STATS_DRIVER_MISSING"),
  told("closed", "STATS_CLOSED"),
  told("a host's handle that is busy", "STATS_BUSY"),
  told("a host's handle without encryption", "STATS_NOT_ENCRYPTED"),
  told("bad calls", "badKey: [1-9]"),
  told("bad definitions", "TypeError"),
  told("an agent that lies", "all was well"),
  told("a big deletion", "physically"),
  { name: "an exception", says: /the host broke/, crashes: true },
  { name: "a rejection of ours", says: /STATS_KEY_REJECTED/, crashes: true },
  // Twice, and each time the next call finds another thread that works.
  { name: "a worker that dies", says: /(thread of the database ended.*kept again.*){2}threads: 3/s },
  { name: "topics of MQTT", says: /received: 5.*sendAuthErrors: 1.*topics were named: 5.*STATS_MOVED/s },
];

/** What is switched on to see more: everything that Node.js itself can tell of a program. */
export const LOUDNESS: readonly {
  readonly env: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}[] = [
  { env: {}, flags: [] },
  {
    env: { NODE_DEBUG: "worker,fs,net,stream,timer,module,esm,child_process,cluster,http,net,tls,util,process" },
    flags: ["--trace-warnings", "--trace-uncaught", "--stack-trace-limit=200"],
  },
  { env: { NODE_DEBUG: "*" }, flags: ["--report-uncaught-exception", "--report-on-fatalerror", "--trace-exit"] },
];
