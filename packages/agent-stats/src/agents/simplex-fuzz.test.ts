import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { readAgentStats } from "../keep/read.ts";
import { memoryStore } from "../store/memory.ts";
import { address, FIELDS, PROTOCOLS, STARTED_AT } from "./simplex.testing.ts";
import { importSimplex, parseSimplex, SimplexFormatError, toPresentedServersSummary } from "./simplex.ts";
import { jsonFault } from "./simplex-json-fault.ts";

/** `AGENT_STATS_FUZZ=100000` runs that many inputs in all. */
const RUNS = Number(process.env.AGENT_STATS_FUZZ ?? 1_200);
vi.setConfig({ testTimeout: Math.max(30_000, RUNS * 5) });
const part = (share: number) => ({ numRuns: Math.ceil(RUNS * share) });

const count = fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 2 ** 40 }));
const server = fc.constantFrom("a", "b", "c", "d");
const user = fc.constantFrom(1, 2, 3);
const name = fc.constantFrom("_later", "_evenLater");

/** What a core counted: exact, in its own units. Some fields are left out, some are of a later version. */
const entry = (protocol: (typeof PROTOCOLS)[number]) =>
  fc.record({
    key: fc.tuple(user, server),
    stats: fc
      .tuple(fc.dictionary(fc.constantFrom(...FIELDS[protocol]), count), fc.dictionary(name, count, { maxKeys: 1 }))
      .map(([known, later]) => ({ ...known, ...later })),
  });
const core = fc.record(
  Object.fromEntries(
    PROTOCOLS.map((protocol) => [
      protocol,
      fc.uniqueArray(entry(protocol), { maxLength: 6, selector: ({ key }) => key.join() }),
    ]),
  ),
) as fc.Arbitrary<Readonly<Record<(typeof PROTOCOLS)[number], readonly Entry[]>>>;

interface Entry {
  readonly key: readonly [number, string];
  readonly stats: Readonly<Record<string, number>>;
}
type Core = Readonly<Record<(typeof PROTOCOLS)[number], readonly Entry[]>>;

function persistedOf(given: Core) {
  return Object.fromEntries(
    PROTOCOLS.map((protocol) => [
      `${protocol}ServersStats`,
      given[protocol].map(({ key: [id, at], stats }) => [[id, address(protocol, at)], stats]),
    ]),
  );
}

/** The model: sums by protocol, user and field, added up straight from what was generated. */
function sumsOf(given: Core, nameOf: (id: number) => string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const protocol of PROTOCOLS) {
    for (const { key, stats } of given[protocol]) {
      for (const [field, value] of Object.entries(stats)) {
        const cell = `${protocol} ${nameOf(key[0])} ${key[1]} ${field.slice(1)}`;
        sums[cell] = (sums[cell] ?? 0) + value * (field.endsWith("Size") ? 1024 : 1);
      }
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, value]) => value !== 0));
}

type Row = { protocol: string; userId: string; server: string; numbers: Readonly<Record<string, number>> };

function cellsOf(rows: readonly Row[]): Record<string, number> {
  const cells = rows.flatMap(({ protocol, userId, server, numbers }) =>
    Object.entries(numbers).map(([counter, value]) => {
      const host = server.replace(/.*@(\w).*/, "$1");
      return [`${protocol} ${userId} ${host} ${counter}`, value] as const;
    }),
  );
  return Object.fromEntries(cells.filter(([, value]) => value !== 0));
}

const parsedCells = (json: unknown) =>
  cellsOf(
    parseSimplex(JSON.stringify(json), { currentUser: 2 }).rows.map((row) => ({ ...row, numbers: row.counters })),
  );

function presentedOf(given: Core) {
  const { rows } = parseSimplex(persistedOf(given));
  const servers = rows.map(({ counters, ...row }) => ({ ...row, overall: counters }));
  return toPresentedServersSummary({ trackedSince: new Date(0), servers }, { currentUser: 2 });
}

const asOthers = (id: number) => (id === 2 ? "2" : "others");

/** Every layout: how it is made of a core, and under which user each number must arrive. */
const LAYOUTS: Readonly<Record<string, readonly [(given: Core) => unknown, (id: number) => string]>> = {
  servers_stats: [persistedOf, String],
  "the database's row": [
    (given) => ({ servers_stats: JSON.stringify(persistedOf(given)), started_at: "2026-05-04 03:02:01" }),
    String,
  ],
  AgentServersSummary: [(given) => ({ ...persistedOf(given), statsStartedAt: STARTED_AT }), String],
  PresentedServersSummary: [presentedOf, asOthers],
  "the answer": [
    (given) => ({
      corrId: "1",
      resp: { Right: { type: "agentServersSummary", user: { agentUserId: "2" }, serversSummary: presentedOf(given) } },
    }),
    asOthers,
  ],
  "the oldest presented": [
    (given) => {
      const { currentUserSMP, currentUserXFTP, allUsersSMP, allUsersXFTP } = presentedOf({ ...given, ntf: [] });
      return {
        userServersSummary: { ...currentUserSMP, ...currentUserXFTP },
        allServersSummary: { ...allUsersSMP, ...allUsersXFTP },
      };
    },
    asOthers,
  ],
};

describe.each(Object.entries(LAYOUTS))("%s", (layout, [make, nameOf]) => {
  test("never a wrong number", () => {
    fc.assert(
      fc.property(core, (given) => {
        const counted = layout === "the oldest presented" ? { ...given, ntf: [] } : given;
        expect(parsedCells(make(given))).toEqual(sumsOf(counted, nameOf));
      }),
      part(0.05),
    );
  });

  test("damaged anywhere: refused with a place, or none of the numbers that stayed is another one", () => {
    fc.assert(
      fc.property(core, fc.nat(), fc.anything({ withBigInt: false }), (given, where, junk) => {
        const json: unknown = JSON.parse(JSON.stringify(make(given)));
        const places = placesIn(json);
        const [holder, step] = places[where % places.length] as (typeof places)[number];
        holder[step] = junk;
        const before = sumsOf(given, nameOf);
        const cells = cellsOrRefusal(json);
        if (cells === null) return;
        // One place was changed: every number that is not of it is there as before, or its whole part is gone. Where
        // the current user's number is gone, it is among the others': all users' number is told once more.
        for (const [cell, value] of Object.entries(cells)) {
          const [was, mine] = [before[cell], before[cell.replace(" others ", " 2 ")] ?? 0];
          const isAsBefore = was === undefined || value === was || (cell.includes(" others ") && value === was + mine);
          if (!isAsBefore) expect(changedTo(junk, cell, was, mine)).toContain(value);
        }
      }),
      part(0.08),
    );
  });

  test("cut off anywhere: refused, with the place where it stops being JSON", () => {
    fc.assert(
      fc.property(core, fc.nat(), fc.string(), (given, where, junk) => {
        const text = JSON.stringify(make(given));
        const at = where % text.length;
        const cut = text.slice(0, at) + junk;
        if (isJson(cut)) return;
        expect(() => parseSimplex(cut)).toThrow(SimplexFormatError);
        const { line, column } = jsonFault(cut);
        const offset =
          cut
            .split("\n")
            .slice(0, line - 1)
            .join("\n").length +
          (line > 1 ? 1 : 0) +
          column -
          1;
        // The fault is in what was cut or what came after, never before.
        const tokens = text.slice(0, at + 1).matchAll(/"(?:[^"\\]|\\.?)*"?|[^"\s,:[\]{}]+|[,:[\]{}]/g);
        expect(offset).toBeGreaterThanOrEqual([...tokens].at(-1)?.index ?? 0);
        expect(offset).toBeLessThanOrEqual(cut.length);
      }),
      part(0.03),
    );
  });
});

test("anything at all: refused, never a crash", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.json().map((text) => JSON.parse(text)),
      ),
      (json) => {
        cellsOrRefusal(json);
      },
    ),
    part(0.02),
  );
});

test("imported once, twice, and later: exactly what the core stands at, never a part of a file", async () => {
  await fc.assert(
    fc.asyncProperty(
      core,
      core,
      fc.constantFrom("servers_stats", "AgentServersSummary"),
      async (given, more, layout) => {
        const [make] = LAYOUTS[layout] as (typeof LAYOUTS)[string];
        const store = memoryStore();
        const later = grown(given, more);
        for (const json of [make(given), make(given), make(later), make(later)]) {
          await importSimplex(store, parseSimplex(json));
        }
        const bad = { ...(make(grown(later, more)) as object), ntfServersStats: [[[1, "ntf://nobody"], {}]] };
        expect(() => parseSimplex(bad)).toThrow(SimplexFormatError);
        const { servers } = await readAgentStats({ store }).getServersStats();
        expect(cellsOf(servers.map((row) => ({ ...row, numbers: row.overall })))).toEqual(sumsOf(later, String));
      },
    ),
    part(0.02),
  );
});

test("control: a number that arrives under another name is seen", () => {
  const swapped = (json: string) =>
    json.replaceAll('"_connCreated"', '"_x"').replaceAll('"_connSecured"', '"_connCreated"');
  const given: Core = {
    smp: [{ key: [1, "a"], stats: { _connCreated: 2, _connSecured: 3 } }],
    xftp: [],
    ntf: [],
  };
  const cells = parsedCells(JSON.parse(swapped(JSON.stringify(persistedOf(given)))));
  expect(cells).not.toEqual(sumsOf(given, String));
});

/** The same core a while later: nothing got less. */
function grown(given: Core, more: Core): Core {
  return Object.fromEntries(
    PROTOCOLS.map((protocol) => {
      const all = new Map(given[protocol].map((each) => [each.key.join(), each]));
      for (const { key, stats } of more[protocol]) {
        const before = all.get(key.join())?.stats ?? {};
        const fields = [...new Set([...Object.keys(before), ...Object.keys(stats)])];
        const sums = fields.map((field) => [field, (before[field] ?? 0) + (stats[field] ?? 0)] as const);
        all.set(key.join(), { key, stats: Object.fromEntries(sums) });
      }
      return [protocol, [...all.values()]];
    }),
  ) as unknown as Core;
}

function cellsOrRefusal(json: unknown): Record<string, number> | null {
  try {
    const { rows } = parseSimplex(json, { currentUser: 2 });
    return cellsOf(rows.map((row) => ({ ...row, numbers: row.counters })));
  } catch (error) {
    if (!(error instanceof SimplexFormatError)) throw error;
    expect(error.path).toMatch(/^\$(\.\w+|\[\d+\]|\[\?\])*$/);
    return null;
  }
}

/** A number in one place may have become another valid number: then that, or what follows from it, is what must be read. */
function changedTo(junk: unknown, cell: string, was: number, mine: number): unknown[] {
  if (typeof junk !== "number") return [];
  const value = cell.endsWith("Size") ? junk * 1024 : junk;
  // Others have what all users have beyond the current one: all users' number was changed, or the current one's.
  return cell.includes(" others ") ? [value - mine, was + mine - value] : [value];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

type Holder = Record<string | number, unknown>;

function placesIn(json: unknown): (readonly [Holder, string])[] {
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json).flatMap(([step, value]) => [[json as Holder, step] as const, ...placesIn(value)]);
}
