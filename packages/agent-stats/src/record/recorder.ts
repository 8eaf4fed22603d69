import { assertGiven, assertOptions, isIterable, userIdOf } from "./given.ts";
import { Memory, type Place } from "./memory.ts";
import type { Protocol } from "./protocol.ts";
import {
  type Rejection,
  Row,
  type RowGroup,
  type RowOwner,
  type Server,
  UNCHANGED,
  URGENT,
  type Urgency,
  widthOf,
} from "./row.ts";
import { covers, type GivenScope, resetScopeOf, type Scope } from "./scope.ts";
import { isName, isPast, isProtocol, NO_PROTOCOL } from "./valid.ts";

/** What one key holds, by counter and gauge name. Counters that are zero and gauges that were never set are left out. */
export interface RecordedServer {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  /** What this session counted. */
  readonly session: Readonly<Record<string, number>>;
  /** What the counters stand at: the same, or past and session where the recorder was started from the past. */
  readonly total: Readonly<Record<string, number>>;
  /** Live gauges. */
  readonly live: Readonly<Record<string, number>>;
}

/** Everything a recorder holds, at one moment. */
export interface Recorded {
  /** Which recorder it is: another one after a restart, whose counters then began anew. Null where none can be told. */
  readonly session: string | null;
  readonly servers: readonly RecordedServer[];
  /** Calls that counted nothing, by reason. All zero in a host without a bug. */
  readonly rejected: Readonly<Record<Rejection, number>>;
}

export interface RecorderOptions {
  /** The protocols that are counted. Others are added at the first `server` call with them. */
  readonly protocols?: readonly Protocol[];
  /** What to start from: the `servers` of a keeper's `getServersStats`. The counters then hold overall numbers. */
  readonly startFrom?: Iterable<PastOfServer>;
}

/** The numbers before this session, as `getServersStats` of whoever keeps them tells. */
export interface PastOfServer {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly overall: Readonly<Record<string, number>>;
}

/** The counters in memory. Synchronous, and imports nothing: it can run in any thread of any JavaScript. */
export class Recorder implements RowOwner {
  /** Tells this recorder from the one before a restart. Not a secret. */
  readonly session = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

  readonly #memory = new Memory();
  readonly #protocols = new Map<string, Protocol>();
  /** By protocol and user. */
  readonly #groups = new Map<Protocol, Map<string, RowGroup>>();
  readonly #byNumber: (Row | undefined)[] = [];
  readonly #spares = new Map<Protocol, Place>();
  readonly #forgotten = new Set<string>();
  readonly #rejections: Record<Rejection, number> = {
    notWhole: 0,
    negative: 0,
    tooLarge: 0,
    notFinite: 0,
    unknownName: 0,
    badKey: 0,
  };
  #onChange: ((urgency: Urgency) => void) | null = null;
  #onRow: (() => void) | null = null;
  #changed: Row[] = [];
  #told: Urgency | typeof UNCHANGED = UNCHANGED;

  /** @throws TypeError when a protocol is none or has the name of another, or what to start from is none */
  constructor(options: RecorderOptions = {}) {
    assertOptions(options);
    const protocols = options.protocols ?? [];
    assertGiven(Array.isArray(protocols) && protocols.every(isProtocol), "protocols must be made by defineProtocol");
    for (const [index, protocol] of protocols.entries()) {
      assertGiven(this.#knows(protocol), `protocol ${index + 1} has the name of one before it`);
    }
    const startFrom = options.startFrom ?? [];
    const past: readonly PastOfServer[] = isIterable(startFrom) ? [...startFrom] : [];
    assertGiven(isIterable(startFrom) && past.every(isPast), "startFrom must be servers with overall numbers");
    for (const each of past) this.addPast(each, each.overall);
  }

  /**
   * The counters of one key: the same handle at every call. `1` and `"1"` are the same user.
   * Never throws: a key that is not one (an empty server, a protocol that only shares its name with a known one) and a
   * user who was forgotten get a handle that counts nowhere; the first is counted as rejected.
   */
  server<C extends string, G extends string>(
    protocol: Protocol<C, G>,
    userId: string | number,
    server: string,
  ): Server<C, G> {
    return this.#find(protocol, typeof userId === "number" ? String(userId) : userId, server);
  }

  /** Everything, at one moment. */
  getServersStats(): Recorded {
    return this.recordedOf(this.rows());
  }

  /** The same of these rows only. */
  recordedOf(rows: readonly Row[]): Recorded {
    return { session: this.session, servers: rows.map(recordedServer), rejected: { ...this.#rejections } };
  }

  /** Drops a user: the counters at once, and whatever is counted later through handles old or new. */
  forgetUser(userId: string | number): void {
    const id = userIdOf(userId);
    this.#forgotten.add(id);
    for (const groups of this.#groups.values()) {
      const group = groups.get(id);
      if (!group) continue;
      groups.delete(id);
      group.forgotten = true;
      const spare = this.#spare(group.protocol);
      for (const row of group.rows.values()) {
        this.#byNumber[row.number] = undefined;
        row.cells.fill(0, row.at, row.at + widthOf(group.protocol));
        row.moveTo(spare);
      }
    }
    this.#changed = this.#changed.filter((row) => !row.group.forgotten);
  }

  /** Counts again for a user who was forgotten. Handles from before stay dead: ask for new ones. */
  addUser(userId: string | number): void {
    this.#forgotten.delete(userIdOf(userId));
  }

  forgottenUsers(): readonly string[] {
    return [...this.#forgotten];
  }

  /**
   * Tells of the first change after `takeChanges`, and again when an urgent one follows; at once where there are changes
   * already. `onRow` is called for each new row. For the keeper.
   */
  listen(onChange: ((urgency: Urgency) => void) | null, onRow: (() => void) | null = null): void {
    this.#onChange = onChange;
    this.#onRow = onRow;
    if (this.#told !== UNCHANGED) onChange?.(this.#told);
  }

  /**
   * Starts the counters within the scope from zero.
   * @throws TypeError when the scope has another field: then nothing was reset
   */
  reset(scope: GivenScope = {}): void {
    for (const row of this.rows(resetScopeOf(scope))) row.reset();
  }

  /** Forgets what gauges showed: whoever set them is away. */
  clearGauges(): void {
    for (const row of this.rows()) row.clearGauges();
  }

  /** Every row that the scope covers. */
  rows(scope: Scope = {}): Row[] {
    return this.#byNumber.filter(
      (row): row is Row =>
        row !== undefined && covers(scope, { protocol: row.protocol.name, userId: row.userId, server: row.server }),
    );
  }

  /** Every user that is counted. */
  users(): string[] {
    return [...new Set(this.rows().map(({ userId }) => userId))];
  }

  /** How many rows there ever were: all have numbers below. */
  get rowCount(): number {
    return this.#byNumber.length;
  }

  /** The row of that number; undefined once its user is forgotten. */
  row(number: number): Row | undefined {
    return this.#byNumber[number];
  }

  /** The rows changed since the last call, which are unmarked by it. */
  takeChanges(): Row[] {
    const taken = this.#changed;
    for (const row of taken) row.cells[row.at] = UNCHANGED;
    this.#changed = [];
    this.#told = UNCHANGED;
    return taken;
  }

  /**
   * Adds what was counted of a key before this session, so that its counters hold overall numbers. Counts made meanwhile
   * stay. Counters that the protocol does not know are left to the store.
   */
  addPast({ protocol: name, userId, server }: Required<Scope>, past: Readonly<Record<string, number>>): void {
    const protocol = this.#protocols.get(name);
    if (protocol === undefined || this.#forgotten.has(userId)) return;
    let row: Row | null = null;
    for (const counter of Object.keys(past)) {
      const index = protocol.counterIndex.get(counter);
      if (index === undefined) continue;
      row ??= this.#find(protocol, userId, server);
      row.addPast(index, past[counter] as number);
    }
  }

  take(width: number): Place {
    return this.#memory.take(width);
  }

  touched(row: Row, urgency: Urgency): void {
    const before = row.cells[row.at] as number;
    if (before === UNCHANGED) this.#changed.push(row);
    row.cells[row.at] = Math.max(before, urgency);
    if (urgency > this.#told) {
      this.#told = urgency;
      this.#onChange?.(urgency);
    }
  }

  rejected(why: Rejection): void {
    this.#rejections[why] += 1;
  }

  #find(protocol: Protocol, userId: string, server: string): Row {
    const found = this.#groups.get(protocol)?.get(userId)?.rows.get(server);
    return found ?? this.#create(protocol, userId, server);
  }

  #create(protocol: Protocol, userId: string, server: string): Row {
    const isKnown = this.#groups.has(protocol) || (isProtocol(protocol) && this.#knows(protocol));
    const valid = isKnown && isName(userId) && isName(server);
    if (!valid) this.rejected("badKey");
    if (!valid || this.#forgotten.has(userId)) {
      const counted = isProtocol(protocol) ? protocol : NO_PROTOCOL;
      const nobody = { owner: this, protocol: counted, userId, rows: new Map(), forgotten: true };
      return new Row(nobody, -1, server, this.#spare(counted));
    }
    const group = this.#group(protocol, userId);
    const row = new Row(group, this.#byNumber.length, server, this.#memory.take(widthOf(protocol)));
    this.#byNumber.push(row);
    group.rows.set(server, row);
    this.#onRow?.();
    return row;
  }

  #group(protocol: Protocol, userId: string): RowGroup {
    const groups = this.#groups.get(protocol) as Map<string, RowGroup>;
    const known = groups.get(userId);
    if (known) return known;
    const group: RowGroup = { owner: this, protocol, userId, rows: new Map(), forgotten: false };
    groups.set(userId, group);
    return group;
  }

  #knows(protocol: Protocol): boolean {
    const known = this.#protocols.get(protocol.name);
    if (known !== undefined) return known === protocol;
    this.#protocols.set(protocol.name, protocol);
    this.#groups.set(protocol, new Map());
    return true;
  }

  /** Where counts go that must go nowhere. Its mark is the most urgent one for good, so that it wakes nobody. */
  #spare(protocol: Protocol): Place {
    const known = this.#spares.get(protocol);
    if (known) return known;
    const spare = this.#memory.take(widthOf(protocol));
    spare.cells[spare.at] = URGENT;
    this.#spares.set(protocol, spare);
    return spare;
  }
}

function recordedServer(row: Row): RecordedServer {
  const { protocol, userId, server } = row;
  const session: Record<string, number> = {};
  const total: Record<string, number> = {};
  const live: Record<string, number> = {};
  protocol.counters.forEach(({ name }, index) => {
    const value = row.value(index);
    if (value !== 0) total[name] = value;
    const own = row.session(index);
    if (own !== 0) session[name] = own;
  });
  protocol.gauges.forEach(({ name }, index) => {
    const value = row.gauge(index);
    if (!Number.isNaN(value)) live[name] = value;
  });
  return { protocol: protocol.name, userId, server, session, total, live };
}
