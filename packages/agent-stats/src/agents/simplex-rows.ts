import { parseSimplexServer, type SimplexServer, serverIdentity } from "./simplex-address.ts";
import type { JsonAt, Notes } from "./simplex-json.ts";
import {
  fieldOf,
  knownCounters,
  PROGRESS_GAUGES,
  SESSION_GAUGES,
  type SimplexProtocol,
  SUBS_GAUGES,
  scaleOf,
  unknownCounterOf,
} from "./simplex-protocols.ts";

/** What SimpleX says of one server for one user. */
export interface SimplexRow {
  readonly protocol: SimplexProtocol;
  readonly userId: string;
  /** The address, as it was first seen. */
  readonly server: string;
  /** By names and in units of this library. A counter that was not told is missing; one that is zero is not. */
  readonly counters: Readonly<Record<string, number>>;
  /** Gauges, where they were told. */
  readonly live: Readonly<Record<string, number>>;
}

/** As many keys as a snapshot may have; see `record/wire.ts`. */
const MOST_ROWS = 100_000;
/** A later simplexmq may have some; a file that has more is something else. */
const MOST_UNKNOWN_COUNTERS = 200;

export interface Reading {
  readonly unknown: Notes;
  readonly missing: Notes;
  readonly unknownCounters: Readonly<Record<SimplexProtocol, Set<string>>>;
}

export interface RowNumbers {
  readonly address: SimplexServer;
  readonly server: string;
  readonly counters: Map<string, number>;
  readonly live: Map<string, number>;
}

/** Rows by server. The same server under another list of hosts is the same server: its numbers are added up. */
export class Rows {
  readonly #rows = new Map<string, RowNumbers & { readonly protocol: SimplexProtocol; readonly userId: string }>();
  /** Which part of which address was told already. */
  readonly #told = new Set<string>();

  /** The row of that user and server. `part` is told once for each address. */
  row(protocol: SimplexProtocol, userId: string, at: JsonAt, part: string): RowNumbers {
    const address = addressAt(at, protocol);
    const server = at.text();
    const told = JSON.stringify([part, userId, server]);
    if (this.#told.has(told)) at.fault("this server is told a second time");
    this.#told.add(told);
    const name = JSON.stringify([userId, serverIdentity(address)]);
    let row = this.#rows.get(name);
    if (!row) {
      if (this.#rows.size >= MOST_ROWS) at.fault(`there are more than ${MOST_ROWS} servers`);
      row = { protocol, userId, address, server, counters: new Map(), live: new Map() };
      this.#rows.set(name, row);
    }
    return row;
  }

  find(userId: string, address: SimplexServer): RowNumbers | undefined {
    return this.#rows.get(JSON.stringify([userId, serverIdentity(address)]));
  }

  values() {
    return [...this.#rows.values()];
  }

  all(): SimplexRow[] {
    return this.values().map(({ protocol, userId, server, counters, live }) => ({
      protocol,
      userId,
      server,
      counters: Object.fromEntries(counters),
      live: Object.fromEntries(live),
    }));
  }
}

export function addressAt(at: JsonAt, protocol: SimplexProtocol): SimplexServer {
  let address: SimplexServer;
  try {
    address = parseSimplexServer(at.text());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return at.fault(`this is no address of a server: ${error.message}`);
  }
  return address.protocol === protocol ? address : at.fault(`this is no address of an ${protocol} server`);
}

/** Adds the counters of a stats object to a row. */
export function readCounters(
  protocol: SimplexProtocol,
  at: JsonAt,
  into: Map<string, number>,
  { unknown, missing, unknownCounters }: Reading,
): void {
  const fields = new Set(at.fields());
  for (const counter of knownCounters(protocol)) {
    const field = at.at(fieldOf(counter));
    if (!fields.delete(fieldOf(counter))) missing.add(field);
    else add(into, counter, field, scaleOf(protocol, counter));
  }
  for (const name of fields) {
    const field = at.at(name);
    const counter = unknownCounterOf(protocol, name);
    const isCount = Number.isSafeInteger(field.value) && (field.value as number) >= 0;
    unknown.add(field, !isCount || counter === null);
    if (!isCount || counter === null) continue;
    unknownCounters[protocol].add(counter);
    if (unknownCounters[protocol].size > MOST_UNKNOWN_COUNTERS) at.fault("there are too many unknown counters");
    add(into, counter, field, 1);
  }
}

export function readSessions(at: JsonAt, into: Map<string, number>, reading: Reading): void {
  readGauges(SESSION_GAUGES, at, into, reading);
}

export function readSubs(at: JsonAt, into: Map<string, number>, reading: Reading): void {
  readGauges(SUBS_GAUGES, at, into, reading);
}

/** Flags of an item: whether files are on their way. */
export function readProgress(at: JsonAt, into: Map<string, number>, { missing }: Reading): void {
  for (const [field, gauge] of Object.entries(PROGRESS_GAUGES)) {
    const flag = at.at(field);
    if (flag.isNothing) missing.add(flag);
    const value = !flag.isNothing && flag.flag() ? 1 : 0;
    into.set(gauge, Math.max(value, into.get(gauge) ?? 0));
  }
}

/** Notes every field that is not among those. */
export function noteUnknown(at: JsonAt, known: readonly string[], { unknown }: Reading): void {
  for (const field of at.fields()) if (!known.includes(field)) unknown.add(at.at(field), true);
}

function readGauges(
  names: Readonly<Record<string, string>>,
  at: JsonAt,
  into: Map<string, number>,
  reading: Reading,
): void {
  noteUnknown(at, Object.keys(names), reading);
  for (const [field, gauge] of Object.entries(names)) {
    const value = at.at(field);
    if (!at.has(field)) reading.missing.add(value);
    add(into, gauge, at.has(field) ? value : null, 1);
  }
}

function add(into: Map<string, number>, name: string, at: JsonAt | null, scale: number): void {
  const sum = (into.get(name) ?? 0) + (at?.count(scale) ?? 0);
  if (sum > Number.MAX_SAFE_INTEGER) at?.fault("the sum over this server's addresses is too large to be told exactly");
  into.set(name, sum);
}
