import { jsonFault } from "./simplex-json-fault.ts";

/** What a reader of SimpleX's JSON found beside what it looked for: paths, with `[*]` for every index. */
export interface SimplexNote {
  readonly path: string;
  /** How often. */
  readonly count: number;
  /** Of an unknown field that is no counter: the first value seen, as it was. */
  readonly value?: unknown;
}

/** JSON that is not SimpleX's statistics. It holds no user, server or number of the file. */
export class SimplexFormatError extends Error {
  override readonly name = "SimplexFormatError";
  readonly code = "SIMPLEX_MALFORMED";
  /** Where the fault is, e.g. `$.smpServersStats[3][1]._recvMsgs`. */
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

type Json = Readonly<Record<string, unknown>>;

/** A value and its place, so that whatever is wrong with it can be told with the place. */
export class JsonAt {
  constructor(
    readonly value: unknown,
    readonly path: string,
  ) {}

  /** @throws SimplexFormatError always */
  fault(reason: string): never {
    throw new SimplexFormatError(this.path, reason);
  }

  /** True where the field is missing, or null: SimpleX leaves out what is nothing, other writers say null. */
  get isNothing(): boolean {
    return this.value === undefined || this.value === null;
  }

  has(field: string): boolean {
    return isObject(this.value) && Object.hasOwn(this.value, field);
  }

  at(field: string): JsonAt {
    const value = this.has(field) ? (this.value as Json)[field] : undefined;
    return new JsonAt(value, `${this.path}${stepOf(field)}`);
  }

  /** Another value, of this place. */
  of(value: unknown): JsonAt {
    return new JsonAt(value, this.path);
  }

  fields(): readonly string[] {
    if (!isObject(this.value)) return this.fault("an object is expected here");
    return Object.keys(this.value);
  }

  items(): readonly JsonAt[] {
    if (!Array.isArray(this.value)) return this.fault("a list is expected here");
    return this.value.map((each: unknown, index) => new JsonAt(each, `${this.path}[${index}]`));
  }

  pair(): readonly [JsonAt, JsonAt] {
    const [first, second, ...more] = this.items();
    if (!first || !second || more.length > 0) return this.fault("a list of two is expected here");
    return [first, second];
  }

  text(): string {
    return typeof this.value === "string" ? this.value : this.fault("a text is expected here");
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.fault("true or false is expected here");
  }

  /** A whole number from 0 on, of which `scale` times as much can still be told exactly. */
  count(scale = 1): number {
    const { value } = this;
    if (typeof value !== "number") return this.fault("a number is expected here");
    if (!Number.isInteger(value)) return this.fault("the number is not whole");
    if (value < 0) return this.fault("the number is below zero");
    if (value > Number.MAX_SAFE_INTEGER / scale) return this.fault("the number is too large to be told exactly");
    return value * scale;
  }

  /** The id of a user, as a name. */
  userId(): string {
    const { value } = this;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return String(value);
    // An agent's id of a user is told as text. Only digits: other names stand for users who are not told.
    if (typeof value === "string" && /^(0|[1-9]\d{0,18})$/.test(value)) return value;
    return this.fault("the id of a user is expected here");
  }

  /** A moment, as JSON or SQLite writes it. */
  date(): Date {
    const [, day, time, fraction = ""] = DATE.exec(this.text()) ?? [];
    // Finer than a millisecond is cut off, not rounded: the same moment is the same from every source.
    const date = new Date(`${day}T${time}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
    return day !== undefined && !Number.isNaN(date.getTime()) ? date : this.fault("a date in UTC is expected here");
  }
}

const DATE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,12}))?(?:Z|\+00(?::?00)?)?$/;
const FIELD = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** A field that does not look like one may be a name of a server: its place is told without it. */
function stepOf(field: string): string {
  return FIELD.test(field) ? `.${field}` : "[?]";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Collects notes, one for each kind of place. */
export class Notes {
  readonly #notes = new Map<string, { count: number; value?: unknown }>();

  add({ path, value }: JsonAt, keepValue = false): void {
    const place = path.replace(/\[\d+\]/g, "[*]");
    const note = this.#notes.get(place);
    if (note) note.count += 1;
    else this.#notes.set(place, keepValue ? { count: 1, value } : { count: 1 });
  }

  all(): readonly SimplexNote[] {
    return [...this.#notes].map(([path, note]) => ({ path, ...note }));
  }
}

/** Parses a text. @throws SimplexFormatError with the place of the fault */
export function jsonOf(text: string, path = "$"): JsonAt {
  const json = text.replace(/^\uFEFF/, "");
  try {
    return new JsonAt(JSON.parse(json), path);
  } catch {
    // The engine's own message quotes the text.
    const { line, column } = jsonFault(json);
    throw new SimplexFormatError(path, `it is no JSON from line ${line}, column ${column} on`);
  }
}
