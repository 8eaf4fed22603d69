// Changes the code of each room in one place at a time, to see whether a suite notices: `npm run mutation`, or of one room
// `npm run mutation -- keep`; `--go-on` takes what the last run found for what did not change since.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { logOf, ROOMS } from "./rooms.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Quick tests notice most, so that slow ones are run for the rest only. In ms. */
const ROUNDS = [100, Number.POSITIVE_INFINITY];
/** A change that makes a test hang without end hangs the run: it is ended, and gone on with. */
const LONGEST_SILENCE_MS = 90_000;

const args = process.argv.slice(2);
const asked = args.find((each) => !each.startsWith("--"));
const rooms = ROOMS.filter(({ name }) => asked === undefined || asked === name);
if (rooms.length === 0) throw new Error(`No such room. There are: ${ROOMS.map(({ name }) => name).join(", ")}.`);

/** One run over the suites, to its end or to that of a change that ended it. @param {string} room @param {number} round */
async function run(room, round) {
  const log = logOf(room);
  writeFileSync(log, "", { flag: "a" });
  const command = ["vitest", "run", "--config", "mutation/vitest.config.ts"];
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...command.slice(1)], {
    env: { ...process.env, MUTATED_ROOM: room, MUTATED_WITHIN_MS: String(round), NODE_NO_WARNINGS: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => {
    said = (said + text).slice(-2_000);
  });
  let isOver = false;
  const began = Date.now();
  const ended = new Promise((resolve) => child.on("close", resolve)).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await Promise.race([ended, sleep(1_000)]);
    const last = Math.max(began, statSync(log).mtimeMs);
    if (!isOver && Date.now() - last > LONGEST_SILENCE_MS) child.kill("SIGKILL");
  }
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  if (!lines.some((line) => line.startsWith('{"runs"'))) throw new Error(`The suites of ${room} do not run. ${said}`);
  return !/^\{"(begins|again)"/.test(lines.at(-1) ?? "");
}

/** All rounds of a room. @param {string} name */
async function changeAll(name) {
  mkdirSync(dirname(logOf(name)), { recursive: true });
  if (!args.includes("--go-on") && existsSync(logOf(name))) rmSync(logOf(name));
  const began = Date.now();
  for (const round of ROUNDS) while (!(await run(name, round)));
  const took = Math.round((Date.now() - began) / 1_000);
  writeFileSync(logOf(name), `${JSON.stringify({ took })}\n`, { flag: "a" });
  console.log(`${name}: ${took} s`);
}

// Each room keeps one core busy.
const waiting = [...rooms];
const lanes = Array.from({ length: availableParallelism() }, async () => {
  for (let room = waiting.shift(); room; room = waiting.shift()) await changeAll(room.name);
});
await Promise.all(lanes);
await import("./report.js");
