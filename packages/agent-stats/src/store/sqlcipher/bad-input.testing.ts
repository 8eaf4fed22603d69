/** For tests of files that cannot be used: the whole life of a host that meets one, and that is rid of it later. */
import { renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { defineProtocol, openAgentStats, readAgentStats, type StatsError, type StatsErrorCode } from "agent-stats";
import { type SqlcipherOptions, sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, vi } from "vitest";
import { type DriverName, loadDriver } from "./drivers.ts";
import { bytesIn, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";

export const WRONG_KEY = "a5".repeat(32);
const USER = "user-of-nobody";
const SERVER = "smp://server.example";
const smp = defineProtocol("smp", { sent: "messages sent" });

/** Where a case happens. The folder of the file is in `outside`, so that it can be missing. */
export interface Place {
  readonly outside: string;
  readonly file: string;
  readonly driver: DriverName;
}

export interface BadInput {
  readonly name: string;
  readonly code: StatsErrorCode;
  /** What the sentence tells to do. */
  readonly says: RegExp;
  /** Makes the file unusable. */
  make(place: Place): void | Promise<void>;
  /** Makes the cause go away: what was saved before is then counted on, or it begins anew. */
  cure(place: Place): void | Promise<void>;
  /** What a good file held before. */
  readonly before: number;
  /** Default: a reader says the same. Null where it can read. */
  readonly toReader?: StatsErrorCode | null;
  readonly thread?: SqlcipherOptions["thread"];
  /** Files that SQLite itself leaves there, with nothing in them: a host, or a reader only. */
  readonly hostLeaves?: RegExp;
  readonly readerLeaves?: RegExp;
}

export function placeFor(driver: DriverName): Place {
  const outside = temporaryFolder();
  return { outside, file: join(outside, "folder", "stats.db"), driver };
}

/** A good file that holds 100, at that path. */
export async function makeGood({ file, driver }: Pick<Place, "file" | "driver">, key = KEY): Promise<void> {
  const stats = await openAgentStats({ store: sqlcipherStore({ file, key, driver, thread: "same" }) });
  stats.server(smp, USER, SERVER).add("sent", 100);
  await stats.close();
}

/** Puts a good file in the place of whatever is there, in one step. */
export async function replaceByGood({ outside, file, driver }: Place): Promise<void> {
  const other = join(outside, "good.db");
  await makeGood({ file: other, driver });
  renameSync(other, file);
}

/** Runs SQL in a database, as another program would. */
export function runSql({ file, driver }: Pick<Place, "file" | "driver">, key: string | null, sql: string): void {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  if (key !== null) handle.exec(`${beforeKey}; PRAGMA key = "x'${key}'"`);
  handle.exec(sql);
  handle.close();
}

/** All that must be true of a file that cannot be used, and of its host. */
export async function holds(bad: BadInput, place: Place): Promise<void> {
  await bad.make(place);
  const before = bytesIn(place.outside);
  const after = (leaves: RegExp | undefined) =>
    Object.fromEntries(Object.entries(bytesIn(place.outside)).filter(([name]) => !leaves?.test(name)));
  await hostGoesOn(bad, place);
  expect(after(bad.hostLeaves), "not a byte was changed, and no file was left").toEqual(before);
  await readerIsTold(bad, place);
  expect(after(bad.hostLeaves ?? bad.readerLeaves), "nor by a reader").toEqual(before);
  await savingResumes(bad, place);
}

interface Host {
  readonly stats: Awaited<ReturnType<typeof openAgentStats>>;
  readonly problems: (StatsErrorCode | null)[];
  /** How often the store was tried. */
  tried(): number;
}

async function openHost({ thread }: BadInput, { file, driver }: Place): Promise<Host> {
  const store = sqlcipherStore({ file, key: KEY, driver, ...(thread && { thread }) });
  const begin = vi.fn(store.begin);
  const problems: (StatsErrorCode | null)[] = [];
  const stats = await openAgentStats({
    protocols: [smp],
    store: { ...store, begin, ...(store.now && { now: store.now }) },
    flushEvery: 50,
    onProblem: (problem) => problems.push(problem?.code ?? null),
  });
  return { stats, problems, tried: () => begin.mock.calls.length };
}

async function hostGoesOn(bad: BadInput, place: Place): Promise<void> {
  const { stats, problems, tried } = await openHost(bad, place);
  expect(stats.problem).toMatchObject({ code: bad.code });
  assertHelpful(stats.problem as StatsError, bad, place);
  const server = stats.server(smp, USER, SERVER);
  server.add("sent", 7);
  await expect(stats.flush()).rejects.toMatchObject({ code: bad.code });
  await expect(stats.getServersStats()).rejects.toMatchObject({ code: bad.code });
  await expect(stats.deleteUser("another")).rejects.toMatchObject({ code: bad.code });
  await vi.waitFor(() => expect(tried(), "it is tried again by itself").toBeGreaterThan(4), PATIENCE);
  expect(stats.recorder.getServersStats().servers).toMatchObject([{ session: { sent: 7 } }]);
  await expect(stats.close()).rejects.toMatchObject({ code: bad.code });
  expect(problems, "told once").toEqual([bad.code]);
}

async function readerIsTold({ code, toReader = code, before }: BadInput, place: Place): Promise<void> {
  if (toReader === null) return expect(await sentIn(place)).toBe(before);
  await expect(sentIn(place)).rejects.toMatchObject({ code: toReader });
}

async function savingResumes(bad: BadInput, place: Place): Promise<void> {
  const { stats, problems } = await openHost(bad, place);
  const server = stats.server(smp, USER, SERVER);
  server.add("sent", 7);
  await expect(stats.flush()).rejects.toMatchObject({ code: bad.code });
  await bad.cure(place);
  server.add("sent", 3);
  await vi.waitFor(() => expect(stats.problem).toBeNull(), PATIENCE);
  expect(problems).toEqual([bad.code, null]);
  const { servers } = await stats.getServersStats();
  expect(servers).toMatchObject([{ session: { sent: 10 }, overall: { sent: bad.before + 10 } }]);
  await stats.close();
  expect(await sentIn(place)).toBe(bad.before + 10);
}

/** What the file holds, as a reader finds it. */
export async function sentIn({ file, driver }: Pick<Place, "file" | "driver">): Promise<number> {
  const stats = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
  try {
    const { servers } = await stats.getServersStats();
    return servers.reduce((sum, { overall }) => sum + (overall.sent ?? 0), 0);
  } finally {
    await stats.close();
  }
}

/** One sentence that says what to do, and nothing of what is private, in any part of the error. */
export function assertHelpful(
  problem: StatsError,
  { says }: Pick<BadInput, "says">,
  { file }: Pick<Place, "file">,
): void {
  expect(problem.message).toMatch(/^[A-Z].*[^.]\.$/);
  expect(problem.message).not.toMatch(/[.!?] [A-Z]/);
  expect(problem.message).toMatch(says);
  const everything = inspect(problem, { depth: 9, showHidden: true });
  for (const secret of [file, dirname(file), KEY, WRONG_KEY, USER, SERVER]) expect(everything).not.toContain(secret);
}
