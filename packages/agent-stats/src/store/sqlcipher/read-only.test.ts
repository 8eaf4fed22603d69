import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StatsErrorCode } from "agent-stats";
import { afterEach, describe, test } from "vitest";
import { type BadInput, holds, makeGood, placeFor } from "./bad-input.testing.ts";
import { describeDrivers, temporaryFolder } from "./files.testing.ts";
import { mountReadOnly, unmount } from "./mounts.testing.ts";

/** What this user may not write. Root may write everything, so it becomes somebody else for a while. */
const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;
const beNobody = () => void (isRoot && process.seteuid?.(NOBODY));
const beMyself = () => void (isRoot && process.seteuid?.(0));

const mayWrite = (folder: string, mode: { folder: number; file: number }) => {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), mode.file);
  chmodSync(folder, mode.folder);
};

function readOnly(
  name: string,
  mode: { folder: number; file: number },
  existing: boolean,
  toReader: StatsErrorCode | null = null,
): BadInput {
  return {
    name,
    code: "STATS_READ_ONLY",
    says: /give this user the right to write/,
    thread: "same",
    make: async (place) => {
      const folder = dirname(place.file);
      mkdirSync(folder);
      chmodSync(place.outside, 0o755);
      // Made in any case: the driver must be loaded before this process may no longer read all its files.
      await makeGood(place);
      if (!existing) rmSync(place.file);
      mayWrite(folder, mode);
      beNobody();
    },
    cure: ({ file }) => {
      beMyself();
      mayWrite(dirname(file), { folder: 0o777, file: 0o666 });
      beNobody();
    },
    before: existing ? 100 : 0,
    toReader,
  };
}

const READ_ONLY = [
  readOnly("a folder that may not be written", { folder: 0o555, file: 0o444 }, false, "STATS_MISSING"),
  readOnly("a file and its folder that may not be written", { folder: 0o555, file: 0o444 }, true),
  readOnly("a file in a folder that may not be written", { folder: 0o555, file: 0o666 }, true),
];

function whyAllMayBeWritten(): string | null {
  if (process.platform === "win32") return "Windows knows no such modes";
  const folder = temporaryFolder();
  chmodSync(folder, 0o555);
  beNobody();
  try {
    writeFileSync(join(folder, "written"), "");
    return "this user may write everything";
  } catch {
    return null;
  } finally {
    beMyself();
  }
}

/** A file that nobody may write, in a folder where all may: by its mode, or, where that does not bind root, by a mount. */
const READ_ONLY_FILE: BadInput = {
  name: "a file that may not be written",
  code: "STATS_READ_ONLY",
  says: /give this user the right to write/,
  make: async (place) => {
    mkdirSync(dirname(place.file));
    await makeGood(place);
    if (isRoot) mountReadOnly(place.file);
    else chmodSync(place.file, 0o444);
  },
  cure: ({ file }) => {
    if (isRoot) unmount();
    // With what a reader left beside it.
    for (const name of readdirSync(dirname(file))) chmodSync(join(dirname(file), name), 0o666);
  },
  before: 100,
  toReader: null,
  // Who may not write the file cannot lock it either, so as to know that nobody else needs these.
  readerLeaves: /-(wal|shm)$/,
};

function whyNoFileIsReadOnly(): string | null {
  if (!isRoot) return process.platform === "win32" ? "Windows knows no such modes" : null;
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  try {
    mountReadOnly(file);
    return null;
  } catch {
    return "this user may write everything, and mount nothing";
  } finally {
    unmount();
  }
}

describeDrivers("what may not be written is left as it is, and the host goes on", (driver) => {
  const reason = whyAllMayBeWritten();
  if (reason !== null) console.log(`skipped: what may not be written: ${reason}`);
  describe.skipIf(reason !== null)("as a user without the right", () => {
    afterEach(beMyself);
    test.each(READ_ONLY)("$name", (bad) => holds(bad, placeFor(driver)));
  });

  const noFile = whyNoFileIsReadOnly();
  if (noFile !== null) console.log(`skipped: ${READ_ONLY_FILE.name}: ${noFile}`);
  test.skipIf(noFile !== null)(READ_ONLY_FILE.name, async () => {
    try {
      await holds(READ_ONLY_FILE, placeFor(driver));
    } finally {
      unmount();
    }
  });
});
