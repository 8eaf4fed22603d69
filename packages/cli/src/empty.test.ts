import { expect, test } from "vitest";
import { agentStats, counting, database } from "./cli.testing.ts";

/** What a first run leaves: a file, a session, and nothing counted. */
const empty = () =>
  database(async (file) => {
    const stats = await counting(file);
    await stats.flush();
    await stats.close();
  });

test.each([
  [["show"], 0, "Nothing has been counted yet.\n"],
  [["timeline"], 0, "Nothing was counted in this time.\n"],
  [["doctor"], 0, "Nothing is wrong: looked at 0 servers and 1 session, 30 days back.\n"],
  [["explain", "sentDirect"], 0, "  overall     0 at 0 servers\n"],
  [["export", "--format", "ndjson"], 0, ""],
  [["export", "--format", "prometheus"], 0, ""],
  [["export", "--format", "csv"], 0, "protocol,userId,server,trackedSince,counter,past,session,overall\r\n"],
  [["reset", "--confirm", "stats.db"], 0, "  0 servers of 0 users, numbers and history\n"],
])("of a database in which nothing is counted, %j says so", async (words, code, end) => {
  const { args } = await empty();
  const outcome = await agentStats([...words, ...args]);
  expect(outcome).toMatchObject({ code, stderr: "", stdout: expect.stringContaining(end) });
});

test("a report of nothing is a report, and names nobody", async () => {
  const { args } = await empty();
  const { code, stdout } = await agentStats(["report", "--json", ...args]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ servers: [], sessions: [{ how: "close" }] });
});
