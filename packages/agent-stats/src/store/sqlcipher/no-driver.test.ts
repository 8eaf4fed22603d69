import { spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";

const require = createRequire(import.meta.url);
const PACKAGE = dirname(require.resolve("agent-stats/package.json"));

/** A project that has this library and no driver: what it finds out, and what it does when a driver is installed. */
const PROGRAM = `
  import { defineProtocol, openAgentStats, readAgentStats } from "agent-stats";
  import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
  import { once } from "node:events";
  const smp = defineProtocol("smp", { sent: "messages sent" });
  const { file, key } = JSON.parse(process.argv[2]);
  const problems = [];
  const say = (what) => console.log(JSON.stringify(what));
  const stats = await openAgentStats({
    protocols: [smp],
    store: sqlcipherStore({ file, key }),
    flushEvery: 50,
    onProblem: (problem) => problems.push(problem?.code ?? null),
  });
  stats.server(smp, "somebody", "smp://server.example").add("sent", 7);
  const flushed = await stats.flush().catch(({ code }) => code);
  const reader = readAgentStats({ store: sqlcipherReader({ file, key }) });
  const read = await reader.getServersStats().catch(({ code }) => code);
  const { code, message } = stats.problem;
  say({ code, message, flushed, read, counted: stats.recorder.getServersStats().servers[0].session });
  await once(process.stdin, "data");
  stats.server(smp, "somebody", "smp://server.example").add("sent", 3);
  while (stats.problem) await new Promise((resolve) => setTimeout(resolve, 20));
  await stats.close();
  const { servers } = await reader.getServersStats();
  await reader.close();
  say({ problems, servers: servers.map(({ overall }) => overall) });
`;

/** The library as it is installed, in a project of its own: nothing of this workspace is in reach. */
function projectWithoutDrivers(): string {
  const project = temporaryFolder();
  const place = join(project, "node_modules", "agent-stats");
  mkdirSync(place, { recursive: true });
  for (const name of ["package.json", "dist"]) cpSync(join(PACKAGE, name), join(place, name), { recursive: true });
  writeFileSync(join(project, "program.mjs"), PROGRAM);
  return project;
}

describeDrivers("without a driver", (driver) => {
  test("it says what to install, counts on, and saves when one is installed", async () => {
    const project = projectWithoutDrivers();
    const data = join(project, "data");
    mkdirSync(data);
    const given = JSON.stringify({ file: join(data, "stats.db"), key: KEY });
    const child = spawn(process.execPath, ["program.mjs", given], { cwd: project, stdio: "pipe" });
    const output = text(child.stdout);
    const errors = text(child.stderr);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(bytesIn(data), "no file is touched").toEqual({});
    const place = join(project, "node_modules", driver);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(driverFolder(driver), place, "dir");
    child.stdin.end("installed\n");
    const [before, after] = (await output)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(await errors).toBe("");
    const code = "STATS_DRIVER_MISSING";
    expect(before).toMatchObject({ code, flushed: code, read: code, counted: { sent: 7 } });
    const major = Number(process.versions.node.split(".")[0]);
    const install = major >= 22 ? "better-sqlite3-multiple-ciphers@13" : "@signalapp/sqlcipher@4";
    expect(before.message).toBe(
      `No driver for encrypted SQLite can run on Node.js ${major} here: npm install ${install}.`,
    );
    expect(after).toEqual({ problems: [code, null], servers: [{ sent: 10 }] });
    expect(Object.keys(bytesIn(data))).toEqual(["stats.db"]);
    rmSync(place);
  });
});

function driverFolder(driver: string): string {
  let folder = dirname(require.resolve(driver));
  while (!folder.endsWith(join("node_modules", driver))) folder = dirname(folder);
  return folder;
}
