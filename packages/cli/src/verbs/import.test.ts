import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Numbers, readAgentStats, type ServersStats, totals } from "agent-stats";
import { toPresentedServersSummary } from "agent-stats/simplex";
import { sqlcipherReader } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import { agentStats, bytesOf, folder, KEY, keyFile } from "../cli.testing.ts";
import {
  address,
  createCore,
  type FIELDS,
  openCore,
  PASSPHRASE,
  type Persisted,
  PROTOCOLS,
  persisted,
  type Stats,
  saveCore,
  unitsOf,
} from "../simplex.testing.ts";

/** A folder with the key files, and how to import into a database there. */
function place() {
  const path = folder();
  const core = folder();
  const passphrase = join(path, "passphrase");
  writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
  const db = join(path, "stats.db");
  const ours = ["--db", db, "--key-file", keyFile(path)];
  return {
    core,
    db,
    ours,
    file: (name: string, content: unknown) => {
      const file = join(core, name);
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
      return file;
    },
    take: async (...args: string[]) => {
      const { code, stdout, stderr } = await agentStats(["import", "simplex", ...args, ...ours, "--json"]);
      return { code, stderr, files: stdout === "" ? [] : JSON.parse(stdout).files };
    },
    withPassphrase: ["--passphrase-file", passphrase],
    show: async () => JSON.parse((await agentStats(["show", ...ours, "--json"])).stdout) as ServersStats,
  };
}

/** What is shown, as `<protocol> <user> <server> <field>` and the number in the core's own units. */
function cells(servers: readonly { protocol: string; userId: string; server: string; overall: Numbers }[]) {
  return new Map(
    servers.flatMap(({ protocol, userId, server, overall }) =>
      Object.entries(overall).map(([name, value]) => [`${protocol} ${userId} ${server} _${name}`, value] as const),
    ),
  );
}

function expectedCells(saved: Persisted) {
  return new Map(
    PROTOCOLS.flatMap((protocol) =>
      saved[`${protocol}ServersStats`].flatMap(([[user, server], stats]) =>
        Object.entries(stats).map(
          ([field, value]) => [`${protocol} ${user} ${server} ${field}`, unitsOf(field, value)] as const,
        ),
      ),
    ),
  );
}

/** Sums over the users that are meant, straight from what was saved, by server. */
function sumsOf(saved: Persisted, protocol: keyof typeof FIELDS, users: readonly number[]): Map<string, Stats> {
  const sums = new Map<string, Record<string, number>>();
  for (const [[user, server], stats] of saved[`${protocol}ServersStats`]) {
    if (!users.includes(user)) continue;
    const sum = sums.get(server) ?? {};
    sums.set(server, sum);
    for (const [field, value] of Object.entries(stats)) sum[field] = (sum[field] ?? 0) + value;
  }
  return sums;
}

const addAll = (all: Iterable<Stats>) =>
  [...all].reduce<Record<string, number>>((sum, stats) => {
    for (const [field, value] of Object.entries(stats)) sum[field] = (sum[field] ?? 0) + value;
    return sum;
  }, {});

describe("import simplex", () => {
  test("the core's database: every number under its right name, as shown, presented, and in totals", async () => {
    const at = place();
    const saved = persisted();
    const file = join(at.core, "agent.db");
    const handle = createCore(file);
    saveCore(handle, saved);
    handle.close();
    const before = bytesOf(at.core);
    const { code, stderr, files } = await at.take(file, ...at.withPassphrase);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(files).toMatchObject([{ changed: true, users: 3, servers: 40, unknown: [], missing: [] }]);
    expect(bytesOf(at.core)).toEqual(before);

    const expected = expectedCells(saved);
    expect(expected.size).toBe(3 * (20 * 32 + 12 * 12 + 8 * 6));
    expect(new Set(expected.values()).size).toBe(expected.size);
    expect(cells((await at.show()).servers)).toEqual(expected);

    const view = readAgentStats({ store: sqlcipherReader({ file: at.db, key: KEY, thread: "same" }) });
    const stats = await view.getServersStats();
    await view.close();
    for (const protocol of PROTOCOLS) {
      const sum = addAll(sumsOf(saved, protocol, [1, 2, 3]).values());
      const shown = Object.entries(sum).map(([field, value]) => [field.slice(1), unitsOf(field, value)]);
      expect(totals(stats.servers)[protocol]).toEqual(Object.fromEntries(shown));
    }
    const presented = toPresentedServersSummary(stats, { currentUser: 2, hiddenUsers: [3] });
    for (const [half, users] of [
      ["currentUser", [2]],
      ["allUsers", [1, 2]],
    ] as const) {
      const { smpTotals, previouslyUsedSMPServers } = presented[`${half}SMP`];
      const { xftpTotals, previouslyUsedXFTPServers } = presented[`${half}XFTP`];
      const { ntfTotals, previouslyUsedNtfServers } = presented[`${half}Ntf`];
      for (const [protocol, list, total] of [
        ["smp", previouslyUsedSMPServers.map(({ smpServer, stats }) => [smpServer, stats]), smpTotals],
        ["xftp", previouslyUsedXFTPServers.map(({ xftpServer, stats }) => [xftpServer, stats]), xftpTotals],
        ["ntf", previouslyUsedNtfServers.map(({ ntfServer, stats }) => [ntfServer, stats]), ntfTotals],
      ] as const) {
        const sums = sumsOf(saved, protocol, users);
        expect(new Map(list as [string, Stats][])).toEqual(sums);
        expect(total.stats).toEqual(addAll(sums.values()));
      }
    }
  });

  test("the core's database while the core has it open, with what only its WAL holds; not a byte is written", async () => {
    const at = place();
    const file = join(at.core, "agent.db");
    const handle = createCore(file);
    handle.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    const one = (sent: number) => ({ smpServersStats: [[[1, address("smp", "a")], { _sentDirect: sent }]] });
    saveCore(handle, one(5));
    const before = bytesOf(at.core);
    expect(before["agent.db-wal"]).toBeDefined();
    const written = () => Object.keys(before).map((name) => statSync(join(at.core, name)).mtimeMs);
    const times = written();
    expect((await at.take(file, ...at.withPassphrase)).files).toMatchObject([{ changed: true }]);
    expect([bytesOf(at.core), written()]).toEqual([before, times]);
    // The core is not hindered, and goes on.
    saveCore(handle, one(8));
    expect((await at.take(file, ...at.withPassphrase)).files).toMatchObject([{ changed: true }]);
    handle.close();
    expect([...cells((await at.show()).servers).values()]).toEqual([8]);
  });

  test("control: opening that database itself does write to it", () => {
    const at = place();
    const file = join(at.core, "agent.db");
    const handle = createCore(file);
    handle.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    saveCore(handle, { smpServersStats: [] });
    const before = bytesOf(at.core);
    const other = openCore(file);
    other.exec("PRAGMA query_only = ON; SELECT COUNT(*) FROM servers_stats");
    handle.close();
    other.close();
    expect(bytesOf(at.core)).not.toEqual(before);
  });

  test("a database without encryption, and one that was just reset", async () => {
    const at = place();
    const file = join(at.core, "agent.db");
    const handle = createCore(file, null);
    saveCore(handle, { smpServersStats: [[[1, address("smp", "a")], { _sentDirect: 5 }]] });
    expect((await at.take(file)).files).toMatchObject([{ changed: true }]);
    saveCore(handle, null, "2026-06-04 03:02:01");
    expect((await at.take(file)).files).toMatchObject([{ changed: false, users: 0 }]);
    handle.close();
    expect([...cells((await at.show()).servers).values()]).toEqual([5]);
  });

  test("several files, again, and later ones: only what is new is added", async () => {
    const at = place();
    const make = (name: string, sent: number, started_at = "2026-05-04 03:02:01") =>
      at.file(name, {
        started_at,
        servers_stats: JSON.stringify({ smpServersStats: [[[1, address("smp", "a")], { _sentDirect: sent }]] }),
      });
    const files = [make("a", 5), make("b", 8), make("c", 3, "2026-06-04 03:02:01")];
    expect((await at.take(...files)).files.map(({ changed }: { changed: boolean }) => changed)).toEqual([
      true,
      true,
      true,
    ]);
    expect((await at.take(files[1] as string, files[2] as string)).files).toMatchObject([
      { changed: false },
      { changed: false },
    ]);
    expect([...cells((await at.show()).servers).values()]).toEqual([11]);
    const back = await at.take(make("d", 1, "2026-06-04 03:02:01"));
    expect(back.files).toMatchObject([{ wentBack: true }]);
    expect(back.stderr).toMatch(/^agent-stats: Warning: the numbers are smaller .* \[SIMPLEX_WENT_BACK\]\n$/);
    expect([...cells((await at.show()).servers).values()]).toEqual([12]);
  });

  test("what is unknown is kept, and told to people too", async () => {
    const at = place();
    const stats = { _sentDirect: 5, _sentQuantum: 7, note: "x" };
    const file = at.file("a", { smpServersStats: [[[1, address("smp", "a")], stats]], xftpServersStats: [] });
    const { code, stdout } = await agentStats(["import", "simplex", file, ...at.ours]);
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => !line.includes("missing, so zero: $.smpServersStats"))).toEqual([
      "file 1 of 1: imported",
      "  1 user, 1 server, as the core saves it",
      "  counted by the core since a date that it does not tell",
      "  missing, so zero: $.ntfServersStats",
      "  unknown, kept where it is a counter: $.smpServersStats[*][*]._sentQuantum",
      "  unknown, kept where it is a counter: $.smpServersStats[*][*].note",
      "",
    ]);
    expect((await at.show()).servers[0]?.overall).toEqual({ sentDirect: 5, sentQuantum: 7 });
  });

  test("a file that is refused leaves everything as it was, the good one before it too", async () => {
    const at = place();
    const good = at.file("good", { smpServersStats: [[[1, address("smp", "a")], { _sentDirect: 5 }]] });
    const bad = at.file("bad", { smpServersStats: [[[1, address("smp", "a")], { _sentDirect: -5 }]] });
    expect(await at.take(good, bad)).toEqual({
      code: 5,
      stderr:
        "agent-stats: File 2 of 2: $.smpServersStats[0][1]._sentDirect: the number is below zero [SIMPLEX_MALFORMED]\n",
      files: [],
    });
    expect((await agentStats(["show", ...at.ours])).code).toBe(4);
  });

  test.each([
    ["no file", [], 2, "USAGE"],
    ["one that is not there", ["nowhere"], 4, "IMPORT_UNREADABLE"],
    ["a folder", ["."], 4, "IMPORT_UNREADABLE"],
    ["two secrets from stdin", ["x", "--passphrase-file", "-", "--key-file", "-"], 2, "USAGE"],
    ["a name that stands for others", ["x", "--user", "others"], 2, "USAGE"],
  ])("%s is said", async (_, args, code, name) => {
    const at = place();
    const own = args.includes("--key-file") ? at.ours.slice(0, 2) : at.ours;
    const { code: exit, stderr } = await agentStats(["import", "simplex", ...args, ...own]);
    expect({ exit, stderr }).toEqual({ exit: code, stderr: expect.stringMatching(new RegExp(`\\[${name}\\]\\n$`)) });
  });

  test("a wrong passphrase, none, and a database of another kind are said; nothing is made or changed", async () => {
    const at = place();
    const file = join(at.core, "agent.db");
    createCore(file, "another one").close();
    const before = bytesOf(at.core);
    for (const more of [at.withPassphrase, []]) {
      const { code, stderr } = await at.take(file, ...more);
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/\[STATS_KEY_REJECTED\]\n$/) });
    }
    expect(bytesOf(at.core)).toEqual(before);
    const other = join(at.core, "other.db");
    const handle = openCore(other);
    handle.exec("CREATE TABLE x (y)");
    handle.close();
    expect(await at.take(other, ...at.withPassphrase)).toMatchObject({ code: 4 });
  });

  test("only one at a time is let in", async () => {
    const at = place();
    const file = at.file("a", { smpServersStats: [[[1, address("smp", "a")], { _sentDirect: 5 }]] });
    const all = await Promise.all(Array.from({ length: 4 }, () => at.take(file)));
    const changed = all.flatMap(({ files }) => files).filter((each: { changed: boolean }) => each.changed);
    expect(changed).toHaveLength(1);
    expect([...cells((await at.show()).servers).values()]).toEqual([5]);
  });
});
