import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildShim, shimmed } from "../../shim/shim.ts";
import { CASES, CONTROL_KINDS, caseOf, KINDS } from "./cases.ts";
import { type Fault, FaultControl } from "./control.ts";

const folder = mkdtempSync(join(tmpdir(), "agent-stats-fault-"));
afterAll(() => rmSync(folder, { recursive: true }));
const shim = buildShim("fault", folder);
if ("whyNot" in shim) console.log(`skipped: the shim that fails calls: ${shim.whyNot}`);

/** What five writes to a file say, with that fault; and what the shim saw. */
function fiveWrites(
  fault: Fault,
  name = "stats.db",
): { readonly said: string[]; readonly failed: number; readonly seen: number } {
  const data = join(folder, "data");
  const path = join(folder, "control");
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  FaultControl.make(path);
  const control = new FaultControl(path);
  control.arm(fault);
  const program = `
    const fs = require("node:fs");
    const said = [];
    try {
      const fd = fs.openSync(process.argv[1], "w+");
      for (let i = 0; i < 5; i++) {
        try { said.push(String(fs.writeSync(fd, "0123456789", 0))); } catch (error) { said.push(error.code); }
      }
    } catch (error) { said.push(error.code); }
    process.stdout.write(JSON.stringify(said));`;
  const env = shimmed((shim as { path: string }).path, { FAULTS_FOLDER: data, FAULTS_CONTROL: path });
  const said = JSON.parse(
    execFileSync(process.execPath, ["-e", program, join(data, name)], { env, encoding: "utf8" }),
  ) as string[];
  const told = control.told();
  control.heal();
  control.close();
  return { said, ...told };
}

describe.skipIf("whyNot" in shim)("the shim", () => {
  const write: Fault = { call: "write", file: "db", error: "EIO", first: 3, many: 1 };
  const well = "10";

  test("lets the Nth call fail, so often, and no other", () => {
    expect(fiveWrites(write)).toEqual({ said: [well, well, "EIO", well, well], seen: 5, failed: 1 });
    expect(fiveWrites({ ...write, error: "ENOSPC", first: 2, many: 2 }).said).toEqual([
      well,
      "ENOSPC",
      "ENOSPC",
      well,
      well,
    ]);
    expect(fiveWrites({ ...write, many: 1_000_000_000 }).said).toEqual([well, well, "EIO", "EIO", "EIO"]);
    expect(fiveWrites({ ...write, first: 6 }).failed).toBe(0);
  });

  test("lets a write do half of its work: whoever asked for it asks for the rest", () => {
    const all = [well, well, well, well, well];
    expect(fiveWrites({ ...write, error: "half" })).toEqual({ said: all, seen: 6, failed: 1 });
  });

  test("tells calls and files apart", () => {
    expect(fiveWrites({ ...write, call: "sync" })).toMatchObject({ seen: 0, failed: 0 });
    expect(fiveWrites(write, "stats.db-wal")).toMatchObject({ seen: 0, failed: 0 });
    expect(fiveWrites({ ...write, file: "wal" }, "stats.db-wal").failed).toBe(1);
    expect(fiveWrites({ ...write, call: "open", first: 1 }).said).toEqual(["EIO"]);
  });
});

describe("cases", () => {
  const texts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => JSON.stringify(caseOf(from + n, KINDS)));

  test("are every kind of call in every phase, and what is interrupted is not so for good", () => {
    expect(new Set(KINDS.map(({ phase, fault }) => `${phase} ${fault.call}`)).size).toBe(8 * 7);
    expect(KINDS.filter(({ fault }) => fault.error === "EINTR" && fault.many > 3)).toEqual([]);
    expect(new Set(KINDS.map((each) => JSON.stringify(each))).size).toBe(KINDS.length);
    expect(CONTROL_KINDS.length).toBeGreaterThan(1);
  });

  test("come once each, wherever the seeds begin, and each kind before any comes again", () => {
    expect(new Set(texts(12_345, 12_345 + CASES)).size).toBe(CASES);
    const round = Array.from({ length: KINDS.length }, (_, n) => caseOf(77 + n, KINDS));
    expect(new Set(round.map(({ phase, fault }) => JSON.stringify([phase, fault]))).size).toBe(KINDS.length);
    expect(new Set(round.map(({ thread }) => thread)).size).toBe(2);
  });
});
