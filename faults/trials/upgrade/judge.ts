/** What must be in an old file after something was done to it: what its own version read there, and what was counted. */
import { added, differenceOf } from "../../remote/host.ts";
import { nameOf, type Sums } from "./fixtures.ts";
import { COUNTS } from "./orders.ts";
import type { Seen } from "./unit.ts";

const NEWER = "STATS_NEWER_SCHEMA";

export function problemsOf(seen: Seen): string[] {
  const { way, fixture, lives, told, raw, read, untouched } = seen;
  const problems: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) problems.push(`${fixture.schema}/${fixture.name}, ${way}: ${otherwise}`);
  };
  const same = (what: string, found: Sums, expected: Sums) => {
    const difference = differenceOf(found, expected);
    expect(difference === null, `${what}: ${difference}`);
  };
  const code = way === "newer" ? NEWER : null;
  for (const { problem, flushed } of told) {
    expect(problem === code, `opening said ${problem}`);
    expect(flushed === code, `saving said ${flushed}`);
  }
  expect(untouched !== false, "bytes were changed");
  expect(raw.integrity === "ok", `the file is damaged: ${raw.integrity}`);
  const sums = added(fixture.sums, ...Array.from({ length: lives }, countsOfALife));
  same("sums", raw.sums, sums);
  same("sums by the library", sumsOf(read), sums);
  const before = new Map([...raw.hours].filter(([name]) => fixture.hours.has(name)));
  same("history", before, fixture.hours);
  const after = [...raw.hours].filter(([name]) => !fixture.hours.has(name));
  same("what was counted since", withoutHours(after), added(...Array.from({ length: lives }, countsOfALife)));
  for (const old of fixture.sessions) {
    const now = read.sessions.find(({ session }) => session === old.session);
    const isSame = now?.started.getTime() === old.started && (now.ended?.getTime() ?? null) === old.ended;
    expect(isSame && now.how === old.how, `session ${old.session} is not what it was`);
  }
  // One that was killed may have begun its own.
  const more = read.sessions.length - fixture.sessions.length - lives;
  expect(more === 0 || (more === 1 && way === "killed"), `there are ${more} more sessions than lives`);
  return problems;
}

const countsOfALife = (): Sums => new Map(COUNTS.map((count) => [nameOf(count, count.counter), count.n]));

function sumsOf({ servers }: Seen["read"]): Sums {
  const all = servers.flatMap((server) =>
    Object.entries(server.overall).map(([counter, n]) => new Map([[nameOf(server, counter), n]])),
  );
  return added(...all);
}

function withoutHours(hours: readonly (readonly [string, number])[]): Sums {
  return added(...hours.map(([name, n]) => new Map([[name.slice(name.indexOf(" ") + 1), n]])));
}
