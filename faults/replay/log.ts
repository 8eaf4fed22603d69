/** The record of `shim/record.c`, read. */

export type FileRecord =
  | { readonly op: "start" }
  | { readonly op: "open" | "create"; readonly fd: number; readonly name: string }
  | { readonly op: "close" | "sync"; readonly fd: number }
  | { readonly op: "write"; readonly fd: number; readonly at: number; readonly bytes: Buffer }
  | { readonly op: "truncate"; readonly fd: number; readonly size: number }
  | { readonly op: "link" | "rename"; readonly from: string; readonly to: string }
  | { readonly op: "unlink"; readonly name: string }
  | { readonly op: "mark"; readonly text: string };

const OPS = [
  "start",
  "open",
  "create",
  "close",
  "write",
  "truncate",
  "sync",
  "link",
  "rename",
  "unlink",
  "mark",
  "unknown",
] as const;
const HEAD_BYTES = 17;

/** @throws when the record is cut off, or holds a call that cannot be replayed */
export function readLog(log: Buffer): FileRecord[] {
  const records: FileRecord[] = [];
  for (let at = 0; at < log.length; ) {
    const op = OPS[log.readUInt8(at) - 1];
    const fd = log.readInt32LE(at + 1);
    const offset = Number(log.readBigInt64LE(at + 5));
    const length = log.readUInt32LE(at + 13);
    const bytes = log.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    if (bytes.length < length) throw new Error("the record of file operations is cut off");
    records.push(recordOf(op, fd, offset, bytes));
    at += HEAD_BYTES + length;
  }
  return records;
}

function recordOf(op: (typeof OPS)[number] | undefined, fd: number, offset: number, bytes: Buffer): FileRecord {
  switch (op) {
    case "start":
      return { op };
    case "open":
    case "create":
      return { op, fd, name: bytes.toString() };
    case "close":
    case "sync":
      return { op, fd };
    case "write":
      return { op, fd, at: offset, bytes };
    case "truncate":
      return { op, fd, size: offset };
    case "link":
    case "rename": {
      const [from = "", to = ""] = bytes.toString().split("\n");
      return { op, from, to };
    }
    case "unlink":
      return { op, name: bytes.toString() };
    case "mark":
      return { op, text: bytes.toString() };
    default:
      throw new Error("the record holds a file operation that cannot be replayed");
  }
}
