import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { agentStats, database, MAIN } from "../cli.testing.ts";

async function warningsOf(args: readonly string[]) {
  const { child } = await viewing(args);
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    told += text;
  });
  child.kill("SIGTERM");
  await once(child, "close");
  return told;
}

async function viewing(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, "view", ...args, "--json"], { env: { PATH: process.env.PATH ?? "" } });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, ...(JSON.parse(line) as { link: string; port: number }) };
}

describe("view", () => {
  test("lets the link in once, serves its own page, and ends at a signal", async () => {
    const { args } = await database();
    const { child, link, port } = await viewing(args);
    const first = await fetch(link, { redirect: "manual" });
    expect(first.status).toBe(303);
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
    expect({ status: page.status, type: page.headers.get("content-type") }).toMatchObject({
      status: 200,
      type: expect.stringContaining("text/html"),
    });
    expect((await fetch(link, { redirect: "manual" })).status).toBe(401);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
    const taken = await agentStats(["view", ...args, "--port", String(port)]);
    expect(taken).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("[PORT_TAKEN]") });
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("warns of a profile to hide that is not there, as its name may be mistyped", async () => {
    const { args } = await database();
    const stderrOf = (user: string) => warningsOf([...args, "--hide", "1", "--hide", user]);
    expect(await stderrOf("11")).toMatch(/^agent-stats: Warning: --hide names a user of whom .+ \[NOT_FOUND\]\n$/);
    expect(await stderrOf("10")).toBe("");
  });

  test("warns where there is no file yet, as its path may be mistyped; control: not where there is one", async () => {
    const { args, db } = await database();
    const typo = args.map((word) => (word === db ? `${db}.typo` : word));
    expect(await warningsOf(typo)).toMatch(
      /^agent-stats: Warning: there is no file at --db yet.+ \[STATS_MISSING\]\n$/,
    );
    expect(await warningsOf(args)).toBe("");
  });

  test("does not begin with the key of another file", async () => {
    const { db, path } = await database();
    const { keyFile } = await import("../cli.testing.ts");
    const wrong = ["view", "--db", db, "--key-file", keyFile(path, "00".repeat(32))];
    expect(await agentStats(wrong)).toMatchObject({ code: 3, stdout: "" });
  });
});
