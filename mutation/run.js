// Changes the code of each room in one place at a time, to see whether a suite notices: `npm run mutation`, or of one room
// `npm run mutation -- keep`. What has not changed since the last run is not tried again: remove mutation/reports to begin
// anew.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOMS, reportOf } from "./rooms.js";

const [asked, ...options] = process.argv.slice(2);
const rooms = ROOMS.filter(({ name }) => asked === undefined || asked === name);
if (rooms.length === 0) throw new Error(`No such room. There are: ${ROOMS.map(({ name }) => name).join(", ")}.`);

const root = fileURLToPath(new URL("..", import.meta.url));
for (const { name, mutate } of rooms) {
  const where = ["--mutate", mutate.join(","), "--incrementalFile", reportOf(name)];
  const { status } = spawnSync("npx", ["stryker", "run", "mutation/stryker.config.json", ...where, ...options], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, MUTATED_ROOM: name },
  });
  if (status !== 0) process.exit(status ?? 1);
}
await import("./report.js");
