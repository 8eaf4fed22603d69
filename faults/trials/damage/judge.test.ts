import { StatsError, type StatsErrorCode } from "agent-stats";
import { describe, expect, test } from "vitest";
import { canonical, type State } from "../../oracle/story.ts";
import type { Image } from "../../replay/disk.ts";
import { DB, WAL } from "./damages.ts";
import { asideOf, honestOf, type Place, verdictOf, verdictOfMove } from "./judge.ts";

const five: State = new Map([["a|b|sent", 5]]);
const three: State = new Map([["a|b|sent", 3]]);
const one: State = new Map([["a|b|sent", 1]]);
const nothing: State = new Map();

const image = (db: string | null, wal?: string): Image =>
  new Map([
    ...(db === null ? [] : [[DB, Buffer.from(db)] as const]),
    ...(wal === undefined ? [] : [[WAL, Buffer.from(wal)] as const]),
  ]);
const states = new Set([nothing, one, three, five].map(canonical));
const bases = [
  { image: image("young", "wal"), latest: canonical(one), sinceAlone: states },
  { image: image("old", "wal"), latest: canonical(five), sinceAlone: new Set([three, five].map(canonical)) },
];
const refused = (code: StatsErrorCode) => ({ refused: new StatsError(code, "no") });

function outcomeOf(damaged: Image, seen: Parameters<typeof verdictOf>[0], left: Image = damaged): string {
  const expected = {
    driver: "@signalapp/sqlcipher",
    latest: canonical(five),
    honest: honestOf(damaged, { bases }),
    states,
  } as const;
  return verdictOf(seen, expected, { image: damaged, left }).outcome;
}

describe("what may be shown", () => {
  test("of a file that is as it was: what it says without its WAL, and all that came after", () => {
    expect(outcomeOf(image("old", "cut"), { state: five })).toBe("latest");
    expect(outcomeOf(image("old", "cut"), { state: three })).toBe("earlier");
    expect(outcomeOf(image("old", "cut"), { state: one })).toBe("wrong");
    expect(outcomeOf(image("old", "cut"), { state: nothing })).toBe("wrong");
    expect(outcomeOf(image("young"), { state: nothing })).toBe("earlier");
  });

  test("of a file that was harmed: the latest, which its WAL may cover, and never a new one's nothing", () => {
    expect(outcomeOf(image("harmed", "wal"), { state: five })).toBe("latest");
    for (const state of [nothing, one, three]) {
      expect(outcomeOf(image("harmed", "wal"), { state })).toBe("wrong");
      expect(outcomeOf(image("", "wal"), { state })).toBe("wrong");
    }
  });

  test("of a file without bytes: that it is one", () => {
    expect(outcomeOf(image(""), refused("STATS_EMPTY_FILE"))).toBe("refused");
    expect(outcomeOf(image(""), refused("STATS_KEY_REJECTED"))).toBe("wrong");
  });

  test("where there is no file: nothing, and its WAL is kept", () => {
    const gone = image(null, "wal");
    const kept = new Map([["stats.db-aside-1-wal", Buffer.from("wal")]]);
    expect(outcomeOf(gone, { state: nothing }, kept)).toBe("earlier");
    expect(outcomeOf(gone, { state: nothing }, image("new"))).toBe("changed");
    expect(outcomeOf(gone, { state: five }, kept)).toBe("wrong");
  });
});

test("what was refused keeps every byte", () => {
  const damaged = image("harmed", "wal");
  expect(outcomeOf(damaged, refused("STATS_DAMAGED"))).toBe("refused");
  expect(outcomeOf(damaged, refused("STATS_DAMAGED"), image("new", "wal"))).toBe("changed");
  expect(outcomeOf(damaged, refused("STATS_DAMAGED"), image("harmed"))).toBe("changed");
});

describe("what was moved aside", () => {
  const COPY = "stats.db-aside-20261123T031500Z";
  const damaged = image("harmed", "wal");
  const place = (...files: [string, string][]): Place => ({
    image: damaged,
    left: new Map([[DB, Buffer.from("new")], ...files.map(([name, text]) => [name, Buffer.from(text)] as const)]),
  });
  const whole = place([COPY, "harmed"], [`${COPY}-wal`, "wal"]);

  test("has every byte of the file and of its WAL, and the new file begins at zero", () => {
    expect(verdictOfMove({ state: nothing }, whole).outcome).toBe("movedAside");
    expect(verdictOfMove({ state: three }, whole).outcome).toBe("wrong");
    expect(verdictOfMove(refused("STATS_DAMAGED"), whole).outcome).toBe("broke");
    expect(verdictOfMove({ state: nothing }, place([COPY, "harmed"])).outcome).toBe("changed");
    expect(verdictOfMove({ state: nothing }, place([COPY, "other"], [`${COPY}-wal`, "wal"])).outcome).toBe("changed");
    expect(verdictOfMove({ state: nothing }, place()).outcome).toBe("changed");
  });

  test("is told", () => {
    expect(asideOf(whole)?.outcome).toBe("changed");
    expect(asideOf(place())).toBe(null);
    const orphan = new Map([[`${COPY}-wal`, Buffer.from("wal")]]);
    expect(asideOf({ image: image(null, "wal"), left: orphan })).toBe(null);
  });
});
