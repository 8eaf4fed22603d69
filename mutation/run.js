// Changes the code of each room in one place at a time, to see whether a suite notices. What did not change since the last
// run is not tried again: delete mutation/reports to begin anew. `npm run mutation -- keep` runs one room.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOMS } from "./rooms.js";

const [asked, ...options] = process.argv.slice(2);
const rooms = ROOMS.filter(({ name }) => asked === undefined || asked === name);
if (rooms.length === 0) throw new Error(`No such room. There are: ${ROOMS.map(({ name }) => name).join(", ")}.`);

for (const { name, mutate } of rooms) {
  const reports = `mutation/reports/${name.replace("/", "-")}`;
  const { status } = spawnSync(
    "stryker",
    [
      "run",
      "mutation/stryker.config.json",
      "--mutate",
      mutate.join(","),
      "--incrementalFile",
      `${reports}.json`,
      ...options,
    ],
    {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: "inherit",
      env: { ...process.env, MUTATED_ROOM: name },
    },
  );
  if (status !== 0) process.exit(status ?? 1);
}
