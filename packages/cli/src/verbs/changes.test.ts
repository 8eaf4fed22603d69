import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agentStats, bytesOf, counting, database, FAR, folder, keyFile, MAIN, NEAR, protocol } from "../cli.testing.ts";

const shownUsers = async (args: readonly string[]) => {
  const { stdout } = await agentStats(["show", ...args, "--json"]);
  return [...new Set(JSON.parse(stdout).servers.map(({ userId }: { userId: string }) => userId))];
};

describe("forget", () => {
  test("deletes a user for good, says how far, and leaves the others", async () => {
    const { args } = await database();
    const { code, stdout, stderr } = await agentStats(["forget", "2", ...args, "--confirm", "2"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      "user 2 is forgotten\n  1 server, 1 number; sums forgotten\n  erased: no page of the file holds it any more\n",
    );
    expect(await shownUsers(args)).toEqual(["1", "10"]);
  });

  test("--keep-totals leaves the sums, without name and servers; --json says what was done", async () => {
    const { args } = await database();
    const { stdout } = await agentStats(["forget", "10", ...args, "--confirm", "10", "--keep-totals", "--json"]);
    const totals = "kept without name and servers";
    expect(JSON.parse(stdout)).toEqual({ user: "10", servers: 1, counters: 1, totals, erased: "physically" });
    const { servers } = JSON.parse((await agentStats(["show", ...args, "--json"])).stdout);
    expect(servers).toContainEqual(expect.objectContaining({ userId: "", server: "", overall: { sent: 17 } }));
    expect(JSON.stringify(servers)).not.toContain('"10"');
  });

  test("an app that runs forgets the user too", async () => {
    const path = folder();
    const db = join(path, "stats.db");
    const app = await counting(db);
    app.server(protocol, 1, NEAR).add("sent", 3);
    app.server(protocol, 2, FAR).add("sent", 5);
    await app.flush();
    const args = ["--db", db, "--key-file", keyFile(path)];
    expect(await agentStats(["forget", "2", ...args, "--confirm", "2"])).toMatchObject({ code: 0 });
    app.server(protocol, 2, FAR).add("sent", 7);
    app.server(protocol, 1, NEAR).add("sent", 11);
    await app.close();
    const { servers } = JSON.parse((await agentStats(["show", ...args, "--json"])).stdout);
    expect(servers).toMatchObject([{ userId: "1", overall: { sent: 14 } }]);
  });
});

describe("reset", () => {
  test("of everything asks for the name of the file, and begins at zero", async () => {
    const { args } = await database();
    const { code, stdout } = await agentStats(["reset", ...args, "--confirm", "stats.db"]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      "everything begins at zero\n  2 servers of 3 users, numbers and history\n  erased: no page of the file holds it any more\n",
    );
    expect(await shownUsers(args)).toEqual([]);
  });

  test("does not take the sums of deleted users for a server and a user", async () => {
    const { args } = await database();
    for (const user of ["1", "2", "10"]) {
      await agentStats(["forget", user, ...args, "--confirm", user, "--keep-totals"]);
    }
    const { stdout } = await agentStats(["reset", ...args, "--confirm", "stats.db"]);
    expect(stdout).toContain("\n  0 servers of 0 users and the sums of deleted users, numbers and history\n");
  });

  test.each([
    [["--server", NEAR], NEAR, ["2", "10"]],
    [["--user", "2"], "2", ["1", "10"]],
    [["--protocol", "chat", "--user", "1"], "1", ["1", "2", "10"]],
    [["--protocol", "chat"], "chat", ["1"]],
  ])("of %j", async (scope, name, left) => {
    const { args } = await database();
    expect(await agentStats(["reset", ...args, ...scope, "--confirm", name])).toMatchObject({ code: 0, stderr: "" });
    expect(await shownUsers(args)).toEqual(left);
  });
});

describe("what cannot be undone", () => {
  test.each([
    ["is not done unasked", ["forget", "2"], 2, "USAGE"],
    ["is not done with another name", ["forget", "2", "--confirm", "1"], 2, "NOT_CONFIRMED"],
    [
      "is not done with the file's name where a user is meant",
      ["reset", "--user", "2", "--confirm", "stats.db"],
      2,
      "NOT_CONFIRMED",
    ],
    ["is not done unasked: reset", ["reset"], 2, "USAGE"],
    ["is not done of a user who is not there", ["forget", "3", "--confirm", "3"], 4, "NOT_FOUND"],
    ["is not done of nobody", ["forget", "", "--confirm", ""], 2, "USAGE"],
    ["is not done of a scope that covers nothing", ["reset", "--server", "x", "--confirm", "x"], 4, "NOT_FOUND"],
  ])("%s", async (_, words, code, name) => {
    const { path, args } = await database();
    const before = bytesOf(path);
    const outcome = await agentStats([...words, ...args]);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toMatch(new RegExp(`^agent-stats: [^\\n]+ \\[${name}\\]\\n$`));
    expect(bytesOf(path)).toEqual(before);
  });
});

describe("watch", () => {
  const watching = async (json: boolean) => {
    const path = folder();
    const db = join(path, "stats.db");
    const app = await counting(db);
    const near = app.server(protocol, 1, NEAR);
    near.add("sent", 101);
    await app.flush();
    const args = ["watch", "--db", db, "--key-file", keyFile(path), ...(json ? ["--json"] : [])];
    const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH ?? "", TZ: "UTC" } });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    const until = async (count: number) => {
      while (stdout.split("\n").length <= count) await once(child.stdout, "data");
    };
    await until(1);
    near.add("sent", 7);
    await app.flush();
    await until(2);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    await app.close();
    return { code, lines: stdout.trimEnd().split("\n") };
  };

  test("--json is one object a line, at each change, and nothing at none", async () => {
    const { code, lines } = await watching(true);
    expect(code).toBe(0);
    const seen = lines.map((line) => JSON.parse(line));
    expect(seen.map(({ servers }) => servers[0].overall)).toEqual([{ sent: 101 }, { sent: 108 }]);
    for (const { at } of seen) expect(new Date(at).toISOString()).toBe(at);
  });

  test("into a pipe it is a line for each change", async () => {
    const { code, lines } = await watching(false);
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} {2}watching 1 row of servers$/);
    expect(lines[1]).toMatch(new RegExp(`^[\\d: -]{19} {2}user 1 {2}${NEAR} {2}chat {2}sent \\+7 = 108$`));
  });
});
