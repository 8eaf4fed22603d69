import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomOf } from "../random.ts";
import { buildShim, shimmed } from "../shim/shim.ts";
import { crash, leftOf } from "./crash.ts";
import { applied, Disk, type Image } from "./disk.ts";
import { digestOf, imageOf } from "./image.ts";
import { type FileRecord, readLog } from "./log.ts";

const bytes = (text: string) => Buffer.from(text);
const text = (image: Image) => Object.fromEntries([...image].map(([name, content]) => [name, content.toString()]));
const created: FileRecord[] = [
  { op: "create", fd: 3, name: "a" },
  { op: "write", fd: 3, at: 0, bytes: bytes("one") },
];

function diskAfter(records: readonly FileRecord[], before: Image = new Map()): Disk {
  const disk = new Disk(before);
  for (const record of records) disk.apply(record);
  return disk;
}

/** Every image that so many crashes leave, as text. */
function left(disk: Disk, times = 300): Set<string> {
  const random = randomOf(1);
  return new Set(Array.from({ length: times }, () => JSON.stringify(text(crash(disk, random)))));
}

describe("a disk", () => {
  test("shows the process what it did", () => {
    const disk = diskAfter([
      ...created,
      { op: "link", from: "a", to: "b" },
      { op: "unlink", name: "a" },
      { op: "write", fd: 3, at: 5, bytes: bytes("two") },
      { op: "rename", from: "b", to: "c" },
    ]);
    expect(text(disk.whole())).toEqual({ c: "one\0\0two" });
  });

  test("keeps through a crash what was synced, and loses or keeps the rest", () => {
    const synced: FileRecord[] = [
      ...created,
      { op: "sync", fd: 3 },
      { op: "open", fd: 4, name: "" },
      { op: "sync", fd: 4 },
    ];
    expect(left(diskAfter(synced))).toEqual(new Set(['{"a":"one"}']));
    const more = left(diskAfter([...synced, { op: "write", fd: 3, at: 3, bytes: bytes("two") }]));
    expect(more).toContain('{"a":"one"}');
    expect(more).toContain('{"a":"onetwo"}');
    expect(more).toContain('{"a":"onetw"}');
  });

  test("without a sync of the folder a name may be lost, though its bytes were synced", () => {
    const images = left(diskAfter([...created, { op: "sync", fd: 3 }]));
    expect(images).toEqual(new Set(["{}", '{"a":"one"}']));
  });

  test("a removed name may be there again, and what was created after it may be lost", () => {
    const before = new Map([["a", bytes("old")]]);
    const images = left(
      diskAfter(
        [
          { op: "unlink", name: "a" },
          { op: "create", fd: 3, name: "b" },
        ],
        before,
      ),
    );
    expect(images).toEqual(new Set(['{"a":"old"}', "{}", '{"b":""}', '{"a":"old","b":""}']));
  });

  test("of two writes the later may arrive alone, and the earlier may win", () => {
    const before = new Map([["a", bytes("....")]]);
    const records: FileRecord[] = [
      { op: "open", fd: 3, name: "a" },
      { op: "write", fd: 3, at: 0, bytes: bytes("11") },
      { op: "write", fd: 3, at: 1, bytes: bytes("22") },
    ];
    const images = left(diskAfter(records, before), 600);
    for (const content of ["....", "11..", ".22.", "122.", "112."]) expect(images).toContain(`{"a":"${content}"}`);
  });

  test("a truncation may be lost, and cuts what was there", () => {
    const before = new Map([["a", bytes("1234")]]);
    const records: FileRecord[] = [
      { op: "open", fd: 3, name: "a" },
      { op: "truncate", fd: 3, size: 1 },
    ];
    expect(left(diskAfter(records, before))).toEqual(new Set(['{"a":"1234"}', '{"a":"1"}']));
    expect(applied(bytes("1234"), [{ size: 1 }, { at: 3, bytes: bytes("x") }]).toString()).toBe("1\0\0x");
  });

  test("tears writes at the borders of sectors only", () => {
    const inode = { durable: Buffer.alloc(2_048), pending: [{ at: 500, bytes: Buffer.alloc(1_000, 1) }] };
    const random = randomOf(3);
    const borders = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const torn = leftOf(inode, "torn", random);
      for (let at = 1; at < torn.length; at++) if (torn[at] !== torn[at - 1]) borders.add(at);
    }
    expect(borders).toEqual(new Set([500, 512, 1_024, 1_500]));
  });
});

describe("the recorder", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agent-stats-record-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const built = () => buildShim("record", folder);
  const whyNot = () => {
    folder = mkdtempSync(join(tmpdir(), "agent-stats-record-"));
    const shim = built();
    rmSync(folder, { recursive: true });
    return "whyNot" in shim ? shim.whyNot : null;
  };
  const reason = whyNot();
  if (reason !== null) console.log(`skipped: the recorder: ${reason}`);

  test.skipIf(reason !== null)("writes down everything, in order, between the marks", () => {
    const shim = built() as { path: string };
    const data = join(folder, "data");
    mkdirSync(data);
    const program = `
      const fs = require("node:fs");
      const [data, marks] = process.argv.slice(1);
      const at = (name) => data + "/" + name;
      const said = fs.openSync(marks, "a");
      const a = fs.openSync(at("a"), "w+");
      fs.writeSync(a, "hello");
      fs.writeSync(said, "first");
      fs.writeSync(a, "J", 0);
      fs.writevSync(a, [Buffer.from(" w"), Buffer.from("orld")]);
      fs.fsyncSync(a);
      fs.ftruncateSync(a, 8);
      fs.fdatasyncSync(a);
      fs.closeSync(a);
      fs.appendFileSync(at("a"), "!");
      fs.linkSync(at("a"), at("b"));
      fs.renameSync(at("b"), at("c"));
      fs.unlinkSync(at("a"));
      fs.writeFileSync(at("d"), "removed in another way");
      fs.rmSync(at("d"));
      fs.writeFileSync(at("x-shm"), "not kept");
      fs.writeFileSync(marks + "-elsewhere", "not recorded");
      fs.writeSync(said, "second");`;
    const marks = join(folder, "marks");
    const log = join(folder, "log");
    const env = shimmed(shim.path, { FAULTS_FOLDER: data, FAULTS_LOG: log, FAULTS_MARKS: marks });
    execFileSync(process.execPath, ["-e", program, data, marks], { env });
    const records = readLog(readFileSync(log));
    expect(digestOf(diskAfter(records).whole())).toBe(digestOf(imageOf(data)));
    expect(text(imageOf(data))).toEqual({ c: "Jello wo!" });
    const marked = records.flatMap((record) => (record.op === "mark" ? [record.text] : []));
    expect(marked).toEqual(["first", "second"]);
    const ops = records.map(({ op }) => op).filter((op) => op !== "close");
    expect(ops.slice(0, 3)).toEqual(["start", "create", "write"]);
    expect(ops.filter((op) => op === "sync")).toHaveLength(2);
    expect(ops.indexOf("mark")).toBe(3);
  });

  test.skipIf(reason !== null)("a record that is cut off, or that cannot be replayed, is refused", () => {
    expect(() => readLog(Buffer.alloc(17, 1))).toThrow(/cut off/);
    expect(() => readLog(Buffer.concat([Buffer.from([12]), Buffer.alloc(16)]))).toThrow(/cannot be replayed/);
  });
});
